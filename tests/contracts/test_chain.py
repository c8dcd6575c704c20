"""A contract from the negotiation to the period in force (5.2), and what follows where nobody pays (5.2.6, D2)."""

from datetime import date, timedelta

import pytest

from crm import clock
from crm.contracts import paying, queries, sums, workflow
from crm.contracts.models import Contract, Kind, State
from crm.db import db, unit_of_work
from crm.duties.message import Message
from crm.duties.models import Event, Notice
from crm.duties.record import settle
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.serials.coverage import Coverage, verdicts
from tests import make
from tests.browsing import together
from tests.contracts.making import FEN, coverage, expired, later
from tests.seen import kinds, owed


def test_a_contract_goes_from_the_negotiation_to_the_period_in_force(app, sound):
    me = make.who("specialist")
    with unit_of_work():
        contract = make.contract(expired())
        assert (contract.state, set(owed(contract))) == (State.DRAFT, {"contract.negotiate"})
        workflow.sign(contract, by=me, signed_on=clock.today(), representative_id=me.id, stamped=True)
        assert set(owed(contract)) == {"contract.send"}
        workflow.send(contract, by=me, sent_on=clock.today(), way="fax")
        assert contract.copy_due_on == date(2026, 11, 30) and set(owed(contract)) == {"contract.copy"}
        workflow.agree(contract, by=me, copy_due_on=date(2026, 11, 26), payment_due_on=None, terms="先付一半")
        assert owed(contract)["contract.copy"].due_at == clock.moment(date(2026, 11, 26)) + timedelta(hours=18)
        assert coverage(contract) == Coverage.EXPIRED
        workflow.copy(contract, by=me, returned_on=clock.today())
        assert contract.payment_due_on == date(2026, 11, 26), "three days from the copy's return (5.2.6)"
        assert coverage(contract) == Coverage.UNPAID, "a signed customer is not expired (5.2.7)"
        assert set(owed(contract)) == {"contract.invoice", "contract.pay", "paper.contract"}
        workflow.invoice(contract, by=me, posted_on=clock.today(), invoice_title="老客户", invoice_address="北京", invoice_recipient="王会计")
        paying.pay(contract, by=me, fen=50_000, paid_on=clock.today())
        assert contract.state == State.RETURNED and "contract.pay" in owed(contract)
        paying.pay(contract, by=me, fen=70_000, paid_on=clock.today())
    assert contract.state == State.RUNNING and coverage(contract) == Coverage.IN_SERVICE
    assert set(owed(contract)) == {"contract.serials", "contract.notice", "contract.remind_15", "contract.remind_7", "contract.remind_1", "paper.contract"}
    with unit_of_work():
        workflow.serials(contract, by=me, reason="客户自备加密狗")
    assert "contract.serials" not in owed(contract)


def test_unpaid_it_is_chased_demanded_and_withheld_by_a_manager_and_serves_once_it_is_paid(app, sound):
    me, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
        with pytest.raises(WrongState):
            paying.withhold(contract, by=manager, reason="还没催过")
    with later(4):
        assert owed(contract)["contract.pay"].breached_by_id, "three days are over"
        assert {"contract.chase", "contract.demand"} <= set(owed(contract))
        with unit_of_work():
            paying.chase(contract, by=me, words="说下周一付")
        with pytest.raises(WrongState), unit_of_work():
            paying.demand(contract, by=me)  # three more days (D2)
        assert clock.local(owed(contract)["contract.demand"].show_from).date() == date(2026, 11, 30), "once three more days are over, the last moved to a working day"
    with later(7):
        with unit_of_work():
            paying.demand(contract, by=me)
        [letter] = db.session.query(Message).filter_by(subject_id=contract.id)
        assert (letter.rule, letter.state, letter.slot) == ("contract.demand", "queued", str(contract.payment_due_on))
        assert owed(contract)["contract.decide"].pool == "manager"
        with pytest.raises(Forbidden), unit_of_work():
            paying.withhold(contract, by=me, reason="不付")
        with unit_of_work():
            paying.withhold(contract, by=manager, reason="催了三次没付")
        assert coverage(contract) == Coverage.WITHHELD and not verdicts([contract.customer_id])[contract.customer_id].served
        assert "contract.decide" not in owed(contract) and "contract.pay" in owed(contract), "the payment stays owed"
    with later(9), unit_of_work():
        paying.pay(contract, by=me, fen=FEN, paid_on=clock.today())
    assert contract.state == State.RUNNING and contract.withheld_at is None and coverage(contract) == Coverage.IN_SERVICE
    assert not {"contract.pay", "contract.chase", "contract.demand", "contract.decide"} & set(owed(contract))


def test_a_sweep_never_withholds(app):
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
    with later(60):
        assert coverage(contract) == Coverage.UNPAID and contract.withheld_at is None


