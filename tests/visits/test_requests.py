"""A visit request (5.3): filed before leaving, decided by somebody else, void once it is changed."""

from datetime import timedelta

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.duties import workflow as duties
from crm.duties.models import Duty, Event, Notice
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.permissions import Role
from crm.staff import workflow as staff
from crm.tickets import workflow as tickets
from crm.tickets.needs import Incomplete
from crm.visits import queries, workflow
from crm.visits.models import State, Visit
from crm.visits.moves import MOVES
from tests import make
from tests.seen import kinds, owed

VERBS = {
    "approve": ("manager", "director"), "reject": ("manager", "director"), "depart": ("specialist",),
    "arrive": ("specialist",), "return": ("specialist",), "write_up": ("specialist",), "cancel": ("specialist", "manager", "director"),
    "assign": ("manager", "director"),
}  # fmt: skip


def facts(visit: Visit, **changes) -> dict:
    """What a request says, to be said again with something else."""
    names = ("category", "title", "department", "place", "asked_at", "arrive_at", "ends_at", "description", "cost_fen",
             "departments")  # fmt: skip
    same = {name: getattr(visit, name) for name in names}
    return {**same, "contact": db.session.get(make.Contact, visit.contact_id), **changes}


@pytest.mark.parametrize("role", make.CAST)
def test_the_table_gives_each_verb_to_those_who_are_to_have_it(app, role):
    with unit_of_work():
        visit = make.visit()
    for verb, whose in VERBS.items():
        assert MOVES[verb].may(make.who(role), visit) == (role in whose), verb


def test_another_specialist_neither_leaves_for_me_nor_changes_my_request(app):
    with unit_of_work():
        visit = make.visit()
        workflow.approve(visit, by=make.who("manager"))
        for act in (workflow.depart, lambda v, by: workflow.change(v, by=by, **facts(v, title="别的"))):
            with pytest.raises(Forbidden):
                act(visit, by=make.who("specialist2"))


def test_the_manager_cancels_for_one_who_is_ill_who_is_told_of_it(app):
    with unit_of_work():
        visit = make.visit()
        workflow.approve(visit, by=make.who("manager"))
        workflow.cancel(visit, by=make.who("manager"), reason="张伟病了")
    assert visit.state == State.CANCELLED and not owed(visit)
    told = db.session.query(Event.kind).join(Notice, Notice.event_id == Event.id).filter(Notice.user_id == visit.owner_id)
    assert ("visit.cancelled",) in told.all()


def test_another_goes_on_where_one_cannot_and_owes_what_is_owed(app, sound):
    manager, other = make.who("manager"), make.who("specialist2")
    with unit_of_work():
        visit = make.visit(make.served_customer())
        workflow.approve(visit, by=manager)
        for step in (workflow.depart, workflow.arrive):
            step(visit, by=make.who("specialist"))
        with pytest.raises(Invalid):
            workflow.assign(visit, by=manager, to=make.who("followup"), reason="病了")
        workflow.assign(visit, by=manager, to=other, reason="病了")
    assert (visit.state, visit.owner_id) == (State.ARRIVED, other.id)
    assert {duty.owner_id for duty in owed(visit).values()} == {other.id}
    assert visit.servers == {other.id, make.who("specialist").id}, "both were there (5.5.1)"
    with unit_of_work():
        workflow.come_back(visit, by=other)
    assert owed(visit)["visit.hand_in"].owner_id == other.id


def test_who_decides_gives_no_visit_to_themselves(app):
    both = make.who("specialist")
    with unit_of_work():
        visit = make.visit(by=make.who("specialist2"))
        staff.edit_user(both, by=make.who("admin"), roles=["specialist", "manager"], active=True)
    db.session.refresh(both)
    with unit_of_work(), pytest.raises(Invalid):
        workflow.assign(visit, by=both, to=both, reason="我去")


def test_what_is_over_is_not_approved(app, frozen):
    with unit_of_work():
        visit = make.visit()
    with clock.frozen(visit.ends_at + timedelta(minutes=1)), unit_of_work():
        with pytest.raises(Refused):
            workflow.approve(visit, by=make.who("manager"))
        workflow.reject(visit, by=make.who("manager"), reason="时间过了")


def test_whoever_asked_neither_takes_the_decision_on_nor_holds_its_clock(app):
    both = make.who("specialist")
    with unit_of_work():
        staff.edit_user(both, by=make.who("admin"), roles=["specialist", "manager"], active=True)
    db.session.refresh(both)
    with unit_of_work():
        visit = make.visit(by=both)
        duty = owed(visit)["visit.decide"]
        with pytest.raises(Forbidden):
            duties.claim(duty, by=both)
        assert not duties.may_ask(duty, both) and duties.may_ask(duty, make.who("manager"))


