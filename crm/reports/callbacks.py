"""The figures of a month's callbacks: plain values, so that they can be kept as they were submitted."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import func, select

from crm import clock
from crm.callbacks.models import MARKS, Callback, CallbackEvent, State
from crm.callbacks.workflow import CALLS
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Duty, Event, Subject
from crm.serials.models import Installation, Product
from crm.tickets.models import Ticket
from crm.visits.models import Visit

OVER = (CallbackEvent.REACHED, CallbackEvent.UNREACHED)


def figures(month: date) -> dict[str, Any]:
    """What the telephone desk did in a month: how many, how they were marked by whom and for what, and what became of the
    doubts. Averages are rounded to hundredths."""
    since, until = clock.moment(month), clock.moment(month + relativedelta(months=1))
    within = (Event.at >= since, Event.at < until)
    ids = select(Event.subject_id).where(Event.kind.in_(OVER), *within)
    rows = db.session.scalars(select(Callback).where(Callback.id.in_(ids)).order_by(Callback.id)).all()
    names = duties.names(id for row in rows for id in (row.concerned_id, row.owner_id, row.customer_id))
    products = _products([row.origin_id for row in rows if row.origin_id])
    spoken = [row for row in rows if row.reached_at]
    late = select(func.count(Duty.id)).where(
        Duty.rule.startswith(CALLS), Duty.due_at >= since, Duty.due_at < until, Duty.breached_by_id.is_not(None)
    )
    unrecorded = select(func.count(Event.id)).where(Event.kind == CallbackEvent.UNRECORDED, *within)
    return {
        "number": {
            "called": len(rows), "reached": len(spoken), "unreached": len(rows) - len(spoken),
            "doubts": sum(bool(row.doubt) for row in rows), "unrecorded": db.session.scalar(unrecorded) or 0,
            "late": db.session.scalar(late) or 0,
        },
        "specialists": _marked(spoken, lambda row: names[row.concerned_id].title if row.concerned_id in names else ""),
        "products": _marked(spoken, lambda row: products.get(row.origin_id, "")),
        "doubts": _doubts([row for row in rows if row.doubt], names),
        "calls": [_line(row, names) for row in rows],
    }  # fmt: skip


def _marked(rows: Iterable[Callback], of) -> list[dict[str, Any]]:
    """How many calls each name has, and the average of each mark; without a name last."""
    found: dict[str, list[Callback]] = {}
    for row in rows:
        found.setdefault(of(row), []).append(row)
    return [
        {"name": name, "count": len(some)} | {mark: _average([getattr(row, mark) for row in some]) for mark in MARKS}
        for name, some in sorted(found.items(), key=lambda pair: (not pair[0], pair[0]))
    ]


def _average(marks: Sequence[int | None]) -> float | None:
    given = [mark for mark in marks if mark is not None]
    return round(sum(given) / len(given), 2) if given else None


def _products(origins: list[int]) -> dict[int, str]:
    """For each visit or record that is about an installation: which product that is of."""
    installed, found = Installation.__table__.c, {}
    for kind in (Visit, Ticket):
        at = kind.__table__.c
        about = select(at.id, Product).join(Installation.__table__, installed.id == at.installation_id)
        about = about.join(Product, Product.id == installed.product_id).where(at.id.in_(origins))
        found |= {id: product.title for id, product in db.session.execute(about)}
    return found


def _doubts(rows: Sequence[Callback], names) -> list[dict[str, Any]]:
    """What became of each: the record it was assigned as, and how that was marked when it was called back on."""
    records = select(Subject.origin_id, Subject.id, Subject.number, Subject.state, Subject.owner_id).where(
        Subject.kind == "ticket", Subject.origin_id.in_([row.id for row in rows])
    )
    assigned = {one.origin_id: one for one in db.session.execute(records)}
    after = select(Callback.origin_id, Callback.result).where(
        Callback.origin_id.in_([one.id for one in assigned.values()]), Callback.state != State.CALLING
    )
    marks = {one.origin_id: one.result for one in db.session.execute(after)}
    people = duties.names(one.owner_id for one in assigned.values())
    return [
        {**_line(row, names), "doubt": row.doubt, "state": row.state}
        | ({"record": one.number, "record_state": one.state, "to": people[one.owner_id].title, "after": marks.get(one.id)}
           if (one := assigned.get(row.id)) else {})
        for row in rows
    ]  # fmt: skip


def _line(row: Callback, names) -> dict[str, Any]:
    title = {key: names[id].title if id in names else "" for key, id in
             (("customer", row.customer_id), ("served", row.concerned_id), ("called_by", row.owner_id))}  # fmt: skip
    return {"number": row.number, "title": row.title, **title, "comment": row.comment, "software": row.software,
            "reached": row.reached_at and clock.local(row.reached_at).strftime("%Y-%m-%d %H:%M"),
            **{mark: getattr(row, mark) for mark in MARKS}}  # fmt: skip


