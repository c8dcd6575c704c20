"""A customer's opinion from its taking in to the call on its outcome, and a complaint's investigation (4.manager.3, 7.1, 7.2)."""

from datetime import date, timedelta

import pytest

from crm import clock
from crm.callbacks import workflow as calls
from crm.customers.models import Contact
from crm.db import db, unit_of_work
from crm.duties.models import Notice
from crm.errors import Forbidden, Invalid, Refused
from crm.opinions import workflow
from crm.opinions.models import Opinion, State
from tests import make
from tests.seen import owed

pytestmark = pytest.mark.usefixtures("sound")


def test_a_suggestion_is_answered_by_whoever_took_it_in_and_then_called_about(app):
    me = make.who("followup")
    with unit_of_work():
        row = make.opinion(by=me)
    assert (row.state, row.owner_id) == (State.TO_ANSWER, me.id)
    answer = owed(row)["opinion.answer"]
    assert (answer.owner_id, clock.local(answer.due_at)) == (me.id, clock.local(clock.parse("2026-11-26T18:00")))
    with unit_of_work():
        workflow.answer(row, by=me, answer="以后两小时内回电")
    assert owed(row).keys() == {"call.opinion"} and owed(row)["call.opinion"].pool == "followup"
    assert owed(row)["call.opinion"].clause == "4.followup.2"


def test_a_call_that_reaches_the_customer_settles_it(app):
    me = make.who("followup")
    with unit_of_work():
        row = make.opinion()
        workflow.answer(row, by=me, answer="已安排")
        spoken = calls.begin(owed(row)["call.opinion"], by=me)
        contact = db.session.query(Contact).filter_by(customer_id=row.customer_id).first()
        calls.reach(spoken, by=me, contact=contact, department="财务部", comment="满意")
    assert not owed(row)


def test_a_complaint_waits_for_whoever_leads_and_has_deadlines(app):
    with unit_of_work():
        row = make.complaint()
    assert (row.state, row.owner_id) == (State.TO_INVESTIGATE, None)
    assert owed(row)["opinion.investigate"].pool == "manager"
    with unit_of_work():
        workflow.investigate(row, by=make.who("manager"))
    assert owed(row).keys() == {"opinion.decide"}
    decide = owed(row)["opinion.decide"]
    assert (decide.owner_id, clock.local(decide.due_at).date()) == (make.who("manager").id, date(2026, 11, 30))


def test_nobody_investigates_decides_or_answers_what_is_said_of_themselves(app):
    manager = make.who("manager")
    with unit_of_work():
        row = make.complaint(against=manager)
    for act in (lambda: workflow.investigate(row, by=manager), lambda: workflow.withdraw(row, by=manager, reason="不提了")):
        with pytest.raises(Forbidden), unit_of_work():
            act()
    with unit_of_work():
        workflow.investigate(row, by=make.who("director"))
        workflow.hear(row, by=make.who("director"), words="我没有")
    with pytest.raises(Refused), unit_of_work():
        workflow.assign(row, by=make.who("director"), to=manager, reason="太忙")
    with pytest.raises(Forbidden), unit_of_work():
        workflow.confirm(row, by=manager, findings="没有")


def test_only_its_investigator_decides_and_only_after_those_concerned_were_heard(app):
    with unit_of_work():
        row = make.complaint(upto="investigating")
    with pytest.raises(Refused), unit_of_work():
        workflow.confirm(row, by=make.who("manager"), findings="属实")
    with pytest.raises(Forbidden), unit_of_work():
        workflow.hear(row, by=make.who("director"), words="他说")
    with unit_of_work():
        workflow.hear(row, by=make.who("manager"), words="他说线路不好")
        workflow.dismiss(row, by=make.who("manager"), findings="录音里没有")
    assert (row.state, row.confirmed_at, row.follows) == (State.DISMISSED, None, [])
    assert owed(row).keys() == {"opinion.answer"}