def test_nobody_leaves_on_a_request_that_is_not_approved(app):
    with unit_of_work():
        visit = make.visit()
        for decide in (lambda: None, lambda: workflow.reject(visit, by=make.who("manager"), reason="先远程")):
            decide()
            with pytest.raises(WrongState):
                workflow.depart(visit, by=make.who("specialist"))
    assert "visit.departed" not in kinds(visit)


def test_a_change_after_the_approval_voids_it(app):
    with unit_of_work():
        visit = make.visit()
        workflow.approve(visit, by=make.who("manager"))
        assert set(owed(visit)) == {"visit.back", "paper.visit_request"}
        workflow.change(visit, by=make.who("specialist"), **facts(visit, title="改成年结"))
    assert visit.state == State.REQUESTED
    assert kinds(visit) == ["visit.requested", "visit.approved", "visit.voided", "visit.requested"]
    assert set(owed(visit)) == {"visit.decide"}
    with unit_of_work(), pytest.raises(WrongState):
        workflow.depart(visit, by=make.who("specialist"))


def test_saving_a_request_as_it_was_keeps_its_approval(app):
    with unit_of_work():
        visit = make.visit()
        workflow.approve(visit, by=make.who("manager"))
        workflow.change(visit, by=make.who("specialist"), **facts(visit))
    assert visit.state == State.APPROVED


def test_a_rejected_request_is_changed_and_decided_anew(app):
    with unit_of_work():
        visit = make.visit()
        workflow.reject(visit, by=make.who("manager"), reason="时间太紧")
        workflow.change(visit, by=make.who("specialist"), **facts(visit, ends_at=visit.ends_at + timedelta(hours=2)))
        workflow.approve(visit, by=make.who("manager"))
    assert visit.state == State.APPROVED


def test_nobody_approves_their_own_whatever_they_have_become(app):
    me = make.who("specialist")
    with unit_of_work():
        visit = make.visit(by=me)
        staff.edit_user(me, by=make.who("admin"), roles=[Role.SPECIALIST, Role.MANAGER, Role.DIRECTOR], active=True)
    db.session.refresh(me)
    for decide in (workflow.approve, lambda v, by: workflow.reject(v, by=by, reason="x")):
        with unit_of_work(), pytest.raises(Forbidden):
            decide(visit, by=me)
    assert kinds(visit) == ["visit.requested"]


def test_the_director_decides_in_the_managers_place_and_says_why(app):
    director = make.who("director")
    with unit_of_work():
        visit = make.visit()
    with pytest.raises(Invalid) as refused, unit_of_work():
        workflow.approve(visit, by=director)
    assert set(refused.value.fields) == {"standing_in"}
    with unit_of_work():
        workflow.approve(visit, by=director, standing_in="经理出差到周五")
    approved = db.session.query(Event).filter_by(subject_id=visit.id, kind="visit.approved").one()
    assert approved.facts == {"standing_in": "经理出差到周五"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"arrive_at": make.MONDAY - timedelta(minutes=1)}, "arrive_at"),
        ({"arrive_at": make.MONDAY + timedelta(hours=9), "ends_at": make.MONDAY + timedelta(hours=9)}, "ends_at"),
        ({"category": "trip", "place": ""}, "place"),
        ({"contact": None}, "contact"),
        ({"department": ""}, "department"),
    ],
)
def test_a_request_that_cannot_be_is_refused_with_its_field_named(app, changes, field):
    with unit_of_work():
        visit = make.visit()
        with pytest.raises(Invalid) as refused:
            workflow.change(visit, by=make.who("specialist"), **facts(visit, **changes))
    assert field in refused.value.fields


def test_a_customer_outside_the_service_period_is_visited_only_with_a_reason(app):
    with unit_of_work():
        unit = make.customer("老单位")
        make.contact(unit)
        with pytest.raises(Invalid) as refused:
            make.visit(unit)
        assert set(refused.value.fields) == {"uncovered_reason"}
        assert make.visit(unit, uncovered_reason="续签在谈").uncovered_reason == "续签在谈"


def test_the_manager_owes_a_decision_and_an_approved_visit_is_owed_back(app):
    with unit_of_work():
        visit = make.visit(starts_in=24)  # Tuesday 09:00 to 13:00
        decision = owed(visit)["visit.decide"]
        assert (decision.pool, decision.due_at) == ("manager", clock.parse("2026-11-23T14:00"))
        workflow.approve(visit, by=make.who("manager"))
    back = owed(visit)["visit.back"]
    assert (back.owner_id, back.due_at) == (visit.owner_id, clock.parse("2026-11-25T18:00"))


