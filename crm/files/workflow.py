"""A file is taken in as its owner's draft, then attached to a subject; taken away it stays in the history."""

import secrets
import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select

from crm import clock
from crm.db import db, unit_of_work
from crm.duties.message import Message
from crm.duties.models import Subject
from crm.duties.record import record
from crm.errors import Invalid
from crm.files import store
from crm.files.kinds import kind_of
from crm.files.models import File
from crm.labels import N_

LARGEST = 15 * 1024 * 1024  # bytes
DRAFTS_LIVE = timedelta(days=2)
MOST = 20  # files on one form
WAITING, WAITING_BYTES = 200, 300 * 1024 * 1024  # drafts of one person that hang nowhere yet
SCANS = ("image/", "application/pdf")
RESERVED = "import"  # begins the purpose of a draft that only its own page makes, having looked into it


def shown_name(name: str) -> str:
    """The name as it is shown: no path, no control or direction characters, not endless."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2][-255:])
    kept = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")).strip(". ")
    stem, dot, ending = kept.rpartition(".")
    return f"{stem[:100]}{dot}{ending[:10]}" if dot else kept[:100] or "file"


def draft(name: str, content: bytes, owner: Subject, purpose: str = "") -> File:
    """A new file nobody but `owner` knows of. Invalid if it is empty, too large, or not what its name says."""
    name = shown_name(name)
    if not content:
        raise Invalid(N_("%(name)s is empty."), name=name)
    if len(content) > LARGEST:
        raise Invalid(N_("%(name)s is larger than %(most)s MB."), name=name, most=LARGEST // 1024 // 1024)
    _check_room(owner, len(content))
    kind = kind_of(name, content)
    if kind is None:
        raise Invalid(N_("%(name)s is not taken: pictures, PDF, Office files and plain text are."), name=name)
    return File(
        key=secrets.token_hex(16), owner_id=owner.id, purpose=purpose, name=name, kind=kind.media,
        size=len(content), sha256=store.put(content), added_at=clock.now(),
    )  # fmt: skip


def _check_room(owner: Subject, size: int) -> None:
    """One person does not fill the disk."""
    waiting = select(func.count(), func.coalesce(func.sum(File.size), 0))
    count, held = db.session.execute(waiting.where(File.owner_id == owner.id, File.subject_id.is_(None))).one()
    if count >= WAITING or held + size > WAITING_BYTES:
        raise Invalid(N_("Too many of your files hang on nothing yet: save the forms they belong to first."))


def attach(keys: Iterable[str], subject: Subject, owner: Subject) -> list[File]:
    """Put one's drafts on a subject; keys of others' drafts, or of files already attached, are passed over."""
    keys = list(keys)[:MOST]
    if not keys:
        return []
    mine = select(File).where(File.key.in_(keys), File.owner_id == owner.id, File.subject_id.is_(None))
    files = list(db.session.scalars(mine.order_by(File.id)))
    for file in files:
        file.subject_id = subject.id
    db.session.flush()
    return files


def scans(taken: Iterable[File], purpose: str, field: str) -> list[File]:
    """Those of a form's files that were taken for a purpose; Invalid, naming the `field`, where one is no picture or PDF."""
    found = [file for file in taken if file.purpose == purpose]
    if not all(file.kind.startswith(SCANS) for file in found):
        raise Invalid(fields={field: N_("A picture or a PDF is needed.")})
    return found


def note(subject: Any, *, by, words: str, files: Iterable[str] = ()) -> None:
    """A note on a subject, and what is attached to it; neither makes an open form stale, nor fills a field."""
    kinds = subject.EVENTS
    record(kinds.NOTED, subject, by=by, words=words)
    for file in attach(files, subject, by):
        file.purpose = ""
        record(kinds.ATTACHED, subject, by=by, file=file.key, name=file.name)


def take_away(file: File) -> None:
    """No longer shown and no longer fills its field; its bytes stay, for the history."""
    file.removed_at = clock.now()
    db.session.flush()


def _named(hashes: set[str]) -> set[str]:
    """Which of these a file still names, or a letter that was sent."""
    columns = (File.sha256, Message.mail_sha256, Message.sheet_sha256) if hashes else ()
    return {sha256 for column in columns for sha256 in db.session.scalars(select(column).where(column.in_(hashes)))}


def forget_drafts(as_of) -> int:
    """A sweep's step: drafts that were never attached go after two days, and bytes no row names with them."""
    with unit_of_work():
        old = delete(File).where(File.subject_id.is_(None), File.added_at < as_of - DRAFTS_LIVE)
        hashes = set(db.session.scalars(old.returning(File.sha256)))
        kept = _named(hashes)
    for sha256 in hashes - kept:
        store.remove(sha256)
    return len(hashes)
