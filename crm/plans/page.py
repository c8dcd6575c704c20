"""What a plan's page is made of: its lines, what became of them, and what may be done with it now."""

from typing import Any

from flask import render_template
from flask_login import current_user

from crm.contracts import queries as contracts
from crm.contracts.page import WORKS
from crm.contracts.steps import Mark
from crm.duties import queries as duties
from crm.errors import Refused
from crm.forms import CrmForm, ReasonForm
from crm.plans import forms, queries
from crm.plans.completion import Outcome, shown
from crm.plans.models import Plan
from crm.plans.workflow import CHANGE, MOVES
from crm.staff import queries as staff
from crm.verbs import offered, told

FORMS: dict[str, type[CrmForm]] = {
    "settle": forms.SettleForm, "add": forms.AddForm, "submit": forms.SubmitForm, "sign_off": forms.SignForm,
    "send_back": ReasonForm,
}  # fmt: skip
LEADING = ("settle", "submit", "sign_off")


def form_for(name: str, plan: Plan, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    return FORMS.get(name, CrmForm)(**kwargs)


def lines_form(plan: Plan, **kwargs: Any) -> forms.LinesForm:
    """All its lines, to be changed; who is in charge of one stays to choose from though they left."""
    lines = queries.lines_of(plan)
    people = {str(one.id): one.name for one in staff.choices(WORKS)}
    for id, name in duties.names(line.owner_id for line in lines).items():
        people.setdefault(str(id), name.title)
    numbers = {id: row.number for id, row in contracts.by_ids(line.contract_id for line in lines).items()}
    form = forms.lines_form(plan, lines, numbers, list(people.items()), **kwargs)
    figures = shown(plan)
    form.lines = [*figures["renewals"], *figures["finals"]]
    return form


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    plan = queries.get(number, current_user)
    owed = duties.of_subject(plan)
    now = offered(plan, MOVES, owed, form_for, name=name, bound=bound)
    return render_template(
        "plans/plan.html", **told(plan, owed, name=name, bound=bound, refusal=refusal, drafts=drafts), plan=plan,
        figures=shown(plan), offered=now, moves=MOVES, outcomes=Outcome, marks=Mark,
        changeable=CHANGE.open_to(current_user, plan), leading=next((key for key in LEADING if key in now), ""),
    )  # fmt: skip
