"""A report's life: prepared once its days are over, submitted by whoever owes it, received or verified by the next (5.5.5,
4.specialist.7, 4.director.4-8)."""

from typing import Any

from sqlalchemy import select

from crm import clock
from crm.customers.models import Customer
from crm.db import db
from crm.duties.record import open_subject, record
from crm.errors import Invalid, Refused
from crm.labels import N_
from crm.reports import keeping
from crm.reports.kinds import SORTS, number
from crm.reports.models import Kind, Report, ReportEvent, Returned, State
from crm.reports.moves import MOVES
from crm.reports.periods import Period
from crm.search import lite
from crm.staff.models import User


def prepare(kind: Kind, period: Period, person: User | None = None) -> Report:
    """The report of a period, or of somebody's, from now on owed."""
    called = f"{period.title} {person.name}" if person else period.title
    report = Report(
        number=number(kind, period, person.number if person else ""), category=kind, title=called, state=State.OPEN,
        since=period.since, until=period.until, owner_id=person.id if person else None, remarks={},
        external_ref=f"{kind} {period.until}{f' {person.number}' if person else ''}",
    )  # fmt: skip
    open_subject(report)
    record(ReportEvent.OPENED, report)
    return report


def figures(report: Report) -> dict[str, Any]:
    """As they were submitted; until then as they are now."""
    return report.body if report.body is not None else as_now(report)


def as_now(report: Report) -> dict[str, Any]:
    found = SORTS[report.category].figures(report.period, report.person_id)
    for row in found.get("customers", ()) if report.remarks else ():
        row["remark"] = report.remarks.get(row["number"], "")
    return found


def remark(report: Report, *, by, customer: str, words: str) -> None:
    """How the use of the software has changed at one of the customers in their care (4.specialist.7); nothing takes it away."""
    MOVES["remark"].apply(report, by)
    unit = db.session.scalar(select(Customer).where(Customer.number == customer, Customer.owner_id == report.owner_id))
    if unit is None:
        raise Invalid(fields={"customer": N_("Choose one of the customers in your care.")})
    kept = {key: said for key, said in report.remarks.items() if key != customer}
    report.remarks = kept | {customer: words} if words else kept
    db.session.flush()
    record(ReportEvent.REMARKED, report, by=by, name=unit.title, words=words)


def submit(report: Report, *, by, remark: str = "") -> None:
    """Hand it on, as it stands now: from here its figures do not change. What goes to the company is the director's words."""
    MOVES["submit"].apply(report, by)
    if report.category == Kind.COMPANY and not remark.strip():
        raise Invalid(fields={"remark": N_("The report to the company is in your words: write them here.")})
    report.body, report.remark = keeping.kept(report, *_settled(report)), remark
    report.submitted_at, report.submitted_by_id, report.owner_id = clock.now(), by.id, by.id
    db.session.flush()
    record(ReportEvent.SUBMITTED, report, by=by, words=remark)


def _settled(report: Report) -> tuple[dict[str, Any], keeping.Rows]:
    """Its figures and the rows they count, of one moment: asked again if somebody changed anything meanwhile, which SQLite lets
    nobody. Refused if that never ends."""
    figures = as_now(report)
    for _ in range(TRIES):
        rows = keeping.behind(figures, SORTS[report.category].layout)
        if lite() or figures == (again := as_now(report)):
            return figures, rows
        figures = again
    raise Refused(N_("What this report counts is being changed just now: submit it again in a moment."))


TRIES = 5


def receive(report: Report, *, by) -> None:
    """The next one has read it; never whoever submitted it."""
    MOVES["receive"].apply(report, by)
    record(ReportEvent.RECEIVED, report, by=by)


def verify(report: Report, *, by) -> None:
    """The director has looked whether it is so (4.director.6)."""
    MOVES["verify"].apply(report, by)
    record(ReportEvent.VERIFIED, report, by=by)


def send_back(report: Report, *, by, reason: str) -> None:
    """To be put right and submitted again; what was submitted stays, beside what will be."""
    MOVES["send_back"].apply(report, by)
    db.session.add(Returned(
        report_id=report.id, body=report.body, remark=report.remark, submitted_at=report.submitted_at,
        submitted_by_id=report.submitted_by_id, reason=reason, returned_at=clock.now(), returned_by_id=by.id,
    ))  # fmt: skip
    report.body = report.submitted_at = report.submitted_by_id = None
    db.session.flush()
    record(ReportEvent.SENT_BACK, report, by=by, reason=reason)


def waive(report: Report, *, by, reason: str) -> None:
    """None is needed: whose it is has left, or nothing was done."""
    MOVES["waive"].apply(report, by)
    record(ReportEvent.WAIVED, report, by=by, reason=reason)
