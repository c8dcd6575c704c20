from flask import Blueprint, render_template, send_file
from flask_babel import gettext as _
from flask_login import current_user

from crm import export
from crm.contracts import queries as contracts
from crm.contracts.models import Contract
from crm.errors import Invalid, NotThere
from crm.forms import CrmForm
from crm.labels import N_
from crm.letters.answer import pdf
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.plans import forms, page, printing, queries, workflow
from crm.plans.completion import shown, sums_of
from crm.plans.models import Plan
from crm.plans.sheets import sheets_of
from crm.plans.workflow import CHANGE, MOVES
from crm.verbs import Verbs

bp = Blueprint("plans", __name__, url_prefix="/plans")


@bp.get("")
@needs(P.CONTRACT_READ)
def index():
    rows = queries.every(current_user)
    return render_template("plans/list.html", rows=rows, sums=sums_of(rows), next=workflow.next_month())


@bp.get("/<number:number>")
@needs(P.CONTRACT_READ)
def plan(number):
    return page.render(number)


@bp.get("/<number:number>/file.xlsx")
@needs(P.CONTRACT_READ)
def sheet(number):
    """The same figures as a workbook."""
    plan = queries.get(number, current_user)
    book = export.as_book(sheets_of(shown(plan)))
    return send_file(book, download_name=f"{_('Contract plan')} {plan.title}.xlsx", as_attachment=True, max_age=0)


@bp.get("/<number:number>/file.pdf")
@needs(P.CONTRACT_READ)
def paper(number):
    """The same figures on paper."""
    return pdf(printing.printed, queries.get(number, current_user), number)


@bp.route("/<number:number>/edit", methods=["GET", "POST"])
@needs(P.CONTRACT_RELEASE)
def edit(number):
    """All lines at once, until the plan is settled."""
    return VERBS.edit(number, CHANGE, page.lines_form, _revise)


def _revise(plan: Plan, form: CrmForm) -> None:
    workflow.revise(plan, forms.said_of(form, queries.lines_of(plan)), by=current_user)


def _meant(number: str) -> Contract:
    """The contract somebody typed the number of."""
    try:
        return contracts.get(number.strip().upper(), current_user)
    except NotThere:
        raise Invalid(fields={"contract_number": N_("There is no contract of this number.")}) from None


VERBS = Verbs(queries.get, MOVES, page, {
    "settle": lambda p, f, k: workflow.settle(p, by=current_user, words=f.words.data),
    "add": lambda p, f, k: workflow.add(p, _meant(f.contract_number.data), by=current_user, remark=f.remark.data or ""),
    "submit": lambda p, f, k: workflow.submit(p, by=current_user, remark=f.remark.data),
    "sign_off": lambda p, f, k: workflow.sign_off(p, by=current_user, words=f.words.data),
    "send_back": lambda p, f, k: workflow.send_back(p, by=current_user, reason=f.reason.data),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.CONTRACT_READ)
def note(number):
    return VERBS.note(number)
