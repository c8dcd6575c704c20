"""The fund's pages: what came in, what went out and for what (7.8)."""

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock, lists
from crm.errors import Refused
from crm.forms import ReasonForm, attempt
from crm.fund import forms, queries, workflow
from crm.fund.models import EntryKind
from crm.permissions import Permission as P
from crm.permissions import needs

bp = Blueprint("fund", __name__, url_prefix="/fund")


def _ledger(form=None, refusal: Refused | None = None, taken: int = 0):
    book = queries.ledger(lists.key(request.args))
    spending = form or forms.SpendForm(formdata=None, data={"on": clock.today()})
    return render_template("fund/fund.html", ledger=book, balance=workflow.balance(), form=spending, refusal=refusal,
                           kinds=EntryKind, back=ReasonForm(formdata=None), taken=taken)  # fmt: skip


@bp.get("")
@needs(P.FUND_READ)
def fund():
    return _ledger()


@bp.post("/spending")
@needs(P.FUND_SPEND)
def spend():
    form = forms.SpendForm()

    def act():
        workflow.spend(by=current_user, fen=form.fen.data, on=form.on.data, purpose=form.purpose.data)
        flash(_("Entered."))
        return redirect("/fund", 303)

    return attempt(form, act, lambda refusal: _ledger(form, refusal))


@bp.post("/<id:entry_id>/reversal")
@needs(P.FUND_SPEND)
def reverse(entry_id):
    entry, form = queries.entry(entry_id), ReasonForm()

    def act():
        workflow.reverse(entry, by=current_user, reason=form.reason.data)
        flash(_("Taken back."))
        return redirect("/fund", 303)

    return attempt(form, act, lambda refusal: _ledger(refusal=refusal, taken=entry_id))
