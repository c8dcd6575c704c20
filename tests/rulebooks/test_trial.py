"""A draft tried on the past: what it says of single stories, what it leaves out, and how the sweep carries it on."""

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import text as sql

from crm import clock, sweep
from crm.absences import workflow as absences
from crm.db import db, unit_of_work
from crm.duties import reading
from crm.duties import workflow as duties
from crm.duties.models import Duty, Edition, Event, Extension
from crm.papers import workflow as papers
from crm.penalties import workflow as penalties
from crm.rulebooks import trying
from crm.rulebooks.models import Draft, TrialRow, TrialRun
from crm.rulebooks.text import Change, changed
from crm.rulebooks.trial import Row, Tally, Trial, What, Why
from crm.tickets import workflow as tickets
from crm.visits import workflow as visits
from tests import make
from tests.browsing import together
from tests.penalties.making import ended_implementation, penalty, second_manager
from tests.rulebooks import drafts

FRIDAY = clock.parse("2026-12-11T09:00")
SINCE, UNTIL = clock.parse("2026-11-01"), clock.parse("2027-01-01")
DUE = ("duty", "ticket.progress", "due")


def at(when: str):
    return clock.frozen(clock.parse(when))


def tried(*changes: Change, since=SINCE, until=UNTIL, when=FRIDAY) -> tuple[list[Row], Tally]:
    """What is told of the draft that these changes make, the acknowledging of the rulebook left out."""
    with clock.frozen(when):
        sweep.breach_overdue(when)
        with unit_of_work(read_only=True):
            trial, tally = Trial.of(changed(reading.shipped(), changes), since, until), Tally()
            rows, _last = trial.go_on(0, 10_000, when, tally)
    return [row for row in rows if not row.rule.startswith("rulebook.")], tally


def told(rows: list[Row]) -> list[tuple]:
    return [(str(row.what), row.rule) for row in rows]


@pytest.fixture
def opened(app):
    """A record opened on Monday at nine and ended on Thursday: a day late."""
    with unit_of_work():
        row = make.ticket()
    with at("2026-11-26T15:00"), unit_of_work():
        tickets.start(row, by=make.who("specialist"))
        tickets.end(row, by=make.who("specialist"))
    with at("2026-11-26T15:10"), unit_of_work():
        make.filled(row)
        tickets.complete(row, by=make.who("specialist"))
    return row


def test_a_draft_that_changes_nothing_says_that_nothing_differs(opened):
    rows, tally = tried()
    assert rows == [] and tally.why == {} and tally.rules["ticket.progress"] == [1, 0, 1, 0]


def test_a_longer_deadline_is_not_missed_and_a_shorter_one_is(opened):
    rows, tally = tried(Change(DUE, "3 working days"))
    assert told(rows) == [("fewer", "ticket.progress")] and rows[0].subject_id == opened.id and rows[0].owner_id == make.who("specialist").id
    assert tally.rules["ticket.progress"] == [1, 0, 0, 0]
    assert tally.people[str(make.who("specialist").id)] == [2, 0, 1, 0], "with the rulebook they did not acknowledge"
    rows, tally = tried(Change(("duty", "ticket.complete", "due"), "30m"), Change(DUE, "1 working day"))
    assert told(rows) == [], "it was complete at once, and late either way"
    rows, tally = tried(Change(("duty", "rulebook.acknowledge", "due"), "1 month"))
    assert tally.total == [11, 0, 2, 0], "whoever did not acknowledge, whoever did not confirm, and the record"


def test_what_fell_due_outside_the_time_is_not_counted(opened):
    _rows, tally = tried(since=clock.parse("2026-11-26"), until=UNTIL)
    assert "ticket.progress" not in tally.rules, "it fell due on Wednesday"
    rows, tally = tried(Change(DUE, "3 days"), since=clock.parse("2026-11-26"), until=UNTIL)
    assert "ticket.progress" not in tally.rules and rows == [], "under the draft it was in time"
    rows, tally = tried(Change(DUE, "1 day"), since=clock.parse("2026-11-25"), until=clock.parse("2026-11-26"))
    assert rows == [] and tally.rules["ticket.progress"] == [1, 0, 1, 0], "the day before: it is the same one, missed on both sides"


