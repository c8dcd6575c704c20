from collections.abc import Collection, Iterable

from sqlalchemy import or_, select

from crm.db import db
from crm.duties.models import Subject
from crm.duties.queries import visible
from crm.errors import NotThere
from crm.files.models import File


def of(subject: Subject) -> list[File]:
    """The files on a subject, those taken away left out."""
    return list(
        db.session.scalars(
            select(File).where(File.subject_id == subject.id, File.removed_at.is_(None)).order_by(File.id)
        )
    )


def _plausible(keys: Iterable[str]) -> list[str]:
    return [key for key in keys if len(key) == 32][:50]


def drafts(keys: Collection[str], owner: Subject) -> list[File]:
    """One's own drafts among these keys."""
    if not keys:
        return []
    mine = select(File).where(File.key.in_(_plausible(keys)), File.owner_id == owner.id, File.subject_id.is_(None))
    return list(db.session.scalars(mine.order_by(File.id)))


def anothers(keys: Collection[str], owner: Subject) -> bool:
    """Whether somebody else's is among these keys, which no page of one's own names."""
    if not keys:
        return False
    strange = select(File.id).where(File.key.in_(_plausible(keys)), File.owner_id != owner.id)
    return db.session.scalar(strange.limit(1)) is not None


def get(key: str, user) -> File:
    """A file through its subject, as far as `user` sees that; a draft only by its owner."""
    mine = or_(Subject.id.is_not(None) & visible(user), File.subject_id.is_(None) & (File.owner_id == user.id))
    file = db.session.scalar(
        select(File).outerjoin(Subject, Subject.id == File.subject_id).where(File.key == key, mine)
    )
    if file is None:
        raise NotThere()
    return file


def exists(key: str) -> bool:
    return db.session.scalar(select(File.id).where(File.key == key)) is not None


def on(subject: Subject, key: str) -> File:
    """A file of this subject that was not taken away."""
    file = db.session.scalar(
        select(File).where(File.key == key, File.subject_id == subject.id, File.removed_at.is_(None))
    )
    if file is None:
        raise NotThere()
    return file
