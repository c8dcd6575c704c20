"""Calling back (5.5): who owes it and when, what happens on the telephone, and what becomes of a doubt."""

import re
from datetime import date, timedelta

import pytest

from crm import clock, sweep
from crm.callbacks import queries, workflow
from crm.callbacks.models import Callback, State
from crm.customers import workflow as customers
from crm.customers.models import Customer, CustomerState
from crm.db import db, unit_of_work
from crm.duties import reading
from crm.duties import workflow as duties
from crm.duties.models import Duty, Event, Notice, Subject
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.permissions import Role
from crm.staff import workflow as staff
from crm.tickets import workflow as tickets
from crm.tickets.models import Ticket
from tests import make
from tests.browsing import Browser, together
from tests.seen import kinds

GOOD = {"attitude": 5, "skill": 5, "result": 4}


def owed(rule: str) -> list[Duty]:
    db.session.rollback()
    return db.session.query(Duty).filter_by(rule=rule).order_by(Duty.id).all()


def met(callback: Callback):
    return db.session.query(make.Contact).filter_by(customer_id=callback.customer_id).first()


def begun(by: str = "followup") -> Callback:
    return workflow.begin(owed_now("call.feedback"), by=make.who(by))


@pytest.fixture
def handed_in(app):
    with unit_of_work():
        return make.handed_in()


@pytest.mark.parametrize(("came_in", "called"), [
    ("2026-10-09T15:00", "2026-10-10"),  # a Friday; the Saturday is worked
    ("2026-09-24T15:00", "2026-09-28"),  # a Thursday; the Friday is a holiday
    ("2026-09-30T15:00", "2026-10-08"),  # the holidays of October
])  # fmt: skip
def test_a_form_that_comes_in_is_called_back_on_the_next_working_day(app, came_in, called):
    with clock.frozen(clock.parse("2026-09-21T09:00")), unit_of_work():
        unit = make.served_customer()
    with clock.frozen(clock.parse(came_in)), unit_of_work():
        make.handed_in(unit)
    (duty,) = owed("call.feedback")
    assert clock.local(duty.due_at).date().isoformat() == called
    assert (duty.owner_id, duty.pool, duty.clause) == (None, "followup", "5.5.1")


def test_speaking_with_the_customer_keeps_the_call_that_was_owed(handed_in):
    me = make.who("followup")
    with unit_of_work():
        callback = begun()
        workflow.reach(callback, by=me, contact=met(callback), comment="很满意", **GOOD)
    (duty,) = owed("call.feedback")
    assert duty.kept_by_id and duty.owner_id == me.id
    assert (callback.state, callback.concerned_id) == (State.REACHED, handed_in.owner_id)
    assert kinds(callback) == ["callback.opened", "callback.reached"]


def test_whoever_served_never_calls_back_on_the_form(handed_in):
    both = make.who("specialist")
    with unit_of_work():
        staff.edit_user(both, by=make.who("admin"), roles=[Role.SPECIALIST, Role.FOLLOWUP], active=True)
    db.session.refresh(both)
    with unit_of_work(), pytest.raises(Forbidden):
        workflow.begin(owed("call.feedback")[0], by=both)
    with unit_of_work():
        owed("call.feedback")[0].owner_id = both.id  # not even if it was laid upon them
    with unit_of_work(), pytest.raises(Forbidden):
        workflow.begin(owed("call.feedback")[0], by=both)


def test_another_does_not_take_what_somebody_has_taken_on(handed_in):
    with unit_of_work():
        staff.edit_user(make.who("director"), by=make.who("admin"), roles=[Role.FOLLOWUP], active=True)
        begun()
    with unit_of_work(), pytest.raises(WrongState):
        begun("director")


def test_what_is_given_back_another_goes_on_with(handed_in):
    other = make.who("director")
    with unit_of_work():
        staff.edit_user(other, by=make.who("admin"), roles=[Role.FOLLOWUP], active=True)
        first = begun()
        workflow.attempt(first, by=make.who("followup"))
        duties.release(owed_now("call.feedback"), by=make.who("followup"))
    db.session.refresh(other)
    with unit_of_work():
        again = begun("director")
    assert again.id == first.id and again.owner_id == other.id and again.attempts == 1


