"""From the countersigned copy to the period in force: what was paid part by part, what follows where nothing is (5.2.6,
5.2.7, D2)."""

from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import ColumnElement, select

from crm import clock
from crm.contracts import handover, notices, periods
from crm.contracts.models import Contract, ContractEvent, Kind, Payment, State
from crm.contracts.moves import MOVES
from crm.contracts.sums import in_full, open_fen, paid_fen
from crm.db import db
from crm.duties import editions
from crm.duties.models import Event
from crm.duties.record import record, settle_first
from crm.errors import Invalid, Refused
from crm.labels import N_
from crm.money import MOST
from crm.moves import edit
from crm.permissions import Permission as P

FARTHEST = timedelta(days=366)  # to which somebody waits for a payment


def came_in(since: date | None, until: date | None) -> Iterator[ColumnElement[bool]]:
    """Payments that came in between two days."""
    if since:
        yield Payment.paid_on >= since
    if until:
        yield Payment.paid_on <= until


def past(**days: date | None) -> None:
    """Invalid, naming each day that lies in the future."""
    if late := {name: N_("This lies in the future.") for name, day in days.items() if day and day > clock.today()}:
        raise Invalid(fields=late)


def _note(contract: Contract, *, by, fen: int, paid_on: date, way: str) -> None:
    """A part that came in, or one below zero that takes back what was noted wrongly; together never below nothing, nor
    more than is due."""
    if not fen or abs(fen) > MOST or paid_fen(contract) + fen < 0:
        raise Invalid(fields={"fen": N_("That is no payment of this contract.")})
    if fen > open_fen(contract):
        raise Invalid(fields={"fen": N_("That is more than is due.")})
    noted = {"noted_by_id": by and by.id, "noted_at": clock.now()}
    db.session.add(Payment(contract_id=contract.id, fen=fen, paid_on=paid_on, way=way, **noted))
    db.session.flush()


def latest_day(contract: Contract, signed: date) -> date:
    """5.2.6: until when a contract is paid that was signed on a day."""
    return signed + timedelta(days=editions.setting(contract, "pay_within_days"))


def due_day(contract: Contract, signed: date) -> date:
    """When payment is due (5.2.6); a later day agreed under 5.2.4 wins if a manager accepted it."""
    agreed, latest = contract.payment_due_on, latest_day(contract, signed)
    if agreed is None or agreed < signed:
        return latest
    return agreed if agreed <= latest or contract.payment_accepted else latest


def postpone(contract: Contract, *, by) -> None:
    """A later day is accepted after the one before it was missed: what followed from that is not owed any more (D2). The
    payment itself is, by the new day."""
    record(ContractEvent.POSTPONED, contract, by=by)
    notices.demand_no_more(contract, by=by)


def pay(contract: Contract, *, by, fen: int, paid_on: date, way: str = "") -> None:
    """Note a payment, or a part of it; paid in full, the period is in force (5.2.7). Below zero it takes back what was
    noted wrongly, and what is open then is owed again."""
    MOVES["pay"].apply(contract, by)
    past(paid_on=paid_on)
    before = in_full(contract)
    _note(contract, by=by, fen=fen, paid_on=paid_on, way=way)
    record(ContractEvent.PAYMENT, contract, by=by, fen=fen, paid_on=paid_on, paid_fen=paid_fen(contract))
    if in_full(contract):
        settled(contract, by)
    elif before:
        record(ContractEvent.UNPAID, contract, by=by)
        _taken_back(contract)


def _taken_back(contract: Contract) -> None:
    """The period stands again as it did before the payment: signed, or withheld. Else a payment that never came would begin
    it without a manager. What a manager let begin (5.2.7), or was in force before the program, stays in force."""
    kinds = ContractEvent.BEGUN, ContractEvent.RELEASED, ContractEvent.WITHHELD
    told = select(Event.kind, Event.facts).where(Event.subject_id == contract.id, Event.kind.in_(kinds)).order_by(Event.id)
    said = db.session.execute(told).all()
    word = next((kind for kind, _facts in reversed(said) if kind != ContractEvent.BEGUN), None)
    there = any(facts.get("taken_over") for _kind, facts in said)
    if word == ContractEvent.RELEASED or there:
        return
    if contract.state == State.RUNNING:  # what is renewed stays so
        contract.state = State.RETURNED
    if word == ContractEvent.WITHHELD:
        contract.withheld_at = clock.now()
        periods.withhold(contract)
    else:
        periods.unsettle(contract)
    db.session.flush()