def test_the_end_of_a_calendar_day_belongs_to_the_day_that_ends(opened):
    """A deadline at 24:00 on the last day asked for is of that day's midnight, which begins the next."""
    wednesday = {"since": clock.parse("2026-11-25"), "until": clock.parse("2026-11-26")}
    rows, tally = tried(Change(DUE, "2 days"), **wednesday)
    assert told(rows) == [] and tally.rules["ticket.progress"] == [1, 0, 1, 0]
    _rows, tally = tried(Change(DUE, "2 days"), since=clock.parse("2026-11-26"), until=clock.parse("2026-11-27"))
    assert "ticket.progress" not in tally.rules, "nor is it of the day that begins"


def test_other_fines_and_other_hours(app):
    with unit_of_work():
        row = make.ticket(category="bug")
        tickets.start(row, by=make.who("specialist"))
        tickets.end(row, by=make.who("specialist"))
    rows, tally = tried(Change(("penalty", "7.5", "fen"), 6600))
    assert told(rows) == [("otherwise", "ticket.complete")] and (rows[0].fen_held, rows[0].fen_draft) == (5000, 6600)
    assert tally.total[1::2] == [5000, 6600]
    rows, _tally = tried(Change(("duty", "ticket.complete", "fine"), None))
    assert (rows[0].fen_held, rows[0].fen_draft) == (5000, 0)
    with at("2026-11-24T17:30"), unit_of_work():
        other = make.ticket(category="bug")
        tickets.start(other, by=make.who("specialist"))
        tickets.end(other, by=make.who("specialist"))
    with at("2026-11-25T12:00"), unit_of_work():
        make.filled(other)
        tickets.complete(other, by=make.who("specialist"))
    rows, _tally = tried(Change(("hours", "open"), ["09:00-17:00"]))
    assert ("fewer", "ticket.complete") in told(rows), "ended after hours, it is due a day later"


def test_a_condition_reads_what_was_so_when_it_happened_and_not_what_is_so_now(app):
    """Served by telephone when the service ended; put right to QQ afterwards."""
    with unit_of_work():
        row = make.ticket(category="inquiry")
        tickets.start(row, by=make.who("specialist"))
        tickets.end(row, by=make.who("specialist"))
    with at("2026-11-25T09:00"), unit_of_work():
        contact = db.session.get(make.Contact, row.contact_id)
        tickets.edit_ticket(row, by=make.who("specialist"), contact=contact, department="财务部", channel="qq", service_qq="1")
    for channel, fen in (("phone", 5000), ("qq", 0)):
        fine = [{"clause": "7.5", "where": {"channel": [channel]}}]
        _rows, tally = tried(Change(("duty", "ticket.complete", "fine"), fine))
        assert tally.rules["ticket.complete"] == [1, 0, 1, fen]


def test_whoever_owed_it_when_it_would_have_fallen_due_is_named(app):
    """Given to a colleague on Tuesday; by the rules of the day it fell due on Wednesday, under the draft on Monday."""
    with unit_of_work():
        row = make.ticket()
    with at("2026-11-24T10:00"), unit_of_work():
        tickets.assign(row, by=make.who("manager"), to=make.who("specialist2"), reason="请假")
    rows, tally = tried(Change(DUE, "4 working hours"))
    (other,) = [one for one in rows if one.rule == "ticket.progress"]
    assert other.what == What.OTHERWISE and other.owner_id == make.who("specialist").id
    assert tally.people[str(make.who("specialist2").id)] == [2, 0, 1, 0]


def more_time(row, *, wanted: str, granted: bool = True) -> None:
    """Asked for within the hour, decided on once the draft's deadline has passed."""
    with at("2026-11-23T10:00"), unit_of_work():
        owed = db.session.query(Duty).filter_by(subject_id=row.id, rule="ticket.progress").one()
        asked = duties.ask_more_time(owed, by=make.who("specialist"), reason="忙", wanted=clock.parse(wanted))
        asked_id = asked.id
    with at("2026-11-25T10:00"), unit_of_work():
        duties.decide_more_time(db.session.get(Extension, asked_id), by=make.who("manager"), granted=granted)


