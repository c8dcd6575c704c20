"""A renewal is a successor (5.2.1): what it renews owes no notice any more. An adjusted end moves the notice with it."""

from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta

from crm import clock
from crm.callbacks import workflow as calls
from crm.contracts import notices, paying, queries, workflow
from crm.contracts.models import Contract, State
from crm.db import db, unit_of_work
from crm.duties.acts import carry_out_due
from crm.duties.models import Duty, Event
from crm.errors import Forbidden, Invalid, Refused
from tests import make
from tests.browsing import together
from tests.contracts.making import DAY, ending, letters, renewal, through
from tests.seen import kinds, owed


def sweep(days: int = 1) -> int:
    """What the program does by itself so many days later."""
    with clock.frozen(clock.now() + timedelta(days=days)):
        return carry_out_due(clock.now())


def test_a_renewal_drops_the_notice_of_what_it_renews_and_withdraws_what_was_not_sent(app, sound):
    with unit_of_work():
        before = ending(20)
    assert sweep() == 1, "its notice is overdue, and written at once"
    assert letters(before) == [("contract.notice", str(before.ends_on), "queued")]
    with unit_of_work():
        after = renewal(before)
        assert before.state == State.RUNNING and "contract.remind_7" in owed(before)
        through(after)
    db.session.refresh(before)
    assert before.state == State.RENEWED and after.origin_id == before.id
    assert letters(before) == [("contract.notice", str(before.ends_on), "withdrawn")]
    assert not [rule for rule in owed(before) if rule.startswith("contract.remind")]
    assert kinds(before)[-2:] == ["contract.renewed", "message.withdrawn"]
    assert sweep(30) == 0


def test_what_was_let_begin_unpaid_is_still_to_be_paid_once_it_is_renewed(app, sound):
    me = make.who("specialist")
    with unit_of_work():
        before = make.unpaid()
        paying.release(before, by=make.who("manager"), reason="老客户")
        through(renewal(before))
        db.session.refresh(before)
        assert before.state == State.RENEWED and {"contract.pay", "contract.serials"} <= set(owed(before))
        listed = queries.listing(make.who("manager"), queries.Filter(unpaid=True)).rows
        assert before.number in [row.number for row in listed]
        workflow.invoice(before, by=me, posted_on=clock.today(), invoice_title="单位", invoice_address="北京", invoice_recipient="王")
        paying.pay(before, by=me, fen=before.amount_fen, paid_on=clock.today())
        workflow.serials(before, by=me, reason="客户自备加密狗")  # its period may go on for months
    assert before.state == State.RENEWED and set(owed(before)) <= {"paper.contract"}


def test_a_contract_that_was_not_drafted_as_the_renewal_renews_all_the_same(app, sound):
    """Nobody who has signed the next year is written to that this one ends."""
    with unit_of_work():
        before, apart = ending(20), ending(20)
        starts = before.ends_on + DAY
        unit = db.session.get_one(make.Customer, before.customer_id)
        after = make.contract(unit, starts_on=starts, ends_on=starts + relativedelta(years=1) - DAY)
        through(after)
    for one in (before, apart):
        db.session.refresh(one)
    assert (after.origin_id, before.state, apart.state) == (None, State.RENEWED, State.RUNNING)
    assert not {"contract.notice", "contract.remind_7"} & set(owed(before)) and "contract.notice" in owed(apart)


def test_what_is_renewed_before_its_notice_is_due_never_gets_one(app, sound):
    with unit_of_work():
        before = ending(90)
        assert "contract.notice" in owed(before)
        through(renewal(before))
    assert not [rule for rule in owed(before) if rule.startswith("contract.")] and letters(before) == []
    assert notices.why(before).what == "renewed"


@pytest.mark.parametrize("change", [{"starts_on": date(2027, 3, 1)}, {"ends_on": date(2027, 12, 15)}])
def test_a_period_that_is_not_simply_the_next_needs_a_reason(app, change):
    """5.2.1."""
    with unit_of_work():
        before = ending(20)
    with pytest.raises(Invalid) as refused, unit_of_work():
        renewal(before, **change)
    assert "adjustment" in refused.value.fields
    with unit_of_work():
        assert renewal(before, **change, adjustment="送三个月").adjustment == "送三个月"


def test_a_contract_is_renewed_by_one_other_at_a_time(app):
    with unit_of_work():
        before = ending(20)
        first = renewal(before)
    with pytest.raises(Refused), unit_of_work():
        renewal(before)
    with unit_of_work():
        workflow.decline(first, by=make.who("specialist"), reason="重谈")
        renewal(before)


