"""The figures of a month's callbacks: plain values, so that they can be kept as they were submitted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from crm import clock, lists
from crm.callbacks import marks
from crm.callbacks.models import MARKS, Callback, CallbackEvent, State
from crm.callbacks.workflow import CALLS
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Duty, Event, Subject
from crm.labels import N_
from crm.reports.layout import As, Column, Layout, Table
from crm.reports.periods import Period
from crm.serials import queries as serials
from crm.serials.models import Installation
from crm.tickets.models import State as RecordState
from crm.tickets.models import Ticket
from crm.visits.models import Visit

PATH = "/callbacks/all"
GIVEN = tuple(Column(mark, title, As.MARK) for mark, title in
              (("attitude", N_("Attitude")), ("skill", N_("Skill")), ("result", N_("Result"))))  # fmt: skip
ABOUT = (
    Column("number", N_("Number"), As.WORDS), Column("customer", N_("Customer"), As.WORDS),
    Column("title", N_("About"), As.WORDS), Column("served", N_("Served by"), As.WORDS),
)  # fmt: skip
LAYOUT = Layout(
    (
        Column("called", N_("Callbacks")), Column("reached", N_("Reached")), Column("unreached", N_("Not reached")),
        Column("doubts", N_("With a doubt")), Column("unrecorded", N_("Services without a record")),
        Column("late", N_("Calls that were late")),
    ),
    (
        Table("specialists", N_("By specialist"), (Column("name", N_("Specialist"), As.WORDS, empty=N_("not named")),
                                                   Column("count", N_("Callbacks")), *GIVEN), MARKS),
        Table("products", N_("By product"), (Column("name", N_("Product"), As.WORDS, empty=N_("not named")),
                                             Column("count", N_("Callbacks")), *GIVEN), MARKS),
        Table("doubts", N_("Doubts"), (
            *ABOUT, Column("doubt", N_("The doubt, or the old problem"), As.WORDS), Column("state", N_("State"), As.LABEL, State),
            Column("record", N_("Record"), As.WORDS), Column("record_state", N_("State of the record"), As.LABEL, RecordState),
            Column("to", N_("Assigned to"), As.WORDS), Column("after", N_("Result when called back"), As.COUNT),
        ), lists=True),
        Table("calls", N_("Calls"), (
            *ABOUT, Column("called_by", N_("Called by"), As.WORDS), Column("reached", N_("Spoken with"), As.WORDS),
            *(Column(one.key, one.label) for one in GIVEN), Column("comment", N_("What they said"), As.WORDS),
            Column("software", N_("What they think of the software"), As.WORDS),
        ), lists=True),
    ),
)  # fmt: skip


def figures(period: Period, person: int | None = None) -> dict[str, Any]:
    """What the telephone desk did in a period: how many, how they were marked by whom and for what, and what became of the
    doubts. Averages are rounded to hundredths."""
    ids = marks.concluded(period.since, period.until)
    rows = db.session.scalars(select(Callback).where(Callback.id.in_(ids)).order_by(Callback.id)).all()
    names = duties.names(id for row in rows for id in (row.concerned_id, row.owner_id, row.customer_id))
    products = _products([row.origin_id for row in rows if row.origin_id])
    spoken, days = [row for row in rows if row.reached_at], period.named("spoken", "spoken_until")
    return {
        "number": {
            "called": len(rows), "reached": len(spoken), "unreached": len(rows) - len(spoken),
            "doubts": sum(bool(row.doubt) for row in rows), "unrecorded": _unrecorded([row.id for row in rows]),
            "late": _late(period),
        },
        "at": _addresses(period),
        "specialists": _marked(spoken, lambda row: row.concerned_id, {id: name.title for id, name in names.items()},
                               lambda id: lists.at(PATH, served=id or lists.NOBODY, **days)),
        "products": _marked(spoken, lambda row: products.get(row.origin_id), serials.product_titles(products.values()),
                            lambda id: lists.at(PATH, product=id or serials.UNNAMED, **days)),
        "doubts": _doubts([row for row in rows if row.doubt], names),
        "calls": [_line(row, names) for row in rows],
    }  # fmt: skip


def _late(period: Period) -> int:
    """Calls whose last day passed before anybody had called."""
    missed = Duty.rule.startswith(CALLS), Duty.breached_by_id.is_not(None)
    return db.session.scalar(select(func.count(Duty.id)).where(*missed, *duties.fell_due(period.since, period.until))) or 0


def _unrecorded(ids: Sequence[int]) -> int:
    found = select(func.count(Event.subject_id.distinct())).where(Event.kind == CallbackEvent.UNRECORDED)
    return db.session.scalar(found.where(Event.subject_id.in_(ids))) or 0


def _addresses(period: Period) -> dict[str, str]:
    concluded = period.named("concluded", "concluded_until")
    asked: dict[str, dict[str, Any]] = {
        "called": {}, "reached": period.named("spoken", "spoken_until"), "unreached": {"state": State.UNREACHED},
        "doubts": {"bad": True}, "unrecorded": {"unrecorded": True},
    }  # fmt: skip
    at = {key: lists.at(PATH, **concluded, **also) for key, also in asked.items()}
    return at | {"late": lists.at("/duties", rule=CALLS.rstrip("."), **period.named())}


def _marked(rows: Iterable[Callback], of, named: Mapping[Any, str], at: Callable[[int | None], str]) -> list[dict[str, Any]]:
    """How many calls each person or product has, the average of each mark, and where these calls stand; without a name last."""
    found: dict[int | None, list[Callback]] = {}
    for row in rows:
        found.setdefault(of(row), []).append(row)
    lines = [
        {"name": named.get(id or 0, ""), "count": len(some), "at": dict.fromkeys(("count", *MARKS), at(id))}
        | {mark: _average([getattr(row, mark) for row in some]) for mark in MARKS}
        for id, some in found.items()
    ]  # fmt: skip
    return sorted(lines, key=lambda line: (not line["name"], line["name"]))


def _average(marks: Sequence[int | None]) -> float | None:
    given = [mark for mark in marks if mark is not None]
    return round(sum(given) / len(given), 2) if given else None


def _products(origins: list[int]) -> dict[int, int]:
    """For each visit or record that is about an installation: which product that is of."""
    installed, found = Installation.__table__.c, {}
    for kind in (Visit, Ticket):
        at = kind.__table__.c
        about = select(at.id, installed.product_id).join(Installation.__table__, installed.id == at.installation_id)
        found |= dict(db.session.execute(about.where(at.id.in_(origins))).all())
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
    results = {one.origin_id: one.result for one in db.session.execute(after)}
    people = duties.names(one.owner_id for one in assigned.values())
    lines = []
    for row in rows:
        line = {**_line(row, names), "doubt": row.doubt, "state": row.state}
        if one := assigned.get(row.id):
            line |= {"record": one.number, "record_state": one.state, "to": people[one.owner_id].title}
            line |= {"after": results.get(one.id)}
            line["at"] |= {"record": f"/tickets/{one.number}"}
        lines.append(line)
    return lines


def _line(row: Callback, names) -> dict[str, Any]:
    title = {key: names[id].title if id in names else "" for key, id in
             (("customer", row.customer_id), ("served", row.concerned_id), ("called_by", row.owner_id))}  # fmt: skip
    return {"number": row.number, "title": row.title, **title, "comment": row.comment, "software": row.software,
            "at": {"number": f"/callbacks/{row.number}"},
            "reached": row.reached_at and clock.local(row.reached_at).strftime("%Y-%m-%d %H:%M"),
            **{mark: getattr(row, mark) for mark in MARKS}}  # fmt: skip


