"""What a report's page is made of: its figures, and what may be done with it now."""

from typing import Any

from flask import render_template, request
from flask_login import current_user

from crm import lists
from crm.duties import queries as duties
from crm.errors import NotThere, Refused
from crm.forms import CrmForm
from crm.reports import forms, keeping, queries, workflow
from crm.reports.care import in_care
from crm.reports.kinds import SORTS
from crm.reports.models import Kind, Report, Returned
from crm.reports.moves import MOVES
from crm.verbs import offered, told

FORMS: dict[str, type[CrmForm]] = {
    "submit": forms.SubmitForm, "remark": forms.RemarkForm, "send_back": forms.ReturnForm, "waive": forms.ReasonForm,
}  # fmt: skip


def form_for(name: str, report: Report, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    if name == "submit":
        company = report.category == Kind.COMPANY
        return (forms.CompanyForm if company else forms.SubmitForm)(data={"remark": report.remark}, **kwargs)
    form = FORMS.get(name, CrmForm)(**kwargs)
    if isinstance(form, forms.RemarkForm):
        form.customer.offer([(unit.number, unit.title) for unit in in_care(report.owner_id or 0)])
    return form


def version(report: Report) -> Returned | None:
    """One that was given back, if the address asks for it by its place."""
    if not (asked := lists.key(request.args, "version")):
        return None
    earlier = queries.returned(report)
    if asked > len(earlier):
        raise NotThere()
    return earlier[asked - 1]


def rows(number: str, place: int):
    """The rows behind one of its numbers; one that was counted before it was given back is told so."""
    report = queries.get(number, current_user)
    counted, bodies = keeping.get(report, place), [report.body, *(one.body for one in queries.returned(report))]
    layout, address = SORTS[report.category].layout, keeping.path_of(report, place)
    leading = (layout.leading_to(body, address) for body in bodies if body is not None)
    called, said = next((one for one in leading if one), ("", ""))
    found, hidden = keeping.page(counted, current_user, lists.key(request.args))
    return render_template("reports/rows.html", report=report, kinds=Kind, called=called, said=said, today=counted.address,
                           page=found, hidden=hidden)  # fmt: skip


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    report = queries.get(number, current_user)
    owed, earlier = duties.of_subject(report), version(report)
    forms_now = offered(report, MOVES, owed, form_for, name=name, bound=bound)
    page = told(report, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    figures = earlier.body if earlier else workflow.figures(report)
    page["names"] |= duties.names([report.submitted_by_id, *(one.submitted_by_id for one in queries.returned(report))])
    return render_template(
        "reports/report.html", **page, report=report, kinds=Kind, offered=forms_now, moves=MOVES, sort=SORTS[report.category],
        figures=figures, kept=keeping.holds(report, figures), earlier=earlier, returned=queries.returned(report),
    )  # fmt: skip
