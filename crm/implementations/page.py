"""What an implementation's page is made of."""

from typing import Any

from flask import render_template
from flask_login import current_user

from crm import clock
from crm.db import db
from crm.duties import queries as duties
from crm.errors import Refused
from crm.forms import CrmForm, ReasonForm
from crm.implementations import forms, queries
from crm.implementations.models import Implementation
from crm.implementations.workflow import CHANGE, MOVES
from crm.papers import queries as papers
from crm.serials.models import Installation
from crm.verbs import AssignForm, offered, told


def form_for(name: str, made: Implementation, **kwargs: Any) -> CrmForm:
    if name == "end":
        return forms.EndForm(data={"ended_on": clock.today()}, **kwargs)
    if name == "assign":
        form = AssignForm(**kwargs)
        form.offer(made)
        return form
    return ReasonForm(**kwargs) if name == "cancel" else CrmForm(**kwargs)


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    made = queries.get(number, current_user)
    owed = duties.of_subject(made)
    now = offered(made, MOVES, owed, form_for, name=name, bound=bound)
    known = told(made, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    return render_template(
        "implementations/implementation.html", **known,
        made=made, offered=now, moves=MOVES, papers=papers.of(made, owed, current_user, known["below"]),
        changeable=CHANGE.open_to(current_user, made),
        installation=db.session.get(Installation, made.installation_id) if made.installation_id else None,
    )  # fmt: skip
