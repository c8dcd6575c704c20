"""What a visit's page is made of: the request, what is owed, and what may be done now."""

from typing import Any

from flask import render_template
from flask_login import current_user

from crm.customers import queries as customers
from crm.db import db
from crm.duties import editions
from crm.duties import queries as duties
from crm.errors import Refused
from crm.files import queries as files
from crm.forms import CrmForm
from crm.serials.models import Installation
from crm.tickets.forms import NoteForm, ReasonForm, categories_of, with_fields
from crm.visits import forms, queries, workflow
from crm.visits.models import Kind, Visit
from crm.visits.workflow import CHANGE, MOVES

FORMS: dict[str, type[CrmForm]] = {
    "approve": forms.DecideForm, "reject": forms.RejectForm, "cancel": ReasonForm,
}  # fmt: skip


def form_for(name: str, visit: Visit, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    if name == "write_up":
        return record_form(visit, **kwargs)
    form = FORMS.get(name, CrmForm)(**kwargs)
    if isinstance(form, forms.DecideForm):
        if workflow.stands_in(current_user):
            form.standing_in.flags.required = True
        else:
            del form.standing_in
    return form


def record_form(visit: Visit, **kwargs: Any) -> CrmForm:
    """The service record of the visit (5.3.6), with what is known of it already in it."""
    people = customers.contacts(visit.customer_id or 0)
    waits = "\n".join(f"{one['name']}：{one['waits']}" if one["waits"] else one["name"] for one in visit.departments)
    known = {"title": visit.title, "description": "\n\n".join(filter(None, (visit.description, waits)))}
    return with_fields(forms.RecordForm, editions.todays(), people, data=known, **kwargs)


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    visit = queries.get(number, current_user)
    every, events = duties.of_subject(visit), duties.timeline(visit)
    owed = {duty.rule for duty in every if duty.open}
    offered = {key: form_for(key, visit, formdata=None) for key, move in MOVES.items() if move.open_to(current_user, visit, owed)}
    if bound is not None and name in offered:
        offered[name] = bound
    opened: dict[int, list] = {}
    for duty in every:
        opened.setdefault(duty.opened_by_id, []).append(duty)
    return render_template(
        "visits/visit.html", visit=visit, subject=visit, refusal=refusal, refused=name, offered=offered, moves=MOVES,
        drafts=drafts, kinds=Kind, shown_for=categories_of(editions.todays()),
        changeable=CHANGE.open_to(current_user, visit), stands_in=workflow.stands_in(current_user),
        note=bound if bound is not None and name == "note" else NoteForm(formdata=None),
        events=events, duties=every, opened=opened, files=files.of(visit), customer=customers.by_id(visit.customer_id),
        installation=db.session.get(Installation, visit.installation_id) if visit.installation_id else None,
        names=duties.names_in(events, current_user, visit.owner_id, *(duty.owner_id for duty in every)),
        beside=queries.beside(visit),
    )  # fmt: skip
