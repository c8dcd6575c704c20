"""Paper forms (5.7): from the first hand to the archive, and what they owe on the way."""

import re
from datetime import timedelta

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.duties import reading
from crm.duties.models import Event, Notice
from crm.duties.rulebook import RulebookError
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.papers import queries, workflow
from crm.papers.models import Paper, State
from crm.papers.moves import MOVES
from crm.papers.workflow import Known
from crm.staff import workflow as staff
from crm.tickets import workflow as tickets
from crm.visits import feedback
from crm.visits import workflow as visits
from crm.visits.models import Visit
from tests import make
from tests.browsing import Browser
from tests.nets import rows
from tests.seen import kinds, owed


def approved():
    visit = make.visit()
    visits.approve(visit, by=make.who("manager"))
    return visit


def application(by=None, category: str = "data_cleanup"):
    """A record with the customer's application attached."""
    by = by or make.who("specialist")
    return make.ticket(by=by, category=category, files=[make.application(by)])


def archived(paper: Paper) -> None:
    """From its holder through the archivist's hands."""
    me, archivist = make.who("specialist"), make.who("archivist")
    workflow.offer(paper, by=me, to=archivist)
    workflow.archive(paper, by=archivist, place="甲柜二层")


def test_an_approved_request_is_expected_in_the_archive(app):
    with unit_of_work():
        visit = approved()
    due = owed(visit)["paper.visit_request"]
    assert (due.owner_id, due.due_at, due.clause) == (visit.owner_id, clock.parse("2026-11-30T18:00"), "5.7.1")


def test_a_paper_goes_from_the_holder_into_the_archive_and_nothing_is_owed_any_more(app):
    with unit_of_work():
        visit = approved()
        paper = workflow.enter(visit, "visit_request", by=make.who("specialist"))
        assert "paper.visit_request" in owed(visit)
        archived(paper)
    assert (paper.state, paper.place, paper.owner_id) == (State.ARCHIVED, "甲柜二层", make.who("archivist").id)
    assert (paper.customer_id, paper.origin_id) == (visit.customer_id, visit.id)
    assert "paper.visit_request" not in owed(visit)
    assert kinds(paper) == ["paper.entered", "paper.offered", "paper.archived"]
    passed = db.session.query(Event).filter_by(subject_id=paper.id, kind="paper.archived").one()
    assert (passed.facts["from"], passed.facts["to"]) == (visit.owner_id, make.who("archivist").id)


def test_another_paper_of_the_same_visit_keeps_nothing_of_this_one(app):
    with unit_of_work():
        visit = approved()
        archived(workflow.enter(visit, "other", by=make.who("specialist")))
    assert "paper.visit_request" in owed(visit)


def test_a_request_that_is_void_is_expected_no_more(app):
    with unit_of_work():
        visit = approved()
        visits.cancel(visit, by=make.who("specialist"), reason="改期")
    assert owed(visit) == {}


@pytest.mark.parametrize(
    ("category", "rule"),
    [("data_cleanup", "paper.cleanup_application"), ("admin_password", "paper.password_application")],
)
def test_an_application_is_expected_once_its_scan_is_there(app, category, rule):
    with unit_of_work():
        ticket = application(category=category)
        paper = workflow.enter(ticket, rule.removeprefix("paper."), by=make.who("specialist"))
        assert rule in owed(ticket)
        archived(paper)
    assert rule not in owed(ticket)


def test_any_other_file_makes_no_paper_expected(app):
    with unit_of_work():
        ticket = make.ticket(category="data_cleanup")
        tickets.note(ticket, by=make.who("specialist"), words="看", files=[])
    assert not [rule for rule in owed(ticket) if rule.startswith("paper.")]


def test_a_paper_on_its_way_is_not_entered_a_second_time(app):
    with unit_of_work():
        visit = approved()
        workflow.enter(visit, "visit_request", by=make.who("specialist"))
        with pytest.raises(Known):
            workflow.enter(visit, "visit_request", by=make.who("manager"))
        workflow.enter(visit, "other", by=make.who("manager"))


