"""What a visit's page is made of: the request, what is owed, and what may be done now."""

from typing import Any

from flask import render_template
from flask_login import current_user

from crm.customers import queries as customers
from crm.db import db
from crm.duties import editions
from crm.duties import queries as duties
from crm.errors import Refused
from crm.forms import CrmForm
from crm.papers import queries as papers
from crm.serials.models import Installation
from crm.tickets.forms import ReasonForm, categories_of, with_fields
from crm.verbs import offered, told
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
    owed = duties.of_subject(visit)
    forms_now = offered(visit, MOVES, owed, form_for)
    if bound is not None and name in forms_now:
        forms_now[name] = bound
    return render_template(
        "visits/visit.html", **told(visit, owed, name=name, bound=bound, refusal=refusal, drafts=drafts),
        visit=visit, offered=forms_now, moves=MOVES, kinds=Kind, shown_for=categories_of(editions.todays()),
        changeable=CHANGE.open_to(current_user, visit), stands_in=workflow.stands_in(current_user),
        installation=db.session.get(Installation, visit.installation_id) if visit.installation_id else None,
        beside=queries.beside(visit), papers=papers.of(visit, owed, current_user),
    )  # fmt: skip
