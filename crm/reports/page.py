"""What a report's page is made of: its figures, and what may be done with it now."""

from typing import Any

from flask import render_template
from flask_login import current_user

from crm.duties import queries as duties
from crm.errors import Refused
from crm.forms import CrmForm
from crm.reports import forms, queries, workflow
from crm.reports.models import Kind, Report
from crm.reports.workflow import MOVES
from crm.verbs import offered, told

FORMS: dict[str, type[CrmForm]] = {"submit": forms.SubmitForm}


def form_for(name: str, report: Report, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    return FORMS.get(name, CrmForm)(**kwargs)


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    report = queries.get(number, current_user)
    owed = duties.of_subject(report)
    forms_now = offered(report, MOVES, owed, form_for)
    if bound is not None and name in forms_now:
        forms_now[name] = bound
    return render_template(
        f"reports/{report.category}.html", **told(report, owed, name=name, bound=bound, refusal=refusal, drafts=drafts),
        report=report, kinds=Kind, offered=forms_now, moves=MOVES, figures=workflow.figures(report),
    )  # fmt: skip