def test_more_time_that_was_granted_is_granted_under_the_draft_too_where_it_could_be_asked_for(app):
    with unit_of_work():
        row = make.ticket()
    more_time(row, wanted="2026-12-04T18:00")
    with at("2026-12-03T10:00"), unit_of_work():
        tickets.start(row, by=make.who("specialist"))
        tickets.end(row, by=make.who("specialist"))
        tickets.cancel(row, by=make.who("manager"), reason="重复")
    rows, tally = tried(Change(DUE, "1 working day"))
    assert told(rows) == [] and "ticket.progress" not in tally.rules, "while it is being decided nothing is missed, and the granted day stands"
    rows, tally = tried(Change(DUE, "30m"))
    refused = [one for one in rows if one.what == What.REFUSED]
    assert [one.why for one in refused] == ["duty.more_time_asked", "duty.more_time_granted"], "it could not have been asked for any more"
    assert tally.rules["ticket.progress"] == [0, 0, 1, 0]
    rows, tally = tried(Change(DUE, "1 month"))
    assert [one.why for one in rows if one.what == What.REFUSED] == ["duty.more_time_asked", "duty.more_time_granted"], "nobody asks for less time than there is"
    assert "ticket.progress" not in tally.rules


def test_more_time_that_was_refused_leaves_the_deadline_as_it_was(app):
    with unit_of_work():
        row = make.ticket()
    more_time(row, wanted="2026-12-04T18:00", granted=False)
    rows, tally = tried(Change(DUE, "1 working day"))
    assert told(rows) == [] and tally.rules["ticket.progress"] == [1, 0, 1, 0] and tally.why == {}


def test_a_completion_counts_only_if_the_record_held_what_the_draft_asks_for(app):
    with unit_of_work():
        row = make.ticket()
        make.filled(row)
        tickets.complete(row, by=make.who("specialist"))
    needs = ["question", "answer", "tool"]
    rows, tally = tried(Change(("category", "inquiry", "before_complete"), needs))
    assert told(rows) == [("more", "ticket.progress"), ("refused", "")], "with the completion goes the end that came with it"
    assert rows[-1].why == "ticket.completed tool" and tally.lacks == {"tool": 1}
    with at("2026-11-23T10:00"), unit_of_work():
        full = make.ticket()
        tickets.fill(full, by=make.who("specialist"), fields={**make.FIELDS["inquiry"], "tool": "清理工具"})
        tickets.complete(full, by=make.who("specialist"))
    rows, tally = tried(Change(("category", "inquiry", "before_complete"), needs))
    assert {one.subject_id for one in rows} == {row.id}
    rows, tally = tried(Change(("category", "inquiry", "before_complete"), ["question"]))
    assert rows == [], "what was complete is complete with less, too"


def test_a_field_that_is_asked_for_only_by_qq_is_asked_for_only_by_qq(app):
    with unit_of_work():
        for channel in ("phone", "qq"):
            row = make.ticket(channel=channel, service_qq="10001" if channel == "qq" else "")
            make.filled(row)
            tickets.complete(row, by=make.who("specialist"))
    field = {"where": {"channel": "qq"}, "title": {"zh": "截图", "en": "Picture"}, "kind": "file"}
    changes = Change(("field", "picture"), field), Change(("category", "inquiry", "before_complete"), ["question", "answer", "picture"])
    rows, _tally = tried(*changes)
    assert [one.subject_id for one in rows if one.what == What.REFUSED] == [row.id]


def test_a_visit_is_not_written_up_if_its_record_would_not_be_complete(app):
    with unit_of_work():
        row = make.handed_in()
        make.written_up(row)
    rows, _tally = tried(Change(("category", "inquiry", "before_complete"), ["question", "answer", "tool"]))
    assert sorted(told(rows)) == [("more", "visit.write_up"), ("refused", "")] and {one.subject_id for one in rows} == {row.id}
    assert next(one for one in rows if one.rule).fen_draft == 3000


def test_a_category_that_the_draft_has_not_leaves_its_records_out(opened):
    rows, tally = tried(Change(("category", "inquiry"), None))
    assert [(one.what, one.why, one.subject_id) for one in rows] == [(What.LEFT_OUT, Why.GONE, opened.id)]
    assert tally.why == {Why.GONE: 1} and "ticket.progress" not in tally.rules, "left out of both sides"


def test_a_visit_written_up_as_such_a_category_is_left_out_too(app):
    with unit_of_work():
        row = make.handed_in()
        make.written_up(row)
    rows, tally = tried(Change(("category", "inquiry"), None))
    assert (What.LEFT_OUT, row.id) in [(one.what, one.subject_id) for one in rows] and tally.why[Why.GONE] >= 1