def test_both_sides_confirm_and_only_whom_it_is_handed_to(app):
    me, other, third = (make.who(login) for login in ("specialist", "followup", "developer"))
    with unit_of_work():
        paper = workflow.enter(approved(), "visit_request", by=me)
        for act in (lambda: workflow.take(paper, by=other), lambda: workflow.offer(paper, by=third, to=other)):
            with pytest.raises((Forbidden, WrongState)):
                act()
        workflow.offer(paper, by=me, to=other, words="请转交")
        assert paper.owner_id == me.id, "until it is confirmed it is in the giver's hands"
        for act in (lambda: workflow.take(paper, by=third), lambda: workflow.withdraw(paper, by=other)):
            with pytest.raises(Forbidden):
                act()
        workflow.take(paper, by=other)
    assert (paper.state, paper.owner_id, paper.concerned_id) == (State.HELD, other.id, None)
    told = db.session.query(Notice.user_id).join(Event, Event.id == Notice.event_id).filter(Event.subject_id == paper.id)
    assert {id for (id,) in told} == {other.id, me.id}


def test_what_is_not_taken_stays_with_the_giver(app):
    me, other = make.who("specialist"), make.who("followup")
    with unit_of_work():
        paper = workflow.enter(approved(), "visit_request", by=me)
        workflow.offer(paper, by=me, to=other)
        workflow.decline(paper, by=other, words="缺一页")
        assert (paper.state, paper.owner_id) == (State.HELD, me.id)
        workflow.offer(paper, by=me, to=other)
        workflow.withdraw(paper, by=me)
        assert (paper.state, paper.concerned_id) == (State.HELD, None)
    for to in (me, make.who("admin")):
        with pytest.raises(Invalid), unit_of_work():
            workflow.offer(paper, by=me, to=to)


def test_a_feedback_form_is_handed_in_when_follow_up_takes_it(app):
    me = make.who("specialist")
    with unit_of_work():
        paper = workflow.enter(approved(), "feedback", by=me)
        for to, event in ((make.who("manager"), "paper.taken"), (make.who("followup"), "paper.handed_in")):
            workflow.offer(paper, by=db.session.get_one(make.User, paper.owner_id), to=to)
            workflow.take(paper, by=to)
            assert kinds(paper)[-1] == event


def test_nobody_archives_what_is_in_other_hands(app):
    archivist = make.who("archivist")
    with unit_of_work():
        paper = workflow.enter(approved(), "visit_request", by=make.who("specialist"))
        with pytest.raises(Forbidden):
            workflow.archive(paper, by=archivist, place="甲柜")
        workflow.offer(paper, by=make.who("specialist"), to=make.who("manager"))
        with pytest.raises(Forbidden):
            workflow.archive(paper, by=archivist, place="甲柜")


def test_a_lent_paper_is_owed_back_by_whoever_borrowed_it(app, sound):
    archivist, me = make.who("archivist"), make.who("specialist2")
    with unit_of_work():
        paper = workflow.enter(approved(), "visit_request", by=make.who("specialist"))
        archived(paper)
        until = clock.today() + timedelta(days=2)
        workflow.lend(paper, by=archivist, to=me, until=until)
        due = owed(paper)["paper.return"]
        assert (due.owner_id, due.due_at) == (me.id, clock.parse("2026-11-25T18:00"))
        with pytest.raises(WrongState):
            workflow.offer(paper, by=me, to=make.who("manager"))
        workflow.give_back(paper, by=me)
        workflow.miss(paper, by=archivist, words="没看到")
        assert [*owed(paper)] == ["paper.return"]
        db.session.expire_all()
        workflow.give_back(paper, by=me)
        assert [*owed(paper)] == ["paper.reshelve"], "the borrower owes nothing more; the archivist confirms"
        workflow.reshelve(paper, by=archivist, place="甲柜二层")
    assert owed(paper) == {} and (paper.state, paper.lent_until, paper.owner_id) == (State.ARCHIVED, None, archivist.id)


def test_follow_up_who_enters_a_feedback_form_has_it_and_nobody_owes_it(app):
    with unit_of_work():
        visit = on_paper()
        assert "paper.feedback" in owed(visit)
    with unit_of_work():
        workflow.enter(visit, "feedback", by=make.who("followup"))
    assert "paper.feedback" not in owed(visit)