def test_what_was_paid_for_is_never_withheld(app):
    me, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
    with later(7), unit_of_work():
        paying.demand(contract, by=me)
        paying.pay(contract, by=me, fen=FEN, paid_on=clock.today())
        with pytest.raises(WrongState):
            paying.withhold(contract, by=manager, reason="晚付了")
    [letter] = db.session.query(Message).filter_by(subject_id=contract.id)
    assert (letter.rule, letter.state) == ("contract.demand", "withdrawn"), "what was paid for is demanded of nobody"


def test_released_early_by_a_manager_with_a_reason_it_serves_and_the_payment_stays_owed(app, sound):
    me, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
        with pytest.raises(Forbidden):
            paying.release(contract, by=me, reason="老客户")
        with pytest.raises(Forbidden):
            paying.release(contract, by=make.who("director"), reason="老客户")
    with pytest.raises(Invalid), unit_of_work():
        paying.release(contract, by=manager, reason=" ")
    with unit_of_work():
        paying.release(contract, by=manager, reason="每年都准时付")
    assert contract.state == State.RUNNING and coverage(contract) == Coverage.IN_SERVICE
    assert {"contract.pay", "contract.notice"} <= set(owed(contract))
    told = db.session.query(Event.kind).join(Notice, Notice.event_id == Event.id).filter(Notice.user_id == me.id)
    assert ("contract.released",) in told.all()


def test_withheld_after_all_it_is_begun_only_once(app, sound):
    me, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
        paying.release(contract, by=manager, reason="老客户")
    with later(7), unit_of_work():
        paying.demand(contract, by=me)
        paying.withhold(contract, by=manager, reason="还是不付")
    assert contract.state == State.RETURNED and coverage(contract) == Coverage.WITHHELD
    with later(9), unit_of_work():
        paying.release(contract, by=manager, reason="来电承诺")
    assert coverage(contract) == Coverage.IN_SERVICE and kinds(contract).count("contract.begun") == 1


def test_fifty_payments_at_once_are_never_more_than_is_due(served):
    with served.app_context(), unit_of_work():
        contract_id = make.contract(upto="returned").id

    def pay(_i: int) -> bool:
        with served.app_context():
            try:
                with unit_of_work():
                    paying.pay(db.session.get_one(Contract, contract_id), by=make.who("specialist"), fen=50_000, paid_on=clock.today())
                return True
            except (Invalid, WrongState):
                return False

    assert sum(together(10, pay)) == 2
    with served.app_context():
        assert sums.paid_fen(db.session.get_one(Contract, contract_id)) == 100_000


def test_a_payment_taken_back_is_owed_again(app, sound):
    me = make.who("specialist")
    with unit_of_work():
        contract = make.contract(expired(), upto="running")
        assert "contract.pay" not in owed(contract)
        paying.pay(contract, by=me, fen=-FEN, paid_on=clock.today())
    assert "contract.pay" in owed(contract) and sums.open_fen(contract) == FEN
    with pytest.raises(Invalid), unit_of_work():
        paying.pay(contract, by=me, fen=-1, paid_on=clock.today())


@pytest.mark.parametrize(("agreed", "by", "due"), [
    (None, "specialist", 3), (2, "specialist", 2), (20, "manager", 20), (-5, "specialist", 3),
])  # fmt: skip
def test_payment_is_due_three_days_after_signing_or_later_if_a_manager_agreed(app, agreed, by, due):
    """5.2.6, 5.2.4."""
    with unit_of_work():
        contract = make.contract(upto="sent")
        day = None if agreed is None else clock.today() + timedelta(days=agreed)
        workflow.agree(contract, by=make.who(by), copy_due_on=clock.today() + timedelta(days=7), payment_due_on=day)
        workflow.copy(contract, by=make.who("specialist"), returned_on=clock.today())
    assert contract.payment_due_on == clock.today() + timedelta(days=due)


def test_a_late_day_agreed_by_the_specialist_gives_way_when_the_copy_is_back_early(app):
    me = make.who("specialist")
    with unit_of_work():
        contract = make.contract(upto="sent")
        workflow.agree(contract, by=me, copy_due_on=date(2026, 12, 31), payment_due_on=date(2027, 1, 3))
        workflow.copy(contract, by=me, returned_on=clock.today())
    assert contract.payment_due_on == date(2026, 11, 26)
    with pytest.raises(Invalid), unit_of_work():
        workflow.agree(contract, by=me, copy_due_on=None, payment_due_on=date(2026, 12, 24))
    with unit_of_work():
        workflow.agree(contract, by=make.who("manager"), copy_due_on=None, payment_due_on=date(2026, 12, 24))
    assert owed(contract)["contract.pay"].due_at == clock.end_of(date(2026, 12, 24))


@pytest.mark.parametrize("lacks", [{"amount_fen": None}, {"starts_on": None, "ends_on": None}, {"installations": []}])
def test_it_is_not_signed_before_it_says_what_for_how_long_and_how_much(app, lacks):
    me = make.who("specialist")
    with unit_of_work():
        contract = make.contract(**lacks)
    with pytest.raises(Refused), unit_of_work():
        workflow.sign(contract, by=me, signed_on=clock.today(), representative_id=me.id, stamped=True)
    assert contract.state == State.DRAFT