def owed_now(rule: str) -> Duty:
    return db.session.query(Duty).filter_by(rule=rule).order_by(Duty.id.desc()).first()


def test_giving_up_needs_three_calls_that_nobody_answered(handed_in):
    me = make.who("followup")
    with unit_of_work():
        callback = begun()
        for _ in range(5):  # in a minute: that is one call
            workflow.attempt(callback, by=me)
        with pytest.raises(Invalid, match="Only after"):
            workflow.give_up(callback, by=me, reason="还发了短信")
    assert callback.attempts == 1 and kinds(callback).count("callback.attempted") == 5
    with clock.frozen(clock.now() + timedelta(hours=1)), unit_of_work():
        make.in_vain(callback, by=me, times=2)
        workflow.give_up(callback, by=me, reason="还发了短信")
    assert callback.state == State.UNREACHED and owed("call.feedback")[0].kept_by_id


def test_later_is_kept_and_shown_and_the_deadline_stays(handed_in):
    me, due = make.who("followup"), owed("call.feedback")[0].due_at
    with unit_of_work():
        callback = begun()
        with pytest.raises(Invalid):
            workflow.later(callback, by=me, at=clock.now())
        workflow.later(callback, by=me, at=clock.now() + timedelta(hours=2), words="下午两点后")
    (line,) = queries.lines(me)
    assert line.begun.try_at == clock.now() + timedelta(hours=2) and line.duty.due_at == due


@pytest.mark.parametrize("lack", ["contact", "attitude", "skill", "result"])
def test_a_result_says_with_whom_and_gives_three_marks(handed_in, lack):
    me = make.who("followup")
    with unit_of_work():
        callback = begun()
        said = {"contact": met(callback), **GOOD} | {lack: None}
        with pytest.raises(Invalid) as refused:
            workflow.reach(callback, by=me, **said)
    assert set(refused.value.fields) == {lack}


def test_a_low_mark_goes_to_the_manager_with_its_reason(handed_in):
    me = make.who("followup")
    with unit_of_work():
        callback = begun()
        with pytest.raises(Invalid) as refused:
            workflow.reach(callback, by=me, contact=met(callback), attitude=5, skill=5, result=2)
        assert set(refused.value.fields) == {"doubt"}
        workflow.reach(callback, by=me, contact=met(callback), attitude=5, skill=5, result=2, doubt="报表还是打不开")
    assert callback.state == State.ESCALATED
    (duty,) = owed("callback.assign")
    assert (duty.pool, duty.clause) == ("manager", "5.5.4") and duty.due_at == clock.now() + timedelta(hours=1)


def test_what_was_assigned_is_called_back_on_when_it_is_done(handed_in):
    me, manager, other = make.who("followup"), make.who("manager"), make.who("specialist2")
    with unit_of_work():
        callback = begun()
        workflow.reach(callback, by=me, contact=met(callback), attitude=3, skill=2, result=1, doubt="年结还没做完")
        ticket = workflow.assign(callback, by=manager, to=other, category="inquiry", words="今天去一趟")
    assert (ticket.owner_id, ticket.origin_id, ticket.called_back) == (other.id, callback.id, True)
    assert "年结还没做完" in ticket.description and owed("callback.assign")[0].kept_by_id
    assert not owed("call.outcome")
    caller = db.session.get(make.Contact, met(callback).id)
    with pytest.raises(Invalid) as refused:  # who calls its outcome back could not read it
        tickets.edit_ticket(ticket, by=other, contact=caller, department="财务部", category="admin_password")
    assert set(refused.value.fields) == {"category"}
    with unit_of_work():
        tickets.complete(make.filled(ticket, other), by=other, answered_at=clock.now())
    (duty,) = owed("call.outcome")
    assert duty.subject_id == ticket.id and duty.open
    with unit_of_work():
        again = workflow.begin(duty, by=me)
        workflow.reach(again, by=me, contact=met(again), **GOOD)
    assert owed("call.outcome")[0].kept_by_id and again.concerned_id == other.id