def on_paper(*, back: bool = True):
    """A visit whose form was signed on paper, so far."""
    me = make.who("specialist")
    visit = make.visit(make.served_customer(f"单位{db.session.query(Visit).count()}"))
    visits.approve(visit, by=make.who("manager"))
    for step in (visits.depart, visits.arrive):
        step(visit, by=me)
    make.feedback_of(visit)
    feedback.scan(visit, by=me, name="王主任", position="财务总监", files=[rows._draft(me, feedback.PURPOSE)])
    if back:
        visits.come_back(visit, by=me)
    return visit


def test_a_feedback_form_on_paper_is_owed_from_the_return_on(app):
    with unit_of_work():
        visit = on_paper(back=False)
        assert "paper.feedback" not in owed(visit), "it is still on its way (5.7.2)"
        visits.come_back(visit, by=make.who("specialist"))
        db.session.expire_all()
        assert "paper.feedback" in owed(visit)
        what = feedback.what_of(visit, feedback.head_of(visit))
        feedback.sign(visit, by=make.who("specialist"), name="王主任", position="总监", strokes=make.drawing(3), what=what)
        db.session.expire_all()
        assert "paper.feedback" not in owed(visit), "signed on the screen there is no paper"


def test_an_application_goes_with_its_record_into_another_category(app):
    me = make.who("specialist")
    with unit_of_work():
        ticket = application()
        assert "paper.cleanup_application" in owed(ticket)
        person = db.session.get(make.Contact, ticket.contact_id)
        tickets.edit_ticket(ticket, by=me, contact=person, department="财务部", category="admin_password")
        db.session.expire_all()
        assert {"paper.password_application"} == {key for key in owed(ticket) if key.startswith("paper.")}


def test_the_paper_of_a_record_that_became_secret_is_secret(app):
    me, another = make.who("specialist"), make.who("specialist2")
    with unit_of_work():
        ticket = application()
        paper = workflow.enter(ticket, "cleanup_application", by=me)
        seen = db.session.query(Paper.id).filter(Paper.id == paper.id, Paper.visible(another))
        assert seen.first()
        person = db.session.get(make.Contact, ticket.contact_id)
        tickets.edit_ticket(ticket, by=me, contact=person, department="财务部", category="admin_password")
        assert not seen.first()
        assert db.session.query(Paper.id).filter(Paper.id == paper.id, Paper.visible(me)).first()


def test_who_owed_a_paper_once_never_says_that_there_is_none(app):
    manager, me = make.who("manager"), make.who("specialist")
    with unit_of_work():
        ticket = application()
        tickets.assign(ticket, by=manager, to=manager, reason="我来")
        tickets.assign(ticket, by=manager, to=me, reason="还是你来")
        with pytest.raises(Forbidden):
            workflow.not_there(ticket, "cleanup_application", by=manager, reason="邮件发来的")


def test_nothing_is_lent_until_a_day_that_is_over(app):
    with unit_of_work():
        paper = workflow.enter(approved(), "visit_request", by=make.who("specialist"))
        archived(paper)
        with pytest.raises(Invalid) as refused:
            workflow.lend(paper, by=make.who("archivist"), to=make.who("specialist"), until=clock.today() - timedelta(days=1))
    assert set(refused.value.fields) == {"until"}


def test_a_lost_application_names_its_holder_and_what_a_sheet_costs_and_fines_nobody(app):
    me = make.who("specialist")
    with unit_of_work():
        ticket = application()
        paper = workflow.enter(ticket, "cleanup_application", by=me, sheets=3)
        workflow.lose(paper, by=me, words="搬家时不见了")
    lost = db.session.query(Event).filter_by(subject_id=paper.id, kind="paper.lost").one()
    assert {"owner": me.id, "fine_clause": "7.3", "fine_fen": 15000}.items() <= lost.facts.items()
    assert "paper.cleanup_application" not in owed(ticket), "nobody owes what is not there"
    with unit_of_work():
        workflow.find(paper, by=make.who("followup"), words="夹在别的合同里")
    assert (paper.state, paper.owner_id) == (State.HELD, make.who("followup").id)


