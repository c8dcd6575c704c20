"""What a change request's page is made of."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import render_template
from flask_login import current_user

from crm import clock
from crm.changes import board, forms, queries, workflow
from crm.changes.models import FORM, ChangeEvent, ChangeRequest, Kind
from crm.changes.moves import CHANGE, MOVES
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Event
from crm.errors import Refused
from crm.forms import CrmForm, ReasonForm
from crm.moves import stands_in
from crm.papers import queries as papers
from crm.permissions import Role
from crm.serials.models import Installation
from crm.staff import queries as staff
from crm.verbs import AssignForm, offered, told

FORMS: dict[str, type[CrmForm]] = {
    "submit": forms.SubmitForm, "approve": forms.ApproveForm, "reject": forms.RejectForm, "tell": forms.ToldForm,
    "deliver": forms.DeliverForm, "pass": forms.PassForm, "fail": forms.FailForm, "postpone": forms.PostponeForm,
    "update": forms.UpdateForm, "close": forms.CloseForm, "assign": AssignForm, "rebuild": AssignForm, "withdraw": ReasonForm,
}  # fmt: skip
WAY = ("submit", "approve", "tell", "take", "deliver", "pass", "update", "close")  # the next step is the first to be had


def form_for(name: str, change: ChangeRequest, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    known = {"agreed": change.agreed, "changed": change.changed, "how_to_test": change.how_to_test, "updated_on": clock.today()}
    form = FORMS.get(name, CrmForm)(data=known, **kwargs)
    if isinstance(form, AssignForm):
        role, but = (Role.DEVELOPER, change.askers) if name == "rebuild" else (Role.SPECIALIST, {change.owner_id})
        people, but = staff.choices([role]), {*but, *queries.builders(change)}
        form.to.offer(staff.offered(people, but=but))
    if isinstance(form, forms.ApproveForm) and change.expected_on is None:
        del form.reason, form.told
    if isinstance(form, forms.StandInForm):
        if stands_in(current_user):
            form.standing_in.flags.required = True
        else:
            del form.standing_in
    return form


def leading(now: Mapping[str, CrmForm]) -> str:
    return next((name for name in WAY if name in now), "")


def _failed(events: Sequence[Event]) -> Event | None:
    """The failed test that nothing was delivered after; the latest event stands first."""
    last = next((one for one in events if one.kind in (ChangeEvent.DELIVERED, ChangeEvent.FAILED)), None)
    return last if last and last.kind == ChangeEvent.FAILED else None


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    change = queries.get(number, current_user)
    owed = duties.of_subject(change)
    now = offered(change, MOVES, owed, form_for, name=name, bound=bound)
    linking = {key: now.pop(key) for key in ("link", "unlink") if key in now}  # they stand elsewhere
    known = told(change, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    known["names"] |= duties.names([change.concerned_id, *(one.made_by_id for one in change.promises)])
    return render_template(
        "changes/change.html", **known, change=change, offered=now, moves=MOVES, kinds=Kind, leading=leading(now),
        changeable=CHANGE.open_to(current_user, change), stays=board.stays(change),
        form_scan=next((file for file in reversed(known["files"]) if file.purpose == FORM), None),
        stamped=workflow.has_form(change),
        installation=db.session.get(Installation, change.installation_id) if change.installation_id else None,
        papers=papers.of(change, owed, current_user, known["below"]), link=change.link, linking=linking,
        failed=_failed(known["events"]),
    )  # fmt: skip