def test_an_edition_that_was_taken_back_stops_no_trial(opened):
    with unit_of_work():
        edition = duties.issue_edition(reading.shipped(), clock.now() + timedelta(days=9), by=make.who("director"))
    with unit_of_work():
        duties.withdraw_edition(db.session.get_one(Edition, edition.id), by=make.who("director"))
    rows, tally = tried(Change(DUE, "3 days"))
    assert told(rows) == [("fewer", "ticket.progress")] and tally.seen > 1


def test_a_visit_that_was_given_to_another_is_theirs_under_the_draft_too(app):
    with unit_of_work():
        row = make.handed_in()
        visits.assign(row, by=make.who("manager"), to=make.who("specialist2"), reason="换人")
        make.written_up(row)
    rows, _tally = tried(Change(("duty", "visit.write_up", "due"), "60m"))
    assert not [one for one in rows if one.what == What.LEFT_OUT]
    with at("2026-11-23T10:00"), unit_of_work():
        late = make.handed_in()
        visits.assign(late, by=make.who("manager"), to=make.who("specialist2"), reason="换人")
    with at("2026-11-23T11:00"), unit_of_work():
        make.written_up(late)
    rows, _tally = tried(Change(("duty", "visit.write_up", "due"), "20m"))
    assert [(one.subject_id, one.owner_id) for one in rows if one.rule == "visit.write_up"] == [(late.id, make.who("specialist2").id)]


def test_what_stays_behind_in_a_leave_stays_behind_in_a_trial(app):
    """The implementation goes to the stand-in, the paper in hand does not."""
    me, other = make.who("specialist"), make.who("specialist2")
    with unit_of_work():
        made = ended_implementation()
        paper = make.paper(made, by=me, kind="implementation")
        make.absence(by=me, to=other, upto="accepted", days=30)
    with at("2026-11-24T09:00"):
        sweep.tick(clock.now())
    assert made.owner_id == other.id
    with at("2026-12-09T09:00"), unit_of_work():
        papers.offer(paper, by=me, to=make.who("archivist"))
    rows, _tally = tried(Change(("penalty", "7.6", "fen"), 60000))
    assert {one.owner_id for one in rows if one.rule == "paper.implementation"} == {me.id}
    assert not [one for one in rows if one.what == What.LEFT_OUT]


def test_what_leave_excuses_or_nobody_owed_by_name_costs_nothing_in_a_trial(opened):
    me = make.who("specialist")
    fined = Change(("duty", "ticket.progress", "fine"), [{"clause": "7.5"}])
    rows, tally = tried(fined)
    assert tally.people[str(me.id)][3] == 5000 and [(one.fen_held, one.fen_draft) for one in rows] == [(0, 5000)]
    with at("2026-11-27T10:00"), unit_of_work():
        leave = absences.ask(by=me, category="sick", starts_on=date(2026, 11, 24), ends_on=date(2026, 11, 25), words="发烧")
        absences.approve(leave, by=make.who("manager"), unforeseen=True)
    rows, tally = tried(fined)
    assert rows == [] and tally.people[str(me.id)][3] == 0 and tally.rules["ticket.progress"][2] == 1


def test_a_missed_deadline_opens_what_it_opens_under_the_draft(app):
    """D2: an unpaid contract is chased; under a draft that grants a month nobody chases."""
    with unit_of_work():
        make.contract(upto="returned")
    rows, tally = tried()
    assert rows == [] and tally.rules["contract.chase"] == [1, 0, 1, 0]
    assert "contract.pay" not in tally.rules, "what the customer did not do in time is nobody's miss"
    rows, tally = tried(Change(("duty", "contract.pay", "due"), "payment_due_on + 1 month"))
    assert sorted(told(rows)) == [("fewer", "contract.chase"), ("fewer", "contract.demand")]


def test_what_happens_below_counts_above(app):
    """A visit request that is taken to the archive, and one that is not."""
    with unit_of_work():
        for archived in (True, False):
            row = make.visit(make.served_customer(f"单位{archived}"), starts_in=200)
            visits.approve(row, by=make.who("manager"))
            if archived:
                paper = make.paper(row)
                papers.offer(paper, by=make.who("specialist"), to=make.who("archivist"))
                papers.archive(paper, by=make.who("archivist"), place="甲柜")
    _rows, tally = tried()
    assert tally.rules["paper.visit_request"] == [1, 0, 1, 0] and tally.why == {}


