"""What a visit's page is made of: the request, what is owed, and what may be done now."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from flask_login import current_user

from crm.customers import queries as customers
from crm.db import db
from crm.duties import editions
from crm.duties import queries as duties
from crm.errors import Refused, Stale
from crm.forms import CrmForm, ReasonForm
from crm.moves import stands_in
from crm.papers import queries as papers
from crm.permissions import Role
from crm.serials.models import Installation
from crm.staff import queries as staff
from crm.tickets.forms import AssignForm, categories_of, with_fields
from crm.verbs import offered, told
from crm.visits import feedback, forms, ink, queries
from crm.visits.models import Kind, Visit, Way
from crm.visits.moves import CHANGE, MOVES

FORMS: dict[str, type[CrmForm]] = {
    "approve": forms.DecideForm, "reject": forms.RejectForm, "cancel": ReasonForm, "scan": forms.ScanForm,
    "assign": AssignForm, "refuse": forms.RefusedForm,
}  # fmt: skip


def form_for(name: str, visit: Visit, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    if name == "write_up":
        return record_form(visit, **kwargs)
    if name == "report":
        return forms.report_form(visit, **kwargs)
    if name == "sign":
        return forms.SignForm(data={"what": feedback.what_of(visit, feedback.head_of(visit)), "version": visit.version}, **kwargs)
    form = FORMS.get(name, CrmForm)(**kwargs)
    if isinstance(form, AssignForm):
        form.to.offer(staff.offered(staff.choices([Role.SPECIALIST]), but={visit.owner_id, current_user.id}))
    if isinstance(form, forms.DecideForm):
        if stands_in(current_user):
            form.standing_in.flags.required = True
        else:
            del form.standing_in
    return form


def record_form(visit: Visit, **kwargs: Any) -> CrmForm:
    """The service record of the visit (5.3.6), with what is known of it already in it."""
    people = customers.contacts(visit.customer_id or 0)
    known = {"title": visit.title, "description": "\n\n".join(filter(None, (visit.description, *_story(visit))))}
    return with_fields(forms.RecordForm, editions.todays(), people, data=known, **kwargs)


def _story(visit: Visit) -> Iterator[str]:
    """What was to be done, and what the feedback form says of it, so that nothing is typed twice."""
    if not visit.reported:
        yield forms.lines_of(visit)
        return
    yield "\n".join(f"{forms.line_of(one)} → {one['outcome']}" for one in visit.departments)
    for label, said in ((_("Open points"), visit.open_points), (_("The customer's opinion"), visit.opinion)):
        if said:
            yield label + _(": ") + said


SIGNING = ("sign", "scan")


def leading(visit: Visit, now: Mapping[str, CrmForm], signed: bool) -> str:
    """The next tap on the way."""
    wanted = {"report": not visit.reported, "sign": not signed, "return": True, "hand_in": signed, "write_up": True}
    return next((name for name in ("depart", "arrive", *wanted) if name in now and wanted.get(name, True)), "")


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it. What the customer signs has a page of
    its own: nothing else is shown to who is handed the phone."""
    visit = queries.get(number, current_user)
    owed = duties.of_subject(visit)
    now, signature = offered(visit, MOVES, owed, form_for, name=name, bound=bound), feedback.signature_of(visit)
    if bound is not None and name in now:
        _renewed(name, bound, visit, refusal)
    signed = feedback.fits(signature, visit)
    if signed and name != "refuse":
        now.pop("refuse", None)
    template = "visits/sign.html" if name in SIGNING and name in now else "visits/visit.html"
    known = told(visit, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    return render_template(
        template, **known,
        visit=visit, offered=now, moves=MOVES, kinds=Kind, ways=Way, shown_for=categories_of(editions.todays()),
        changeable=CHANGE.open_to(current_user, visit), stands_in=stands_in(current_user),
        installation=db.session.get(Installation, visit.installation_id) if visit.installation_id else None,
        beside=queries.beside(visit), signature=signature, signed=signed, head_of=feedback.head_of,
        leading=leading(visit, now, signed), ink=ink,
        papers=papers.of(visit, owed, current_user, known["below"]),
    )  # fmt: skip


def _renewed(name: str, bound: CrmForm, visit: Visit, refusal: Refused | None) -> None:
    """After a stale refusal: what is saved now beside what was typed; a text that changed is signed anew."""
    if name == "report" and isinstance(refusal, Stale):
        bound.beside(form_for(name, visit, formdata=None))
    if isinstance(bound, forms.SignerForm) and isinstance(refusal, Stale | feedback.Changed):
        bound.again(feedback.what_of(visit, feedback.head_of(visit)), visit.version)
