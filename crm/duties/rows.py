"""The rows of events and duties as record() writes, finds and ends them, under the lock of their subject. Each statement is
made once, for making one takes as long as asking it; the session's own copies are left alone: whoever needs one reads it
anew."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Row, Table, Update, bindparam, insert, select, text, update

from crm.db import db
from crm.duties.models import OPEN, PENDING, Duty, Event, Notice
from crm.duties.rulebook import PROGRAM

DECIDE_MORE_TIME = "duty.decide_more_time"

duties = Duty.__table__
events = Event.__table__
assert isinstance(duties, Table) and isinstance(events, Table)
_of_subject = duties.c.subject_id == bindparam("of_subject")
_of_rule = duties.c.rule == bindparam("of_rule")
_of_slot = duties.c.slot == bindparam("of_slot")
_standing = select(duties).where(_of_subject, _of_rule, _of_slot, text(OPEN))
_missed = select(duties.c.id).where(_of_subject, text(PENDING), duties.c.due_at < bindparam("before"))
_missed = _missed.order_by(duties.c.due_at, duties.c.id).limit(1)
_price = {"fine_clause": bindparam("clause_now"), "fine_fen": bindparam("fen_now")}
_priced = update(duties).where(duties.c.id == bindparam("one")).values(_price)
_undecided = update(duties).where(
    _of_subject, duties.c.rule == DECIDE_MORE_TIME, duties.c.slot.in_(bindparam("asked", expanding=True)), text(OPEN)
).values(dropped_by_id=bindparam("event"))  # fmt: skip
_added = insert(duties)
_happened = insert(events).returning(events.c.id)
_happened_all = insert(events)
_notified = insert(Notice.__table__)  # type: ignore[arg-type]


class Recorded(NamedTuple):
    """What there is to know at once of an event that was written down."""

    id: int
    kind: str
    at: datetime


def happened(row: Mapping[str, Any]) -> Recorded:
    """Write an event down, after whatever the session still held back."""
    db.session.flush()
    return Recorded(db.session.scalars(_happened, row).one(), row["kind"], row["at"])


def happened_all(rows: Sequence[Mapping[str, Any]]) -> None:
    db.session.execute(_happened_all, rows)


def notified(event_id: int, people: Sequence[int]) -> None:
    """A notice of an event for each of these."""
    if people:
        db.session.execute(_notified, [{"user_id": one, "event_id": event_id} for one in people])


@cache
def _ending(stamp: str, slotted: bool) -> Update:
    which = [_of_subject, _of_rule, duties.c.edition_id == bindparam("of_edition"), text(OPEN), *([_of_slot] if slotted else [])]
    return update(duties).where(*which).values({stamp: bindparam("event")}).returning(duties.c.id, duties.c.pool)


def add(row: Mapping[str, Any]) -> None:
    db.session.execute(_added, row)


def end(subject_id: int, rule: str, edition: int, slot: str, stamp: str, event_id: int) -> None:
    """End the open duties of a rule, of one slot or ("") of every: `stamp` is `kept_by_id` or `dropped_by_id`. With each ends
    the duty to decide on more time for it: nobody need decide any more, and the program asks for none."""
    given = {"of_subject": subject_id, "of_rule": rule, "of_edition": edition, "event": event_id}
    ended = db.session.execute(_ending(stamp, bool(slot)), given | ({"of_slot": slot} if slot else {}))
    if asked := [str(id) for id, pool in ended if pool != PROGRAM]:
        db.session.execute(_undecided, {"of_subject": subject_id, "asked": asked, "event": event_id})


def price(duty_id: int, clause: str | None, fen: int | None) -> None:
    db.session.execute(_priced, {"one": duty_id, "clause_now": clause, "fen_now": fen})


def standing(subject_id: int, rule: str, slot: str) -> Row | None:
    """The open duty of a rule and slot, of whichever edition; there is one at most."""
    return db.session.execute(_standing, {"of_subject": subject_id, "of_rule": rule, "of_slot": slot}).one_or_none()


def missed(subject_id: int, before: datetime) -> int | None:
    """The id of the duty that fell due first and was not breached yet."""
    return db.session.scalar(_missed, {"of_subject": subject_id, "before": before})
