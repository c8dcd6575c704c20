"""A contract's moves, one function a verb (5.2): negotiated, signed, sent, back, paid; then its period is in force."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from crm import clock
from crm.contracts import paying, periods
from crm.contracts.models import Answer, Contract, ContractEvent, Kind, State
from crm.contracts.moves import EDITABLE, MOVES
from crm.customers.models import Customer
from crm.db import db, next_number
from crm.duties.record import open_subject, record
from crm.duties.workflow import hand_over, must_be_owed
from crm.errors import Forbidden, Invalid, WrongState
from crm.labels import N_
from crm.letters import outbox
from crm.moves import edit
from crm.permissions import Permission as P
from crm.serials.models import Installation

FARTHEST = timedelta(days=366 * 10)
COPY_WITHIN = timedelta(days=7)  # what is expected where nothing was agreed


def draft(
    *, by, customer: Customer, category: str = Kind.SERVICE, installations: Iterable[Installation] = (),
    successor_of: Contract | None = None, owner=None, **details: Any,
) -> Contract:  # fmt: skip
    """Begin a contract (5.2.3); with `successor_of` the renewal of one. Invalid if its period is not simply the next and
    nobody says why (5.2.1)."""
    _may(by, customer)
    installed = list(installations)
    _check(customer, installed, details, successor_of)
    contract = Contract(
        number=next_number("C", clock.today()), customer_id=customer.id, owner_id=(owner or by).id, category=category,
        origin_id=successor_of and successor_of.id, state=State.DRAFT, installations=installed, payments=[], **details,
    )  # fmt: skip
    open_subject(contract)
    record(ContractEvent.DRAFTED, contract, by=by, **({"of": successor_of.id} if successor_of else {}))
    return contract


def _may(by, customer: Customer) -> None:
    """One's own customers' contracts; a manager, anybody's."""
    mine = by.may(P.CONTRACT_WORK) and customer.owner_id in (by.id, None)
    if not mine and not by.may(P.CONTRACT_WORK_ANY):
        raise Forbidden(N_("This customer is in somebody else's care: they draft the contract, or a manager."))


def _check(customer: Customer, installed: list[Installation], details: Mapping[str, Any], before: Contract | None) -> None:
    wrong: dict[str, Any] = {}
    starts, ends = details.get("starts_on"), details.get("ends_on")
    if any(one.customer_id != customer.id for one in installed):
        wrong["installations"] = N_("These are another customer's.")
    if (starts is None) != (ends is None):
        wrong["ends_on"] = N_("A service period has a first and a last day.")
    elif starts and ends and ends < starts:
        wrong["ends_on"] = N_("The last day lies before the first.")
    elif starts and ends and ends - starts > FARTHEST:
        wrong["ends_on"] = N_("That is longer than ten years.")
    elif before and starts and ends and not details.get("adjustment") and not _simply_next(before, starts, ends):
        wrong["adjustment"] = N_("The period does not begin the day after the last one and run for whole years: say why (5.2.1).")
    if wrong:
        raise Invalid(fields=wrong)


def _simply_next(before: Contract, starts: date, ends: date) -> bool:
    """Whether a renewal begins the day after, and runs for whole years."""
    years = relativedelta(ends + timedelta(days=1), starts)
    follows = before.ends_on is None or starts == before.ends_on + timedelta(days=1)
    return follows and years.years > 0 and not (years.months or years.days)


def change(contract: Contract, *, by, installations: Iterable[Installation] | None = None, **changes: Any) -> None:
    """Put right what it says, until the countersigned copy is back."""
    if not MOVES["sign"].may(by, contract):
        raise Forbidden()
    if contract.state not in EDITABLE:
        raise WrongState()
    customer = db.session.get_one(Customer, contract.customer_id)
    before = db.session.get(Contract, contract.origin_id) if contract.origin_id else None
    wanted = list(contract.installations if installations is None else installations)
    _check(customer, wanted, {name: getattr(contract, name) for name in ("starts_on", "ends_on", "adjustment")} | changes, before)
    differences = edit(contract, changes)
    if {one.id for one in wanted} != {one.id for one in contract.installations}:
        differences["installations"] = [[one.title for one in some] for some in (contract.installations, wanted)]
        contract.installations = wanted
        contract.version += 1
        db.session.flush()
    if differences:
        record(ContractEvent.EDITED, contract, by=by, changes=differences)


def sign(contract: Contract, *, by, signed_on: date, representative_id: int | None, stamped: bool) -> None:
    """Our representative has signed and stamped it (5.2.3)."""
    MOVES["sign"].apply(contract, by)
    _needed(contract)
    _past(signed_on=signed_on)
    contract.signed_on, contract.representative_id, contract.stamped = signed_on, representative_id, stamped
    record(ContractEvent.SIGNED, contract, by=by, signed_on=signed_on, to=representative_id)