def confirmed(**details) -> Opinion:
    with unit_of_work():
        return make.complaint(upto="founded", **details)


def test_the_first_about_attitude_is_fined_and_any_later_one_recommends_dismissal(app):
    assert confirmed(about="quality").follows == []
    assert confirmed().follows == ["7.1.first"]
    with clock.frozen(clock.now() + timedelta(days=400)):
        later = confirmed()
        assert later.follows == ["7.1.later"]
    assert confirmed(against=make.who("specialist2")).follows == ["7.1.first"], "another's are another's"


def test_three_of_any_kind_within_half_a_year_recommend_demotion(app):
    today = clock.today()
    confirmed(about="quality", said_on=today - timedelta(days=100))
    confirmed(about="delay", said_on=today - timedelta(days=190))
    assert confirmed(about="quality", said_on=today - timedelta(days=50)).follows == ["7.2"]
    dismissed = [one.follows for one in db.session.query(Opinion).order_by(Opinion.id)]
    assert dismissed[:2] == [[], []]


def test_what_was_not_confirmed_or_is_decided_anew_does_not_count(app):
    with unit_of_work():
        first = make.complaint(upto="founded")
        workflow.review(first, by=make.who("director"), reason="还有录音")
    assert (first.state, first.follows, first.confirmed_at) == (State.HEARD, [], None)
    assert "opinion.decide" in owed(first)
    assert confirmed().follows == ["7.1.first"]


def test_what_rested_on_a_complaint_that_is_decided_anew_is_worked_out_anew(app):
    director = make.who("director")
    first, second, third = confirmed(about="quality"), confirmed(), confirmed()
    assert [one.follows for one in (first, second, third)] == [[], ["7.1.first"], ["7.1.later", "7.2"]]
    before = third.version
    with unit_of_work():
        workflow.review(second, by=director, reason="有录音")
    assert (second.follows, third.follows) == ([], ["7.1.first"])
    assert third.version == before + 1, "whoever still has the old page open is told of it"
    with unit_of_work():
        workflow.confirm(second, by=make.who("manager"), findings="还是属实")
    assert (second.follows, third.follows) == (["7.1.later", "7.2"], ["7.1.first"]), "confirmed last, it is the later one now"
    with unit_of_work():
        workflow.review(first, by=director, reason="弄错了人")
    assert second.follows == ["7.1.later"], "on another ground"


def test_several_are_heard_one_after_the_other(app):
    with unit_of_work():
        row = make.complaint(upto="heard")
        workflow.hear(row, by=make.who("manager"), words="在场的会计说没听清")
    assert row.heard == "当时线路不好\n\n在场的会计说没听清"


def test_whom_it_is_about_is_told_once_heard(app):
    person = make.who("specialist")
    with unit_of_work():
        row = make.complaint(upto="investigating")
    told = db.session.query(Notice).filter_by(user_id=person.id)
    assert told.count() == 0
    with unit_of_work():
        workflow.hear(row, by=make.who("manager"), words="他说")
    assert told.count() == 1


def test_an_answer_taken_up_again_drops_the_call_and_owes_another_answer(app):
    with unit_of_work():
        row = make.complaint(upto="answered")
        workflow.reopen(row, by=make.who("manager"), reason="客户不满意")
    assert owed(row).keys() == {"opinion.answer"}


@pytest.mark.parametrize(("wrong", "field"), [
    ({"said": "  "}, "said"), ({"said_on": date(2026, 11, 24)}, "said_on"), ({"category": "complaint"}, "about"),
])  # fmt: skip
def test_what_is_missing_or_impossible_is_said(app, wrong, field):
    with pytest.raises(Invalid) as refused, unit_of_work():
        make.opinion(**wrong)
    assert field in refused.value.fields


def test_what_follows_by_todays_rulebook_is_data(app):
    from crm.duties import editions

    assert editions.todays().settings["complaints_many"] == 3 and editions.todays().penalties["7.1.first"].fen == 20000
