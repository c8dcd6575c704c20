"""A backup made a place again: only where nothing is, all of it or nothing."""

import os
import secrets
import shutil
from pathlib import Path

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from crm import make_secret_key
from crm.desk import search
from crm.durable import manifest as form
from crm.durable import snapshots
from crm.durable.manifest import Manifest, NotDone
from crm.files import store
from crm.migrating import knows, migrate


def restore(source: Path) -> Manifest:
    """Verify every hash of the backup first, then put it in place and bring it to this version. NotDone otherwise."""
    instance = Path(current_app.config["INSTANCE"])
    try:
        with form.opened(source) as (archive, made):
            _fits(made)
            _must_be_empty(instance)
            instance.mkdir(parents=True, exist_ok=True)
            with form.scratch(instance / f"restoring-{secrets.token_hex(4)}") as folder:
                form.unpack(archive, made, folder)
                _place(made, folder, instance)
    except OSError as wrong:  # such as a full disk
        raise NotDone(f"Not restored: {wrong}") from wrong
    return made


def _fits(made: Manifest) -> None:
    if made.database != snapshots.kind():
        raise NotDone(f"This is a backup of {made.database}, and the place is {snapshots.kind()}: see CRM_DATABASE_URL")
    if not knows(made.revision):
        raise NotDone(f"This backup was made by a newer version ({made.program}, tables {made.revision})")


def _must_be_empty(instance: Path) -> None:
    if any((instance / "files").glob("*/*")):
        raise NotDone(f"There are files in {instance / 'files'}: a backup is only restored into an empty place")
    if snapshots.present():
        raise NotDone("There are tables in the database: a backup is only restored into an empty place")


def _place(made: Manifest, folder: Path, instance: Path) -> None:
    """The files, then the database, whole; whatever goes wrong, nothing of it stays."""
    try:
        _place_files(folder, instance)
        snapshots.load(folder / form.DATABASE)
        store.sync(instance)
        if snapshots.count_now() != made.counts:
            raise NotDone("What was restored does not hold as many rows as the backup's manifest says")
        migrate()
        search.catch_up()
    except BaseException as wrong:
        snapshots.empty()
        shutil.rmtree(instance / "files", ignore_errors=True)
        if isinstance(wrong, SQLAlchemyError | RuntimeError | OSError) and not isinstance(wrong, NotDone):
            raise NotDone(f"Not restored, the place is empty as before: {str(wrong).splitlines()[0]}") from wrong
        raise
    if made.members.get(form.KEY) and not (instance / "secret.key").exists():
        os.replace(folder / form.KEY, instance / "secret.key")
        (instance / "secret.key").chmod(0o600)
    make_secret_key(instance)


def _place_files(folder: Path, instance: Path) -> None:
    files = folder / "files"
    if files.exists():
        shutil.rmtree(instance / "files", ignore_errors=True)  # empty folders, as was looked
        os.replace(files, instance / "files")
    if hasattr(os, "sync"):
        os.sync()  # once for all of them