def test_a_record_opened_again_is_called_back_on_only_when_it_is_done_again(handed_in):
    me, manager, other = make.who("followup"), make.who("manager"), make.who("specialist2")
    with unit_of_work():
        callback = begun()
        workflow.reach(callback, by=me, contact=met(callback), attitude=3, skill=2, result=1, doubt="没做完")
        ticket = make.filled(workflow.assign(callback, by=manager, to=other, category="inquiry"), other)
        tickets.complete(ticket, by=other, answered_at=clock.now())
        tickets.reopen(ticket, by=other, reason="漏了一项")
    assert not owed("call.outcome")[0].open
    with unit_of_work():
        tickets.complete(ticket, by=other, answered_at=clock.now())
    assert [one.open for one in owed("call.outcome")] == [False, True]


def test_a_service_without_a_record_is_noted_with_its_clause(handed_in):
    me = make.who("followup")
    with unit_of_work():
        callback = begun()
        with pytest.raises(Invalid):
            workflow.reach(callback, by=me, contact=met(callback), unrecorded="上周五远程装过补丁", **GOOD)
        workflow.reach(callback, by=me, contact=met(callback), unrecorded="上周五远程装过补丁", clause="7.5", **GOOD)
    found = db.session.query(Event).filter_by(kind="callback.unrecorded").one()
    assert found.facts["clause"] == "7.5" and found.facts["concerned"] == handed_in.owner_id


# Regular calls (4.specialist.2, D5)


def graded(grade: str) -> Customer:
    with unit_of_work():
        unit = make.customer("宏远机械", grade=grade)
        make.contact(unit)
    return unit


@pytest.mark.parametrize(("grade", "rules"), [
    ("", []), ("C", ["call.regular"]), ("B", ["call.manager", "call.regular"]),
    ("A", ["call.director", "call.manager", "call.regular"]),
])  # fmt: skip
def test_the_grade_says_who_calls_regularly(app, grade, rules):
    unit = graded(grade)
    found = db.session.query(Duty).filter(Duty.subject_id == unit.id, Duty.rule.startswith("call."))
    assert sorted(duty.rule for duty in found) == rules


def change(unit: Customer, **changes) -> None:
    with unit_of_work():
        customers.change_customer(unit, changes, by=make.who("manager"))


def test_a_regular_call_is_the_specialists_and_the_next_is_owed_a_month_later(app):
    unit, me = graded("C"), make.who("specialist")
    (duty,) = owed("call.regular")
    assert duty.owner_id == me.id and duty.due_at == clock.end_of(date(2026, 12, 23))
    assert duty.show_from > clock.now() and not queries.lines(me)
    with clock.frozen(clock.parse("2026-12-18T10:00")):
        assert [line.duty.id for line in queries.lines(me)] == [duty.id]
        with unit_of_work():
            callback = workflow.begin(db.session.get(Duty, duty.id), by=me)
            workflow.reach(callback, by=me, contact=met(callback), comment="一切正常")
    first, second = owed("call.regular")
    assert first.kept_by_id and second.open and second.due_at == clock.end_of(date(2027, 1, 18))
    assert second.subject_id == unit.id


def test_a_better_grade_adds_calls_and_leaves_the_clock_of_the_others(app):
    unit = graded("C")
    due = owed("call.regular")[0].due_at
    with clock.frozen(clock.now() + timedelta(days=3)):
        change(unit, category="A")
    assert [(one.open, one.due_at) for one in owed("call.regular")] == [(True, due)]
    assert owed("call.manager") and owed("call.director")
    change(unit, category="C")
    assert not any(one.open for one in owed("call.manager") + owed("call.director")) and owed("call.regular")[0].open


@pytest.mark.parametrize("changes", [{"category": ""}, {"state": CustomerState.INACTIVE}])
def test_no_grade_and_no_care_are_no_regular_calls(app, changes):
    unit = graded("A")
    change(unit, **changes)
    assert not any(one.open for rule in ("regular", "manager", "director") for one in owed(f"call.{rule}"))


