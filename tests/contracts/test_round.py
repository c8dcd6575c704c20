"""No way round what is owed: what was tried by attackers and seen by readers, each turned into what must hold (5.2, D2)."""

from datetime import date, timedelta

import pytest

from crm import clock
from crm.contracts import notices, paying, queries, workflow
from crm.contracts.adoption import adopt_all
from crm.contracts.models import Contract, State
from crm.customers import workflow as customers
from crm.db import db, unit_of_work
from crm.duties.acts import carry_out_due
from crm.duties.locks import lock
from crm.duties.message import Message
from crm.duties.record import record
from crm.errors import Forbidden, Invalid, WrongState
from crm.letters import handling
from crm.serials import queries as installed
from crm.serials import workflow as serials
from crm.serials.coverage import Coverage
from crm.serials.models import ServicePeriod, Standing
from crm.sweep import breach_overdue
from tests import make
from tests.browsing import together
from tests.contracts.making import FEN, coverage, ending, entered, expired, later, letters, renewal, through
from tests.seen import kinds, owed

DAY = timedelta(days=1)


def me():
    return make.who("specialist")


def manager():
    return make.who("manager")


def standing(contract: Contract) -> set[str]:
    db.session.expire_all()
    return {one.standing for one in db.session.query(ServicePeriod).filter_by(contract_id=contract.id)}


@pytest.mark.parametrize("first", ["check", "notice", "serials"])
def test_a_specialist_lets_nothing_lapse_for_which_something_is_still_owed(app, sound, first):
    """Else lapsing were the way round the manager's check, the notice, and the new serial numbers."""
    with unit_of_work():
        contract = make.contract(expired(), upto="running") if first != "check" else None
    contract = contract or entered()
    with unit_of_work():
        if first == "notice":
            workflow.serials(contract, by=me(), reason="客户自备加密狗")
        if first == "serials":
            record("contract.notified", contract, act="contract.notice", ends_on=contract.ends_on)
    assert f"contract.{first}" in owed(contract)
    with pytest.raises(Forbidden, match="manager"), unit_of_work():
        workflow.lapse(contract, by=me(), reason="不续")
    with unit_of_work():
        workflow.lapse(contract, by=manager(), reason="单位已注销")
    assert contract.state == State.LAPSED and f"contract.{first}" not in owed(contract)


def test_a_payment_taken_back_serves_nobody_though_the_contract_is_renewed_by_now(app):
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
    with later(10):
        with unit_of_work():
            paying.demand(contract, by=me())
            paying.withhold(contract, by=manager(), reason="没付款")
            paying.pay(contract, by=me(), fen=FEN, paid_on=clock.today())
        with unit_of_work():
            through(renewal(contract))
        assert contract.state == State.RENEWED
        with unit_of_work():
            paying.pay(contract, by=me(), fen=-FEN, paid_on=clock.today())
        assert standing(contract) == {Standing.WITHHELD} and coverage(contract) == Coverage.WITHHELD
        assert contract.state == State.RENEWED and "contract.pay" in owed(contract)


def test_a_period_typed_beside_a_contract_that_is_sent_makes_no_second_one(app, sound):
    with unit_of_work():
        unit = make.customer("老客户", email="kuaiji@example.com")
        make.contact(unit)
        software = make.installation(unit, starts_on=None, ends_on=None)
        contract = make.contract(unit, upto="sent")
    with unit_of_work():
        serials.edit_installation(
            installed.get(software.number, me()), by=make.who("followup"), of=serials.product("金洋", "财务通"), use="unknown", use_seen_on=None,
            starts_on=contract.starts_on, ends_on=contract.ends_on, edition="", product_version="",
        )  # fmt: skip
    adopt_all(clock.now())
    assert db.session.query(Contract).count() == 1, "it waits for what is under way"
    with unit_of_work():
        workflow.copy(contract, by=me(), returned_on=clock.today())
    adopt_all(clock.now())
    assert db.session.query(Contract).count() == 1 and db.session.query(ServicePeriod).count() == 1
    assert standing(contract) == {Standing.SIGNED}, "typed by hand it would serve unpaid (5.2.7)"


def test_what_was_declined_leaves_the_typed_period_to_be_taken_over(app, sound):
    with unit_of_work():
        unit = make.customer("老客户")
        make.contact(unit)
        make.installation(unit, starts_on=clock.today(), ends_on=clock.today() + 300 * DAY)
        contract = make.contract(unit, upto="sent")
    assert not adopt_all(clock.now())
    with unit_of_work():
        workflow.decline(contract, by=me(), reason="预算没批")
    assert adopt_all(clock.now()) == 1


