"""What falls to a role is taken on by one person; what came of a subject keeps what is owed on it (5.5.1)."""

import uuid

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.duties import reading, workflow
from crm.duties.models import Duty, Event, Subject
from crm.errors import Forbidden, WrongState
from crm.permissions import Role
from crm.staff import workflow as staff
from crm.tickets import workflow as tickets
from tests import make
from tests.browsing import Browser, together

LINES = """
[duty."visit.told"]
clause = "5.5.1"
title = {zh = "把结果告知", en = "Tell the outcome"}
opens = ["visit.requested", "ticket.reopened"]
keeps = "ticket.completed"
drops = "ticket.escalated"
of = "ticket"
due = "1 working day"
owner = "pool:followup"
others = true
"""


def owed(rule: str) -> list[Duty]:
    db.session.rollback()
    return db.session.query(Duty).filter_by(rule=rule).order_by(Duty.id).all()


@pytest.fixture
def request_(app):
    with unit_of_work():
        workflow.issue_edition(reading.shipped() + LINES, clock.now())
        return make.visit()


def came_of(visit):
    with unit_of_work():
        ticket = make.filled(make.ticket(db.session.get(make.Customer, visit.customer_id)))
        ticket.origin_id = visit.id
    return ticket


def test_what_happens_to_what_came_of_it_keeps_and_opens_it(request_):
    ticket = came_of(request_)
    with unit_of_work():
        tickets.complete(ticket, by=make.who("specialist"))
    (duty,) = owed("visit.told")
    assert duty.subject_id == request_.id and duty.kept_by_id
    assert db.session.get(Event, duty.kept_by_id).subject_id == ticket.id
    with unit_of_work():
        tickets.reopen(ticket, by=make.who("specialist"), reason="还不行")
    assert [one.open for one in owed("visit.told")] == [False, True]


def test_and_drops_it(request_):
    ticket = came_of(request_)
    with unit_of_work():
        tickets.escalate(ticket, by=make.who("specialist"), story="客户不接受")
    (duty,) = owed("visit.told")
    assert duty.dropped_by_id and not duty.kept_by_id


def test_what_happens_to_it_opens_nothing_on_what_came_of_it(request_):
    ticket = came_of(request_)
    with unit_of_work():
        tickets.complete(ticket, by=make.who("specialist"))
        tickets.reopen(ticket, by=make.who("specialist"), reason="还不行")
    assert {one.subject_id for one in owed("visit.told")} == {request_.id}


def test_what_came_of_something_else_leaves_it_alone(request_):
    with unit_of_work():
        ticket = make.filled(make.ticket(db.session.get(make.Customer, request_.customer_id)))
        tickets.complete(ticket, by=make.who("specialist"))
    assert owed("visit.told")[0].open


def test_what_was_missed_before_is_kept_late(request_):
    ticket = came_of(request_)
    late = clock.parse("2026-11-26T09:00")
    with clock.frozen(late), unit_of_work():
        tickets.complete(ticket, by=make.who("specialist"))
    (duty,) = owed("visit.told")
    assert duty.kept_by_id and duty.breached_by_id and duty.breached_owner_id is None


def test_one_takes_it_on_and_may_give_it_back(request_):
    (duty,) = owed("visit.told")
    me = make.who("followup")
    with unit_of_work():
        workflow.claim(duty, by=me)
    assert owed("visit.told")[0].owner_id == me.id
    with unit_of_work(), pytest.raises(WrongState):
        workflow.claim(db.session.get(Duty, duty.id), by=me)
    with unit_of_work():
        workflow.release(db.session.get(Duty, duty.id), by=me)
    assert owed("visit.told")[0].owner_id is None
    kinds = [kind for (kind,) in db.session.query(Event.kind).filter_by(subject_id=request_.id)]
    assert kinds == ["visit.requested", "duty.claimed", "duty.released"]


@pytest.mark.parametrize(("roles", "active"), [([Role.SPECIALIST], True), ([Role.FOLLOWUP], False)])
def test_what_one_took_on_falls_to_the_role_again_when_one_leaves_it(request_, roles, active):
    with unit_of_work():
        workflow.claim(owed("visit.told")[0], by=make.who("followup"))
    with unit_of_work():
        staff.edit_user(make.who("followup"), by=make.who("admin"), roles=roles, active=active)
    (duty,) = owed("visit.told")
    assert duty.open and (duty.owner_id, duty.pool) == (None, "followup")


def test_whoever_has_another_role_or_served_there_does_not(request_):
    (duty,) = owed("visit.told")
    with unit_of_work(), pytest.raises(WrongState):
        workflow.claim(duty, by=make.who("archivist"))
    both = make.who("specialist")
    with unit_of_work():
        staff.edit_user(both, by=make.who("admin"), roles=[Role.SPECIALIST, Role.FOLLOWUP], active=True)
    db.session.refresh(both)
    with unit_of_work(), pytest.raises(Forbidden):
        workflow.claim(db.session.get(Duty, duty.id), by=both)
    assert not workflow.may_claim(db.session.get(Duty, duty.id), both), "and is not offered it"
    assert db.session.get(Subject, request_.id).servers == {both.id}


def test_of_two_who_press_at_once_one_has_it(app, request_):
    (duty,) = owed("visit.told")
    with unit_of_work():
        staff.edit_user(make.who("director"), by=make.who("admin"), roles=[Role.FOLLOWUP], active=True)
    pages = [Browser(app, login) for login in ("followup", "director")]
    sent = [{"csrf_token": page.token("/account"), "request_id": uuid.uuid4().hex} for page in pages]
    path = f"/duties/{duty.id}/claim"
    answers = together(2, lambda i: pages[i].post(path, sent[i]).status_code)
    assert sorted(answers) == [303, 409]
    db.session.rollback()
    assert db.session.query(Event).filter_by(kind="duty.claimed").count() == 1


def test_the_one_who_pressed_is_led_back_to_the_desk_and_nowhere_else(app, request_):
    (duty,) = owed("visit.told")
    page = Browser(app, "followup")
    token = page.token("/account")
    there = page.post(f"/duties/{duty.id}/claim", {"csrf_token": token, "request_id": uuid.uuid4().hex, "back": "/callbacks"})
    assert there.headers["Location"] == "/callbacks"
    there = page.post(f"/duties/{duty.id}/release", {"csrf_token": token, "request_id": uuid.uuid4().hex, "back": "https://evil.example"})
    assert there.headers["Location"] == "/"
