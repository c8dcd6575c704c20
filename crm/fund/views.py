from io import BytesIO

from flask import Blueprint, flash, redirect, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock, export, lists
from crm.errors import NotThere, Refused
from crm.forms import ReasonForm, attempt
from crm.fund import forms, page, printing, queries, statement, workflow
from crm.fund.models import EntryKind, Month
from crm.fund.workflow import MOVES
from crm.letters.typeset import typeset
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.verbs import Verbs

bp = Blueprint("fund", __name__)


@bp.get("/statements")
@needs(P.SIGNED_IN)
def index():
    rows = queries.every(current_user)
    sums = {one.id: statement.told(one) for one in rows}
    whole = {one.id for one in rows if queries.read_whole(one, current_user)}
    fen = {id: (says if id in whole else statement.of_person(says, current_user.id))["fen"] for id, says in sums.items()}
    return render_template("fund/statements.html", rows=rows, fen=fen, whole=whole)


@bp.get("/statements/<number:number>")
@needs(P.SIGNED_IN)
def month(number):
    return page.render(number)


def _whole(number: str) -> Month:
    month = queries.get(number, current_user)
    if not queries.read_whole(month, current_user):
        raise NotThere()
    return month


@bp.get("/statements/<number:number>/file.xlsx")
@needs(P.STATEMENT_READ)
def sheet(number):
    month = _whole(number)
    book = export.as_book(printing.as_sheets(statement.told(month)))
    return send_file(book, download_name=f"{_('Statement of penalties')} {month.title}.xlsx", as_attachment=True, max_age=0)


@bp.get("/statements/<number:number>/statement.pdf")
@needs(P.STATEMENT_READ)
def paper(number):
    month = _whole(number)
    return _pdf(month, statement.told(month), month.number)


@bp.get("/statements/<number:number>/mine.pdf")
@needs(P.SIGNED_IN)
def mine(number):
    month = queries.get(number, current_user)
    return _pdf(month, statement.of_person(statement.told(month), current_user.id), f"{month.number}-{current_user.number}")


def _pdf(month: Month, says: dict, name: str):
    printed = typeset(printing.on_paper(month, says))
    return send_file(BytesIO(printed.pdf), mimetype="application/pdf", download_name=f"{name}.pdf", max_age=0)


VERBS = Verbs(queries.get, MOVES, page, acts={
    "close": lambda m, f, k: workflow.close(m, by=current_user),
    "take": lambda m, f, k: workflow.take(m, by=current_user),
})  # fmt: skip
_statements = Blueprint("statements", __name__, url_prefix="/statements")
VERBS.hang(_statements)
bp.register_blueprint(_statements)


@bp.post("/statements/<number:number>/notes")
@needs(P.STATEMENT_READ)
def note(number):
    _whole(number)
    return VERBS.note(number)


def _ledger(form=None, refusal: Refused | None = None, taken: int = 0):
    book = queries.ledger(lists.key(request.args))
    spending = form or forms.SpendForm(formdata=None, data={"on": clock.today()})
    return render_template("fund/fund.html", ledger=book, balance=workflow.balance(), form=spending, refusal=refusal,
                           kinds=EntryKind, back=ReasonForm(formdata=None), taken=taken)  # fmt: skip


@bp.get("/fund")
@needs(P.FUND_READ)
def fund():
    return _ledger()


@bp.post("/fund/spending")
@needs(P.FUND_SPEND)
def spend():
    form = forms.SpendForm()

    def act():
        workflow.spend(by=current_user, fen=form.fen.data, on=form.on.data, purpose=form.purpose.data)
        flash(_("Entered."))
        return redirect("/fund", 303)

    return attempt(form, act, lambda refusal: _ledger(form, refusal))


@bp.post("/fund/<id:entry_id>/reversal")
@needs(P.FUND_SPEND)
def reverse(entry_id):
    entry, form = queries.entry(entry_id), ReasonForm()

    def act():
        workflow.reverse(entry, by=current_user, reason=form.reason.data)
        flash(_("Taken back."))
        return redirect("/fund", 303)

    return attempt(form, act, lambda refusal: _ledger(refusal=refusal, taken=entry_id))
