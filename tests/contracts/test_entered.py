"""What somebody enters by hand does not begin a period round the manager; one service has one contract; new serial numbers
and our stamp are not merely said to be there (5.2.2, 5.2.3, 5.2.7, 5.6.4)."""

from datetime import timedelta

import pytest

from crm import clock
from crm.contracts import paying, queries, workflow
from crm.contracts.models import Contract, State
from crm.customers import workflow as customers
from crm.db import db, unit_of_work
from crm.duties.acts import carry_out_due
from crm.duties.message import Message, MessageState, Way
from crm.duties.models import Event
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.letters.outbox import send_due
from crm.permissions import Role
from crm.serials import numbers
from crm.serials.models import Installation
from crm.staff import workflow as staff
from tests import make
from tests.contracts.making import adopted, ending, entered, renewal, through
from tests.seen import kinds, owed


def test_a_period_a_specialist_entered_is_the_managers_to_check(app, browser, sound):
    contract = entered()
    assert owed(contract)["contract.check"].pool == Role.MANAGER
    with pytest.raises(Forbidden), unit_of_work():
        workflow.check(contract, by=make.who("specialist"))
    page = browser("manager")
    assert "The service period is right" in page.get(contract.path).text
    assert page.send(f"{contract.path}/check").status_code == 303
    assert "contract.check" not in owed(contract) and kinds(contract)[-1] == "contract.checked"
    with pytest.raises(Refused), unit_of_work():
        workflow.check(contract, by=make.who("manager"))


def test_nobody_checks_what_they_entered_themselves_whatever_they_have_become(app, sound):
    contract, me = entered(), make.who("specialist")
    with unit_of_work():
        staff.edit_user(me, by=make.who("admin"), roles=[Role.SPECIALIST, Role.MANAGER], active=True)
    with pytest.raises(Forbidden, match="yourself"), unit_of_work():
        workflow.check(contract, by=me)


def test_a_period_that_is_put_right_needs_no_further_check(app, sound):
    contract = entered()
    with unit_of_work():
        workflow.adjust(contract, by=make.who("manager"), starts_on=contract.starts_on, ends_on=clock.today() - timedelta(days=1),
                        reason="没有付款")  # fmt: skip
    assert "contract.check" not in owed(contract)


@pytest.mark.parametrize(("by", "ends_in"), [("manager", 200), ("specialist", -1)])
def test_what_a_manager_entered_or_what_is_over_is_not_checked(app, by, ends_in, sound):
    assert "contract.check" not in owed(entered(by, ends_in))


@pytest.mark.parametrize(("by", "checked"), [("specialist", True), ("manager", False)])
def test_a_contract_that_costs_nothing_is_checked_unless_a_manager_made_it(app, by, checked, sound):
    with unit_of_work():
        contract = make.contract(by=make.who(by), upto="returned", amount_fen=0)
    assert contract.state == State.RUNNING and ("contract.check" in owed(contract)) == checked


def test_a_period_added_to_a_contract_that_is_there_is_checked_too(app, sound):
    contract = entered("manager")
    with unit_of_work():
        unit = db.session.get_one(make.Customer, contract.customer_id)
        make.installation(unit, starts_on=contract.starts_on, ends_on=contract.ends_on)
    assert adopted().id == contract.id and "contract.check" in owed(contract)


def test_one_service_has_one_contract_on_a_day(app, sound):
    me = make.who("specialist")
    with unit_of_work():
        unit = make.served_customer()
        first = make.contract(unit, upto="sent")
        with pytest.raises(Invalid) as refused:
            make.contract(unit, starts_in=100)
        assert refused.value.fields["starts_on"].params["number"] == first.number
        after = make.contract(unit, starts_in=365)
        with pytest.raises(Invalid):
            workflow.change(after, by=me, starts_on=clock.today() + timedelta(days=300))
        make.contract(make.served_customer("别家"))
        workflow.decline(first, by=me, reason="不续")
        workflow.change(after, by=me, starts_on=clock.today() + timedelta(days=300))


def test_a_renewal_may_begin_while_what_it_renews_goes_on_and_that_be_prolonged_into_it(app, sound):
    with unit_of_work():
        before = ending(20)
        after = renewal(before)
        workflow.adjust(before, by=make.who("manager"), starts_on=before.starts_on, ends_on=before.ends_on + timedelta(days=30),
                        reason="送一个月")  # fmt: skip
        other = make.contract(db.session.get_one(make.Customer, before.customer_id), starts_in=900)
        with pytest.raises(Invalid):
            workflow.adjust(before, by=make.who("manager"), starts_on=before.starts_on, ends_on=other.starts_on, reason="延长")
    assert after.state == State.DRAFT


def in_force_with_contact() -> tuple[Contract, Installation]:
    with unit_of_work():
        contract = make.contract(upto="running")
        [installation] = db.session.query(Installation).filter_by(customer_id=contract.customer_id)
    return contract, installation


def given(contract: Contract, installation: Installation, *, ends_on=None, number: str = "JY-2027-0001") -> None:
    me, to = make.who("specialist"), db.session.query(make.Contact).filter_by(customer_id=installation.customer_id).first()
    last = ends_on or contract.ends_on
    one = numbers.issue(installation, by=me, number=number, starts_on=min(contract.starts_on, last), ends_on=last)
    numbers.give(one, by=me, to=to, on=clock.today())


