from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock, lists
from crm.contracts import following, forms, notices, page, paying, queries, steps, sums, terms, workflow
from crm.contracts.models import Contract, Kind, State
from crm.contracts.moves import CHANGE, MOVES
from crm.contracts.table import TABLE
from crm.customers import queries as customers
from crm.customers.models import Customer
from crm.duties import queries as duties
from crm.duties.locks import lock_all
from crm.duties.message import Way
from crm.duties.models import Subject
from crm.errors import Refused
from crm.forms import CrmForm, attempt
from crm.letters.answer import inline
from crm.letters.letter import draft
from crm.letters.outgoing import seen
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.serials import queries as serials
from crm.serials.coverage import verdict_among
from crm.serials.models import Installation
from crm.staff import queries as staff
from crm.verbs import Verbs

bp = Blueprint("contracts", __name__, url_prefix="/contracts")
FORESEEN = timedelta(days=60)  # how far the forecast looks


@bp.get("")
@needs(P.CONTRACT_READ)
def index():
    wanted, page_ = TABLE.asked(current_user, request.args)
    return render_template("contracts/list.html", page=page_, wanted=wanted, contract_states=State, kinds=Kind,
                           people=staff.choices(page.WORKS), soon=clock.today() + FORESEEN, to_pay=sums.open_fen,
                           standing=steps.standing)  # fmt: skip


@bp.get("/lanes")
@needs(P.CONTRACT_READ)
def lanes():
    """The renewals of a month by step."""
    first = lists.month(request.args, "month") or clock.today().replace(day=1)
    return render_template("contracts/lanes.html", month=steps.month(first, current_user), lanes=steps.Lane)


@bp.get("/forecast")
@needs(P.CONTRACT_READ)
def forecast():
    """Which notices go out when, and what has ended without a renewal."""
    coming, ended = notices.forecast(current_user, clock.today() + FORESEEN), queries.without_renewal(current_user)
    shown = [*(one.contract for one in coming), *ended]
    return render_template(
        "contracts/forecast.html", coming=coming, ended=ended, most=duties.MOST, ways=Way,
        names=duties.names(id for one in shown for id in (one.customer_id, one.owner_id)),
    )  # fmt: skip


@bp.get("/receivables")
@needs(P.CONTRACT_READ)
def receivables():
    """The final payments of sales that are still to come in (4.specialist.6)."""
    rows = queries.receivables(current_user)
    ids = [row.id for row in rows]
    return render_template(
        "contracts/receivables.html", rows=rows, parts=queries.parts_of(ids), paid=sums.paid_of(ids), open_fen=sums.open_fen,
        names=duties.names(id for row in rows for id in (row.customer_id, row.owner_id)),
    )  # fmt: skip


@bp.get("/<number:number>")
@needs(P.CONTRACT_READ)
def contract(number):
    return page.render(number)


def _next(before: Contract) -> dict[str, Any]:
    """What a renewal says until somebody says otherwise: the next year, at the same price a year."""
    same = {name: getattr(before, name) for name in ("title", "language")}
    return same | _year(before.ends_on + timedelta(days=1) if before.ends_on else clock.today()) | {
        "kind": before.category, "amount_fen": terms.yearly(before), "of": before.number,
        "installations": [str(one.id) for one in before.installations],
    }  # fmt: skip


def _year(starts: date) -> dict[str, date]:
    return {"starts_on": starts, "ends_on": starts + relativedelta(years=1, days=-1)}


def _first(installed: list[Installation]) -> dict[str, Any]:
    """What another contract says until somebody says otherwise: all there is, from the day after what is agreed; of what was
    never served, from its installation on (5.2.1)."""
    last = max((one.period.ends_on for one in installed if one.period), default=None)
    since = max((one.installed_on for one in installed if one.installed_on), default=None)
    starts = last + timedelta(days=1) if last else since
    return {"installations": [str(one.id) for one in installed]} | (_year(starts) if starts else {})


def _before() -> Contract | None:
    """The contract that is renewed."""
    number = request.values.get("of", "")
    return queries.get(number, current_user) if number else None


def _form(customer: Customer | None, before: Contract | None, **kwargs) -> forms.NewForm:
    installed = serials.of(customer.id, current_user) if customer else []
    form = forms.NewForm(data=_next(before) if before else _first(installed), **kwargs)
    form.offer(installed)
    form.verdict = verdict_among(installed) if customer else None
    return form


def _show(customer, form: forms.NewForm, before: Contract | None, refusal: Refused | None, matches=(), part: bool = False):
    template = "contracts/_customer_part.html" if part else "contracts/new.html"
    return render_template(
        template, form=form, customer=customer, verdict=form.verdict, before=before, refusal=refusal, matches=matches
    )


@bp.get("/new/customer")
@needs(P.CONTRACT_WORK)
def part():
    """The part of the form that depends on the customer, with what was typed into it."""
    customer, _found = customers.picked(request.args, current_user)
    form = _form(customer, None, formdata=request.args)
    form.installations.data = list(form.installed)  # nobody could choose among them before
    return _show(customer, form, None, None, part=True)


def _lacking(customer: Customer | None, matches: list[Customer]) -> dict[str, str]:
    if customer is None:
        return customers.not_picked(matches)
    if not workflow.may_draft(current_user, customer):
        return {"customer_q": workflow.NOT_MINE}
    return {}


