"""What a callback's page is made of: whom one speaks with, the story so far, and what may be done now."""

from collections.abc import Sequence
from typing import Any

from flask import render_template
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from crm.callbacks import forms, queries, workflow
from crm.callbacks.models import Callback
from crm.callbacks.moves import MOVES
from crm.callbacks.workflow import wants_marks
from crm.customers import queries as customers
from crm.customers.models import Contact
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.rulebook import Rulebook
from crm.errors import Refused
from crm.forms import CrmForm, ReasonForm
from crm.labels import said
from crm.staff import queries as staff
from crm.tickets.forms import offered_categories
from crm.tickets.models import PASSWORD
from crm.verbs import offered, told

FORMS: dict[str, type[CrmForm]] = {
    "reach": forms.ReachForm, "later": forms.LaterForm, "give_up": ReasonForm, "escalate": forms.EscalateForm,
    "assign": forms.AssignForm,
}  # fmt: skip


def form_for(name: str, callback: Callback, people: Sequence[Contact] | None = None, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    expiry = name == "reach" and workflow.asks_renewal(callback)
    form = (forms.ExpiryForm if expiry else FORMS.get(name, CrmForm))(**kwargs)
    if isinstance(form, forms.ReachForm):
        form.offer_people(customers.contacts(callback.customer_id or 0, active=True) if people is None else people)
        form.clause.offer(_clauses(editions.todays()))
        bad = editions.setting(callback, "bad_mark")
        needs = _("Goes to the manager at once (5.5.3). A mark of %(n)s or less needs it.", n=bad)
        form.doubt.description = needs
        for mark in (form.attitude, form.skill, form.result):
            mark.flags.required = wants_marks(callback)
        if len(form.people) == 1 and not form.contact.data:
            form.contact.data = str(form.people[0].id)
        if kwargs.get("formdata", ()) is None and not form.contact.data:
            asked = queries.contacts({callback.origin_id or 0: callback.customer_id}).get(callback.origin_id or 0)
            form.contact.data = str(asked.id) if asked and asked.active else ""
    if isinstance(form, forms.AssignForm):
        form.to.offer(staff.offered(staff.choices()))
        form.category.offer([pair for pair in offered_categories(editions.todays()) if pair[0] != PASSWORD])
    return form


def _clauses(book: Rulebook) -> list[tuple[str, str]]:
    """What a service without a record may break (7.4, 7.5)."""
    locale = str(get_locale())
    return [(one.key, f"{one.key} {said(one.title, locale)}") for one in book.penalties.values() if one.unrecorded]


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    callback = queries.get(number, current_user)
    owed, origin = duties.of_subject(callback), workflow.origin_of(callback)
    story = queries.story(origin, current_user, but=callback.id)
    forms_now = offered(callback, MOVES, owed, form_for, name=name, bound=bound)
    calls = workflow.owed_call(callback)
    for key in ("drop",) if calls else ("reach", "attempt", "later", "give_up"):
        forms_now.pop(key, None)
    known = told(callback, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    known["names"] |= duties.names([callback.concerned_id])
    known["duties"] = calls + owed
    return render_template(
        "callbacks/callback.html", **known, callback=callback, story=story, offered=forms_now, moves=MOVES,
        regular=not wants_marks(callback), book=editions.todays(), apart=editions.setting(callback, "minutes_between_calls"),
    )  # fmt: skip
