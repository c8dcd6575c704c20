"""The page of what somebody wrote on the rulebook."""

from typing import Any

from flask import render_template
from flask_login import current_user

from crm.duties import editions
from crm.duties import queries as duties
from crm.errors import Refused
from crm.forms import CrmForm
from crm.rulebooks import forms, queries
from crm.rulebooks.models import DraftState, Kind, Suggestion
from crm.rulebooks.moves import SUGGESTION_MOVES
from crm.verbs import offered, told

FORMS: dict[str, type[CrmForm]] = {"answer": forms.AnswerForm, "take_up": forms.TakeUpForm}


def form_for(name: str, suggestion: Suggestion, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    form = FORMS.get(name, CrmForm)(**kwargs)
    if isinstance(form, forms.TakeUpForm):
        going = (one for one in queries.drafts(current_user) if one.state == DraftState.DRAFT and one.id != suggestion.draft_id)
        form.draft.offer([(one.number, f"{one.number} {one.title}") for one in going])
    return form


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    suggestion = queries.suggestion(number, current_user)
    owed = duties.of_subject(suggestion)
    now = offered(suggestion, SUGGESTION_MOVES, owed, form_for, name=name, bound=bound)
    known = told(suggestion, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    known["led_to"] = [one for one in known["led_to"] if one.kind != "draft"]  # which that is stands in words of its own
    book = editions.book_of(suggestion) or editions.todays()
    return render_template(
        "rulebooks/suggestion.html", **known, suggestion=suggestion, offered=now, moves=SUGGESTION_MOVES, kinds=Kind,
        leading="answer" if "answer" in now else "", on=book.clauses.get(suggestion.clause),
        draft=duties.names([suggestion.draft_id]).get(suggestion.draft_id or 0),
    )  # fmt: skip