@bp.route("/new", methods=["GET", "POST"])
@needs(P.CONTRACT_WORK)
def new():
    """A contract that is negotiated, or the renewal of one (5.2.3)."""
    before = _before()
    customer, matches = (customers.by_id(before.customer_id), []) if before else customers.picked(request.values, current_user)
    form = _form(customer, before)
    form.wanting = lambda: _lacking(customer, matches)

    def act():
        assert customer is not None, "the form was checked"
        covers = form.chosen()
        made = workflow.draft(by=current_user, customer=customer, installations=covers, successor_of=before, **form.terms())
        flash(_("%(number)s is drafted.", number=made.number))
        if made.category == Kind.SERVICE and not covers:
            flash(_("It covers no installation yet: it cannot be signed before it does (5.2.3)."), "warning")
        return redirect(made.path, 303)

    def show(refusal: Refused | None):
        of = _before()
        again, found = (customers.by_id(of.customer_id), []) if of else customers.picked(request.values, current_user)
        return _show(again, form, of, refusal, found)

    if request.form.get("refresh"):
        form.renew()
        return show(None)
    return attempt(form, act, show)


@bp.route("/<number:number>/edit", methods=["GET", "POST"])
@needs(P.CONTRACT_WORK)
def edit(number):
    return VERBS.edit(number, CHANGE, _edit_form, _change)


def _edit_form(contract: Contract, **kwargs) -> forms.TermsForm:
    form = forms.TermsForm(data=forms.values_of(contract), **kwargs)
    form.offer(serials.of(contract.customer_id or 0, current_user))
    return form


def _change(contract: Contract, form: forms.TermsForm) -> None:
    workflow.change(contract, by=current_user, installations=form.chosen(), **form.terms())


def _invoice(contract: Contract, form: forms.InvoiceForm) -> None:
    names = ("invoice_title", "tax_number", "invoice_address", "invoice_recipient", "courier_number", "posted_on")
    workflow.invoice(contract, by=current_user, **{name: form._fields[name].data for name in names})


def _pay(contract: Contract, form: forms.PayForm) -> None:
    fen = -form.fen.data if form.takes_back.data else form.fen.data
    paying.pay(contract, by=current_user, fen=fen, paid_on=form.paid_on.data, way=form.way.data)


def _agree(contract: Contract, form: forms.AgreeForm) -> None:
    copy_due_on = form.copy_due_on.data if "copy_due_on" in form else None
    workflow.agree(contract, by=current_user, copy_due_on=copy_due_on, payment_due_on=form.payment_due_on.data,
                   terms=form.terms.data)  # fmt: skip


def _sign(contract: Contract, form: forms.SignForm) -> None:
    workflow.sign(contract, by=current_user, signed_on=form.signed_on.data, stamped=form.stamped.data,
                  representative_id=int(form.representative.data))  # fmt: skip


def _send(contract: Contract, form: forms.SendForm) -> None:
    stamped = "stamped" in form and form.stamped.data
    workflow.send(contract, by=current_user, sent_on=form.sent_on.data, way=form.way.data, stamped=stamped)


def _adjust(contract: Contract, form: forms.AdjustForm) -> None:
    workflow.adjust(contract, by=current_user, starts_on=form.starts_on.data, ends_on=form.ends_on.data, reason=form.reason.data)


def _in_order(contract: Contract, form: CrmForm) -> None:
    """A copy that is back renews others: all are locked in the order of their ids, before one of them is locked alone."""
    if isinstance(form, forms.CopyForm):
        lock_all(Subject.id.in_([contract.id, *following.before(contract)]))


VERBS = Verbs(queries.get, MOVES, page, first=_in_order, acts={
    "sign": lambda c, f, k: _sign(c, f),
    "send": lambda c, f, k: _send(c, f),
    "agree": lambda c, f, k: _agree(c, f),
    "copy": lambda c, f, k: workflow.copy(c, by=current_user, returned_on=f.returned_on.data, files=k),
    "scan": lambda c, f, k: workflow.scan(c, by=current_user, files=k),
    "invoice": lambda c, f, k: _invoice(c, f),
    "pay": lambda c, f, k: _pay(c, f),
    "chase": lambda c, f, k: paying.chase(c, by=current_user, words=f.words.data),
    "demand": lambda c, f, k: paying.demand(c, by=current_user),
    "release": lambda c, f, k: paying.release(c, by=current_user, reason=f.reason.data),
    "withhold": lambda c, f, k: paying.withhold(c, by=current_user, reason=f.reason.data),
    "wait": lambda c, f, k: paying.wait(c, by=current_user, reason=f.reason.data, until=f.until.data),
    "adjust": lambda c, f, k: _adjust(c, f),
    "check": lambda c, f, k: workflow.check(c, by=current_user),
    "serials": lambda c, f, k: workflow.serials(c, by=current_user, reason=f.reason.data),
    "assign": lambda c, f, k: workflow.assign(c, by=current_user, to=staff.choice(f.to.data), reason=f.reason.data),
    "decline": lambda c, f, k: workflow.decline(c, by=current_user, reason=f.reason.data),
    "lapse": lambda c, f, k: workflow.lapse(c, by=current_user, reason=f.reason.data),
})  # fmt: skip
VERBS.hang(bp)


@bp.get("/<number:number>/demand.pdf")
@needs(P.CONTRACT_READ)
def demand_letter(number):
    """The formal demand as it would be sent today."""
    contract = queries.get(number, current_user)
    return inline(seen(lambda: draft(contract, notices.DEMAND)), f"{number}-demand")


@bp.post("/<number:number>/notes")
@needs(P.CONTRACT_READ)
def note(number):
    return VERBS.note(number)
