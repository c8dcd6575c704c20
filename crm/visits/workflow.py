"""A visit's moves, one function a verb (5.3): nobody leaves on an unapproved request, and nobody approves their own."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from crm import clock
from crm.customers.models import Contact, Customer
from crm.db import db, next_number
from crm.duties import workflow as duties
from crm.duties.record import open_subject, record
from crm.errors import Invalid, Refused
from crm.labels import N_
from crm.moves import edit, in_place
from crm.permissions import Permission as P
from crm.serials.coverage import verdict_of
from crm.serials.models import Installation
from crm.tickets.models import Ticket
from crm.tickets.needs import proof, unserved, wanting
from crm.tickets.workflow import open_ticket, write
from crm.visits.models import Kind, State, Visit, VisitEvent
from crm.visits.moves import CHANGE, MOVES

FARTHEST = timedelta(days=366)


def request_visit(
    *, by, customer: Customer, contact: Contact | None, installation: Installation | None = None,
    uncovered_reason: str = "", **details: Any,
) -> Visit:  # fmt: skip
    """File a visit request (5.3.1 to 5.3.3): the manager owes a decision, and nobody leaves before it."""
    verdict = verdict_of(customer.id, installation)
    if wrong := _wrong(contact, customer.id, details) | unserved(verdict, uncovered_reason):
        raise Invalid(fields=wrong)
    visit = Visit(
        number=next_number("V", clock.today()), customer_id=customer.id, owner_id=by.id, requested_by_id=by.id,
        contact_id=contact and contact.id, installation_id=installation and installation.id, state=State.REQUESTED,
        uncovered_reason="" if verdict.served else uncovered_reason, **details,
    )  # fmt: skip
    open_subject(visit)
    record(VisitEvent.REQUESTED, visit, by=by, coverage=verdict.coverage, until=verdict.until)
    return visit


def _wrong(contact: Contact | None, customer_id: int | None, details: Mapping[str, Any]) -> dict[str, Any]:
    """All that is wrong with what a request says."""
    known = contact is not None and contact.customer_id == customer_id
    wrong: dict[str, Any] = dict(wanting(known=known, department=details["department"]))
    if details["arrive_at"] < clock.now():
        wrong["arrive_at"] = N_("A request is filed before leaving (5.3.3): this lies in the past.")
    if details["ends_at"] <= details["arrive_at"]:
        wrong["ends_at"] = N_("This lies before the arrival.")
    elif details["ends_at"] > clock.now() + FARTHEST:
        wrong["ends_at"] = N_("This lies more than a year ahead.")
    if details["category"] == Kind.TRIP and not details["place"]:
        wrong["place"] = N_("A trip needs its destination (5.3.3).")
    return wrong


def change(visit: Visit, *, by, contact: Contact | None, **changes: Any) -> None:
    """Change a request before anybody leaves. One that was decided is thereby to be decided again (5.3.3)."""
    CHANGE.check(visit, by)
    if wrong := _wrong(contact, visit.customer_id, changes):
        raise Invalid(fields=wrong)
    before, was = db.session.get(Contact, visit.contact_id) if visit.contact_id else None, visit.state
    differences = edit(visit, {**changes, "contact_id": contact and contact.id})
    if differences.pop("contact_id", None):
        differences["contact"] = [before and before.name, contact and contact.name]
    if not differences:
        return
    if was == State.REQUESTED:
        record(VisitEvent.EDITED, visit, by=by, changes=differences)
        return
    CHANGE.apply(visit, by)
    record(VisitEvent.VOIDED if was == State.APPROVED else VisitEvent.EDITED, visit, by=by, changes=differences)
    record(VisitEvent.REQUESTED, visit, by=by)


def approve(visit: Visit, *, by, standing_in: str = "") -> None:
    """The manager signs the request (5.3.3), never their own; the director in the manager's place says why. What is over is
    not approved: whoever asked would be late at once."""
    if visit.ends_at < clock.now():
        raise Refused(N_("The agreed times are over: have the request changed, or reject it."))
    MOVES["approve"].apply(visit, by)
    record(VisitEvent.APPROVED, visit, by=by, **in_place(by, standing_in))


def reject(visit: Visit, *, by, reason: str, standing_in: str = "") -> None:
    MOVES["reject"].apply(visit, by)
    record(VisitEvent.REJECTED, visit, by=by, reason=reason, **in_place(by, standing_in))


def depart(visit: Visit, *, by) -> None:
    """Leave now: only on an approved request (5.3.3)."""
    MOVES["depart"].apply(visit, by)
    visit.departed_at = clock.now()
    record(VisitEvent.DEPARTED, visit, by=by)


def arrive(visit: Visit, *, by) -> None:
    MOVES["arrive"].apply(visit, by)
    visit.arrived_at = clock.now()
    record(VisitEvent.ARRIVED, visit, by=by)


def come_back(visit: Visit, *, by) -> None:
    """Back at the office: from here the feedback form and the write-up are owed (5.7.2, 5.3.6)."""
    MOVES["return"].apply(visit, by)
    visit.returned_at = clock.now()
    record(VisitEvent.RETURNED, visit, by=by)


def write_up(
    visit: Visit, *, by, category: str, title: str, description: str, fields: Mapping[str, str], files: Iterable[str] = ()
) -> Ticket:  # fmt: skip
    """Write the visit up as a service record (5.3.6), complete but for a change request it may need: what is known of the
    visit is taken from it. It falls under 7.4, never under 7.5 as well."""
    MOVES["write_up"].apply(visit, by)
    ticket = open_ticket(
        by=by, customer=db.session.get_one(Customer, visit.customer_id), category=category, files=files, title=title,
        contact=db.session.get(Contact, visit.contact_id) if visit.contact_id else None, department=visit.department,
        installation=db.session.get(Installation, visit.installation_id) if visit.installation_id else None,
        channel=visit.category, uncovered_reason=visit.uncovered_reason or visit.number, description=description,
        asked_at=visit.asked_at, answered_at=visit.arrived_at, origin_id=visit.id,
    )  # fmt: skip
    write(ticket, by=by, fields=fields)
    record(VisitEvent.WRITTEN_UP, visit, by=by, of=ticket.id, has=proof(ticket))
    return ticket


def assign(visit: Visit, *, by, to, reason: str) -> None:
    """Another specialist goes, or goes on, where the first cannot; what is owed here goes with it. An approval stands, for
    whoever decides on visits says so, and never of themselves."""
    if to.id == by.id:
        raise Invalid(fields={"to": N_("Choose another specialist, and not yourself.")})
    duties.assign(visit, VisitEvent.ASSIGNED, by=by, to=to, reason=reason, works=P.VISIT_WORK)


def cancel(visit: Visit, *, by, reason: str) -> None:
    """The visit does not take place; whoever decides on visits may say so where the specialist cannot."""
    MOVES["cancel"].apply(visit, by)
    visit.departed_at = None
    record(VisitEvent.CANCELLED, visit, by=by, reason=reason)
