"""Nobody is fined for what they could not have kept (2): which missed duties an approved absence excuses.

An absence excuses between two instants (`Absence.reckon`): what fell due after the first and by the second, whoever was named by
the breach being the one away. Of what fell due then,
- an absence nobody could foresee excuses all, for nothing of it could be handed over;
- any other excuses what came only while they were away, and what this absence handed over (a sweep that came late names nobody):
  what was there before and stayed with them could be done, handed over, or explained beforehand (3.8)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from crm.absences.models import Absence, Handed, How
from crm.db import db
from crm.duties.models import Duty, Event, Subject


@dataclass(frozen=True)
class Away:
    """As much of an absence as excuses."""

    since: datetime
    until: datetime
    unforeseen: bool


def covers(away: Away, at: datetime) -> bool:
    """A deadline at the very instant of leaving was theirs to keep; one at the very end was not."""
    return away.since < at <= away.until


def excuses(away: Away, *, opened: datetime, due: datetime, handed: bool = False) -> bool:
    """Whether it excuses a duty that was `opened` and fell `due` then; `handed`: this absence gave it to somebody else."""
    return covers(away, due) and (away.unforeseen or handed or opened >= away.since)


def leaves() -> dict[int, list[Away]]:
    """Every absence that excuses anything, by whose it is."""
    rows = select(Absence.owner_id, Absence.away_from, Absence.away_until, Absence.unforeseen)
    found: dict[int, list[Away]] = {}
    for person_id, *away in db.session.execute(rows.where(Absence.away_from.is_not(None))):
        found.setdefault(person_id, []).append(Away(*away))
    return found


def excuse_of(duty: Duty) -> Absence | None:
    """The absence that excuses a missed duty, to name it."""
    found = select(Absence).where(Duty.id == duty.id, _excusing(Absence.owner_id, Absence))
    return db.session.scalar(found.order_by(Absence.id).limit(1))


def excused() -> ColumnElement[bool]:
    """The same of many at once: a condition on `Duty`."""
    its, own = Subject.__table__.alias("excusing"), Absence.__table__.alias("excusing_days")
    found = select(own.c.id).join(its, its.c.id == own.c.id).where(_excusing(its.c.owner_id, own.c))
    return found.correlate(Duty).exists()


def _covering(own: Any, at: Any) -> ColumnElement[bool]:
    return and_(own.away_from < at, at <= own.away_until)


def _excusing(person_id: Any, own: Any) -> ColumnElement[bool]:
    """`excuses()` as the database is asked it."""
    named = func.coalesce(Duty.breached_owner_id, Duty.liable_id, Duty.owner_id)
    opened = select(Event.at).where(Event.id == Duty.opened_by_id).correlate(Duty).scalar_subquery()
    handed = select(Handed.duty_id).where(Handed.absence_id == own.id, Handed.how != How.STAYS)
    came = or_(own.unforeseen, Duty.id.in_(handed), opened >= own.away_from)
    return and_(person_id == named, _covering(own, Duty.due_at), came)
