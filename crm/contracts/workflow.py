"""A contract's moves, one function a verb (5.2): negotiated, signed, sent, back, paid; then its period is in force."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.contracts import following, notices, paying, periods, sums, terms
from crm.contracts.models import COPY, GONE, Answer, Contract, ContractEvent, Kind, State
from crm.contracts.moves import CHANGE, MOVES, RENEWABLE
from crm.customers.models import Customer
from crm.db import db, next_number
from crm.duties import editions
from crm.duties import workflow as duties
from crm.duties.locks import lock
from crm.duties.record import open_subject, record
from crm.errors import NEEDED, Forbidden, Invalid, Refused
from crm.files.workflow import attach, scans
from crm.labels import N_
from crm.moves import edit
from crm.permissions import Permission as P
from crm.serials.models import Installation, Standing
from crm.staff.models import User

NOT_MINE = N_("This customer is in somebody else's care: they draft the contract, or a manager.")


def draft(
    *, by, customer: Customer, category: str = Kind.SERVICE, installations: Iterable[Installation] = (),
    successor_of: Contract | None = None, owner=None, **details: Any,
) -> Contract:  # fmt: skip
    """Begin a contract (5.2.3); with `successor_of` the renewal of one. Invalid if its period is not simply the next and
    nobody says why (5.2.1). Where nobody else is named it is in the hands of whoever is responsible for the customer."""
    if not may_draft(by, customer):
        raise Forbidden(NOT_MINE)
    installed = list(installations)
    if successor_of:
        _renewable(successor_of, customer)
    terms.check(customer, installed, {"category": category, **details}, successor_of)
    if category == Kind.SERVICE:
        days = details.get("starts_on"), details.get("ends_on")
        terms.must_be_free(*days, [one.id for one in installed], successor_of and successor_of.id)
    terms.check_number(details.get("paper_number"), None)
    contract = Contract(
        number=next_number("C", clock.today()), customer_id=customer.id, owner_id=(owner or _in_charge(customer, by)).id,
        category=category, origin_id=successor_of and successor_of.id, state=State.DRAFT, installations=installed, **details,
    )  # fmt: skip
    open_subject(contract)
    record(ContractEvent.DRAFTED, contract, by=by, **({"of": successor_of.id} if successor_of else {}))
    return contract


def may_draft(by, customer: Customer) -> bool:
    """One's own customers' contracts; a manager, anybody's."""
    mine = by.may(P.CONTRACT_WORK) and customer.owner_id in (by.id, None)
    return mine or by.may(P.CONTRACT_WORK_ANY)


def _in_charge(customer: Customer, by):
    """Whoever is responsible for the customer, if they work on contracts."""
    owner = db.session.get(User, customer.owner_id) if customer.owner_id else None
    return owner if owner and owner.is_active and owner.may(P.CONTRACT_WORK) else by


def _renewable(before: Contract, customer: Customer) -> None:
    """One renewal of a contract goes on at a time."""
    lock(before)
    if before.customer_id != customer.id or before.state not in RENEWABLE or before.category != Kind.SERVICE:
        raise Refused(N_("Only a service contract that is or was in force is renewed."))
    going_on = Contract.origin_id == before.id, Contract.kind == "contract", Contract.state.not_in(GONE)
    if number := db.session.scalar(select(Contract.number).where(*going_on).limit(1)):
        raise Refused(N_("It is being renewed already: %(number)s."), number=number)


def change(contract: Contract, *, by, installations: Iterable[Installation] | None = None, **changes: Any) -> None:
    """Put right what it says, until the countersigned copy is back; once we have signed nothing that is needed goes."""
    CHANGE.check(contract, by)
    customer = db.session.get_one(Customer, contract.customer_id)
    before = db.session.get(Contract, contract.origin_id) if contract.origin_id else None
    wanted = list(contract.installations if installations is None else installations)
    says = {name: getattr(contract, name) for name in ("category", "starts_on", "ends_on", "adjustment")} | changes
    terms.check(customer, wanted, says, before)
    if says["category"] == Kind.SERVICE:
        terms.must_be_free(says["starts_on"], says["ends_on"], [one.id for one in wanted], *terms.beside(contract))
    terms.check_number(changes.get("paper_number"), contract.id)
    if contract.state != State.DRAFT and not by.may(P.CONTRACT_RELEASE):
        terms.keep_what_was_signed(contract, changes, [one.id for one in wanted])
    differences = edit(contract, changes)
    if {one.id for one in wanted} != {one.id for one in contract.installations}:
        differences["installations"] = [[one.title for one in some] for some in (contract.installations, wanted)]
        contract.installations = wanted
        contract.version += 1
        db.session.flush()
    if contract.state != State.DRAFT and terms.lacking(contract):
        raise Refused(N_("It is signed by us: amount, period and what it covers stay filled in (5.2.3)."))
    if differences:
        record(ContractEvent.EDITED, contract, by=by, changes=differences)