@pytest.mark.parametrize("kind", ["visit_request", "cleanup_application"])
def test_what_is_found_again_is_owed_again(app, kind, sound):
    with unit_of_work():
        origin = approved() if kind == "visit_request" else application()
        paper = make.paper(origin, kind=kind)
        workflow.lose(paper, by=make.who("specialist"), words="出租车上")
    assert f"paper.{kind}" not in owed(origin)
    with unit_of_work():
        workflow.find(paper, by=make.who("specialist"), words="司机送来了")
    assert f"paper.{kind}" in owed(origin)
    with unit_of_work():
        archived(paper)
    assert f"paper.{kind}" not in owed(origin)


def test_the_paper_of_a_void_approval_counts_for_nothing_and_blocks_nothing(app, sound):
    me, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        visit = approved()
        old = make.paper(visit)
        workflow.offer(old, by=me, to=make.who("archivist"))
    with unit_of_work():
        contact = db.session.get(make.Contact, visit.contact_id)
        facts = {name: getattr(visit, name) for name in ("category", "title", "department", "place", "arrive_at", "ends_at")}
        visits.change(visit, by=me, contact=contact, **{**facts, "title": "改成年结"})
        visits.approve(visit, by=manager)
    assert queries.void([old]) == {old.id}
    with unit_of_work():
        workflow.archive(old, by=make.who("archivist"), place="作废")  # of what is void, it keeps nothing
    assert "paper.visit_request" in owed(visit)
    with unit_of_work():
        new = make.paper(visit)
        archived(new)
    assert queries.void([new]) == set() and "paper.visit_request" not in owed(visit)
    assert "counts for nothing" in Browser(app, "archivist").get(old.path).text
    assert "counts for nothing" not in Browser(app, "archivist").get(new.path).text


def test_who_archives_takes_over_what_somebody_held_who_has_left(app, sound):
    me, archivist = make.who("specialist2"), make.who("archivist")
    with unit_of_work():
        paper = make.paper(make.visit(), by=me)
    with pytest.raises(Refused, match="still works here"), unit_of_work():
        workflow.fetch(paper, by=archivist, words="在他桌上")
    assert "/takeover" not in Browser(app, "archivist").get(paper.path).text
    with unit_of_work():
        staff.edit_user(me, by=make.who("admin"), roles=me.roles, active=False)
    assert "/takeover" in Browser(app, "archivist").get(paper.path).text
    with unit_of_work():
        workflow.fetch(paper, by=archivist, words="在他桌上")
    assert paper.owner_id == archivist.id and kinds(paper)[-1] == "paper.fetched"


def test_a_paper_one_may_not_see_is_not_named(app):
    me = make.who("specialist")
    with unit_of_work():
        record = application(me, "admin_password")
        paper = make.paper(record, by=make.who("archivist"), kind="password_application")
        record.owner_id = make.who("specialist2").id
    with pytest.raises(Known) as refused, unit_of_work():
        workflow.enter(record, "password_application", by=make.who("followup"))
    assert "%(number)s" not in str(refused.value)
    with pytest.raises(Known) as refused, unit_of_work():
        workflow.enter(record, "password_application", by=make.who("archivist"))
    assert refused.value.params["number"] == paper.number


def test_a_lost_visit_request_costs_nothing(app):
    with unit_of_work():
        paper = workflow.enter(approved(), "visit_request", by=make.who("specialist"))
        workflow.lose(paper, by=make.who("archivist"), words="不见了")
    lost = db.session.query(Event).filter_by(subject_id=paper.id, kind="paper.lost").one()
    assert lost.facts["owner"] == make.who("specialist").id and "fine_fen" not in lost.facts


def test_only_who_entered_it_takes_it_off_and_only_while_nobody_else_had_it(app):
    me, other = make.who("specialist"), make.who("followup")
    with unit_of_work():
        visit = approved()
        paper = workflow.enter(visit, "visit_request", by=me)
        with pytest.raises(Forbidden):
            workflow.void(paper, by=other, reason="x")
        workflow.void(paper, by=me, reason="点错了")
        assert paper.state == State.VOID and "paper.visit_request" in owed(visit)
        paper = workflow.enter(visit, "visit_request", by=me)
        workflow.offer(paper, by=me, to=other)
        workflow.take(paper, by=other)
        workflow.offer(paper, by=other, to=me)
        workflow.take(paper, by=me)
        with pytest.raises(Forbidden):
            workflow.void(paper, by=me, reason="x")