def test_a_file_begins_no_regular_calls_and_ends_them(app):
    with unit_of_work():
        unit = make.customer()
        customers.change_customer(unit, {"category": "A", "phone": "0514-1"}, by=make.who("manager"), by_file=True)
    assert not regular(unit)
    with unit_of_work():
        customers.change_customer(unit, {"phone": "0514-2"}, by=make.who("manager"))
    assert regular(unit)
    with unit_of_work():
        customers.change_customer(unit, {"category": ""}, by=make.who("manager"), by_file=True)
    db.session.expire_all()
    assert not regular(unit)


def regular(unit) -> list[str]:
    return [duty.rule for duty in db.session.query(Duty).filter_by(subject_id=unit.id) if duty.open]


def test_whoever_is_responsible_now_owes_the_regular_call(app):
    unit = graded("C")
    change(unit, owner_id=make.who("specialist2").id)
    assert owed("call.regular")[0].owner_id == make.who("specialist2").id
    change(unit, owner_id=None)
    assert (owed("call.regular")[0].owner_id, owed("call.regular")[0].pool) == (None, "manager")


# The desk


def test_of_two_who_begin_at_once_one_does_and_one_callback_is_written(app, handed_in):
    with unit_of_work():
        staff.edit_user(make.who("director"), by=make.who("admin"), roles=[Role.FOLLOWUP], active=True)
    path = f"/callbacks/calls/{owed('call.feedback')[0].id}"
    pages = [Browser(app, login) for login in ("followup", "director")]
    sent = [{"csrf_token": page.token("/account"), "request_id": f"{i:032x}"} for i, page in enumerate(pages)]
    answers = together(2, lambda i: pages[i].post(path, sent[i]).status_code)
    assert sorted(answers) == [303, 409]
    db.session.rollback()
    assert db.session.query(Callback).count() == 1


def test_the_same_person_pressing_twice_goes_on_with_one_callback(app, handed_in):
    path, page = f"/callbacks/calls/{owed('call.feedback')[0].id}", Browser(app, "followup")
    token = page.token("/account")
    answers = [page.post(path, {"csrf_token": token, "request_id": f"{i:032x}"}).headers["Location"] for i in range(2)]
    assert len(set(answers)) == 1


def test_the_desk_says_whom_why_and_by_when_and_leads_to_the_story(browser, handed_in):
    page = browser("followup")
    desk = page.get("/callbacks").text
    assert "宏远机械" in desk and "王会计" in desk and "5.5.1" in desk
    story = page.get(f"/callbacks/calls/{owed('call.feedback')[0].id}").text
    assert handed_in.number in story and "Call now" in story


def test_a_call_that_is_overdue_comes_first_and_names_nobody(app, browser, handed_in):
    with clock.frozen(clock.now() + timedelta(days=3)):
        sweep.tick()
        assert owed("call.feedback")[0].breached_owner_id is None
        assert "Overdue" in browser("followup").get("/callbacks").text


def test_a_refused_result_comes_back_with_every_word(browser, handed_in):
    page = browser("followup")
    with unit_of_work():
        callback = begun()
    sent = page.send(f"{callback.path}/result", page=callback.path, comment="他们说“还可以”", attitude="1", skill="5", result="5")
    assert sent.status_code == 422 and "他们说“还可以”" in sent.text and "goes to the manager" in sent.text
    assert db.session.query(Ticket).count() == 0


def test_a_call_that_another_took_on_meanwhile_is_not_ended(handed_in):
    me, other = make.who("followup"), make.who("manager")  # who stands in where nobody else may
    with unit_of_work():
        callback = begun()
    with unit_of_work():
        duties.release(owed_now("call.feedback"), by=me)
        duties.claim(owed_now("call.feedback"), by=other)
    for act in (lambda: workflow.attempt(callback, by=me),
                lambda: workflow.reach(callback, by=me, contact=met(callback), attitude=5, skill=5, result=5)):
        with unit_of_work(), pytest.raises(Refused):
            act()
    assert owed("call.feedback")[0].open


