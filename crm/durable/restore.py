"""A backup made a place again: only where nothing is, all of it or nothing."""

import os
import secrets
import shutil
from pathlib import Path

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from crm import clock, keys
from crm.db import unit_of_work
from crm.desk import search
from crm.durable import integrity, snapshots
from crm.durable import manifest as form
from crm.durable.manifest import Manifest, NotDone
from crm.duties import anchors
from crm.duties.acts import carry_out_due
from crm.files import store
from crm.letters import outbox
from crm.migrating import knows, migrate
from crm.staff import workflow as staff


def restore(source: Path) -> Manifest:
    """Verify every hash of the backup first, then put it in place and bring it to this version. NotDone otherwise."""
    instance = Path(current_app.config["INSTANCE"])
    try:
        with form.opened(source) as (archive, made):
            _fits(made)
            _must_be_empty(instance)
            instance.mkdir(mode=0o700, parents=True, exist_ok=True)  # as `crm init` makes it
            with form.scratch(instance / f"restoring-{secrets.token_hex(4)}") as folder:
                form.unpack(archive, made, folder)
                _must_hold_a_key(made, folder)
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
    if any(one for one in (instance / "files").rglob("*") if one.is_symlink() or not one.is_dir()):
        raise NotDone(f"There are files in {instance / 'files'}: a backup is only restored into an empty place")
    if snapshots.present():
        raise NotDone("There are tables in the database: a backup is only restored into an empty place")


def _must_hold_a_key(made: Manifest, folder: Path) -> None:
    """A file without one would be put in place, and then no command starts there."""
    try:
        held = form.KEY not in made.members or keys.read(folder / form.KEY)
    except UnicodeDecodeError:
        held = ()
    if not held:
        raise NotDone(f"Not restored: the backup's {form.KEY} holds no key")


def _place(made: Manifest, folder: Path, instance: Path) -> None:
    """The files, then the database, whole; whatever goes wrong, nothing of it stays."""
    try:
        _place_files(folder, instance)
        snapshots.load(folder / form.DATABASE)
        store.sync(instance)
        _acts_by_itself()
        if snapshots.count_now() != made.counts:
            raise NotDone("What was restored does not hold as many rows as the backup's manifest says")
        migrate()
        search.catch_up()
        with unit_of_work():
            staff.restored(made_at=made.made_at, program=made.program)
        _hold_letters()
    except BaseException as wrong:
        snapshots.empty()
        shutil.rmtree(instance / "files", ignore_errors=True)
        if isinstance(wrong, SQLAlchemyError | RuntimeError | OSError) and not isinstance(wrong, NotDone):
            raise NotDone(f"Not restored, the place is empty as before: {str(wrong).splitlines()[0]}") from wrong
        raise
    _place_beside(made, folder, instance)


def _hold_letters() -> None:
    """What was to be sent then, and what the program would have written since, may have been sent since: a person decides."""
    carry_out_due(clock.now())
    with unit_of_work():
        outbox.hold_all()


def _acts_by_itself() -> None:
    """Whoever made the backup may have put something into the database that acts when we write to it."""
    with unit_of_work(read_only=True):
        strange = integrity.strange_triggers()
    if strange:
        raise NotDone(f"Not restored: the backup's {strange[0]}")


def _place_beside(made: Manifest, folder: Path, instance: Path) -> None:
    """The key, unless the place has one; the anchors, and beside them those the place had: they speak of what is lost."""
    if form.KEY in made.members and not keys.path(instance).exists():
        os.replace(folder / form.KEY, keys.path(instance))
        keys.path(instance).chmod(0o600)
    keys.make(instance)
    if anchors.path().exists():
        os.replace(anchors.path(), instance / f"anchors.until-{clock.now():%Y%m%dT%H%M%S}.log")
    if form.ANCHORS in made.members:
        os.replace(folder / form.ANCHORS, anchors.path())
    anchors.begin()


def _place_files(folder: Path, instance: Path) -> None:
    files = folder / "files"
    if files.exists():
        shutil.rmtree(instance / "files", ignore_errors=True)  # empty folders, as was looked
        os.replace(files, instance / "files")
    if hasattr(os, "sync"):
        os.sync()  # once for all of them
