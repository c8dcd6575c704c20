"""What a contract's page is made of: what it says, how far it has come, what is paid, its letters, and what may be done."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.contracts import forms, handover, notices, paying, periods, queries, sums, workflow
from crm.contracts.models import COPY, Answer, Contract, Kind, State
from crm.contracts.moves import CHANGE, MOVES, RENEWABLE
from crm.contracts.steps import standing, steps
from crm.customers import queries as customers
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.message import Way
from crm.errors import Refused
from crm.forms import CrmForm, ReasonForm
from crm.labels import N_
from crm.letters import queries as letters
from crm.letters import table as letters_table
from crm.moves import Move
from crm.papers import queries as papers
from crm.permissions import Role
from crm.serials import numbers
from crm.serials.models import Installation
from crm.staff import queries as staff
from crm.verbs import AssignForm, offered, told

WORKS = (Role.SPECIALIST, Role.MANAGER)  # whom a contract may be given to
SIGNS = (Role.MANAGER, Role.DIRECTOR, Role.SPECIALIST)  # Party B's representative
FORMS: dict[str, type[CrmForm]] = {
    "sign": forms.SignForm, "send": forms.SendForm, "agree": forms.AgreeForm, "copy": forms.CopyForm, "scan": forms.ScanForm,
    "invoice": forms.InvoiceForm, "pay": forms.PayForm, "chase": forms.ChaseForm, "adjust": forms.AdjustForm,
    "wait": forms.PatienceForm,
    "assign": AssignForm,
    **dict.fromkeys(("release", "withhold", "decline", "lapse", "serials"), ReasonForm),
}  # fmt: skip


def form_for(name: str, contract: Contract, **kwargs: Any) -> CrmForm:
    """The form of one verb, with what is known in it; `formdata=None` for one that is only shown."""
    form = FORMS.get(name, CrmForm)(data=_known(name, contract), **kwargs)
    if isinstance(form, AssignForm):
        form.offer(contract)
    if isinstance(form, forms.SignForm):
        form.representative.offer([(one.id, one.name) for one in staff.choices(SIGNS)])
    if isinstance(form, forms.SendForm) and contract.stamped:
        del form.stamped
    if isinstance(form, forms.AgreeForm):
        signed = contract.returned_on or contract.copy_due_on or clock.today()
        form.payment_due_on.description = _("As a rule until %(day)s (5.2.6).", day=paying.latest_day(contract, signed))
        if contract.returned_on:
            del form.copy_due_on
            form.payment_due_on.flags.required = True
        elif contract.state == State.SENT:
            form.copy_due_on.flags.required = True
    return form


def _known(name: str, contract: Contract) -> dict[str, Any]:
    today = clock.today()
    if name == "invoice":
        unit = customers.by_id(contract.customer_id)
        return {
            "invoice_title": contract.invoice_title or unit.invoice_title or unit.full_name,
            "tax_number": contract.tax_number or unit.tax_number, "invoice_address": contract.invoice_address or unit.address,
            "invoice_recipient": contract.invoice_recipient or notices.contact_of(unit),
            "courier_number": contract.courier_number, "posted_on": today,
        }  # fmt: skip
    if name in ("agree", "adjust"):
        names = ("copy_due_on", "payment_due_on", "terms", "starts_on", "ends_on")
        return {key: getattr(contract, key) for key in names}
    if name == "send":
        unit = customers.by_id(contract.customer_id)
        way = next((way for way, there in ((Way.FAX, unit.fax), (Way.EMAIL, unit.email)) if there), Way.PAPER)
        return {"sent_on": today, "way": way}
    known = {"signed_on": today, "returned_on": today, "paid_on": today, "representative": contract.owner_id}
    return known | {"fen": sums.open_fen(contract) or None} if name == "pay" else known


LEADING = {State.DRAFT: "sign", State.SIGNED: "send", State.SENT: "copy", State.RETURNED: "pay"}


def leading(contract: Contract, now: Mapping[str, CrmForm], owed) -> str:
    """The next step on the way; else what is owed."""
    rules = {one.rule for one in owed}
    due = [name for name in ("check", "demand", "chase", "invoice") if f"contract.{name}" in rules]
    return next((name for name in (LEADING.get(State(contract.state), ""), *due) if name in now), "")


def moves_of(contract: Contract) -> Mapping[str, Move]:
    """As they are called on its page: a sale is not renewed."""
    if contract.category == Kind.SERVICE:
        return MOVES
    return MOVES | {"lapse": replace(MOVES["lapse"], label=N_("It ends: nothing is asked for any more"))}


def may_renew(contract: Contract) -> bool:
    """Whether a renewal may be begun from its page."""
    if contract.state not in RENEWABLE or contract.category != Kind.SERVICE:
        return False
    return workflow.may_draft(current_user, customers.by_id(contract.customer_id)) and not queries.renewal_of(contract)


def _hands_over(contract: Contract, lacks: set[int]) -> Installation | None:
    """Where the reader hands over the next of the new serial numbers that are owed (5.6.4)."""
    may = numbers.may(current_user, customers.by_id(contract.customer_id))
    return next((one for one in contract.installations if may and one.id in lacks), None)


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    contract = queries.get(number, current_user)
    owed = duties.of_subject(contract)
    now = offered(contract, MOVES, owed, form_for, name=name, bound=bound)
    known = told(contract, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    known["names"] |= duties.names([contract.representative_id, *(one.noted_by_id for one in contract.payments)])
    paid = sum(one.fen for one in contract.payments)
    still = [one for one in owed if one.open]
    to_pay, lacks = sums.open_fen(contract, paid), handover.to_hand_over(contract, still)
    due = {one.rule: clock.local(one.due_at - timedelta(seconds=1)).date() for one in still}
    return render_template(
        "contracts/contract.html", **known, contract=contract, offered=now, moves=moves_of(contract), kinds=Kind,
        answers=Answer, ways=Way,
        leading=leading(contract, now, still), changeable=CHANGE.open_to(current_user, contract), may_renew=may_renew(contract),
        scan=next((file for file in reversed(known["files"]) if file.purpose == COPY), None),
        steps=steps(contract, to_pay), to_pay=to_pay, paid=paid, why=notices.why(contract), reached=notices.reachable(contract),
        letters=letters.of(contract) if contract.edition_id else [], letter_standing=letters_table.standing,
        entered=[one.title for one in periods.entered_by(contract)] if any(one.rule == "contract.check" for one in still) else [],
        serials=lacks, hand_over=_hands_over(contract, lacks),
        standing=standing, looks={"demand": "demand.pdf"}, copy_due=due.get("contract.copy", contract.copy_due_on),
        pay_due=due.get("contract.pay", contract.payment_due_on), posts=editions.todays().posts,
        papers=papers.of(contract, owed, current_user, known["below"]),
    )  # fmt: skip
