"""A change request from the customer's wish to their opinion of it (5.4), and what nobody may skip."""

from datetime import date

import pytest

from crm import clock
from crm.changes import board, queries, workflow
from crm.changes.models import Promise, State
from crm.db import db, unit_of_work
from crm.duties.models import Duty, Event, Notice
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.permissions import Role
from crm.staff import workflow as staff
from crm.sweep import breach_overdue
from tests import make
from tests.changes.people import DAY, developer, later, manager, me
from tests.seen import kinds, owed

pytestmark = pytest.mark.usefixtures("sound")
def test_from_the_wish_to_the_opinion(app):
    with unit_of_work():
        change = make.change()
    assert change.number.startswith("G") and set(owed(change)) == {"change.agree"}
    with unit_of_work():
        workflow.submit(change, by=me(), agreed="按部门汇总", files=[make.form_scan(me())])
    assert set(owed(change)) == {"change.decide", "paper.change_request"} and owed(change)["change.decide"].pool == "manager"
    day = clock.today() + 7 * DAY
    with unit_of_work():
        workflow.approve(change, by=manager(), opinion="改报表取数，不动凭证", expected_on=day)
    assert set(owed(change)) == {"change.tell", "change.take", "change.promise", "paper.change_request"}
    assert owed(change)["change.promise"].due_at == clock.end_of(day) and change.approved_sha256 == workflow.text_of(change)
    with unit_of_work():
        workflow.tell(change, by=me(), words="电话告诉王会计，下周一可用")
        workflow.take(change, by=developer())
    assert owed(change)["change.deliver"].owner_id == developer().id and "change.take" not in owed(change)
    with unit_of_work():
        workflow.deliver(change, by=developer(), changed="取数按部门", how_to_test="打开部门费用表，选十月")
    assert "change.deliver" not in owed(change) and owed(change)["change.test"].owner_id == me().id
    with unit_of_work():
        workflow.fail(change, by=me(), words="十月对，九月不对")
    assert change.state == State.BUILDING and "change.mend" in owed(change) and change.tests == 1
    assert db.session.query(Notice).join(Event).filter(Event.kind == "change.failed").one().user_id == developer().id
    with unit_of_work():
        workflow.deliver(change, by=developer(), changed="补上九月", how_to_test="选九月")
        workflow.passes(change, by=me())
        workflow.update(change, by=me(), updated_on=clock.today(), words="远程更新")
    assert set(owed(change)) == {"change.close", "paper.change_request"} and change.tests == 2
    with unit_of_work():
        workflow.close(change, by=me(), said="好用", mark=5)
    assert change.state == State.CLOSED and set(owed(change)) == {"paper.change_request"}, "the paper goes to the archive all the same"


def test_a_program_change_is_submitted_with_the_customers_form_and_what_was_agreed_and_a_bug_needs_none(app):
    with unit_of_work():
        change, bug, scan = make.change(), make.change(category="bug"), make.form_scan(me())
    for agreed, files in (("按部门", []), ("", [scan])):
        with pytest.raises(Invalid), unit_of_work():
            workflow.submit(change, by=me(), agreed=agreed, files=files)
    assert change.state == State.DRAFT
    with unit_of_work():
        workflow.submit(bug, by=me(), agreed="重现后修正")
    assert bug.state == State.SUBMITTED and "paper.change_request" not in owed(bug)


def test_whoever_asks_never_approves_and_whoever_builds_never_tests_whatever_they_hold(app):
    with unit_of_work():
        for who in (me(), developer()):
            staff.edit_user(who, by=make.who("admin"), roles=list(Role), active=True)
        change = make.change(upto="submitted")
    with pytest.raises(Forbidden), unit_of_work():
        workflow.approve(change, by=me(), opinion="行", expected_on=clock.today())
    with unit_of_work():
        workflow.approve(change, by=manager(), opinion="行", expected_on=clock.today())
    with pytest.raises(Forbidden), unit_of_work():
        workflow.take(change, by=me())
    with unit_of_work():
        workflow.take(change, by=developer())
        workflow.deliver(change, by=developer(), changed="改了", how_to_test="看看")
    for verb in (workflow.passes, workflow.fail):
        with pytest.raises(Forbidden), unit_of_work():
            verb(change, by=developer(), words="我自己测过")
    with pytest.raises(Refused, match="builds it"), unit_of_work():
        workflow.assign(change, by=manager(), to=developer(), reason="换人")


@pytest.mark.parametrize("upto", ["approved", "building", "testing"])
def test_another_text_after_the_approval_voids_it(app, upto):
    with unit_of_work():
        change = make.change(upto=upto)
        same = {"category": change.category, "title": change.title, "requirement": change.requirement, "agreed": change.agreed}
        workflow.change_request(change, by=me(), installation=None, **same)
    assert change.state == upto and change.approved_sha256, "the same text is the one that was approved"
    with unit_of_work():
        workflow.change_request(change, by=me(), installation=None, **same | {"agreed": "再加一张表"})
    assert (change.state, change.approved_sha256, change.concerned_id) == (State.DRAFT, None, None)
    assert set(owed(change)) == {"change.agree", "paper.change_request", "change.promise"} and kinds(change)[-1] == "change.voided"
    assert db.session.query(Promise).count() == 1, "what was promised stays on record"