def sign(contract: Contract, *, by, signed_on: date, representative_id: int | None, stamped: bool) -> None:
    """Our representative has signed and stamped it (5.2.3)."""
    MOVES["sign"].apply(contract, by)
    if lacking := terms.lacking(contract):
        raise Refused(lacking)
    paying.past(signed_on=signed_on)
    contract.signed_on, contract.representative_id, contract.stamped = signed_on, representative_id, stamped
    record(ContractEvent.SIGNED, contract, by=by, signed_on=signed_on, to=representative_id)


def send(contract: Contract, *, by, sent_on: date, way: str, stamped: bool = False) -> None:
    """By fax, as a rule, and never without our stamp (5.2.3). Until something else is agreed the copy is expected back within
    some days (ours)."""
    MOVES["send"].apply(contract, by)
    paying.past(sent_on=sent_on)
    if not (contract.stamped or stamped):
        raise Invalid(fields={"stamped": N_("It bears our stamp before it is sent (5.2.3).")})
    contract.sent_on, contract.sent_way, contract.stamped = sent_on, way, True
    contract.copy_due_on = contract.copy_due_on or clock.today() + timedelta(days=editions.setting(contract, "copy_within_days"))
    record(ContractEvent.SENT, contract, by=by, way=way)


def agree(contract: Contract, *, by, copy_due_on: date | None, payment_due_on: date | None, terms: str = "") -> None:
    """When the copy comes back, when they pay (5.2.4). A later payment than 5.2.6 says is a manager's to accept."""
    MOVES["agree"].apply(contract, by)
    accepts = by.may(P.CONTRACT_RELEASE)
    if contract.returned_on:
        copy_due_on, wanted = contract.copy_due_on, {"payment_due_on": payment_due_on}
    else:
        wanted = {"copy_due_on": copy_due_on} if contract.state == State.SENT else {}
    if lacking := {name: NEEDED for name, day in wanted.items() if day is None}:
        raise Invalid(fields=lacking)
    signed = contract.returned_on or copy_due_on or clock.today()
    other = payment_due_on and payment_due_on != contract.payment_due_on
    latest = paying.latest_day(contract, signed)
    if other and payment_due_on > latest and not accepts:
        raise Invalid(fields={"payment_due_on": Invalid(
            N_("The latest day is %(day)s: a later one only a service manager agrees to."), day=latest)})  # fmt: skip
    missed = contract.returned_on and contract.payment_due_on and contract.payment_due_on < clock.today()
    if payment_due_on and (other or accepts):
        contract.payment_accepted = accepts
    differences = edit(contract, {"copy_due_on": copy_due_on, "payment_due_on": payment_due_on, "terms": terms})
    if missed and other and payment_due_on >= clock.today():
        paying.postpone(contract, by=by)
    record(ContractEvent.AGREED, contract, by=by, changes=differences, accepted=accepts)


def copy(contract: Contract, *, by, returned_on: date, files: Iterable[str] = ()) -> None:
    """The countersigned copy is back: signed by both. The three days begin (5.2.6), the customer is not expired from here
    on, and what it renews is renewed, whether it was drafted as the renewal or not. `files`: the scan, which may follow later."""
    MOVES["copy"].apply(contract, by)
    paying.past(returned_on=returned_on)
    if contract.signed_on and returned_on < contract.signed_on:
        raise Invalid(fields={"returned_on": N_("This lies before the day we signed.")})
    if contract.category == Kind.SERVICE:
        terms.must_be_free(contract.starts_on, contract.ends_on, periods.covered_by(contract), *terms.beside(contract))
    contract.returned_on, contract.payment_due_on = returned_on, paying.due_day(contract, returned_on)
    periods.agree(contract)
    record(ContractEvent.RETURNED, contract, by=by, returned_on=returned_on)
    _scanned(contract, files, by)
    following.succeed(contract, by=by)
    if sums.in_full(contract):
        paying.settled(contract, by)


def scan(contract: Contract, *, by, files: Iterable[str]) -> None:
    """The copy that is back, scanned."""
    MOVES["scan"].apply(contract, by)
    if not _scanned(contract, files, by):
        raise Invalid(fields={"file_copy": N_("Photograph the copy, or choose the file.")})


def _scanned(contract: Contract, keys: Iterable[str], by) -> bool:
    hung = attach(keys, contract, by)
    for file in hung:  # whatever else came along is told of, too
        record(ContractEvent.ATTACHED, contract, by=by, file=file.key, name=file.name)
    return bool(scans(hung, COPY, "file_copy"))


