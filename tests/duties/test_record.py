"""The spine: an event opens, keeps and drops duties, and the clock breaches them (DESIGN §1, §4)."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from crm import clock, sweep
from crm.db import db, unit_of_work
from crm.desk.search import find
from crm.duties import editions, reading, workflow
from crm.duties.many import Happened, record_all
from crm.duties.models import Duty, Event, Extension
from crm.duties.record import open_subject, record
from crm.duties.rulebook import RulebookError
from crm.errors import Forbidden, Invalid, WrongState
from crm.tickets import workflow as tickets
from tests import make

CLOSING = clock.parse("2026-11-23T18:00")
NEXT_DAY = clock.parse("2026-11-24T09:00")


@pytest.fixture
def ended(app):
    """A bug whose service ended on Monday at nine."""
    with unit_of_work():
        ticket = make.ticket(category="bug")
        tickets.start(ticket, by=make.who("specialist"))
        tickets.end(ticket, by=make.who("specialist"))
    return ticket


def duty(rule: str = "ticket.complete") -> Duty:
    db.session.rollback()
    return db.session.query(Duty).filter_by(rule=rule).order_by(Duty.id.desc()).first()


def breaches() -> list[Event]:
    """Of records: nobody in these tests reads the rulebook, issues a penalty or closes a month."""
    found = db.session.query(Event).filter_by(kind="duty.breached").order_by(Event.id).all()
    return [event for event in found if event.facts["rule"].startswith("ticket.")]


def complete_at(ticket, at) -> None:
    with clock.frozen(at), unit_of_work():
        make.filled(ticket)
        tickets.complete(ticket, by=make.who("specialist"))


def test_ending_the_service_opens_complete_by_closing_time_with_its_fine(ended):
    owed = duty()
    assert owed.due_at == CLOSING and owed.clause == "5.1.3"
    assert (owed.fine_clause, owed.fine_fen) == ("7.5", 5000)
    assert owed.warn_at == clock.parse("2026-11-23T16:00")


@pytest.mark.parametrize("category", make.FIELDS)
def test_only_the_five_declared_categories_carry_the_fine(app, category):
    with unit_of_work():
        ticket = make.filled(make.ticket(category=category))
        tickets.start(ticket, by=make.who("specialist"))
        tickets.end(ticket, by=make.who("specialist"))
    assert (duty().fine_fen == 5000) == (category not in ("inquiry", "install_training"))


def test_exactly_at_the_deadline_is_in_time(ended):
    complete_at(ended, CLOSING)
    assert breaches() == [] and duty().kept_by_id


def test_a_second_later_is_a_breach_dated_when_it_fell_due_whoever_swept_when(ended):
    complete_at(ended, CLOSING + timedelta(seconds=1))
    (breach,) = breaches()
    assert breach.at == CLOSING and breach.recorded_at == CLOSING + timedelta(seconds=1)
    assert duty().breached_by_id == breach.id and duty().kept_by_id


def test_a_late_sweep_finds_what_an_early_one_would_have_found(ended):
    sweep.tick(NEXT_DAY + timedelta(days=30))
    assert [breach.at for breach in breaches()] == [CLOSING]
    sweep.tick(NEXT_DAY + timedelta(days=31))
    assert [breach.at for breach in breaches()] == [CLOSING]


def test_a_breached_duty_stays_owed_until_it_is_kept(ended):
    sweep.tick(NEXT_DAY)
    assert duty().open and duty().overdue
    complete_at(ended, NEXT_DAY)
    assert not duty().open and len(breaches()) == 1


def test_reassigning_moves_the_work_and_never_a_dated_breach(ended):
    with clock.frozen(NEXT_DAY), unit_of_work():
        tickets.assign(ended, by=make.who("manager"), to=make.who("specialist2"), reason="请假")
    assert breaches()[0].facts["owner"] == make.who("specialist").id
    assert duty().owner_id == make.who("specialist2").id


def test_cancelling_drops_what_was_owed(app):
    with unit_of_work():
        ticket = make.ticket()
        tickets.cancel(ticket, by=make.who("specialist"), reason="重复")
    owed = duty("ticket.progress")
    assert owed.dropped_by_id and not owed.open


def test_a_wrong_category_put_right_after_the_end_moves_the_fine_and_not_the_deadline(ended):
    with clock.frozen(clock.parse("2026-11-23T15:00")), unit_of_work():
        facts = {"department": "财务部", "category": "inquiry", "title": "怎么结账"}
        tickets.edit_ticket(
            ended, by=make.who("specialist"), contact=db.session.get(make.Contact, ended.contact_id), **facts
        )
    assert duty().due_at == CLOSING and duty().fine_fen is None
    assert db.session.query(Duty).filter_by(rule="ticket.complete").count() == 1


def test_an_event_says_who_when_and_by_which_way(ended):
    event = db.session.query(Event).filter_by(kind="ticket.ended").one()
    assert event.actor_id == make.who("specialist").id and event.via == "cli"
    assert event.at == event.recorded_at == make.MONDAY


def test_history_is_judged_by_nobody(app):
    with unit_of_work():
        ticket = make.ticket(category="bug")
        old = type(ticket)(
            number="T2511-0001", title="老记录", state="new", category="bug", customer_id=ticket.customer_id
        )
        open_subject(old, at=clock.now() - timedelta(days=365), history=True)
        for kind in ("ticket.opened", "ticket.started", "ticket.ended"):
            record(kind, old, at=clock.now() - timedelta(days=300))
    assert db.session.query(Duty).filter_by(subject_id=old.id).count() == 0
    assert sweep.tick(NEXT_DAY)["duties marked as missed"] == 0


# ── more time (3.8) ──────────────────────────────────────────────────────────────────────────────────────────────────


def ask(owed: Duty, login: str = "specialist", wanted: str = "2026-11-25T18:00") -> Extension:
    with unit_of_work():
        return workflow.ask_more_time(
            db.session.get(Duty, owed.id), by=make.who(login), reason="客户出差", wanted=clock.parse(wanted)
        )


def decide(login: str, *, granted: bool, at=None) -> None:
    with clock.frozen(at or clock.now()), unit_of_work():
        asked = db.session.query(Extension).one()
        workflow.decide_more_time(asked, by=make.who(login), granted=granted)


def test_asking_in_time_holds_the_clock_until_it_is_decided_and_the_manager_owes_the_decision(ended):
    ask(duty())
    assert duty("duty.decide_more_time").pool == "manager"
    sweep.tick(NEXT_DAY)
    assert duty().breached_by_id is None, "nobody pays for another's delay"
    decide("manager", granted=True, at=NEXT_DAY)
    assert duty().due_at == clock.parse("2026-11-25T18:00") and duty().breached_by_id is None
    assert duty("duty.decide_more_time").kept_by_id


def test_whoever_asked_for_it_and_whoever_owes_it_never_decides(ended):
    with unit_of_work():
        tickets.assign(ended, by=make.who("manager"), to=make.who("manager"), reason="请假")
    ask(duty(), "manager")
    with pytest.raises(Forbidden):
        decide("manager", granted=True)
    with unit_of_work():
        tickets.assign(ended, by=make.who("director"), to=make.who("specialist"), reason="还给他")
    with pytest.raises(Forbidden):
        decide("manager", granted=True)
    with unit_of_work():
        db.session.query(Extension).one().asked_by_id = make.who("specialist").id
        tickets.assign(ended, by=make.who("director"), to=make.who("manager"), reason="又请假")
    with pytest.raises(Forbidden):
        decide("manager", granted=True)
    decide("director", granted=True)
    assert duty().due_at == clock.parse("2026-11-25T18:00")


def test_refused_the_old_deadline_stands_even_if_it_has_passed_meanwhile(ended):
    ask(duty())
    decide("director", granted=False, at=NEXT_DAY)
    assert breaches()[0].at == CLOSING and duty().breached_by_id


def test_after_the_deadline_it_is_too_late_to_ask(ended):
    with clock.frozen(NEXT_DAY), pytest.raises(WrongState):
        ask(duty())


def test_nobody_asks_for_anothers_duty_nor_for_an_earlier_date(ended):
    with pytest.raises(WrongState):
        ask(duty(), "specialist2")
    with pytest.raises(Invalid):
        ask(duty(), wanted="2026-11-23T10:00")


def test_whoever_asks_never_approves_even_as_a_manager(app):
    with unit_of_work():
        ticket = make.ticket(by=make.who("manager"))
        owed = db.session.query(Duty).filter_by(subject_id=ticket.id).one()
        workflow.ask_more_time(owed, by=make.who("manager"), reason="忙", wanted=owed.due_at + timedelta(days=1))
    with pytest.raises(Forbidden):
        decide("manager", granted=True)
    decide("director", granted=True)


def test_two_decisions_at_odds_leave_the_first(ended):
    ask(duty())
    decide("manager", granted=True)
    with pytest.raises(WrongState):
        decide("director", granted=False)


def recategorise(ticket, category: str, at: str) -> None:
    with clock.frozen(clock.parse(at)), unit_of_work():
        facts = {"department": "财务部", "category": category, "title": "报错"}
        tickets.edit_ticket(
            ticket, by=make.who("specialist"), contact=db.session.get(make.Contact, ticket.contact_id), **facts
        )


def test_a_category_put_right_leaves_granted_time_as_it_is(ended):
    ask(duty())
    decide("manager", granted=True)
    recategorise(ended, "report_problem", "2026-11-24T10:00")
    assert duty().due_at == clock.parse("2026-11-25T18:00") and breaches() == []


def test_a_category_put_right_while_time_is_asked_for_leaves_the_request_to_be_decided(ended):
    ask(duty())
    recategorise(ended, "inquiry", "2026-11-23T10:00")
    decide("manager", granted=True)
    assert duty().due_at == clock.parse("2026-11-25T18:00") and duty().fine_fen is None


def test_who_takes_over_while_time_is_asked_for_does_not_pay_for_what_passed_before(ended):
    ask(duty())
    with clock.frozen(NEXT_DAY), unit_of_work():
        tickets.assign(ended, by=make.who("manager"), to=make.who("specialist2"), reason="请假")
    decide("director", granted=False, at=NEXT_DAY + timedelta(hours=1))
    assert breaches()[0].facts["owner"] == make.who("specialist").id
    assert duty().owner_id == make.who("specialist2").id


def test_who_missed_it_still_sees_it_after_it_was_given_to_another(ended, browser):
    with clock.frozen(NEXT_DAY), unit_of_work():
        tickets.assign(ended, by=make.who("manager"), to=make.who("specialist2"), reason="请假")
    with clock.frozen(NEXT_DAY):
        assert ended.number in browser("specialist").get("/duties").text
        assert ended.number not in browser("specialist2").get("/duties").text


def test_reopening_is_no_way_round_the_record(ended):
    with clock.frozen(CLOSING - timedelta(minutes=1)), unit_of_work():
        tickets.reopen(ended, by=make.who("specialist"), reason="又出现")
    with clock.frozen(NEXT_DAY), unit_of_work():
        tickets.end(ended, by=make.who("specialist"))
    assert [breach.at for breach in breaches()] == [CLOSING]


def test_handing_up_again_does_not_put_off_the_managers_deadline(app):
    with unit_of_work():
        ticket = make.ticket()
        tickets.escalate(ticket, by=make.who("specialist"), story="一")
    with clock.frozen(clock.parse("2026-11-23T09:59")), unit_of_work():
        tickets.escalate(ticket, by=make.who("specialist"), story="二")
    assert duty("ticket.settle_escalation").due_at == clock.parse("2026-11-23T10:00")


def test_an_event_lies_neither_before_its_subject_nor_in_the_future(app):
    with unit_of_work():
        ticket = make.ticket()
    for minutes in (-1, 1):
        with pytest.raises(ValueError), unit_of_work():
            record("ticket.noted", ticket, at=clock.now() + timedelta(minutes=minutes))


def test_somebody_new_is_shown_the_edition_that_is_coming_too(app):
    with unit_of_work():
        workflow.issue_edition(reading.shipped(), clock.parse("2027-01-01"))
        one = make.staff.add_user("newcomer", "新人", ["specialist"], make.hashed(make.PASSWORD))
    owed = db.session.query(Duty).filter_by(subject_id=one.id, rule="rulebook.acknowledge").all()
    assert {d.slot for d in owed} == {"R0001", "R0002"}


def test_an_edition_that_was_rolled_back_leaves_nothing_behind(app):
    with pytest.raises(RuntimeError), unit_of_work():
        edition = workflow.issue_edition(reading.shipped().replace("fen = 5000", "fen = 9900"), clock.now())
        assert editions.book(edition.id).penalties["7.5"].fen == 9900
        id = edition.id
        raise RuntimeError
    assert id not in editions._read[db.engine], "another process may give the number to another text"
    with unit_of_work():
        edition = workflow.issue_edition(reading.shipped(), clock.now())
        assert editions.book(edition.id).penalties["7.5"].fen == 5000


def test_what_is_done_meanwhile_needs_no_decision(ended):
    ask(duty())
    complete_at(ended, clock.parse("2026-11-23T10:00"))
    assert duty("duty.decide_more_time").dropped_by_id


# ── the rulebook ─────────────────────────────────────────────────────────────────────────────────────────────────────

FIVE_LINES = """
[duty."ticket.greet"]
clause = "5.1.1"
title = {zh = "回个电话问好", en = "Call and say hello"}
opens = "ticket.opened"
keeps = "ticket.started"
due = "30m"
"""


def test_adding_an_obligation_takes_five_lines_of_rulebook(app, browser):
    with unit_of_work():
        old = make.ticket()
        workflow.issue_edition(reading.shipped() + FIVE_LINES, clock.now())
        new = make.ticket(old_customer(old))
    assert {d.subject_id for d in db.session.query(Duty).filter_by(rule="ticket.greet")} == {new.id}
    assert "Call and say hello" in browser("specialist").get("/").text
    sweep.tick(clock.now() + timedelta(minutes=31))
    assert breaches()[0].at == clock.now() + timedelta(minutes=30)
    with unit_of_work():
        tickets.start(new, by=make.who("specialist"))
    assert duty("ticket.greet").kept_by_id


def old_customer(ticket):
    return db.session.get(make.Customer, ticket.customer_id)


def test_what_was_opened_before_keeps_its_own_edition(app, ended):
    changed = reading.shipped().replace("fen = 5000", "fen = 9900")
    with unit_of_work():
        workflow.issue_edition(changed, clock.now())
    complete_at(ended, NEXT_DAY)
    assert breaches()[0].facts["fine_fen"] == 5000


@pytest.mark.parametrize(("old", "new", "fault"), [
    ('clause = "5.1.3"\ntitle = {zh = "完成服务记录"', 'clause = "5.9"\ntitle = {zh = "完成服务记录"', "no clause 5.9"),
    ('opens = ["ticket.ended", "ticket.recategorised"]', 'opens = "ticket.eaten"', "no event ticket.eaten"),
    ('due = "ended_at + 0 working days"', 'due = "soon"', "no span of time"),
    ('owner = "pool:manager"', 'owner = "pool:cook"', "is nobody"),
    ('before_work = ["requirement"]', 'before_work = ["wish"]', "no field wish"),
    ('fine = [{clause = "7.5"', 'fine = [{clause = "7.2"', "no fixed fine under 7.2"),
    ('open = ["09:00-12:00", "13:00-18:00"]', 'open = ["12:00-09:00"]', "spells must follow"),
    ("[record]", "[recrod]", "unknown table"),
    ('move = "complete"', 'mvoe = "complete"', "unknown key mvoe"),
    ("[hours]", "[hours", "Expected"),
    ('due = "ended_at + 0 working days"', 'due = "endd_at + 0 working days"', "no date endd_at"),
    ('where = {state = "ended"}', 'where = {sate = "ended"}', "no fact sate"),
    ('where = {state = "ended"}', 'where = {state = "endet"}', "no state endet"), ('slot = "edition"', 'slot = "editoin"', "no fact editoin"),
    ('where = {channel = "qq"}', 'where = {chanel = "qq"}', "no fact chanel"),
    ('move = "settle"', 'move = "settel"', "no move settel"), ('kind = "line"', 'kind = "lien"', "no kind lien"),
])  # fmt: skip
def test_a_rulebook_with_a_fault_is_refused_and_the_fault_is_named(app, old, new, fault):
    text = reading.shipped()
    assert old in text
    with pytest.raises(RulebookError, match=fault):
        workflow.check_rulebook(text.replace(old, new))


def test_editions_follow_one_another(app):
    with unit_of_work():
        workflow.issue_edition(reading.shipped(), clock.parse("2027-01-01"))
    with pytest.raises(ValueError), unit_of_work():
        workflow.issue_edition(reading.shipped(), clock.parse("2026-12-01"))


def test_the_director_confirms_the_defaults_and_everybody_acknowledges_once(app, browser):
    page = browser("director")
    assert "Confirm our defaults" in page.get("/rulebook").text
    assert page.send("/rulebook/R0001/confirmation", page="/rulebook").status_code == 303
    assert page.send("/rulebook/R0001/confirmation", page="/rulebook", version="1").status_code == 409
    for _ in range(2):
        assert page.send("/rulebook/R0001/acknowledgement", page="/rulebook").status_code == 303
    me = make.who("director")
    assert db.session.query(Event).filter_by(kind="rulebook.acknowledged", subject_id=me.id).count() == 1
    assert browser("specialist").send("/rulebook/R0001/confirmation", page="/rulebook").status_code == 403


@pytest.mark.parametrize("kind", ["ticket.completed", "ticket.noted", "duty.more_time_granted"])
def test_what_is_ruled_or_told_to_somebody_is_not_written_down_many_at_once(ended, kind):
    with pytest.raises(ValueError, match=f"{kind} of {ended.number} is ruled, or somebody is told"), unit_of_work():
        record_all([Happened(kind, ended, clock.now(), None, {})])


def test_many_events_at_once_are_written_as_one_by_one(ended):
    with unit_of_work():
        ended.description, by = "余额对不上", make.who("specialist")
        record_all([Happened("ticket.edited", ended, clock.now(), by.id, {"words": "一"})])
    one = db.session.query(Event).filter_by(kind="ticket.edited").one()
    assert (one.at, one.recorded_at, one.actor_id) == (make.MONDAY, make.MONDAY, by.id)
    assert (one.via, one.facts) == ("cli", {"words": "一"})
    assert len(find(by, "余额对不上").newest) == 1, "the search is renewed"


def test_many_at_once_lock_what_is_judged_and_read_it_again(ended, statements):
    with unit_of_work():
        db.session.execute(text("UPDATE subjects SET title = '别的' WHERE id = :id"), {"id": ended.id})
        statements.clear()
        record_all([Happened("ticket.edited", ended, clock.now(), None, {})])
        if db.engine.dialect.name == "postgresql":
            assert "FOR NO KEY UPDATE OF subjects" in statements[0]
        assert ended.title == "别的"


@pytest.mark.parametrize("days", [-1, 1])
def test_many_at_once_lie_between_the_opening_and_now_too(ended, days):
    with pytest.raises(ValueError, match="in the future, or before"), unit_of_work():
        record_all([Happened("ticket.edited", ended, clock.now() + timedelta(days=days), None, {})])


def test_who_issues_editions_sees_what_the_program_has_learnt_since(app, browser):
    assert 'id="lacks"' not in browser("director").get("/rulebook").text
    text = re.sub(r'\[duty."call.regular"\].*?\n(?=\[duty)', "", reading.shipped(), flags=re.S)
    with unit_of_work():
        workflow.issue_edition(text, clock.now())
    seen = browser("director").get("/rulebook").text
    assert 'id="lacks"' in seen and "Regular call" in seen.split('id="lacks"')[1].split("</details>")[0]
    assert 'id="lacks"' not in browser("specialist").get("/rulebook").text