def test_the_times_of_the_way_are_taken_one_tap_each(app):
    me = make.who("specialist")
    with unit_of_work():
        visit = make.visit()
        workflow.approve(visit, by=make.who("manager"))
        workflow.depart(visit, by=me)
        workflow.arrive(visit, by=me)
        workflow.come_back(visit, by=me)
    assert visit.state == State.BACK
    assert visit.departed_at == visit.arrived_at == visit.returned_at == clock.now()
    assert owed(visit) == {} or "visit.back" not in owed(visit)


def test_the_visit_is_written_up_from_what_is_known(app):
    with unit_of_work():
        visit = make.visit()
        came_back(visit)
        due = owed(visit)["visit.write_up"]
        assert (due.due_at, due.fine_clause, due.fine_fen) == (clock.parse("2026-11-24T18:00"), "7.4", 3000)
        ticket = make.written_up(visit)
    assert (visit.state, ticket.state, ticket.channel, ticket.origin_id) == ("written_up", "complete", "visit", visit.id)
    assert (ticket.contact_id, ticket.department, ticket.asked_at) == (visit.contact_id, "财务部", visit.asked_at)
    assert "visit.write_up" not in owed(visit)
    fined = db.session.query(Duty.fine_clause).filter_by(subject_id=ticket.id, rule="ticket.complete").all()
    assert set(fined) <= {(None,)}  # 7.4 or 7.5, never both


def test_a_write_up_that_lacks_something_leaves_the_visit_as_it_was(app):
    with unit_of_work():
        visit = make.visit()
        came_back(visit)
    with pytest.raises(Incomplete), unit_of_work():
        workflow.write_up(visit, by=make.who("specialist"), category="bug", title="x", description="", fields={})
    assert visit.state == State.BACK
    assert "visit.written_up" not in kinds(visit)


def came_back(visit: Visit) -> None:
    workflow.approve(visit, by=make.who("manager"))
    for step in (workflow.depart, workflow.arrive, workflow.come_back):
        step(visit, by=make.who("specialist"))


def test_a_remote_service_cannot_be_called_a_visit(app, browser):
    """7.4 costs less than 7.5: which of them holds is nobody's choice."""
    with unit_of_work():
        path = make.ticket().path
    page = browser("specialist")
    assert page.send(f"{path}/edit", page=f"{path}/edit", channel="visit").status_code == 422
    assert 'value="visit"' not in page.get("/tickets/new").text


def test_a_visits_record_stays_a_visits(app, browser):
    with unit_of_work():
        visit = make.visit()
        came_back(visit)
        ticket = make.written_up(visit)
        tickets.reopen(ticket, by=make.who("specialist"), reason="漏写一句")
    page, path = browser("specialist"), ticket.path
    assert page.send(f"{path}/edit", page=f"{path}/edit", channel="phone").status_code == 422
    assert page.send(f"{path}/edit", page=f"{path}/edit", title="补充").status_code == 303
    assert ticket.channel == "visit"


def test_a_request_is_sent_decided_and_made_in_the_browser(app, browser):
    with unit_of_work():
        make.served_customer()
    mine, managers = browser("specialist"), browser("manager")
    words = {"customer_q": "宏远机械", "arrive_at": "2026-11-24T09:00", "ends_at": "2026-11-24T12:00", "title": "月结时到场",
             "departments": "财务部：报表打不开\n仓库"}  # fmt: skip
    sent = mine.send("/visits/new", page="/visits/new", **words)
    path = sent.location
    assert sent.status_code == 303 and path.startswith("/visits/V2611-")
    assert mine.send(f"{path}/departure", page=path).status_code == 409
    assert managers.send(f"{path}/approval", page=path).status_code == 303
    for noun in ("departure", "arrival", "return"):
        assert mine.send(f"{path}/{noun}", page=path).status_code == 303, noun
    written = mine.send(f"{path}/record", page=path, category="inquiry", f_question="怎么结账", f_answer="先过账")
    assert written.status_code == 303
    visit = db.session.query(Visit).one()
    assert (visit.state, [one["name"] for one in visit.departments]) == (State.WRITTEN_UP, ["财务部", "仓库"])


def test_a_request_that_is_decided_too_late_says_so(app, browser):
    with unit_of_work():
        unit = make.served_customer()
        late, early = (make.visit(unit, starts_in=hours) for hours in (2, 240))
    assert queries.decided_by(late) > late.arrive_at
    assert queries.decided_by(early) < early.arrive_at


def test_the_manager_approves_with_one_tap_and_the_director_says_why(app, browser):
    with unit_of_work():
        visit = make.visit()
    assert "standing_in" in browser("director").get(visit.path).text
    page = browser("manager")
    assert "standing_in" not in page.get(visit.path).text
    assert page.send(f"{visit.path}/approval").status_code == 303
    assert "Approved; the specialist has been told." in page.get(visit.path).text
