"""What a record's page is made of: the record, what it still needs, what may be done, and who has a part in it."""

from collections.abc import Collection, Sequence
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.customers import queries as customers
from crm.customers.models import Contact
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Duty
from crm.errors import Refused, Stale
from crm.files.models import File
from crm.forms import CrmForm, ReasonForm
from crm.papers import queries as papers
from crm.serials.coverage import verdict_of
from crm.serials.models import Installation
from crm.staff import queries as staff
from crm.tickets import forms, queries, workflow
from crm.tickets.models import State, Ticket
from crm.tickets.moves import MOVES, SERVED
from crm.verbs import offered, told

FORMS: dict[str, type[CrmForm]] = {
    "wait": forms.WaitForm, "cancel": ReasonForm, "reopen": ReasonForm, "escalate": forms.EscalateForm,
    "settle": forms.SettleForm, "tell": forms.TellForm, "assign": forms.AssignForm,
    "duplicate": forms.DuplicateForm,
}  # fmt: skip


def form_for(name: str, ticket: Ticket, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    if name in ("complete", "fill"):
        return details(ticket, **kwargs)
    form = FORMS.get(name, CrmForm)(**kwargs)
    if to := getattr(form, "to", None):
        to.offer(staff.offered(staff.choices(), but={ticket.owner_id}))
    if of := getattr(form, "of", None):
        others = queries.others(ticket, current_user)
        of.offer([(one.number, f"{one.number} {one.title} · {_(State(one.state).label)} · {clock.local(one.opened_at):%Y-%m-%d}")
                  for one in others])  # fmt: skip
    return form


def details(ticket: Ticket, people: Sequence[Contact] | None = None, **kwargs: Any) -> CrmForm:
    book = workflow.rulebook_of(ticket)
    values = {forms.PREFIX + key: value for key, value in ticket.fields.items()}
    people = customers.contacts(ticket.customer_id or 0) if people is None else people
    return forms.with_fields(forms.DetailsForm, book, people, ticket.category, obj=ticket, data=values, **kwargs)


def _offered(ticket: Ticket, owed: Sequence[Duty], bound: CrmForm | None, name: str) -> dict[str, CrmForm]:
    """The verbs that may be done now but for the closing, which has its own place; the refused one with what was typed."""
    moves = {key: move for key, move in MOVES.items() if key != "complete"}
    found = offered(ticket, moves, owed, form_for, name=name, bound=bound)
    if "duplicate" in found and len(found["duplicate"].of.choices) < 2:
        del found["duplicate"]  # there is no other record
    return found


def _next(offered: Collection[str]) -> str:
    """The one verb to go on with: what others wait for, then the work itself."""
    return next((key for key in ("settle", "tell", "start", "resume", "end") if key in offered), "")


def _gaps(ticket: Ticket, attached: list[File], below: Collection[str], refusal: Refused | None, name: str):
    """What is missing: after a refused closing, beyond what was just typed; else of what is saved. Looked for is only what
    of a kind `below` it there may be."""
    if isinstance(refusal, workflow.Incomplete) and name == "complete":
        return refusal.gaps
    if ticket.category not in workflow.rulebook_of(ticket).categories:
        return []

    def came_of(ticket: Ticket, kind: str) -> str | None:
        return duties.came_of(ticket, kind) if kind in below else None

    return workflow.gaps(ticket, attached=attached, came_of=came_of)


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words and files still in it."""
    ticket = queries.get(number, current_user)
    book, owed = workflow.rulebook_of(ticket), duties.of_subject(ticket)
    people = customers.contacts(ticket.customer_id or 0)
    may_fill = ticket.state in SERVED and MOVES["complete"].may(current_user, ticket)
    closing = bound if bound is not None and name in ("complete", "fill") else None
    if may_fill and closing is None:
        closing = details(ticket, people, formdata=None)
    if isinstance(refusal, Stale) and bound is not None:
        bound.beside(form_for(name, ticket, formdata=None))
    known = told(ticket, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    forms_now = _offered(ticket, owed, bound, name)
    return render_template(
        "tickets/record.html", **known, ticket=ticket, book=book, category=book.categories.get(ticket.category),
        gaps={gap.field.key: gap for gap in _gaps(ticket, known["files"], known["below"], refusal, name)},
        closing=closing, closable=MOVES["complete"].open_to(current_user, ticket), may_fill=may_fill, takes_away=may_fill,
        offered=forms_now, first=_next(forms_now), moves=MOVES, people={person.id: person for person in people},
        verdict=verdict_of(ticket.customer_id or 0), linked=queries.linked(ticket, current_user),
        papers=papers.of(ticket, owed, current_user, known["below"]),
        installation=db.session.get(Installation, ticket.installation_id) if ticket.installation_id else None,
        twins=queries.twins(ticket, current_user, known["events"]), noun_of=duties.noun_of,
    )  # fmt: skip