@pytest.mark.parametrize(("given_back", "whose"), [(False, "manager"), (True, None)])
def test_a_duty_that_falls_to_a_role_is_whoevers_took_it_on(app, given_back, whose):
    with unit_of_work():
        row = make.complaint()
        owed = db.session.query(Duty).filter_by(subject_id=row.id, rule="opinion.investigate").one()
        duties.claim(owed, by=make.who("manager"))
        if given_back:
            duties.release(owed, by=make.who("manager"))
    rows, tally = tried(Change(("duty", "opinion.investigate", "due"), "1 month"))
    assert told(rows) == [("fewer", "opinion.investigate")] and rows[0].owner_id == (whose and make.who(whose).id)
    assert ("pool:manager" in tally.people) == given_back and tally.why == {}


def without_what_was_known() -> None:
    """Events as an older program left them."""
    with unit_of_work():
        trigger = "DROP TRIGGER events_no_update" if db.engine.dialect.name == "sqlite" else "ALTER TABLE events DISABLE TRIGGER USER"
        db.session.execute(sql(trigger))
        db.session.execute(sql("UPDATE events SET known = NULL"))
        for event in db.session.query(Event).filter_by(kind="ticket.completed"):
            event.facts = {key: value for key, value in event.facts.items() if key != "has"}


def test_of_older_events_it_is_worked_out_what_was_known(opened):
    with at("2026-11-24T09:00"), unit_of_work():
        other = make.ticket()
    with at("2026-11-24T10:00"), unit_of_work():
        tickets.assign(other, by=make.who("manager"), to=make.who("specialist2"), reason="请假")
        contact = db.session.get(make.Contact, other.contact_id)
        tickets.edit_ticket(other, by=make.who("specialist2"), contact=contact, department="财务部", category="bug")
    changes = Change(DUE, "4 working hours"), Change(("category", "inquiry", "before_complete"), ["question", "answer", "tool"])
    before = tried(*changes)
    without_what_was_known()
    after = tried(*changes)
    assert after[0] == before[0] and after[1].why == {}


def test_of_an_older_record_that_was_filled_in_again_nobody_knows_what_it_held(opened):
    with at("2026-11-27T09:00"), unit_of_work():
        tickets.reopen(opened, by=make.who("specialist"), reason="还有问题")
        tickets.fill(opened, by=make.who("specialist"), fields={"answer": "再过一次账"})
        tickets.complete(opened, by=make.who("specialist"))
    without_what_was_known()
    rows, tally = tried(Change(("category", "inquiry", "before_complete"), ["question", "answer", "tool"]))
    assert [(one.what, one.why) for one in rows] == [(What.LEFT_OUT, Why.UNKNOWN)] and tally.why == {Why.UNKNOWN: 1}
    rows, tally = tried(Change(("category", "inquiry", "before_complete"), ["question"]))
    assert rows == [] and tally.why == {}, "less is not asked for"


def test_what_is_not_as_it_was_recorded_is_left_out_and_counted(opened):
    """Somebody moved a deadline in the database."""
    with unit_of_work():
        db.session.query(Duty).filter_by(subject_id=opened.id, rule="ticket.progress").update({"due_at": clock.parse("2026-11-26T12:00")})
    rows, tally = tried(Change(DUE, "3 working days"))
    assert [(one.what, one.why, one.subject_id) for one in rows] == [(What.LEFT_OUT, Why.DIFFERS, opened.id)]
    assert tally.why == {Why.DIFFERS: 1}


def test_what_was_recorded_under_another_edition_is_judged_by_it_on_the_other_side(app):
    with unit_of_work():
        duties.issue_edition(reading.shipped().replace('due = "2 working days"\nwarn', 'due = "3 working days"\nwarn'), clock.parse("2026-11-24"))
        old = make.ticket()
    with at("2026-11-24T10:00"), unit_of_work():
        make.ticket()
    rows, tally = tried(Change(DUE, "3 working days"), when=clock.parse("2026-11-26T09:00"))
    assert [(str(one.what), one.subject_id) for one in rows if one.rule] == [("fewer", old.id)] and tally.why == {}