def test_of_two_who_draft_the_same_days_at_once_one_does(served):
    with served.app_context(), unit_of_work():
        unit = make.customer("抢着签的", email="kuaiji@example.com")
        make.contact(unit)
        make.installation(unit, starts_on=None, ends_on=None)
        number = unit.number

    def draft(_n: int) -> bool:
        with served.app_context():
            try:
                with unit_of_work():
                    make.contract(db.session.query(make.Customer).filter_by(number=number).one())
                return True
            except Invalid:
                return False

    assert sum(together(8, draft)) == 1
    with served.app_context():
        assert db.session.query(Contract).count() == 1


def test_a_renewal_that_lapses_leaves_what_it_renewed_to_be_renewed_and_written_to(app, sound):
    with unit_of_work():
        before = ending(60)
        after = renewal(before)
        through(after)
    assert before.state == State.RENEWED and before.renewed_by_id == after.id and "contract.notice" not in owed(before)
    with unit_of_work():
        workflow.lapse(after, by=manager(), reason="一直不付款")
    assert before.state == State.RUNNING and before.renewed_by_id is None and "contract.notice" in owed(before)
    with clock.frozen(clock.moment(before.ends_on - 30 * DAY)):
        carry_out_due(clock.now())
        assert [rule for rule, _day, _state in letters(before)] == ["contract.notice"]
    with unit_of_work():
        assert renewal(before).origin_id == before.id, "and it may be renewed again"


def test_a_paid_renewal_that_is_over_renewed_what_it_renewed(app, sound):
    with unit_of_work():
        before = ending(-3)
        after = renewal(before)
        through(after)
        paying.pay(after, by=me(), fen=FEN, paid_on=clock.today())
    with clock.frozen(clock.now() + 500 * DAY):
        breach_overdue(clock.now())
        with unit_of_work():
            workflow.lapse(after, by=manager(), reason="不续了")
    assert before.state == State.RENEWED


def test_a_later_day_of_payment_ends_what_the_missed_one_began(app, sound):
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
    with later(7):
        assert {"contract.chase", "contract.demand"} <= set(owed(contract))
        with unit_of_work():
            paying.demand(contract, by=me())
        day = clock.today() + 10 * DAY
        with pytest.raises(Invalid), unit_of_work():
            workflow.agree(contract, by=me(), copy_due_on=None, payment_due_on=day)
        with unit_of_work():
            workflow.agree(contract, by=manager(), copy_due_on=None, payment_due_on=day)
        assert not {"contract.chase", "contract.demand", "contract.decide"} & set(owed(contract))
        assert owed(contract)["contract.pay"].breached_by_id is None and owed(contract)["contract.pay"].due_at == clock.end_of(day)
        assert letters(contract)[-1][2] == "withdrawn"
    with later(25):
        assert owed(contract)["contract.pay"].breached_by_id and "contract.demand" in owed(contract), "missed, it begins anew"


def test_who_waits_says_until_when_and_may_withhold_after_all(app, sound):
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
    with later(7):
        with unit_of_work():
            paying.demand(contract, by=me())
        for day in (clock.today(), clock.today() + 400 * DAY):
            with pytest.raises(Invalid), unit_of_work():
                paying.wait(contract, by=manager(), reason="下周付", until=day)
        with unit_of_work():
            paying.wait(contract, by=manager(), reason="下周付", until=clock.today() + 7 * DAY)
        assert "contract.decide" not in owed(contract) and contract.payment_due_on == clock.today() + 7 * DAY
    with later(24), unit_of_work():
        paying.demand(contract, by=me())
        paying.withhold(contract, by=manager(), reason="还是没付")
    assert coverage(contract) == Coverage.WITHHELD


def test_the_day_a_manager_confirms_is_accepted_though_it_stood_there_already(app):
    with unit_of_work():
        contract = make.contract(expired(), upto="sent")
        day = clock.today() + 20 * DAY
        workflow.agree(contract, by=me(), copy_due_on=clock.today() + 18 * DAY, payment_due_on=day)
        workflow.agree(contract, by=manager(), copy_due_on=clock.today() + 18 * DAY, payment_due_on=day)
        workflow.copy(contract, by=me(), returned_on=clock.today())
    assert contract.payment_due_on == day