def invoice(contract: Contract, *, by, posted_on: date, **details: str) -> None:
    """Address and recipient confirmed, the invoice posted (5.2.5)."""
    MOVES["invoice"].apply(contract, by)
    paying.past(posted_on=posted_on)
    edit(contract, details | {"invoice_posted_on": posted_on})
    record(ContractEvent.INVOICED, contract, by=by, posted_on=posted_on, courier=details.get("courier_number", ""))


def adjust(contract: Contract, *, by, starts_on: date, ends_on: date, reason: str) -> None:
    """Another period than was written into it: free months, a gap (5.2.1). Its notice follows a new end; where only the
    first day moves, it stays as it is."""
    MOVES["adjust"].apply(contract, by)
    paying.because(reason)
    if wrong := terms.wrong_period(starts_on, ends_on) or terms.no_period(contract.category, starts_on):
        raise Invalid(fields=wrong)
    terms.must_be_free(starts_on, ends_on, periods.covered_by(contract), *terms.beside(contract))
    if [starts_on, ends_on] == [contract.starts_on, contract.ends_on]:
        raise Invalid(fields={"ends_on": N_("That is the period it has.")})
    moved = ends_on != contract.ends_on
    differences = edit(contract, {"starts_on": starts_on, "ends_on": ends_on, "adjustment": reason})
    periods.agree(contract, Standing.SETTLED)
    if moved:
        notices.withdraw(contract, by=by, but=ends_on)
    kind = ContractEvent.ADJUSTED if moved else ContractEvent.EDITED
    record(kind, contract, by=by, reason=reason, changes=differences)


def check(contract: Contract, *, by) -> None:
    """A period that was typed by hand, or brought in with a file, is right: a manager says so who did not enter it (5.2.7)."""
    MOVES["check"].apply(contract, by)
    record(ContractEvent.CHECKED, contract, by=by)


def serials(contract: Contract, *, by, reason: str) -> None:
    """The new period needs no new serial numbers, and why; where it does, handing them over is what settles it (5.6.4)."""
    MOVES["serials"].apply(contract, by)
    paying.because(reason)
    record(ContractEvent.SERIALS_GIVEN, contract, by=by, reason=reason)


def answer(contract: Contract, *, by, answer: str, why: str = "") -> None:
    """What the customer says to the notice (5.5.2)."""
    if answer == Answer.LEAVES and not why:
        raise Invalid(fields={"answer_why": N_("Say why they will not renew (5.5.2).")})
    lock(contract)
    changes = {"answer": [contract.answer, answer]}
    contract.answer, contract.answer_why = answer, why
    db.session.flush()
    record(ContractEvent.ANSWERED, contract, by=by, words=why, changes=changes)
    if answer != Answer.UNDECIDED:
        record(ContractEvent.DECIDED, contract, by=by)


def assign(contract: Contract, *, by, to, reason: str) -> None:
    duties.assign(contract, ContractEvent.ASSIGNED, by=by, to=to, reason=reason, works=P.CONTRACT_WORK)


def decline(contract: Contract, *, by, reason: str) -> None:
    MOVES["decline"].apply(contract, by)
    record(ContractEvent.DECLINED, contract, by=by, reason=reason)


def lapse(contract: Contract, *, by, reason: str) -> None:
    """Its period is over, or will be, and there is no renewal. Where something is still owed for it a manager says so: it
    is asked for no longer, and what was not paid for does not serve (D2). Of what was paid the invoice is still owed (5.2.5)."""
    MOVES["lapse"].apply(contract, by)
    unpaid = not sums.in_full(contract)
    if unpaid:
        periods.withhold(contract)
    following.resume(contract, by=by, unpaid=unpaid)
    notices.withdraw(contract, by=by)
    notices.demand_no_more(contract, by=by)
    record(ContractEvent.LAPSED, contract, by=by, reason=reason)


def take_over(
    customer: Customer, installed: list[Installation], *, starts_on: date, ends_on: date, by=None,
    said: Mapping[str, Any] | None = None, **details: Any,
) -> Contract:  # fmt: skip
    """A contract that existed before the program, in force; what is over already is listed, and not written to. `said`:
    in which list it stood."""
    contract = Contract(
        number=next_number("C", clock.today()), customer_id=customer.id, owner_id=customer.owner_id, category=Kind.SERVICE,
        state=State.RUNNING, installations=installed, starts_on=starts_on, ends_on=ends_on, **details,
    )  # fmt: skip
    open_subject(contract)
    periods.adopt(contract, by)
    if said:
        record(ContractEvent.IMPORTED, contract, by=by, **said)
    paying.begun(contract, by, taken_over=True)
    return contract