def test_the_last_serial_number_handed_over_settles_what_the_contract_owes_of_them(app, sound):
    contract, one = in_force_with_contact()
    with unit_of_work():
        unit = db.session.get_one(make.Customer, contract.customer_id)
        second = make.installation(unit, starts_on=None, ends_on=None)
        third = make.contract(unit, upto="running", installations=[one, second], starts_in=365)
        given(contract, one)
    assert "contract.serials" not in owed(contract) and "contract.serials" in owed(third), "that begins a year later"
    with unit_of_work():
        given(third, one, number="JY-2028-0001")
        assert "contract.serials" in owed(third)
        given(third, second, number="JY-2028-0002")
    assert "contract.serials" not in owed(third) and kinds(third)[-1] == "contract.serials_given"


def test_a_serial_number_of_the_period_before_settles_nothing(app, sound):
    contract, one = in_force_with_contact()
    with unit_of_work():
        numbers.issue(one, by=make.who("specialist"), number="JY-2025-0001", starts_on=contract.starts_on - timedelta(days=365),
                      ends_on=contract.starts_on - timedelta(days=1))  # fmt: skip
        to = db.session.query(make.Contact).filter_by(customer_id=one.customer_id).first()
        numbers.give(numbers.in_use(one), by=make.who("specialist"), to=to, on=clock.today())
    assert "contract.serials" in owed(contract)


def test_a_serial_number_handed_over_before_the_payment_is_seen_when_the_period_begins(app, sound):
    with unit_of_work():
        contract = make.contract(upto="returned")
        [one] = db.session.query(Installation).filter_by(customer_id=contract.customer_id)
        given(contract, one)
        paying.pay(contract, by=make.who("specialist"), fen=contract.amount_fen, paid_on=clock.today())
    assert "contract.serials" not in owed(contract)


def test_that_none_is_needed_is_said_with_a_reason(app, sound):
    contract, _one = in_force_with_contact()
    me = make.who("specialist")
    with pytest.raises(Invalid), unit_of_work():
        workflow.serials(contract, by=me, reason=" ")
    with unit_of_work():
        workflow.serials(contract, by=me, reason="客户自备加密狗")
    assert "contract.serials" not in owed(contract)
    with pytest.raises(Refused), unit_of_work():
        workflow.serials(contract, by=me, reason="再说一次")


def test_it_is_not_sent_without_our_stamp_which_may_be_noted_then(app, browser, sound):
    me = make.who("specialist")
    with unit_of_work():
        contract = make.contract()
        workflow.sign(contract, by=me, signed_on=clock.today(), representative_id=me.id, stamped=False)
    page = browser("specialist")
    answer = page.send(f"{contract.path}/dispatch")
    assert answer.status_code == 422 and "It bears our stamp before it is sent (5.2.3)." in answer.text
    assert page.send(f"{contract.path}/dispatch", stamped="y").status_code == 303
    db.session.expire_all()
    assert contract.stamped and contract.state == State.SENT
    with unit_of_work():
        stamped = make.contract(make.served_customer("别家"), upto="signed")
    assert 'name="stamped"' not in page.get(stamped.path).text


def test_who_is_written_to_by_post_gets_the_notice_as_paper_to_be_posted(app, browser, sound):
    with unit_of_work():
        unit = make.customer("山里的单位", address="云南省某县1号", by_post=True)
        contract = make.in_force(unit)
    with clock.frozen(clock.parse("2026-11-23T09:30")):
        carry_out_due(clock.now())
        send_due(clock.now())
    [letter] = db.session.query(Message).filter_by(subject_id=contract.id)
    assert (letter.way, letter.address, letter.state) == (Way.PAPER, "云南省某县1号", MessageState.QUEUED)
    assert "contract.find_address" not in owed(contract)
    with pytest.raises(Invalid) as refused, unit_of_work():
        customers.add_customer(by=make.who("manager"), short_name="没有地址", by_post=True)
    assert "address" in refused.value.fields


def test_who_cannot_be_reached_is_looked_at_again_without_a_word_until_they_can(app, sound):
    with unit_of_work():
        unit = make.customer("无处可寄")
        contract = make.in_force(unit)
    carry_out_due(clock.now())
    assert "contract.find_address" in owed(contract)
    before = db.session.query(Event).count()
    with clock.frozen(clock.now() + timedelta(minutes=30)):
        assert carry_out_due(clock.now()) == 0 and db.session.query(Event).count() == before
        with unit_of_work():
            customers.change_customer(unit, {"email": "kuaiji@example.com"}, by=make.who("followup"))
        assert carry_out_due(clock.now()) >= 1
    assert "contract.find_address" not in owed(contract) and db.session.query(Message).count() == 1


def test_what_ended_unpaid_is_listed_as_ended(app, sound):
    with unit_of_work():
        contract = make.contract(upto="returned", starts_in=-400)
    assert contract.number in [row.number for row in queries.without_renewal(make.who("manager"))]
    with unit_of_work(), pytest.raises(WrongState):
        workflow.decline(contract, by=make.who("specialist"), reason="不续")
    with unit_of_work():
        through(make.contract(make.served_customer("别家")))