def test_what_the_program_owes_by_itself_is_left_as_it_happened(app):
    with unit_of_work():
        make.in_force(make.customer("无地址"))
    sweep.tick(clock.parse("2026-11-24T09:00"))
    rows, tally = tried(Change(("duty", "contract.notice", "due"), "ends_on - 2 months"))
    assert tally.why == {} and "contract.notice" not in tally.rules and told(rows) == []


# ── asked for on a page, carried on by the sweep ─────────────────────────────────────────────────────────────────────────────


def asked(*changes: Change) -> TrialRun:
    with unit_of_work():
        draft = drafts.changed(*changes)
        return trying.ask(draft, by=make.who("director"), since=clock.parse("2026-11-01").date(), until=clock.parse("2026-12-31").date())


def test_it_is_asked_for_on_the_page_carried_on_by_the_sweep_and_the_page_says_what_was_found(opened, browser):
    with unit_of_work():
        draft = drafts.changed(Change(DUE, "3 working days"))
    with clock.frozen(FRIDAY):
        page = browser("director")
        answer = page.send(f"{draft.path}/trials", page=draft.path, since="2026-11-01", until="2026-11-30")
        assert answer.location == f"{draft.path}#trial"
        assert page.get(f"{draft.path}/trials/progress").json["going"] and "It is being tried" in page.get(draft.path).text
        assert sweep.tick(FRIDAY)["drafts of the rulebook tried"] == 1
        assert page.get(f"{draft.path}/trials/progress").json == {"going": False, "seen": 0, "total": 0}
        text = page.get(draft.path).text
        assert "1 deadline fewer missed" in text and "the same fines" in text and "张伟" in text
        run = db.session.query(TrialRun).one()
        result = page.get(f"{draft.path}/trials/{run.id}?what=fewer&rule=ticket.progress").text
        assert opened.number in result and "End the service or set it waiting" in result
        chinese = browser("manager", "zh").get(f"{draft.path}/trials/{run.id}").text
        assert "少逾期1件" in chinese and "结束服务或转为等待" in chinese
        assert run.state == "done" and run.found["seen"] == run.total


def test_a_trial_goes_on_where_it_was_piece_by_piece(opened, monkeypatch):
    monkeypatch.setattr(trying, "SIZE", 3)
    run = asked(Change(DUE, "3 working days"))
    with clock.frozen(FRIDAY):
        sweep.breach_overdue(FRIDAY)
        assert trying._carry_on(run.id, iter([True, True, False]).__next__) == 0, "the time of this sweep is over"
        db.session.rollback()
        half = db.session.get(TrialRun, run.id)
        assert half.state == "running" and half.found["seen"] == 6 and half.position > 0
        assert trying.try_due(FRIDAY) == 1
    db.session.rollback()
    whole = db.session.get(TrialRun, run.id)
    assert whole.state == "done" and whole.found["seen"] == whole.total and whole.found["what"] == {"fewer": 1}
    assert db.session.query(TrialRow).count() == 1


def test_two_workers_make_one_result(served, opened, monkeypatch):
    monkeypatch.setattr(trying, "SIZE", 2)
    run = asked(Change(DUE, "3 working days"), Change(("duty", "rulebook.acknowledge", "due"), "1 month"))

    def other() -> None:
        with served.app_context():
            trying._carry_on(run_id, iter([True, False]).__next__)
            db.session.remove()

    write = trying._write

    def slowly(*args) -> bool:
        """Before the first piece is written down, another worker has written it."""
        if not seen:
            seen.append(True)
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        return write(*args)

    seen: list[bool] = []
    run_id = run.id
    with clock.frozen(FRIDAY):
        sweep.breach_overdue(FRIDAY)
        monkeypatch.setattr(trying, "_write", slowly)
        assert trying._carry_on(run_id, lambda: True) == 0, "another was faster"
        together(2, lambda _i: other())
        assert trying.try_due(FRIDAY) == 1
    db.session.rollback()
    whole = db.session.get(TrialRun, run_id)
    assert whole.state == "done" and whole.found["seen"] == whole.total and whole.found["rules"]["ticket.progress"] == [1, 0, 0, 0]
    assert db.session.query(TrialRow).count() == whole.found["what"]["fewer"] == 10


