"""What a month's statement says: for each person what is deducted, and what of earlier months is put right (7.7). It counts
what was signed or witnessed and is not struck or pending; each penalty's lines, of all months together, come to what it costs."""

from dataclasses import dataclass
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import func, or_, select

from crm import clock
from crm.db import db
from crm.duties import queries as duties
from crm.fund.models import Month, State
from crm.penalties.models import STANDING, Penalty, PenaltyLine, Sanction
from crm.permissions import Permission


@dataclass(frozen=True)
class Due:
    """What a penalty adds to the next statement."""

    penalty: Penalty
    fen: int
    adjusts: bool


def due(month: Month) -> list[Due]:
    """What a month that is closed now deducts: of breaches up to its end what stands, less what was deducted before."""
    first, last = month.month, month.month + relativedelta(months=1, days=-1)
    told = (
        select(PenaltyLine.penalty_id, func.sum(PenaltyLine.fen).label("fen"), func.count().label("lines"))
        .group_by(PenaltyLine.penalty_id).subquery()
    )  # fmt: skip
    rows = select(Penalty, func.coalesce(told.c.fen, 0), func.coalesce(told.c.lines, 0))
    rows = rows.outerjoin(told, told.c.penalty_id == Penalty.id)
    rows = rows.where(or_(Penalty.state.in_(STANDING), told.c.fen != 0), *duties.fell_due(None, last, Penalty.happened_at))
    rows = rows.order_by(Penalty.id)
    if earlier_open(month):
        rows = rows.where(*duties.fell_due(first, None, Penalty.happened_at))  # the rest is that month's
    found = []
    for penalty, before, lines in db.session.execute(rows):
        if (fen := penalty.effective_fen - before) or not lines:
            found.append(Due(penalty, fen, bool(lines)))
    return found


def earlier_open(month: Month) -> bool:
    """Months are closed in order."""
    earlier = select(Month.id).where(Month.month < month.month, Month.state == State.OPEN)
    return db.session.scalar(earlier.limit(1)) is not None


def body(lines: list[Due]) -> dict[str, Any]:
    """The statement as plain values, by person; `fund`: what of it are fines."""
    names = {one.id: one for one in duties.names(one.penalty.concerned_id for one in lines).values()}
    people: dict[int, dict[str, Any]] = {}
    for one in lines:
        id = one.penalty.concerned_id or 0
        who = people.setdefault(id, {"id": id, "name": names[id].title, "number": names[id].number, "lines": [], "fen": 0})
        who["lines"].append(_line(one))
        who["fen"] += one.fen
    listed = sorted(people.values(), key=lambda who: who["number"])
    fines = sum(one.fen for one in lines if one.penalty.sanction == Sanction.FINE)
    return {"people": listed, "fen": sum(who["fen"] for who in listed), "fund": fines}


def _line(one: Due) -> dict[str, Any]:
    penalty = one.penalty
    return {"number": penalty.number, "key": penalty.category, "clause": penalty.clause, "sanction": penalty.sanction,
            "happened": clock.day_ended(penalty.happened_at).isoformat(), "title": penalty.title, "fen": one.fen,
            "adjusts": one.adjusts}  # fmt: skip


def told(month: Month) -> dict[str, Any]:
    """As it was closed; until then as it is now."""
    return month.body if month.body is not None else body(due(month))


def read_by(told: dict[str, Any], user) -> dict[str, Any]:
    """As it goes to payroll: what is recommended about somebody costs nothing, and is for those who lead alone."""
    if user.may(Permission.PENALTY_READ_ANY):
        return told
    costs = {who["id"]: [one for one in who["lines"] if one["sanction"] != Sanction.RECOMMENDATION] for who in told["people"]}
    return told | {"people": [who | {"lines": costs[who["id"]]} for who in told["people"] if costs[who["id"]]]}


def of_person(told: dict[str, Any], person_id: int) -> dict[str, Any]:
    """One person's part."""
    mine = [who for who in told["people"] if who["id"] == person_id]
    return {"people": mine, "fen": sum(who["fen"] for who in mine), "fund": 0}