def test_a_second_demand_is_sent_once_more_as_any_letter(app):
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
    with later(7), unit_of_work():
        paying.demand(contract, by=me())
        db.session.query(Message).filter_by(subject_id=contract.id).update({"state": "rejected", "ended_at": clock.now()})
        paying.pay(contract, by=me(), fen=FEN, paid_on=clock.today())
        paying.pay(contract, by=me(), fen=-FEN, paid_on=clock.today())
    with later(14), unit_of_work():
        paying.demand(contract, by=me())
        db.session.query(Message).filter_by(state="queued").update({"state": "rejected", "ended_at": clock.now()})
        second = db.session.query(Message).order_by(Message.id.desc()).first()
        again = handling.again(second, by=make.who("followup"), words="没收到")
    assert again.id != second.id and again.slot == f"{second.slot}#2"


def test_what_the_program_withdrew_is_not_sent_again_by_hand(app):
    """It is written anew when it is due; both would be two letters for one end."""
    with unit_of_work():
        contract = make.in_force()
    carry_out_due(clock.now())
    with unit_of_work():
        workflow.adjust(contract, by=manager(), starts_on=contract.starts_on, ends_on=contract.ends_on + 90 * DAY, reason="送三个月")
    [letter] = db.session.query(Message).all()
    assert letter.state == "withdrawn" and not handling.may_again(letter)
    with pytest.raises(WrongState), unit_of_work():
        handling.again(letter, by=make.who("followup"), words="没收到")


def test_whoever_entered_a_period_and_became_a_manager_adjusts_it_no_more_than_they_check_it(app):
    contract = entered()
    with unit_of_work():
        db.session.query(ServicePeriod).update({"entered_by_id": manager().id})
    with pytest.raises(Forbidden, match="yourself"), unit_of_work():
        workflow.adjust(contract, by=manager(), starts_on=contract.starts_on - DAY, ends_on=contract.ends_on, reason="错了一天")


def test_an_address_that_is_found_ends_the_search_though_no_letter_is_due_any_more(app, sound):
    with unit_of_work():
        contract = make.in_force(make.customer("没有地址"))
    carry_out_due(clock.now())
    assert "contract.find_address" in owed(contract)
    assert not notices.find_addresses(clock.now())
    with unit_of_work():
        workflow.adjust(contract, by=manager(), starts_on=contract.starts_on, ends_on=contract.ends_on + 90 * DAY, reason="送三个月")
        unit = db.session.get_one(make.Customer, contract.customer_id)
        customers.change_customer(unit, {"email": "kuaiji@example.com"}, by=make.who("followup"))
    assert notices.find_addresses(clock.now()) == 1 and notices.find_addresses(clock.now()) == 0
    assert "contract.find_address" not in owed(contract) and kinds(contract)[-1] == "contract.address_found"


def test_what_renews_a_contract_is_known_though_it_was_not_drafted_as_its_renewal(app):
    with unit_of_work():
        before = ending(20)
        unit = db.session.get_one(make.Customer, before.customer_id)
        after = make.contract(unit, starts_in=21)
        through(after)
    assert before.state == State.RENEWED
    assert {id: row.number for id, row in queries.renewals_of([before.id]).items()} == {before.id: after.number}


def test_what_is_free_owes_no_invoice(app):
    with unit_of_work():
        contract = make.contract(expired(), upto="returned", amount_fen=0)
    assert "contract.invoice" not in owed(contract) and "contract.check" in owed(contract)


def test_a_paid_period_that_is_withheld_is_found_by_the_check(app):
    with unit_of_work():
        contract = make.contract(upto="running")
        odd = Contract.odd()["only a period that is not paid is withheld"]
        assert db.session.query(Contract).filter(odd).count() == 0
        contract.withheld_at = clock.now()
    assert db.session.query(Contract).filter(odd).count() == 1


def test_the_day_its_notice_goes_is_told_though_the_period_is_withheld(app):
    with unit_of_work():
        contract = make.contract(expired(), upto="running")
        contract.state = State.RETURNED
    assert notices.why(contract).what == "not_yet"


def test_what_was_read_in_a_savepoint_that_is_gone_is_read_again_under_the_lock(app):
    with unit_of_work():
        contract = make.contract(upto="sent")
    with unit_of_work():
        lock(contract)
        nested = db.session.begin_nested()
        workflow.MOVES["copy"].apply(contract, me())
        assert contract.state == State.RETURNED
        nested.rollback()
        lock(contract)
        assert contract.state == State.SENT


def test_a_day_on_which_something_was_agreed_is_found_by_its_words(app, browser):
    with unit_of_work():
        contract = make.contract(upto="sent")
        workflow.agree(contract, by=me(), copy_due_on=date(2026, 12, 1), payment_due_on=None, terms="等驳船到港再付")
    assert contract.number in browser("specialist").get("/contracts?q=驳船").text
