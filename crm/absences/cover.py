"""For whom somebody stands in, and what they ever took over so: they decide on none of that (2, ours.approval)."""

from weakref import WeakKeyDictionary

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import SessionTransaction

from crm.absences.models import Absence, Handed, How, State
from crm.db import db
from crm.duties.models import Subject
from crm.staff.models import Cover, User

_known: WeakKeyDictionary[SessionTransaction, dict[int, Cover]] = WeakKeyDictionary()  # asked once in a transaction


def cover_of(user: User) -> Cover:
    transaction = db.session().get_transaction()
    known = _known.setdefault(transaction, {}) if transaction else {}
    if user.id not in known:
        known[user.id] = _asked(user.id)
    return known[user.id]


def _asked(user_id: int) -> Cover:
    own = Absence.__table__.c
    now = Subject.kind == "absence", Subject.concerned_id == user_id, Subject.state == State.AWAY, own.accepted_at.is_not(None)
    people = select(literal("people"), Subject.owner_id).join(Absence.__table__, own.id == Subject.id).where(*now)
    matters = select(literal("matters"), Handed.subject_id).where(Handed.to_id == user_id, Handed.how == How.MATTER)
    found: dict[str, set[int]] = {"people": set(), "matters": set()}
    for what, id in db.session.execute(union_all(people, matters)):
        found[what].add(id)
    return Cover(frozenset(found["people"]), frozenset(found["matters"]))


def forget() -> None:
    """Somebody stands in from here on, or no longer."""
    _known.clear()


User.cover = property(cover_of)  # type: ignore[assignment, method-assign]
