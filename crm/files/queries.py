from collections.abc import Collection, Iterable

from sqlalchemy import bindparam, or_, select

from crm.db import db
from crm.duties.models import Subject
from crm.duties.queries import NAME, Name, named, whole
from crm.errors import NotThere
from crm.files.models import File

_OF = select(File).where(File.subject_id == bindparam("subject"), File.removed_at.is_(None)).order_by(File.id)


def of(subject: Subject) -> list[File]:
    """The files on a subject, those taken away left out."""
    return list(db.session.scalars(_OF, {"subject": subject.id}))


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
    mine = or_(Subject.id.is_not(None) & whole(user), File.subject_id.is_(None) & (File.owner_id == user.id))
    file = db.session.scalar(
        select(File).outerjoin(Subject, Subject.id == File.subject_id).where(File.key == key, mine)
    )
    if file is None:
        raise NotThere()
    return file


def same(files: Iterable[File], subject: Subject, user) -> dict[str, list[Name]]:
    """Of each content: what else it hangs on, as far as `user` may see that. A paper and what it belongs to share theirs."""
    known = {file.sha256 for file in files}
    if not known:
        return {}
    family = {subject.id, subject.origin_id or subject.id}
    other = (Subject.id.not_in(family), or_(Subject.origin_id.is_(None), Subject.origin_id.not_in(family)))
    rows = select(File.sha256, *NAME).join(Subject, Subject.id == File.subject_id)
    rows = rows.where(File.sha256.in_(known), File.removed_at.is_(None), *other, named(user)).distinct()
    found: dict[str, list[Name]] = {}
    for sha256, *name in db.session.execute(rows.order_by(Subject.id).limit(20)):
        found.setdefault(sha256, []).append(Name(*name))
    return found


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
