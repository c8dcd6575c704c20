"""Do the files and their rows belong together: every row its bytes, the bytes their name, and none that nobody names."""

from collections.abc import Iterator

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.durable.manifest import HASH
from crm.duties.message import Message
from crm.files import store
from crm.files.models import File

AGE = 24 * 3600  # seconds; younger bytes may belong to a row that is just being written


def checks() -> Iterator[tuple[str, object]]:
    yield "every file has its bytes", lost
    yield "every file's bytes are what they were", changed
    yield "every letter's bytes are what they were", letters
    yield "no bytes lie there that no file names", leftover


def _known() -> dict[str, str]:
    """Hash → a file's key."""
    return dict(db.session.execute(select(File.sha256, File.key)).all())  # type: ignore[arg-type]


def lost() -> list[str]:
    """Those that a sweep forgot meanwhile are looked up once more."""
    missing = [sha256 for sha256 in _known() if not (HASH.fullmatch(sha256) and store.path_of(sha256).exists())]
    if not missing:
        return []
    db.session.rollback()  # what is read next is read as it is by now
    still = _known()
    return [f"file {still[sha256]}" for sha256 in missing if sha256 in still]


def changed() -> Iterator[str]:
    sizes = select(File.sha256, File.key, File.size)
    for sha256, key, size in db.session.execute(sizes).all():
        path = store.path_of(sha256)
        if path.exists() and (path.stat().st_size != size or store.read(sha256) is None) and path.exists():
            yield f"file {key}"


def of_letters() -> dict[str, str]:
    """Hash → a letter's number in the outbox: of the mail that carried it, and of its sheet."""
    return {sha256: str(id) for column in (Message.mail_sha256, Message.sheet_sha256)
            for sha256, id in db.session.execute(select(column, Message.id).where(column.is_not(None)))}  # fmt: skip


def letters() -> Iterator[str]:
    for sha256, id in of_letters().items():
        if store.read(sha256) is None:
            yield f"letter {id}"


def leftover() -> Iterator[str]:
    """Sent by somebody whose form then failed, or left by a process that was killed."""
    known, before = {*_known(), *of_letters()}, clock.now().timestamp() - AGE
    for path in store.every():
        if path.name not in known and path.stat().st_mtime < before:
            yield str(path.relative_to(path.parents[1]))