@pytest.mark.parametrize("lacks", [{"amount_fen": None}, {"starts_on": None, "ends_on": None}, {"installations": []}])
def test_what_it_was_signed_with_is_not_taken_out_of_it_again(app, lacks):
    me = make.who("specialist")
    with unit_of_work():
        number = make.contract(upto="signed").number
    with pytest.raises(Refused), unit_of_work():
        workflow.change(queries.get(number, me), by=me, **lacks)
    with unit_of_work():
        contract = queries.get(number, me)
        workflow.change(contract, by=make.who("manager"), amount_fen=100_000)
    assert contract.amount_fen == 100_000 and contract.ends_on and len(contract.installations) == 1


def test_a_sales_contract_needs_no_period_and_its_final_payment_is_owed(app, sound):
    with unit_of_work():
        contract = make.contract(category=Kind.SALES, starts_on=None, ends_on=None, installations=[], salesperson="钱进", upto="returned")
        paying.pay(contract, by=make.who("specialist"), fen=80_000, paid_on=clock.today())
    assert contract.state == State.RETURNED and sums.open_fen(contract) == 40_000 and "contract.pay" in owed(contract)
    with unit_of_work():
        paying.pay(contract, by=make.who("specialist"), fen=40_000, paid_on=clock.today())
    assert contract.state == State.RUNNING and "contract.notice" not in owed(contract)


def test_a_sale_has_no_period_of_its_own_for_nobody_would_be_told_of_its_end(app):
    """Typed on the installation it is taken into a service contract, with its notice (5.2.1, 5.2.2)."""
    with unit_of_work():
        number = make.contract().number
    with pytest.raises(Invalid), unit_of_work():
        workflow.change(queries.get(number, make.who("manager")), by=make.who("manager"), category=Kind.SALES)


@pytest.mark.parametrize(("who", "may"), [
    ("specialist", True), ("manager", True), ("specialist2", False), ("followup", False), ("director", False), ("admin", False),
])  # fmt: skip
def test_a_contract_is_drafted_by_whoever_has_the_customer_or_a_manager(app, who, may):
    with unit_of_work():
        unit = make.served_customer()
        if may:
            assert make.contract(unit, by=make.who(who)).owner_id == make.who("specialist").id, "the customer's specialist has it"
        else:
            with pytest.raises(Forbidden):
                make.contract(unit, by=make.who(who))


def test_given_to_another_what_is_owed_goes_with_it(app):
    other = make.who("specialist2")
    with unit_of_work():
        contract = make.contract()
        workflow.assign(contract, by=make.who("manager"), to=other, reason="张伟休假")
    assert {duty.owner_id for duty in owed(contract).values()} == {other.id}


def test_what_lapses_unpaid_is_a_managers_to_say_and_does_not_serve(app, sound):
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
    with pytest.raises(Forbidden), unit_of_work():
        workflow.lapse(contract, by=make.who("specialist"), reason="联系不上")
    with later(7):
        with unit_of_work():
            paying.demand(contract, by=make.who("specialist"))
            workflow.lapse(contract, by=make.who("manager"), reason="单位已注销")
        assert set(owed(contract)) == {"paper.contract"} and coverage(contract) == Coverage.WITHHELD


def test_of_what_lapses_though_it_was_paid_the_invoice_is_still_owed(app):
    me, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        paid, unpaid, posted = (make.contract(expired(f"一{n}"), upto="returned") for n in range(3))
        for contract in (paid, posted):
            paying.pay(contract, by=me, fen=FEN // 2, paid_on=clock.today())
        workflow.invoice(posted, by=me, posted_on=clock.today())
        for contract in (paid, unpaid, posted):
            workflow.lapse(contract, by=manager, reason="单位已注销")
    assert ["contract.invoice" in owed(one) for one in (paid, unpaid, posted)] == [True, False, False]
    with unit_of_work():
        workflow.invoice(paid, by=me, posted_on=clock.today())
    assert "contract.invoice" not in owed(paid)


def test_what_was_demanded_and_paid_and_taken_back_is_demanded_by_a_letter_again(app, sound):
    me = make.who("specialist")
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
    with later(7), unit_of_work():
        paying.demand(contract, by=me)
        db.session.query(Message).filter_by(subject_id=contract.id).update({"state": "rejected", "ended_at": clock.now()})
        paying.pay(contract, by=me, fen=FEN, paid_on=clock.today())
        paying.pay(contract, by=me, fen=-FEN, paid_on=clock.today())
    with later(14), unit_of_work():
        paying.demand(contract, by=me)
    letters = db.session.query(Message).filter_by(subject_id=contract.id).order_by(Message.id).all()
    due = str(contract.payment_due_on)
    assert [(one.slot, one.state) for one in letters] == [(due, "rejected"), (f"{due}/2", "queued")]


def test_declined_it_owes_nothing(app):
    with unit_of_work():
        contract = make.contract(upto="sent")
        workflow.decline(contract, by=make.who("specialist"), reason="预算没批")
        settle(contract, clock.now())
    assert contract.state == State.DECLINED and not owed(contract)
