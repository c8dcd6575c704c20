"""Which edition of the rulebook holds for what: each subject keeps the one it was opened under."""

from datetime import datetime
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select

from crm.db import db
from crm.duties import reading
from crm.duties.models import Edition, Subject
from crm.duties.rulebook import Rulebook

# An edition's text never changes once issued, so each process reads it once per database.
_read: WeakKeyDictionary[Engine, dict[int, Rulebook]] = WeakKeyDictionary()


def book(edition_id: int) -> Rulebook:
    """The rulebook of an edition."""
    known = _read.setdefault(db.engine, {})
    if edition_id not in known:
        text = db.session.scalars(select(Edition.body).where(Edition.id == edition_id)).one()
        known[edition_id] = reading.read(text)
    return known[edition_id]


def edition_id(at: datetime) -> int:
    """The edition that holds at an instant: the last one whose day has come."""
    return db.session.scalars(
        select(Edition.id).where(Edition.holds_from <= at).order_by(Edition.holds_from.desc()).limit(1)
    ).one()


def book_at(at: datetime) -> Rulebook:
    return book(edition_id(at))


def book_of(subject: Subject) -> Rulebook | None:
    """The rulebook a subject lives under; none for what was imported as history."""
    return book(subject.edition_id) if subject.edition_id else None