def test_what_was_submitted_and_is_changed_is_submitted_anew(app):
    with unit_of_work():
        change = make.change(upto="submitted")
        workflow.change_request(change, by=me(), installation=None, category="program_change", title="改报表", requirement="按部门", agreed="另一样")
    assert change.state == State.DRAFT and "change.decide" not in owed(change)


def test_rejected_the_customer_is_told_why(app):
    with unit_of_work():
        change = make.change(upto="submitted")
        workflow.reject(change, by=manager(), reason="标准功能里已有")
    assert set(owed(change)) == {"change.tell", "paper.change_request"} and change.state == State.REJECTED
    with unit_of_work():
        workflow.tell(change, by=me(), words="告诉王会计用现成的")
    assert "change.tell" not in owed(change)


def test_a_date_moved_before_it_passes_with_the_customer_told_keeps_the_promise(app):
    with unit_of_work():
        change = make.change(upto="building")
        first = change.expected_on
        for wrong in ({"reason": ""}, {"told": ""}, {"expected_on": first}, {"expected_on": clock.today() - DAY}):
            with pytest.raises(Invalid):
                workflow.postpone(change, by=manager(), **{"expected_on": first + DAY, "reason": "接口没到", "told": "电话说过", **wrong})
        workflow.postpone(change, by=manager(), expected_on=first + 7 * DAY, reason="接口没到", told="电话告诉王会计")
    promises = db.session.query(Duty).filter_by(subject_id=change.id, rule="change.promise").order_by(Duty.id).all()
    assert [(one.open, one.breached_by_id) for one in promises] == [(False, None), (True, None)] and promises[0].kept_by_id
    assert owed(change)["change.deliver"].due_at == clock.end_of(first + 7 * DAY)
    assert [one.day for one in db.session.query(Promise).order_by(Promise.id)] == [first, first + 7 * DAY]


def test_a_date_that_passed_untold_stays_missed_and_the_next_is_a_promise_of_its_own(app):
    with unit_of_work():
        change = make.change(upto="building")
        day = change.expected_on
    with later(10):
        breach_overdue(clock.now())
        assert owed(change)["change.promise"].breached_by_id
        with unit_of_work():
            workflow.postpone(change, by=manager(), expected_on=day + 20 * DAY, reason="人手不够", told="道歉并说明")
        promises = db.session.query(Duty).filter_by(subject_id=change.id, rule="change.promise").order_by(Duty.id).all()
        assert promises[0].breached_by_id and promises[0].kept_by_id and promises[1].open and not promises[1].breached_by_id


def test_a_director_decides_in_the_managers_place_and_says_why(app):
    with unit_of_work():
        change = make.change(upto="submitted")
    with pytest.raises(Invalid) as refused, unit_of_work():
        workflow.approve(change, by=make.who("director"), opinion="行", expected_on=clock.today())
    assert "standing_in" in refused.value.fields
    with unit_of_work():
        workflow.approve(change, by=make.who("director"), opinion="行", expected_on=clock.today(), standing_in="经理出差")
    assert change.state == State.APPROVED


@pytest.mark.parametrize(("verb", "how"), [
    ("tell", {"words": "说了"}), ("take", {}), ("deliver", {"changed": "a", "how_to_test": "b"}), ("passes", {}), ("fail", {"words": "x"}),
    ("update", {"updated_on": date(2026, 11, 23)}), ("close", {"said": "好", "mark": 5}),
])  # fmt: skip
def test_nothing_is_skipped(app, verb, how):
    with unit_of_work():
        change = make.change(upto="submitted")
    who = developer() if verb in ("take", "deliver") else me()
    with pytest.raises((WrongState, Forbidden)), unit_of_work():
        getattr(workflow, verb)(change, by=who, **how)
    assert change.state == State.SUBMITTED


def test_the_time_in_each_step_is_added_up_whenever_it_came_back(app):
    with unit_of_work():
        change = make.change(upto="submitted")
    with later(2), unit_of_work():
        workflow.approve(change, by=manager(), opinion="行", expected_on=clock.today() + 30 * DAY)
        workflow.take(change, by=developer())
    with later(5), unit_of_work():
        workflow.deliver(change, by=developer(), changed="改了", how_to_test="看看")
    with later(6), unit_of_work():
        workflow.fail(change, by=me(), words="不对")
    with later(9):
        found = {one.state: round(one.seconds / 86400) for one in board.stays(queries.get(change.number, me()))}
    assert found == {State.SUBMITTED: 2, State.BUILDING: 6, State.TESTING: 1}, "and in no step twice"
