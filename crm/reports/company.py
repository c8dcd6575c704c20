"""The department's month, for the company (4.director.8): put together from the other reports, in the director's words."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.labels import N_
from crm.plans.completion import SUMMED, shown
from crm.plans.models import Plan
from crm.reports import callbacks, satisfied, services
from crm.reports.layout import As, Column, Layout, Table
from crm.reports.models import Kind, Report, State
from crm.reports.periods import Period

# whose numbers it takes, and which; a further report of the month is a line more
PARTS: Mapping[Kind, tuple[Layout, Callable[..., dict[str, Any]], tuple[str, ...]]] = {
    Kind.SERVICES: (services.LAYOUT, services.figures, ("records", "complete", "late", "uncovered", "escalated", "visits")),
    Kind.CALLBACKS: (callbacks.LAYOUT, callbacks.figures, ("called", "doubts")),
    Kind.SATISFACTION: (satisfied.LAYOUT, satisfied.figures, ("attitude", "skill", "result", "complaint", "founded")),
}
PLANNED = (
    Column("count", N_("Contracts planned")), Column("expected", N_("Expected amount"), As.FEN),
    Column("signed", N_("Signed"), As.FEN), Column("paid", N_("Paid"), As.FEN),
)  # fmt: skip
LAYOUT = Layout(
    (
        *(column for layout, _figures, keys in PARTS.values() for column in layout.numbers if column.key in keys), *PLANNED,
    ),
    (
        Table("reports", N_("The reports it is put together from"), (
            Column("kind", N_("Report"), As.LABEL, Kind, N_("Contract plan")),
            Column("number", N_("Number"), As.WORDS, empty=N_("not prepared")),
            Column("state", N_("State"), As.LABEL, State, N_("as it is now")),
            Column("remark", N_("What the figures do not say"), As.WORDS),
        ), lists=True),
        *(one for one in services.LAYOUT.tables if one.key in ("months", "categories", "people")),
        Table("owners", N_("Contracts by person in charge"), (
            Column("name", N_("In charge"), As.WORDS, empty=N_("Nobody")), *PLANNED), SUMMED),
    ),
)  # fmt: skip


def figures(period: Period, person: int | None = None) -> dict[str, Any]:
    """As the reports say that were submitted; of the others as it is now."""
    known = {row.category: row for row in _reports(period)}
    bodies = {kind: _body(known.get(kind), of, period) for kind, (_layout, of, _keys) in PARTS.items()}
    plan = db.session.scalar(select(Plan).where(Plan.month == period.since))
    planned = shown(plan) if plan else {"sums": {}, "owners": []}
    number, at = dict(planned["sums"]), dict.fromkeys(("count", *SUMMED), plan.path) if plan else {}
    for kind, (_layout, _of, keys) in PARTS.items():
        number |= {key: bodies[kind]["number"].get(key) for key in keys}
        at |= {key: bodies[kind]["at"][key] for key in keys if key in bodies[kind].get("at", {})}
    return {
        "number": number, "at": at, "reports": [*(_part(kind, known.get(kind)) for kind in PARTS), _plan(plan)],
        **{key: bodies[Kind.SERVICES][key] for key in ("months", "categories", "people")},
        "owners": [{**line, "at": dict.fromkeys(("count", *SUMMED), plan.path if plan else "")} for line in planned["owners"]],
    }  # fmt: skip


def _reports(period: Period) -> list[Report]:
    whole = Report.category.in_(list(PARTS)), Report.since == period.since, Report.until == period.until
    return list(db.session.scalars(select(Report).where(*whole)))


def _body(row: Report | None, of: Callable[..., dict[str, Any]], period: Period) -> dict[str, Any]:
    return row.body if row is not None and row.body is not None else of(period)


def _part(kind: Kind, row: Report | None) -> dict[str, Any]:
    if row is None:
        return {"kind": kind, "number": "", "state": "", "remark": ""}
    return {"kind": kind, "number": row.number, "state": row.state, "remark": row.remark, "at": {"number": row.path}}


def _plan(plan: Plan | None) -> dict[str, Any]:
    if plan is None:
        return {"kind": "", "number": "", "state": "", "remark": ""}
    return {"kind": "", "number": plan.number, "state": "", "remark": plan.remark, "at": {"number": plan.path}}
