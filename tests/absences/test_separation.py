"""A stand-in never approves what they took over, nor what the absent person asked for, whatever roles they hold (2, ours.approval)."""

from datetime import timedelta

import pytest

from crm import clock
from crm.absences import workflow
from crm.callbacks import workflow as calls
from crm.changes import workflow as changes
from crm.db import db, unit_of_work
from crm.duties import workflow as owing
from crm.duties.models import Duty
from crm.errors import Forbidden
from crm.opinions import workflow as opinions
from crm.staff import workflow as staff
from crm.visits import workflow as visits
from tests import make

pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture
def both(app):
    """Somebody who decides on visits and changes, and works on them too."""
    with unit_of_work():
        return staff.add_user("both", "两用", ["specialist", "manager"], "!")


def decide(visit) -> Duty:
    return db.session.query(Duty).filter_by(subject_id=visit.id, rule="visit.decide").one()


def test_what_the_absent_person_asked_for_the_stand_in_does_not_decide(app, both):
    with unit_of_work():
        visit = make.visit()  # nothing of it is theirs to do yet, so it stays theirs
        row = make.absence(to=both, upto="away")
    assert visit.owner_id == make.who("specialist").id and both.id not in visit.askers
    assert not visit.MOVES["approve"].may(both, visit) and not owing.may_claim(decide(visit), both)
    for act in (visits.approve, lambda v, by: visits.reject(v, by=by, reason="不去")):
        with pytest.raises(Forbidden), unit_of_work():
            act(visit, by=both)
    with pytest.raises(Forbidden), unit_of_work():
        owing.claim(decide(visit), by=both)
    with unit_of_work():
        workflow.come_back(row, by=make.who("specialist"))
        visits.approve(visit, by=both)


def test_before_they_accept_and_for_others_they_decide_as_ever(app, both):
    with unit_of_work():
        visit, others = make.visit(), make.visit(make.served_customer("别家"), by=make.who("specialist2"))
        row = make.absence(to=both, upto="approved", starts_in=0, unforeseen=True)
    assert visit.MOVES["approve"].may(both, visit)
    with unit_of_work():
        workflow.accept(row, by=both)
    assert not visit.MOVES["approve"].may(both, visit) and visit.MOVES["approve"].may(make.who("manager"), visit)
    with unit_of_work():
        visits.approve(others, by=both)


def test_what_they_took_over_they_never_approve_even_after_it_went_back(app, both):
    with unit_of_work():
        change = make.change()
        row = make.absence(to=both, upto="away")
    assert change.owner_id == both.id
    with unit_of_work():
        workflow.come_back(row, by=make.who("specialist"))
        workflow.give_back(row, by=both)
    assert change.owner_id == make.who("specialist").id and both.id not in change.askers
    with unit_of_work():
        changes.submit(change, by=make.who("specialist"), agreed="只改取数", files=[make.form_scan(make.who("specialist"))])
    with pytest.raises(Forbidden), unit_of_work():
        changes.approve(change, by=both, opinion="可以", expected_on=clock.today() + timedelta(days=9))
    with unit_of_work():
        changes.approve(change, by=make.who("manager"), opinion="可以", expected_on=clock.today() + timedelta(days=9))


def test_a_visit_that_went_over_is_not_approved_by_who_has_it_now(app, both):
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
        make.absence(to=both, upto="away")
        visits.change(visit, by=both, contact=db.session.query(make.Contact).first(), category="visit", title="换个时间", department="财务部",
                      place="", asked_at=visit.asked_at, arrive_at=visit.arrive_at, ends_at=visit.ends_at + timedelta(hours=1),
                      description="", departments=visit.departments, cost_fen=None)  # fmt: skip
    assert visit.owner_id == both.id and visit.state == "requested"
    with pytest.raises(Forbidden), unit_of_work():
        visits.approve(visit, by=both)


def test_more_time_the_absent_person_asked_for_others_decide_on(app, both):
    me = make.who("specialist")
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
        paper = make.paper(visit, by=me)  # in their hands: it stays theirs
        owed = db.session.query(Duty).filter_by(subject_id=visit.id, rule="paper.visit_request").one()
        asked = owing.ask_more_time(owed, by=me, reason="休假", wanted=owed.due_at + timedelta(days=5))
        make.absence(to=both, upto="away")
    assert paper.owner_id == owed.owner_id == me.id
    with pytest.raises(Forbidden), unit_of_work():
        owing.decide_more_time(asked, by=both, granted=True)
    with unit_of_work():
        owing.decide_more_time(asked, by=make.who("manager"), granted=True)


def test_the_absent_persons_next_leave_is_not_theirs_to_approve(app, both):
    with unit_of_work():
        make.absence(to=both, upto="away")
        second = make.absence(to=make.who("specialist2"), starts_in=9)
    with pytest.raises(Forbidden), unit_of_work():
        workflow.approve(second, by=both)


def test_whom_something_is_about_asked_for_nothing(app, both):
    """A manager who stands in for somebody still sees to what customers say of them."""
    with unit_of_work():
        make.absence(to=both, upto="away")
        doubted = make.begun_callback()
        person = db.session.query(make.Contact).filter_by(customer_id=doubted.customer_id).first()
        calls.reach(doubted, by=make.who("followup"), contact=person, attitude=5, skill=5, result=5, doubt="又不行了")
        calls.assign(doubted, by=both, to=make.who("specialist2"), category="inquiry")
        complaint = make.complaint()
        opinions.investigate(complaint, by=both)
    assert complaint.owner_id == both.id


def test_a_complaint_and_a_build_that_went_over_are_theirs_to_settle(app, both):
    """What is taken over is only barred to be approved: it is theirs to work on."""
    with unit_of_work():
        complaint = make.complaint(upto="heard", against=make.who("followup"))
        lead = make.absence(by=make.who("manager"), to=both, upto="away")
    assert complaint.owner_id == both.id and lead.state == "away"
    with unit_of_work():
        opinions.dismiss(complaint, by=both, findings="没有这回事")
    with unit_of_work():
        developer = make.other_developer()
        change = make.change(make.customer_of(complaint), upto="building")
        make.absence(by=make.who("developer"), to=developer, upto="away")
        changes.deliver(change, by=developer, changed="好了", how_to_test="试")