def test_asked_for_anew_the_one_before_is_not_gone_on_with_and_only_the_last_result_is_kept(opened):
    first = asked(Change(DUE, "3 working days"))
    with unit_of_work():
        draft = db.session.get(Draft, first.draft_id)
        second = trying.ask(draft, by=make.who("director"), since=clock.today(), until=clock.today())
    assert [one.state for one in db.session.query(TrialRun).order_by(TrialRun.id)] == ["stopped", "waiting"]
    with clock.frozen(FRIDAY):
        assert trying.try_due(FRIDAY) == 1
    db.session.rollback()
    assert [one.id for one in db.session.query(TrialRun)] == [second.id] and db.session.query(TrialRow).count() == 0


def test_one_that_cannot_be_tried_is_told_and_stops_no_other(opened, browser):
    bad, good = asked(), asked(Change(DUE, "3 working days"))
    with unit_of_work():
        db.session.get(TrialRun, bad.id).body = "[nonsense"
    with clock.frozen(FRIDAY):
        sweep.breach_overdue(FRIDAY)
        assert trying.try_due(FRIDAY) == 1
    db.session.rollback()
    assert [db.session.get(TrialRun, run.id).state for run in (bad, good)] == ["failed", "done"]
    draft = db.session.get(Draft, bad.draft_id)
    assert "could not be carried out" in browser("director").get(draft.path).text


def test_days_that_cannot_be_are_refused(app, browser):
    with unit_of_work():
        draft = drafts.begun()
    page = browser("director")
    assert page.send(f"{draft.path}/trials", page=draft.path, since="2026-11-10", until="2026-11-01").status_code == 422
    assert page.send(f"{draft.path}/trials", page=draft.path, since="2027-11-10", until="2027-11-11").status_code == 422
    assert page.send(f"{draft.path}/trials", page=draft.path, since="", until="2026-11-01").status_code == 422
    assert db.session.query(TrialRun).count() == 0


def test_a_row_names_no_subject_its_reader_may_not_see(app, browser):
    """A complaint about the manager, missed by the director."""
    with unit_of_work():
        row = make.complaint(against=make.who("manager"))
    run = asked(Change(("duty", "opinion.investigate_lead", "due"), "1 month"))
    with clock.frozen(FRIDAY):
        sweep.breach_overdue(FRIDAY)
        trying.try_due(FRIDAY)
        db.session.rollback()
        path = f"{db.session.get(Draft, run.draft_id).path}/trials/{run.id}?what=fewer"
        assert row.number in browser("director").get(path).text
        page = browser("manager").get(path).text
        assert row.number not in page and row.title not in page and "not yours to see" in page


def test_a_draft_that_changed_since_says_so(opened, browser):
    run = asked(Change(DUE, "3 working days"))
    with clock.frozen(FRIDAY):
        trying.try_due(FRIDAY)
        db.session.rollback()
        draft, page = db.session.get(Draft, run.draft_id), browser("director")
        assert "The draft has changed since then" not in page.get(draft.path).text
        page.send(f"{draft.path}/hours", page=f"{draft.path}/hours", **{"hours/open": "9:00-17:00"})
        assert "The draft has changed since then" in page.get(draft.path).text


def test_each_event_keeps_what_conditions_could_rest_on_(app):
    with unit_of_work():
        row = make.ticket(category="bug")
        make.paper(make.visit())
    known = {event.kind: event.known for event in db.session.query(Event).filter(Event.subject_id == row.id)}
    assert known["ticket.opened"] == {"state": "new", "category": "bug", "channel": "phone", "called_back": False, "owner_id": make.who("specialist").id}
    paper = db.session.query(Event).filter_by(kind="paper.entered").one()
    assert paper.known["origin"]["state"] == "requested" and paper.known["state"] == "held"


def test_a_duty_that_became_another_s_is_missed_by_them_on_either_side(app):
    """The appeal was answered by nobody: by the named stand-in, that is."""
    with unit_of_work():
        row = penalty("appealed")
        penalties.appoint(row, by=second_manager(), to=make.who("archivist"), reason="出差")
    rows, tally = tried()
    assert rows == [] and tally.why == {}
    assert tally.people[str(make.who("archivist").id)][::2] == [2, 2], "with the rulebook they did not acknowledge"