def test_an_adjusted_end_moves_the_notice_earlier_or_later(app, sound):
    manager = make.who("manager")
    with unit_of_work():
        contract = ending(200)
    for days, goes in ((100, "2027-02-03"), (300, "2027-08-19")):
        with unit_of_work():
            ends = clock.today() + timedelta(days=days)
            workflow.adjust(contract, by=manager, starts_on=contract.starts_on, ends_on=ends, reason="送几个月")
        day = clock.local(owed(contract)["contract.notice"].due_at - timedelta(seconds=1)).date()
        assert str(day) == goes, "a month before the new end, on a working day"
        assert db.session.query(Duty).filter_by(subject_id=contract.id, rule="contract.notice").filter(Duty.dropped_by_id.is_(None)).count() == 1
    with unit_of_work():
        workflow.adjust(contract, by=manager, starts_on=contract.starts_on, ends_on=clock.today() + timedelta(days=10), reason="算错了")
    sweep()
    assert letters(contract)[0] == ("contract.notice", "2026-12-03", "queued")


def test_a_later_end_withdraws_what_waits_and_writes_another_letter_in_time(app, sound):
    manager = make.who("manager")
    with unit_of_work():
        contract = ending(20)
        old = contract.ends_on
    sweep()
    with unit_of_work():
        workflow.adjust(contract, by=manager, starts_on=contract.starts_on, ends_on=old + timedelta(days=90), reason="送三个月")
    assert letters(contract) == [("contract.notice", str(old), "withdrawn")] and notices.why(contract).what == "not_yet"
    sweep(90)
    assert ("contract.notice", str(old + timedelta(days=90)), "queued") in letters(contract)


def test_the_same_end_again_posts_no_second_letter_but_one_that_was_withdrawn_is_written_after_all(app, sound):
    manager = make.who("manager")
    with unit_of_work():
        contract = ending(20)
        end = contract.ends_on
    sweep()
    with pytest.raises(Invalid), unit_of_work():
        workflow.adjust(contract, by=manager, starts_on=contract.starts_on, ends_on=end, reason="再存一次")
    with unit_of_work():
        workflow.adjust(contract, by=manager, starts_on=contract.starts_on + DAY, ends_on=end, reason="晚一天开始")
    assert letters(contract) == [("contract.notice", str(end), "queued")] and "contract.notice" not in owed(contract)
    for days in (100, 20):
        with unit_of_work():
            workflow.adjust(contract, by=manager, starts_on=contract.starts_on, ends_on=clock.today() + timedelta(days=days), reason="来回改")
        sweep()
    assert [one[2] for one in letters(contract) if one[:2] == ("contract.notice", str(end))] == ["withdrawn", "queued"]
    assert notices.why(contract).what == "waiting"


def called(contract: Contract) -> str:
    """The callback on its notice, taken up; where it is."""
    duty = owed(contract)["call.expiry"]
    return calls.begin(duty, by=make.who("followup")).path


@pytest.mark.parametrize(("said", "why", "status"), [
    ("renews", "", 303), ("undecided", "", 303), ("leaves", "", 422), ("leaves", "改用别家软件", 303), ("", "", 422),
])  # fmt: skip
def test_the_call_on_the_notice_writes_down_what_the_customer_answers(app, browser, said, why, status):
    """5.5.2."""
    with unit_of_work():
        contract = ending(20)
    sweep()
    with unit_of_work():
        path = called(contract)
    page = browser("followup")
    assert "Will they renew?" in page.get(path).text and str(contract.ends_on) in page.get(path).text
    person = str(db.session.query(make.Contact).first().id)
    answer = page.send(f"{path}/result", contact=person, answer=said, answer_why=why, comment="再说")
    assert answer.status_code == status
    db.session.expire_all()
    if status == 303:
        assert contract.answer == said and contract.answer_why == why and "call.expiry" not in owed(contract)
        reminds = {rule for rule in owed(contract) if rule.startswith("contract.remind")}
        assert bool(reminds) == (said == "undecided"), "who has decided is reminded no more"
    else:
        assert contract.answer == "" and "再说" in answer.text


@pytest.mark.parametrize("who", ["specialist", "director", "followup"])
def test_only_a_manager_adjusts_a_period_and_says_why(app, who):
    with unit_of_work():
        contract = ending(100)
    with pytest.raises(Forbidden), unit_of_work():
        workflow.adjust(contract, by=make.who(who), starts_on=contract.starts_on, ends_on=contract.ends_on + DAY, reason="送一天")
    with pytest.raises(Invalid), unit_of_work():
        workflow.adjust(contract, by=make.who("manager"), starts_on=contract.starts_on, ends_on=contract.ends_on + DAY, reason="")


def test_a_period_that_is_over_when_it_comes_in_opens_nothing(app, sound):
    with unit_of_work():
        contract = ending(-1)
    assert owed(contract) == {} and notices.why(contract).what == "over"
    assert sweep() == 0


def test_two_drafts_of_one_renewal_at_once_make_one(served):
    with served.app_context(), unit_of_work():
        number = ending(20).number

    def draft(_i: int) -> bool:
        with served.app_context():
            try:
                with unit_of_work():
                    renewal(db.session.query(Contract).filter_by(number=number).one())
                return True
            except Refused:
                return False

    assert sum(together(4, draft)) == 1
    with served.app_context():
        assert db.session.query(Event).filter_by(kind="contract.drafted").count() == 1