def _needed(contract: Contract) -> None:
    """What a contract must say before it is signed."""
    lacking = {name: N_("Fill this in before it is signed (5.2.3).") for name in ("amount_fen", "starts_on", "ends_on")
               if getattr(contract, name) is None and (name == "amount_fen" or contract.category == Kind.SERVICE)}  # fmt: skip
    if lacking:
        raise Invalid(N_("Amount and period are filled in before it is signed (5.2.3)."), fields=lacking)


def _past(**days: date | None) -> None:
    if late := {name: N_("This lies in the future.") for name, day in days.items() if day and day > clock.today()}:
        raise Invalid(fields=late)


def send(contract: Contract, *, by, sent_on: date, way: str) -> None:
    """By fax, as a rule (5.2.3). Until something else is agreed the copy is expected back within a week (ours)."""
    MOVES["send"].apply(contract, by)
    _past(sent_on=sent_on)
    contract.sent_on, contract.sent_way = sent_on, way
    contract.copy_due_on = contract.copy_due_on or clock.today() + COPY_WITHIN
    record(ContractEvent.SENT, contract, by=by, way=way)


def agree(contract: Contract, *, by, copy_due_on: date | None, payment_due_on: date | None, terms: str = "") -> None:
    """When the copy comes back, when they pay (5.2.4). A later payment than 5.2.6 says is a manager's to accept."""
    MOVES["agree"].apply(contract, by)
    if payment_due_on and payment_due_on > latest_payment(contract) and not by.may(P.CONTRACT_RELEASE):
        raise Invalid(fields={"payment_due_on": N_("Later than three days after signing: a manager agrees to that (5.2.6).")})
    differences = edit(contract, {"copy_due_on": copy_due_on, "payment_due_on": payment_due_on, "terms": terms})
    record(ContractEvent.AGREED, contract, by=by, changes=differences)


def latest_payment(contract: Contract) -> date:
    """5.2.6: within three days of signing; signing is the countersigned copy's return (ours)."""
    return (contract.returned_on or contract.copy_due_on or clock.today()) + timedelta(days=3)


def copy(contract: Contract, *, by, returned_on: date) -> None:
    """The countersigned copy is back: signed by both. The three days begin (5.2.6), the customer is not expired from here
    on, and what it renews is renewed."""
    MOVES["copy"].apply(contract, by)
    _past(returned_on=returned_on)
    contract.returned_on = returned_on
    contract.payment_due_on = contract.payment_due_on or returned_on + timedelta(days=3)
    periods.agree(contract)
    record(ContractEvent.RETURNED, contract, by=by, returned_on=returned_on)
    if contract.origin_id:
        _renewed(contract, by)
    if paying.paid_fen(contract) >= (contract.amount_fen or 0):
        _begin(contract, by)


def _renewed(successor: Contract, by) -> None:
    """What was renewed owes no notice any more, and what was not yet sent of it is withdrawn."""
    before = db.session.get_one(Contract, successor.origin_id)
    if before.state == State.RUNNING:
        before.state = State.RENEWED
        before.version += 1
        db.session.flush()
    record(ContractEvent.RENEWED, before, by=by, of=successor.id)
    outbox.withdraw(before, by=by, said=successor.number)


def invoice(contract: Contract, *, by, posted_on: date, **details: str) -> None:
    """Address and recipient confirmed, the invoice posted (5.2.5)."""
    MOVES["invoice"].apply(contract, by)
    _past(invoice_posted_on=posted_on)
    edit(contract, details | {"invoice_posted_on": posted_on})
    record(ContractEvent.INVOICED, contract, by=by, posted_on=posted_on, courier=details.get("courier_number", ""))


def pay(contract: Contract, *, by, fen: int, paid_on: date, way: str = "") -> None:
    """Note a payment, or a part of it; paid in full, the period is in force (5.2.7)."""
    MOVES["pay"].apply(contract, by)
    _past(paid_on=paid_on)
    paying.note(contract, by=by, fen=fen, paid_on=paid_on, way=way)
    paid = paying.paid_fen(contract)
    record(ContractEvent.PAYMENT, contract, by=by, fen=fen, paid_on=paid_on, paid_fen=paid)
    if paid >= (contract.amount_fen or 0):
        record(ContractEvent.PAID, contract, by=by)
        contract.withheld_at = None
        _begin(contract, by)


def _begin(contract: Contract, by) -> None:
    """Its period is in force, and with it the clock of its notice (5.2.2)."""
    was = contract.state
    contract.state = State.RUNNING
    db.session.flush()
    periods.settle(contract)
    if was != State.RUNNING:
        _begun(contract, by)


def _begun(contract: Contract, by, *, taken_over: bool = False) -> None:
    dates = {"starts_on": contract.starts_on, "ends_on": contract.ends_on}
    record(ContractEvent.BEGUN, contract, by=by, taken_over=taken_over, **dates)


def chase(contract: Contract, *, by, words: str) -> None:
    """Called or written to, because the payment is overdue (D2)."""
    MOVES["chase"].apply(contract, by)
    must_be_owed(contract, MOVES["chase"])
    record(ContractEvent.CHASED, contract, by=by, words=words)


