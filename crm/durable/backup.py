"""One file that holds all there is, made while others write; whole or not there at all.

The database is taken first, then the bytes its file rows name. Bytes are kept under their hash and never change, and those
of an attached file are never removed. A draft's are, by a sweep, unless somebody touched them within the hour: so all
drafts' bytes are touched before the database is taken, and copied before all others.
"""

import io
import os
import secrets
import signal
import sqlite3
import tarfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from flask import current_app
from sqlalchemy import Connection, func, inspect, select

from crm import clock, keys
from crm.db import db, unit_of_work
from crm.durable import manifest as form
from crm.durable import snapshots
from crm.durable.manifest import Manifest, NotDone
from crm.duties import anchors
from crm.duties.message import Message
from crm.files import store
from crm.files.models import File

SHOWN = 3


def end_cleanly() -> None:
    """From here on SIGTERM ends the command as Ctrl-C does: what is half made is taken away, the exit code is not 0."""

    def end(_signal, _frame) -> None:
        raise SystemExit("ended before it was done")

    signal.signal(signal.SIGTERM, end)


def make(dest: Path, *, with_key: bool = False, anyway: bool = False) -> Manifest:
    """Back up into the new file `dest`. `anyway`: though bytes of stored files are lost; else that is refused."""
    if os.path.lexists(dest):
        raise NotDone(f"{dest} is there already: a backup never overwrites anything")
    if not dest.absolute().parent.is_dir():
        raise NotDone(f"There is no folder {dest.absolute().parent}")
    try:
        with form.scratch(dest.absolute().parent / f".{dest.name}.part-{secrets.token_hex(4)}") as folder:
            made = _write(folder / "backup", folder, with_key=with_key, anyway=anyway)
            _place(folder / "backup", dest)
    except (OSError, sqlite3.Error) as wrong:  # such as a full disk
        raise NotDone(f"{dest} was not made: {wrong}") from wrong
    return made


def _write(part: Path, folder: Path, *, with_key: bool, anyway: bool) -> Manifest:
    key = _key() if with_key else b""
    outside = anchors.path().read_bytes() if anchors.path().exists() else b""  # first: none names a seal not yet there
    _hold_drafts()
    dump = folder / form.DATABASE
    with snapshots.taken(dump) as then:
        made = Manifest(
            format=form.FORMAT, made_at=clock.now().isoformat(), program=version("jinyang-crm"),
            revision=snapshots.revision(then), database=snapshots.kind(), counts=snapshots.counts(then),
        )  # fmt: skip
        named = _named(then)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
            _put_files(archive, made, named)
            if made.lost and not anyway:
                names = ", ".join(one[:12] for one in made.lost[:SHOWN])
                raise NotDone(f"Bytes of {len(made.lost)} stored files are lost or damaged ({names}): "
                              "see `crm check`; --anyway makes a backup without them")  # fmt: skip
            with dump.open("rb") as taken:
                form.add(archive, made, form.DATABASE, taken, dump.stat().st_size)
            for name, content in ((form.KEY, key), (form.ANCHORS, outside)):
                if content:
                    form.add(archive, made, name, io.BytesIO(content), len(content))
            form.seal(archive, made)
        file.flush()
        os.fsync(file.fileno())
    return made


def _key() -> bytes:
    path = keys.path(Path(current_app.config["INSTANCE"]))
    if not path.exists():
        raise NotDone("--with-key: the key is not in the instance folder, so it is yours to keep (CRM_SECRET_KEY)")
    return path.read_bytes()


def _hold_drafts() -> None:
    with unit_of_work(read_only=True):
        drafts = set(db.session.scalars(select(File.sha256).where(File.subject_id.is_(None))))
    for sha256 in drafts:
        store.hold(sha256)


def _named(then: Connection) -> list[str]:
    """The hashes the database names, those that are only drafts' first, then those of letters."""
    attached = func.max(func.coalesce(File.subject_id, 0))
    named = list(then.scalars(select(File.sha256).group_by(File.sha256).order_by(attached, File.sha256)))
    if inspect(then).has_table(Message.__tablename__):  # not in a database of an earlier version
        for column in (Message.mail_sha256, Message.sheet_sha256):
            named += then.scalars(select(column).where(column.is_not(None)).order_by(Message.id))
    return list(dict.fromkeys(named))


def _put_files(archive: tarfile.TarFile, made: Manifest, named: Iterable[str]) -> None:
    for sha256 in named:
        content = store.read(sha256)
        if content is None:
            made.lost.append(sha256)
        else:
            form.add(archive, made, form.file_name(sha256), io.BytesIO(content), len(content))


def _place(part: Path, dest: Path) -> None:
    """Give the finished file its name in one step, unless something has that name by now."""
    try:
        os.link(part, dest)  # unlike a rename it refuses to overwrite
    except FileExistsError as there:
        raise NotDone(f"{dest} is there already: a backup never overwrites anything") from there
    except OSError:  # a disk without links
        if os.path.lexists(dest):
            raise NotDone(f"{dest} is there already: a backup never overwrites anything") from None
        os.rename(part, dest)
    store.sync(dest.absolute().parent)
