"""A report's life: owed from the first day after its month, submitted, received (5.5.5)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import func, select

from crm import clock
from crm.db import db, unit_of_work
from crm.duties.acts import each_once
from crm.duties.models import Edition
from crm.duties.record import open_subject, record
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission as P
from crm.reports.callbacks import figures as of_callbacks
from crm.reports.models import Kind, Report, ReportEvent, State

MOVES: dict[str, Move] = {
    "submit": Move(noun="submission", label=N_("Submit the report"), done=N_("The report is submitted."),
                   froms=frozenset({State.OPEN}), to=State.SUBMITTED, permission=P.REPORT_WRITE, icon="check2",
                   tone="primary"),
    "receive": Move(noun="receipt", label=N_("Receive the report"), done=N_("The report is received."),
                    froms=frozenset({State.SUBMITTED}), to=State.RECEIVED, permission=P.REPORT_RECEIVE, others=True,
                    asks=False, icon="inbox", tone="primary"),
}  # fmt: skip
Report.MOVES = MOVES
FIGURES: dict[str, Callable[[date], dict[str, Any]]] = {Kind.CALLBACKS: of_callbacks}


def months(as_of: datetime) -> Iterator[date]:
    """The months that are over since the department began, the first to be reported on first."""
    began = db.session.scalar(select(func.min(Edition.opened_at)))
    month = clock.local(began).date().replace(day=1) if began else clock.local(as_of).date()
    while month + relativedelta(months=1) <= clock.local(as_of).date():
        yield month
        month += relativedelta(months=1)


def open_due(as_of: datetime) -> int:
    """A sweep's step: each month that is over gets its reports, once; a sweep that comes late catches up."""
    with unit_of_work(read_only=True):
        known = _known()
    wanted = [(kind, month) for month in months(as_of) for kind in Kind if (str(kind), month) not in known]
    return each_once(wanted, lambda one: prepare(*one), lambda one: (str(one[0]), one[1]) in _known())


def _known() -> set[tuple[str, date]]:
    return {(kind, month) for kind, month in db.session.execute(select(Report.category, Report.month))}


def prepare(kind: Kind, month: date) -> Report:
    """A month's report, from now on owed."""
    at = list(Kind).index(kind) + 1
    report = Report(
        number=f"M{month:%y%m}-{at:04}", category=kind, title=f"{month:%Y-%m}", state=State.OPEN, month=month,
        external_ref=f"{kind} {month:%Y-%m}",
    )  # fmt: skip
    open_subject(report)
    record(ReportEvent.OPENED, report)
    return report


def figures(report: Report) -> dict[str, Any]:
    """As they were submitted; until then as they are now."""
    return report.body if report.body is not None else FIGURES[report.category](report.month)


@dataclass(frozen=True)
class Running:
    """The month that is not over: its report is prepared on the first day after it."""

    month: date

    @property
    def title(self) -> str:
        return f"{self.month:%Y-%m}"

    @property
    def prepared(self) -> date:
        return self.month + relativedelta(months=1)

    def figures(self, kind: Kind) -> dict[str, Any]:
        return FIGURES[kind](self.month)


def running() -> Running:
    return Running(clock.today().replace(day=1))


def submit(report: Report, *, by, remark: str = "") -> None:
    """Hand it on, as it stands now: from here its figures do not change (5.5.5)."""
    MOVES["submit"].apply(report, by)
    report.body, report.remark = FIGURES[report.category](report.month), remark
    report.submitted_at, report.submitted_by_id, report.owner_id = clock.now(), by.id, by.id
    db.session.flush()
    record(ReportEvent.SUBMITTED, report, by=by, words=remark)


def receive(report: Report, *, by) -> None:
    """The next one has read it; never whoever submitted it."""
    MOVES["receive"].apply(report, by)
    record(ReportEvent.RECEIVED, report, by=by)