def test_a_call_that_is_not_owed_any_more_is_ended_by_whoever_calls_and_no_other_is(app):
    me, other = make.who("followup"), make.who("specialist2")
    with unit_of_work():
        make.handed_in()
        first = begun()
        workflow.reach(first, by=me, contact=met(first), **GOOD, doubt="还是不行")
        ticket = workflow.assign(first, by=make.who("manager"), to=other, category="inquiry")
        tickets.complete(make.filled(ticket, other), by=other, answered_at=clock.now())
        callback = workflow.begin(owed_now("call.outcome"), by=me)
    with pytest.raises(Refused, match="still owed"), unit_of_work():
        workflow.drop(callback, by=me)
    assert "dropping" not in Browser(app, me.login).get(callback.path).text
    with unit_of_work():
        tickets.reopen(ticket, by=other, reason="客户又来电")
    page = Browser(app, me.login).get(callback.path).text
    assert "/dropping" in page and "/result" not in page
    with unit_of_work():
        workflow.drop(callback, by=me)
    assert callback.state == State.DROPPED and kinds(callback)[-1] == "callback.dropped"
    with unit_of_work():
        tickets.complete(ticket, by=other)
    assert workflow.begun(owed_now("call.outcome")) is None  # the next call is another callback


def test_which_calls_need_marks_and_what_an_unrecorded_service_breaks_say_the_rules():
    book = reading.read(reading.shipped())
    assert {key for key, rule in book.rules.items() if not rule.marks} == {"call.regular", "call.manager", "call.director", "call.expiry", "call.opinion"}
    assert {one.key for one in book.penalties.values() if one.unrecorded} == {"7.4", "7.5"}


def test_whoever_worked_on_a_record_never_calls_back_on_it_whose_ever_it_is_now(app):
    both, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        staff.edit_user(both, by=make.who("admin"), roles=[Role.SPECIALIST, Role.FOLLOWUP], active=True)
    db.session.refresh(both)
    with unit_of_work():
        ticket = make.filled(make.ticket(called_back=True))
        tickets.start(ticket, by=both)
        tickets.assign(ticket, by=manager, to=make.who("specialist2"), reason="换人")
        tickets.complete(ticket, by=make.who("specialist2"), answered_at=clock.now())
    with unit_of_work(), pytest.raises(Forbidden):
        workflow.begin(owed("call.outcome")[0], by=both)
    with unit_of_work():
        assert workflow.begin(owed("call.outcome")[0], by=manager), "a manager calls where nobody else may"


def test_nobody_settles_what_a_customer_says_of_them(handed_in):
    both = make.who("specialist")
    with unit_of_work():
        staff.edit_user(both, by=make.who("admin"), roles=[Role.SPECIALIST, Role.MANAGER], active=True)
    db.session.refresh(both)
    with unit_of_work():
        callback = begun()
        workflow.reach(callback, by=make.who("followup"), contact=met(callback), attitude=1, skill=1, result=1, doubt="态度差")
    with unit_of_work(), pytest.raises(Forbidden):
        workflow.assign(callback, by=both, to=both, category="inquiry")


def test_a_record_that_callers_may_not_read_is_not_assigned(handed_in):
    me, manager = make.who("followup"), make.who("manager")
    with unit_of_work():
        callback = begun()
        workflow.reach(callback, by=me, contact=met(callback), attitude=3, skill=2, result=1, doubt="没做完")
        with pytest.raises(Invalid) as refused:
            workflow.assign(callback, by=manager, to=make.who("specialist2"), category="admin_password")
    assert set(refused.value.fields) == {"category"}


def asked(unit) -> list[tuple[str, str, bool]]:
    db.session.expire_all()
    owed = db.session.query(Duty).filter_by(subject_id=unit.id, rule="call.regular").order_by(Duty.id)
    return [(db.session.get_one(Subject, one.edition_id).number, one.rule, one.open) for one in owed]


