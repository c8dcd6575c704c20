"""The printed forms of a visit: its request (5.3.3), and the feedback form the customer signs (5.3.5)."""

from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import select

from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Event
from crm.letters.sheet import Sheet, facts, moment, sheet, signatures, table, words
from crm.money import yuan
from crm.serials.models import Installation
from crm.visits import ink
from crm.visits.feedback import fits, head_of, signature_of
from crm.visits.models import Kind, State, Visit, VisitEvent

BLANK = 2  # rows for departments that come up on site


def request(visit: Visit) -> Sheet:
    """The visit or trip request, as it is signed by the manager and then archived."""
    trip = visit.category == Kind.TRIP
    agreed = [
        (_("Purpose"), visit.title), (_("Specialist"), _name(visit.owner_id)),
        (_("Agreed arrival"), moment(visit.arrive_at)), (_("Agreed end"), moment(visit.ends_at)),
    ]  # fmt: skip
    if trip or visit.place or visit.cost_fen is not None:
        agreed += [(_("Destination"), visit.place),
                   (_("Expected cost"), "" if visit.cost_fen is None else yuan(visit.cost_fen))]  # fmt: skip
    rooms = [(one["name"], one["waits"]) for one in visit.departments]
    blocks = [
        facts(*_customer(visit, head_of(visit)), *agreed),
        table([_("Department"), _("What waits there")], [1, 3], rooms),
        words(_("Further words"), _further(visit), 24),
        signatures((_("Asked by (signature, date)"), _name(visit.requested_by_id)),
                   (_("Service manager (signature, date)"), _approval(visit))),
    ]  # fmt: skip
    title = _("Business trip request") if trip else _("On-site visit request")
    note = _("Nobody leaves on a request that is not approved (5.3.3). After approval this paper goes to the archive (5.7.1).")
    return sheet(title, visit.number, "visit_request", blocks, note)


def feedback(visit: Visit) -> Sheet:
    """The feedback form: what is known is filled in, the rest has room to be written on site."""
    signature = signature_of(visit)
    head = signature.head if signature and fits(signature, visit) else head_of(visit)
    rooms = [(one["name"], one["waits"], one.get("outcome", "")) for one in visit.departments]
    who, drawn = _signed(visit)
    blocks = [
        facts(*_customer(visit, head), (_("Specialist"), _name(visit.owner_id)), (_("Purpose"), visit.title),
              (_("Arrived"), moment(visit.arrived_at)), _left(visit)),
        table([_("Department"), _("What waited there"), _("Outcome")], [2, 3, 4], rooms, blank=BLANK, height=14),
        words(_("What remains open"), visit.open_points, 20),
        words(_("The customer's opinion"), visit.opinion, 26),
        signatures((_("Responsible person of the customer (signature, date)"), who), (_("Stamp of the customer"), ""),
                   (_("Specialist (signature, date)"), ""), height=30, drawn=drawn),
    ]  # fmt: skip
    note = _("Back at the office this form is handed in to customer relations (5.7.2).")
    return sheet(_("Service feedback form"), visit.number, "feedback", blocks, note)


def _left(visit: Visit) -> tuple[str, str]:
    """On site one writes when one leaves; printed later, when one was back is known."""
    return (_("Back"), moment(visit.returned_at)) if visit.returned_at else (_("Left again"), "")


def _customer(visit: Visit, head: Mapping[str, str]) -> list[tuple[str, str]]:
    of = db.session.get(Installation, visit.installation_id) if visit.installation_id else None
    return [
        (_("Customer"), head.get("full_name", head["customer"])), (_("Address"), head.get("address", "")),
        (_("Contact"), head.get("contact", "")), (_("Phone"), head.get("phone", "")),
        (_("Installation"), of.title if of else ""), (_("Asked"), moment(visit.asked_at)),
    ]  # fmt: skip


def _signed(visit: Visit) -> tuple[str, str]:
    """Who signed the form as it stands, and their drawing; nothing while nobody has, or the text has changed since."""
    signature = signature_of(visit)
    if not fits(signature, visit):
        return "", ""
    assert signature
    who = " ".join(filter(None, (signature.name, signature.position, moment(signature.signed_at))))
    if signature.words:
        return _("Did not sign") + _(": ") + f"{who} {signature.words}", ""
    if not signature.strokes:
        return who, ""
    line = f'<path d="{ink.path(signature.strokes)}" fill="none" stroke="#111" stroke-width="2"/>'
    return who, f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{ink.view(signature.strokes)}">{line}</svg>'


def _name(user_id: int | None) -> str:
    found = duties.names([user_id]).get(user_id or 0)
    return found.title if found else ""


def _further(visit: Visit) -> str:
    outside = f"{_('Served outside the service period')}{_(': ')}{visit.uncovered_reason}" if visit.uncovered_reason else ""
    return "\n".join(filter(None, [visit.description, outside]))


def _approval(visit: Visit) -> str:
    """Who approved it and when, as the program knows it; nothing while it is not approved."""
    if visit.state in (State.REQUESTED, State.REJECTED, State.CANCELLED):
        return ""
    rows = select(Event).where(Event.subject_id == visit.id, Event.kind == VisitEvent.APPROVED)
    approved = db.session.scalar(rows.order_by(Event.id.desc()).limit(1))
    return f"{_name(approved.actor_id)} {moment(approved.at)}" if approved else ""