def test_who_leads_says_that_there_is_no_such_paper_never_who_owes_it(app):
    with unit_of_work():
        ticket = application()
        paper = workflow.not_there(ticket, "cleanup_application", by=make.who("manager"), reason="邮件发来的扫描件")
        assert paper.state == State.VOID and not owed(ticket).get("paper.cleanup_application")
        mine = application(by=make.who("manager"))
        with pytest.raises(Forbidden):
            workflow.not_there(mine, "cleanup_application", by=make.who("manager"), reason="x")


@pytest.mark.parametrize("role", make.CAST)
def test_a_password_application_is_seen_by_fewer(app, role):
    with unit_of_work():
        paper = workflow.enter(application(category="admin_password"), "password_application", by=make.who("specialist"))
        plain = workflow.enter(approved(), "visit_request", by=make.who("specialist"))
    seen = [one for (one,) in db.session.query(Paper.id).filter(Paper.visible(make.who(role)))]
    few = {"specialist", "manager", "director", "archivist"}
    assert (paper.id in seen) == (role in few)
    assert (plain.id in seen) == (role in few | {"specialist2", "followup"})


def test_a_developer_sees_what_is_handed_to_them(app):
    with unit_of_work():
        paper = workflow.enter(approved(), "visit_request", by=make.who("specialist"))
        workflow.offer(paper, by=make.who("specialist"), to=make.who("developer"))
    assert queries.get(paper.number, make.who("developer")).id == paper.id


@pytest.mark.parametrize("verb", MOVES)
def test_an_administrator_takes_no_part(app, verb):
    with unit_of_work():
        paper = workflow.enter(approved(), "visit_request", by=make.who("specialist"))
    assert not MOVES[verb].may(make.who("admin"), paper)


def test_a_rule_names_a_paper_that_there_is(app):
    text = reading.shipped().replace('paper = "visit_request"', 'paper = "napkin"')
    with pytest.raises(RulebookError, match="napkin"):
        reading.read(text)
    with pytest.raises(RulebookError, match="nowhere"):
        reading.read(reading.shipped().replace('to = "relations"', 'to = "moon"'))


def test_whoever_is_handed_a_paper_owes_the_answer(app):
    me, archivist = make.who("specialist"), make.who("archivist")
    with unit_of_work():
        paper = make.paper(by=me)
        workflow.offer(paper, by=me, to=archivist)
        due = owed(paper)["paper.confirm"]
        assert (due.owner_id, due.due_at) == (archivist.id, clock.parse("2026-11-24T18:00"))
    with unit_of_work():
        workflow.withdraw(paper, by=me)
    assert "paper.confirm" not in owed(paper)
    with unit_of_work():
        workflow.offer(paper, by=me, to=archivist)
        workflow.take(paper, by=archivist)
    assert "paper.confirm" not in owed(paper)


def test_a_manager_looks_at_a_loss_and_never_the_one_who_lost_it(app):
    manager, director = make.who("manager"), make.who("director")
    with unit_of_work():
        paper = workflow.enter(application(), "cleanup_application", by=manager)
        workflow.lose(paper, by=manager, words="找不到")
        assert owed(paper)["paper.see_loss"].pool == "manager"
    with pytest.raises(Forbidden), unit_of_work():
        workflow.see(paper, by=manager)
    with unit_of_work():
        workflow.see(paper, by=director)
    assert "paper.see_loss" not in owed(paper)
    with pytest.raises(WrongState), unit_of_work():
        workflow.see(paper, by=director)


def test_a_paper_found_again_needs_no_look_at_its_loss(app):
    with unit_of_work():
        paper = make.paper()
        workflow.lose(paper, by=make.who("specialist"), words="找不到")
        workflow.find(paper, by=make.who("specialist"), words="在车里")
    assert "paper.see_loss" not in owed(paper)


def test_whom_a_form_is_for_is_chosen_beforehand_and_everybodys_role_is_said(app, browser):
    with unit_of_work():
        paper = make.paper()
    page = browser("specialist").get(paper.path).text
    chosen = re.findall(r"<option selected[^>]*>([^<]+)<", page)
    assert any("Archivist" in one for one in chosen), chosen