def demand(contract: Contract, *, by) -> None:
    """The formal demand, three more days later (D2)."""
    MOVES["demand"].apply(contract, by)
    must_be_owed(contract, MOVES["demand"])
    record(ContractEvent.DEMANDED, contract, by=by, payment_due_on=contract.payment_due_on)


def release(contract: Contract, *, by, reason: str) -> None:
    """A manager lets the new period begin before the payment (5.2.7)."""
    MOVES["release"].apply(contract, by)
    record(ContractEvent.RELEASED, contract, by=by, reason=reason)
    contract.withheld_at = None
    periods.settle(contract)
    _begun(contract, by)


def withhold(contract: Contract, *, by, reason: str) -> None:
    """After the demand a manager may withhold the new period: never one that is paid for, never by a sweep (D2)."""
    MOVES["withhold"].apply(contract, by)
    must_be_owed(contract, MOVES["withhold"])
    if paying.paid_fen(contract) >= (contract.amount_fen or 0):
        raise WrongState()
    contract.withheld_at = clock.now()
    periods.withhold(contract)
    record(ContractEvent.WITHHELD, contract, by=by, reason=reason)


def wait(contract: Contract, *, by, reason: str) -> None:
    MOVES["wait"].apply(contract, by)
    must_be_owed(contract, MOVES["wait"])
    record(ContractEvent.WAITED, contract, by=by, reason=reason)


def adjust(contract: Contract, *, by, starts_on: date, ends_on: date, reason: str) -> None:
    """Another period than was written into it: free months, a gap (5.2.1). Its notice follows the new end."""
    MOVES["adjust"].apply(contract, by)
    if not reason.strip():
        raise Invalid(fields={"reason": N_("Say why (5.2.1).")})
    if ends_on < starts_on or ends_on - starts_on > FARTHEST:
        raise Invalid(fields={"ends_on": N_("The last day lies before the first.")})
    before = [contract.starts_on, contract.ends_on]
    contract.starts_on, contract.ends_on, contract.adjustment = starts_on, ends_on, reason
    periods.agree(contract)
    periods.settle(contract)
    outbox.withdraw(contract, by=by, but=str(ends_on))
    record(ContractEvent.ADJUSTED, contract, by=by, reason=reason, changes={"period": [before, [starts_on, ends_on]]})


def serials(contract: Contract, *, by) -> None:
    """The new serial numbers are with the customer (5.6.4)."""
    MOVES["serials"].apply(contract, by)
    must_be_owed(contract, MOVES["serials"])
    record(ContractEvent.SERIALS_GIVEN, contract, by=by)


def answer(contract: Contract, *, by, answer: str, why: str = "") -> None:
    """What the customer says to the notice (5.5.2)."""
    if answer == Answer.LEAVES and not why:
        raise Invalid(fields={"answer_why": N_("Say why they will not renew (5.5.2).")})
    contract.answer, contract.answer_why = answer, why
    db.session.flush()
    record(ContractEvent.ANSWERED, contract, by=by, answer=answer, words=why)
    if answer != Answer.UNDECIDED:
        record(ContractEvent.DECIDED, contract, by=by, answer=answer)


def assign(contract: Contract, *, by, to, reason: str) -> None:
    if not to.may(P.CONTRACT_WORK) or to.id == contract.owner_id:
        raise Invalid(fields={"to": N_("Choose another person who works on contracts.")})
    MOVES["assign"].apply(contract, by)
    before, contract.owner_id = contract.owner_id, to.id
    db.session.flush()
    record(ContractEvent.ASSIGNED, contract, by=by, **{"from": before, "to": to.id}, reason=reason)
    hand_over(contract, before, to.id)


def decline(contract: Contract, *, by, reason: str) -> None:
    MOVES["decline"].apply(contract, by)
    record(ContractEvent.DECLINED, contract, by=by, reason=reason)


def lapse(contract: Contract, *, by, reason: str) -> None:
    """Its period is over, or will be, and there is no renewal."""
    MOVES["lapse"].apply(contract, by)
    outbox.withdraw(contract, by=by)
    record(ContractEvent.LAPSED, contract, by=by, reason=reason)


def take_over(customer: Customer, installed: list[Installation], *, starts_on: date, ends_on: date, by=None, **details: Any) -> Contract:
    """A contract that existed before the program, in force; what is over already is listed, and not written to."""
    contract = Contract(
        number=next_number("C", clock.today()), customer_id=customer.id, owner_id=customer.owner_id, category=Kind.SERVICE,
        state=State.RUNNING, installations=installed, payments=[], starts_on=starts_on, ends_on=ends_on, **details,
    )  # fmt: skip
    open_subject(contract)
    periods.adopt(contract)
    _begun(contract, by, taken_over=True)
    return contract


def whole(contract_id: int) -> Contract:
    """With what it covers and what was paid."""
    rows = select(Contract).where(Contract.id == contract_id)
    return db.session.scalars(rows.options(selectinload(Contract.installations), selectinload(Contract.payments))).one()