def test_a_customer_outlives_editions_and_is_called_by_the_one_of_its_day(app):
    unit, text = graded("C"), reading.shipped()
    assert text.count('due = "1 month"\nshow') == 1
    with unit_of_work():
        duties.issue_edition(text.replace('due = "1 month"\nshow', 'due = "2 months"\nshow'), clock.now())
    change(unit, title="另一简称")
    assert asked(unit) == [("R0001", "call.regular", True)]  # what was owed keeps its edition, and is not asked twice
    change(unit, category="")
    change(unit, category="C")
    assert asked(unit) == [("R0001", "call.regular", False), ("R0002", "call.regular", True)]
    due = db.session.query(Duty).filter_by(subject_id=unit.id, rule="call.regular").order_by(Duty.id.desc()).first().due_at
    assert due > clock.now() + timedelta(days=45)


def test_what_a_later_edition_no_longer_asks_of_a_customer_ends_with_what_is_open(app):
    unit = graded("C")
    gone = reading.shipped().replace('where = {grade = ["A", "B", "C"]}', 'where = {grade = ["A", "B"]}')
    with unit_of_work():
        duties.issue_edition(gone, clock.now())
    change(unit, category="")
    change(unit, category="C")
    assert asked(unit) == [("R0001", "call.regular", False)]


def test_the_call_begins_with_whom_the_desk_names_and_the_manager_reads_before_assigning(app, browser, handed_in):
    duty = owed("call.feedback")[0]
    with unit_of_work():
        make.contact(db.session.get_one(Customer, handed_in.customer_id), name="另一位")
        callback = workflow.begin(duty, by=make.who("followup"))
    path, asked = callback.path, queries.contacts({handed_in.id: handed_in.customer_id})[handed_in.id]
    page = browser("followup").get(path).text
    assert re.search(rf'<option selected value="{asked.id}">', page)
    with unit_of_work():
        workflow.reach(callback, by=make.who("followup"), contact=met(callback), doubt="报表不平", **GOOD)
    page = browser("manager").get(path).text
    assert page.index("报表不平") < page.index('id="assign"') and 'href="#assign"' in page


def test_a_visit_its_callback_and_the_record_that_came_of_it_name_one_another(browser, handed_in):
    with unit_of_work():
        written = make.written_up(handed_in)
        callback = begun()
        workflow.reach(callback, by=make.who("followup"), contact=met(callback), doubt="还是老问题\n又来了", **GOOD)
        record = workflow.assign(callback, by=make.who("manager"), to=make.who("specialist"), category="inquiry")
    assert record.title == "还是老问题"
    page = browser("specialist")
    for one, other in ((handed_in, written), (written, handed_in), (callback, record), (record, callback), (callback, handed_in)):
        kin = page.get(one.path).text.partition('class="card kin"')[2].partition("</section>")[0]
        assert f'href="{other.path}"' in kin, (one.number, other.number)


def test_what_one_may_not_see_is_not_named_as_what_it_came_of(app, browser):
    with unit_of_work():
        secret = make.ticket(category="admin_password", by=make.who("specialist2"))
        paper = make.paper(secret, by=make.who("archivist"), kind="other")
    page = browser("archivist").get(paper.path).text
    assert paper.number in page and 'class="card kin"' not in page


def test_the_call_says_whom_to_ask_for_by_when_and_who_served(browser, handed_in):
    page = browser("followup").get(f"/callbacks/calls/{owed_now('call.feedback').id}").text
    assert page.count("ask for them") == 1 and "Call by" in page and "张伟" in page


def test_the_form_says_beforehand_which_mark_needs_its_reason(browser, handed_in):
    with unit_of_work():
        callback = begun()
    assert "A mark of 2 or less needs it." in browser("followup").get(callback.path).text


def test_whoever_is_given_the_record_hears_of_it_once(app, handed_in):
    with unit_of_work():
        callback = begun()
        workflow.reach(callback, by=make.who("followup"), contact=met(callback), doubt="还是老问题", **GOOD)
        workflow.assign(callback, by=make.who("manager"), to=make.who("specialist2"), category="inquiry")
    told = db.session.query(Event.kind).join(Notice, Notice.event_id == Event.id).filter_by(user_id=make.who("specialist2").id)
    assert [kind for (kind,) in told] == ["ticket.opened"]
