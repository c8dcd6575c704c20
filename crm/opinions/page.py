"""What an opinion's page is made of; whoever may not read all of a complaint sees what was said and answered."""

from typing import Any

from flask import render_template
from flask_login import current_user

from crm.customers import queries as customers
from crm.db import db
from crm.duties import editions
from crm.duties import queries as duties
from crm.errors import Refused
from crm.forms import CrmForm, ReasonForm
from crm.opinions import forms, queries
from crm.opinions.models import About, Kind, Opinion, Way
from crm.opinions.moves import MOVES
from crm.permissions import Role
from crm.serials.models import Installation
from crm.staff import queries as staff
from crm.verbs import AssignForm, offered, told

FORMS: dict[str, type[CrmForm]] = {
    "hear": forms.HearForm, "confirm": forms.FindForm, "dismiss": forms.FindForm, "answer": forms.AnswerForm,
    "review": ReasonForm, "reopen": ReasonForm, "assign": AssignForm, "withdraw": ReasonForm,
    "correct": forms.CorrectForm,
}  # fmt: skip
DESK = (Role.SPECIALIST, Role.FOLLOWUP, Role.MANAGER, Role.DIRECTOR)
WAY = ("investigate", "confirm", "answer", "hear")  # the next step is the first to be had


def form_for(name: str, opinion: Opinion, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    known = {name: getattr(opinion, name) for name in ("answer", "about", "said_on")}
    known |= {"kind": opinion.category, "against": opinion.concerned_id}
    form = FORMS.get(name, CrmForm)(data=known, **kwargs)
    if isinstance(form, forms.CorrectForm):
        form.against.offer([(one.id, one.name) for one in staff.choices(DESK)])
    if isinstance(form, AssignForm):
        lead = (Role.MANAGER, Role.DIRECTOR)
        people = staff.choices(lead if opinion.complaint else (Role.SPECIALIST, Role.FOLLOWUP, *lead))
        form.to.offer(staff.offered(people, but={opinion.owner_id, opinion.concerned_id}))
    return form


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    opinion = queries.get(number, current_user)
    if not queries.seen(opinion, current_user, whole=True):
        return render_template("opinions/outline.html", opinion=opinion, customer=customers.by_id(opinion.customer_id))
    owed = duties.of_subject(opinion)
    now = offered(opinion, MOVES, owed, form_for, name=name, bound=bound)
    known = told(opinion, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    known["names"] |= duties.names([opinion.concerned_id])
    book = editions.book_of(opinion) or editions.todays()
    return render_template(
        "opinions/opinion.html", **known, opinion=opinion, offered=now, moves=MOVES, kinds=Kind, ways=Way, abouts=About,
        leading=next((key for key in WAY if key in now), ""), follows=[book.penalties[key] for key in opinion.follows],
        installation=db.session.get(Installation, opinion.installation_id) if opinion.installation_id else None,
    )  # fmt: skip
