"""What a paper's page is made of: what it belongs to, in whose hands it is, and what may be done now."""

from typing import Any

from flask import render_template
from flask_babel import gettext as _
from flask_login import current_user

from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Duty, Subject
from crm.errors import Refused
from crm.forms import CrmForm
from crm.papers import forms, queries, workflow
from crm.papers.models import Paper, State
from crm.papers.moves import MOVES
from crm.permissions import Permission, Role
from crm.staff import queries as staff
from crm.staff.models import User
from crm.verbs import offered, told

HOLDERS = tuple(role for role in Role if role is not Role.ADMIN)
WANTED = {"archive": Role.ARCHIVIST, "relations": Role.FOLLOWUP}  # whose hands a kind of form is for (5.7)
FORMS: dict[str, type[CrmForm]] = {
    "offer": forms.OfferForm, "lend": forms.LendForm, "archive": forms.PlaceForm, "reshelve": forms.PlaceForm,
    "decline": forms.DeclineForm, "miss": forms.DeclineForm, "lose": forms.LoseForm, "find": forms.FindForm,
    "void": forms.VoidForm, "fetch": forms.FetchForm,
}  # fmt: skip


def form_for(name: str, paper: Paper, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    form = FORMS.get(name, CrmForm)(data={"place": paper.place}, **kwargs)
    if isinstance(form, forms.OfferForm):
        people = [one for one in staff.with_role(HOLDERS) if one.id != paper.owner_id or name == "lend"]
        form.to.offer([(one.id, f"{one.name} · {_roles(one)}") for one in people])
        kind = queries.kinds().get(paper.category)
        wanted = WANTED.get(kind.to if kind and name == "offer" else "")
        receivers = [one for one in people if wanted in one.roles]
        if len(receivers) == 1 and not form.to.data:
            form.to.data = str(receivers[0].id)
    return form


def _roles(user: User) -> str:
    return ", ".join(_(role.label) for role in Role if role in user.roles)


def _of_origin(paper: Paper, origin: Subject) -> list[Duty]:
    """What is owed of this kind of form by what it belongs to: settled by this paper, as long as it is on its way."""
    if paper.state not in (State.HELD, State.OFFERED) or queries.void([paper]):
        return []
    return [duty for duty in duties.of_subject(origin) if duty.open and queries.rule_of(duty).paper == paper.category]


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    paper = queries.get(number, current_user)
    owed, origin = duties.of_subject(paper), db.session.get_one(Subject, paper.origin_id)
    forms_now = offered(paper, MOVES, owed, form_for, name=name, bound=bound)
    known = told(paper, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    may_open = queries.may_see([origin.id, paper.customer_id], current_user)
    beyond = _of_origin(paper, origin) if origin.id in may_open or current_user.may(Permission.PAPER_ARCHIVE) else []
    known["duties"] = [*owed, *beyond]
    known["names"] |= duties.names([paper.concerned_id, *(duty.owner_id for duty in beyond)])
    return render_template(
        "papers/paper.html", **known, paper=paper, origin=origin, offered=forms_now, moves=MOVES,
        kind=queries.kinds().get(paper.category), may_open=may_open,
        over=bool(queries.void([paper])), cost=workflow.cost(paper) if paper.state != State.VOID else {},
    )  # fmt: skip