def paid_before(contract: Contract, *, by, fen: int, paid_on: date, signed_on: date) -> None:
    """What had been paid of one that came in with a file. What is open of it is listed, and nobody is asked for it yet: no
    event here opens that."""
    contract.returned_on = signed_on
    contract.version += 1
    db.session.flush()
    if fen:
        _note(contract, by=by, fen=fen, paid_on=paid_on, way="")
        record(ContractEvent.PAYMENT, contract, by=by, fen=fen, paid_on=paid_on, paid_fen=fen)


def settled(contract: Contract, by) -> None:
    """Paid in full: nothing is owed any more, and nothing withheld."""
    contract.withheld_at = None
    record(ContractEvent.PAID, contract, by=by)
    notices.demand_no_more(contract, by=by)
    _begin(contract, by)


def _begin(contract: Contract, by) -> None:
    """Its period is in force, and with it the clock of its notice (5.2.2): once, though it was withheld meanwhile. What
    was renewed before it was paid stays renewed."""
    if contract.state != State.RENEWED:
        contract.state = State.RUNNING
    db.session.flush()
    periods.settle(contract)
    before = Event.subject_id == contract.id, Event.kind == ContractEvent.BEGUN
    if contract.category != Kind.SERVICE:
        return  # a sale has no period that could begin
    if db.session.scalar(select(Event.id).where(*before).limit(1)) is None:
        begun(contract, by)


def begun(contract: Contract, by, *, taken_over: bool = False) -> None:
    """Its period is in force. One that nothing was paid for here, and that no manager has seen, is theirs to check (5.2.7);
    where the serial numbers of one that begins here are with the customer already, that is said at once (5.6.4)."""
    said = {"starts_on": contract.starts_on, "ends_on": contract.ends_on, "taken_over": taken_over}
    free = not contract.amount_fen and not (by and by.may(P.CONTRACT_RELEASE))
    record(ContractEvent.BEGUN, contract, by=by, unagreed=periods.unagreed(contract) if taken_over else free, **said)
    handover.settle(contract, by)


def _owed(verb: str, contract: Contract, by) -> None:
    """Take a verb that settles a duty; what fell due by now opens its own first, for nobody waits for a sweep."""
    settle_first(contract)
    MOVES[verb].apply(contract, by)


def chase(contract: Contract, *, by, words: str) -> None:
    """Called or written to, because the payment is overdue (D2)."""
    _owed("chase", contract, by)
    record(ContractEvent.CHASED, contract, by=by, words=words)


def demand(contract: Contract, *, by) -> None:
    """The formal demand, three more days later (D2)."""
    _owed("demand", contract, by)
    record(ContractEvent.DEMANDED, contract, by=by, payment_due_on=contract.payment_due_on, demand=_demand(contract))


def _demand(contract: Contract) -> str:
    """What tells this demand from those before it: the day it was due, and, where that was demanded already, how often."""
    of = Event.subject_id == contract.id, Event.kind == ContractEvent.DEMANDED
    said = [facts.get("payment_due_on") for facts in db.session.scalars(select(Event.facts).where(*of))]
    due = str(contract.payment_due_on)
    return f"{due}/{said.count(due) + 1}" if due in said else due  # no #: that is a letter sent once more


def release(contract: Contract, *, by, reason: str) -> None:
    """A manager lets the period begin before the payment, with a reason (5.2.7); the payment stays owed."""
    MOVES["release"].apply(contract, by)
    because(reason)
    contract.withheld_at = None
    record(ContractEvent.RELEASED, contract, by=by, reason=reason)
    _begin(contract, by)


def withhold(contract: Contract, *, by, reason: str) -> None:
    """After the demand a manager may withhold the new period: never one that is paid for, never by a sweep (D2)."""
    _owed("withhold", contract, by)
    because(reason)
    if in_full(contract):
        raise Refused(N_("It is paid in full: what is paid for is never withheld (D2)."))
    contract.withheld_at = clock.now()
    periods.withhold(contract)
    record(ContractEvent.WITHHELD, contract, by=by, reason=reason)


def wait(contract: Contract, *, by, reason: str, until: date) -> None:
    """A manager decides to wait instead, until a day: by then the payment is due anew, and all that follows from it (D2)."""
    _owed("wait", contract, by)
    because(reason)
    if not clock.today() < until <= clock.today() + FARTHEST:
        raise Invalid(fields={"until": N_("A day to come, within a year.")})
    record(ContractEvent.WAITED, contract, by=by, reason=reason, until=until)
    postpone(contract, by=by)
    contract.payment_accepted = True
    record(ContractEvent.AGREED, contract, by=by, changes=edit(contract, {"payment_due_on": until}), accepted=True)


def because(reason: str) -> None:
    if not reason.strip():
        raise Invalid(fields={"reason": N_("Say why.")})
