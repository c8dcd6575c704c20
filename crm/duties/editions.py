"""Which edition of the rulebook holds for what: a subject keeps the one it was opened under, unless it outlives editions."""

from datetime import datetime
from functools import cache
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, Select, case, event, select
from sqlalchemy.orm import Session, SessionTransaction

from crm import clock
from crm.db import db
from crm.duties import reading
from crm.duties.models import Duty, Edition, Subject, open_now
from crm.duties.rulebook import Rulebook

# An edition's text never changes once issued, so each process reads it once per database.
_read: WeakKeyDictionary[Engine, dict[int, Rulebook]] = WeakKeyDictionary()
ISSUING = "issuing"  # those a session is adding


def book(edition_id: int) -> Rulebook:
    """The rulebook of an edition."""
    known = _read.setdefault(db.engine, {})
    if edition_id not in known:
        known[edition_id] = reading.read(text(edition_id))
    return known[edition_id]


def text(edition_id: int) -> str:
    return db.session.scalars(select(Edition.body).where(Edition.id == edition_id)).one()


def holding(at: datetime) -> Select:
    """The id of the edition that holds at an instant: the last one whose day has come."""
    edition = Edition.__table__.c
    return select(edition.id).where(edition.holds_from <= at).order_by(edition.holds_from.desc()).limit(1)


def held_since(at: datetime) -> list[int]:
    """The editions that held at some instant from then until now, the first of them first."""
    edition = Edition.__table__.c
    began = db.session.scalar(select(edition.holds_from).where(edition.id == holding(at).scalar_subquery())) or at
    rows = select(edition.id).where(edition.holds_from >= began, edition.holds_from <= clock.now())
    return list(db.session.scalars(rows.order_by(edition.holds_from)))


@cache
def shipped() -> Rulebook:
    """What comes with the program as it stands: an edition issued before an upgrade may know less."""
    return reading.read(reading.shipped())


def edition_id(at: datetime) -> int:
    return db.session.scalars(holding(at)).one()


def todays() -> Rulebook:
    """The rulebook that holds now, looked up once per session: what pages name rules and fields by."""
    return book(todays_id())


def todays_id() -> int:
    info = db.session().info
    if "edition" not in info:
        info["edition"] = edition_id(clock.now())
    return info["edition"]


def known_today(edition: int | None) -> None:
    """Which edition holds now, found beside something else: `todays()` need not look."""
    if edition is not None:
        db.session().info["edition"] = edition


def issuing(edition: int) -> None:
    """An edition is being issued: should that be rolled back, its id may be another's."""
    session = db.session()
    session.info.pop("edition", None)
    session.info.setdefault(ISSUING, set()).add(edition)


@event.listens_for(Session, "after_soft_rollback")
def _forget_issued(session: Session, _ended: SessionTransaction) -> None:
    if ISSUING in session.info:
        session.info.pop("edition", None)
    for edition in session.info.pop(ISSUING, ()):
        for known in _read.values():
            known.pop(edition, None)


def book_of(subject: Subject) -> Rulebook | None:
    """The rulebook a subject lives under; none for what was imported as history."""
    return book(subject.edition_id) if subject.edition_id else None


def setting(subject: Subject, name: str) -> int:
    """A number the director owns, as it holds for a subject."""
    return (book_of(subject) or todays()).settings[name]


def setting_of_each(name: str) -> ColumnElement[int]:
    """The same in a statement about subjects: for each as it holds for it."""
    ids = db.session.scalars(select(Edition.__table__.c.id))
    return case({id: book(id).settings[name] for id in ids}, value=Subject.edition_id, else_=todays().settings[name])


def ruling(subject: Subject, at: datetime) -> list[int]:
    """The editions that rule what happens to a subject at an instant, the one it opens duties under last: the edition it
    was opened under; for what outlives editions those it still owes something under, then that of the day."""
    if subject.edition_id is None or not subject.LASTING:
        return [subject.edition_id] if subject.edition_id else []
    last = edition_id(at)
    owed = select(Duty.edition_id).where(Duty.subject_id == subject.id, open_now(), Duty.edition_id != last).distinct()
    return [*db.session.scalars(owed), last]
