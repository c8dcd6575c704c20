"""Service records by how they were served: in time or late, taken up again, handed on. What a number counts is said here, for
the figures and for the list the number leads to."""

from sqlalchemy import ColumnElement, and_, or_, select

from crm.duties.models import Duty, Event, Subject
from crm.labels import N_, Labelled
from crm.tickets.models import State, Ticket, TicketEvent

OWN = Ticket.__table__.c
COMPLETE = "ticket.complete"  # the duty to complete a record
NONE = "none"  # of the channels: it has none
DECLARED = "declared"  # the categories that must be declared, together (5.1.4)


class Standing(Labelled):
    """How a record stands by its deadline. What came in as history had none."""

    IN_TIME = "in_time", N_("Complete in time")
    LATE = "late", N_("Complete, but late")
    LACKING = "lacking", N_("Ended, not complete")


def missed() -> ColumnElement[bool]:
    """A deadline for completing it was missed, once at least."""
    late = Duty.subject_id == Subject.id, Duty.rule == COMPLETE, Duty.breached_by_id.is_not(None)
    return select(Duty.id).where(*late).correlate(Subject).exists()


def stands(standing: str) -> ColumnElement[bool]:
    judged = Subject.edition_id.is_not(None)
    if standing == Standing.LACKING:
        return and_(judged, Subject.state == State.ENDED)
    return and_(judged, Subject.state == State.COMPLETE, missed() if standing == Standing.LATE else ~missed())


def _happened(kind: str, *also: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(Event.id).where(Event.subject_id == Subject.id, Event.kind == kind, *also).correlate(Subject).exists()


def handed() -> ColumnElement[bool]:
    """Of an event that gives a record to somebody: it is a reassignment. A log that was imported says so itself; its first
    assignment is none."""
    return or_(Event.via != "import", Event.facts["reassigned"].as_integer() > 0)


def reopened() -> ColumnElement[bool]:
    return _happened(TicketEvent.REOPENED)


def reassigned() -> ColumnElement[bool]:
    return _happened(TicketEvent.ASSIGNED, handed())


def escalated() -> ColumnElement[bool]:
    return _happened(TicketEvent.ESCALATED)


def uncovered() -> ColumnElement[bool]:
    """Served outside the service period."""
    return _happened(TicketEvent.UNCOVERED)


HAPPENED = {"reopened": reopened, "reassigned": reassigned, "escalated": escalated, "uncovered": uncovered}
