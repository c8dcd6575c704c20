"""What costs something is proposed by the sweep, once each, with what it rests on (7, D1)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event

from crm import clock
from crm.absences import workflow as absences
from crm.absences.models import Absence
from crm.customers.models import Contact
from crm.db import db, unit_of_work
from crm.duties import queries as stories
from crm.duties import reading
from crm.duties import workflow as duties
from crm.duties.models import Duty, Event, Notice
from crm.errors import Forbidden
from crm.fund import statement
from crm.fund.models import Month
from crm.opinions import workflow as opinions
from crm.opinions.models import Opinion
from crm.papers import workflow as papers
from crm.penalties import evidence, fairness, grounds, queries
from crm.penalties import workflow as penalties
from crm.penalties.grounds import Told, follows_now
from crm.penalties.models import Penalty
from crm.rulebooks.text import Change, changed
from crm.sweep import tick
from crm.tickets import workflow as tickets
from crm.visits import workflow as visits
from tests import make
from tests.penalties.making import (
    by_hand,
    committed,
    do,
    ended_implementation,
    ended_record,
    later,
    lost_application,
    returned_visit,
    swept,
)

pytestmark = pytest.mark.usefixtures("sound")


def keys(rows) -> list[str]:
    return sorted(row.category for row in rows)


def test_a_visit_that_is_not_written_up_costs_thirty(app):
    visit = committed(returned_visit)
    assert swept(hours=20) == [], "the deadline is not over"
    [row] = swept(days=3)
    me = make.who("specialist")
    assert (row.category, row.clause, row.fen, row.concerned_id, row.origin_id) == ("7.4", "7.4", 3000, me.id, visit.id)
    assert (row.state, row.sanction, row.entered_by_id) == ("proposed", "fine", None)
    assert clock.local(row.happened_at) == clock.local(clock.parse("2026-11-24T18:00")), "when it fell due, not when it was swept"


def test_what_was_proposed_stands_in_the_way_of_nothing_that_is_new(app, monkeypatch):
    """A sweep looks at so many grounds: never at those it has proposed already."""
    monkeypatch.setattr(grounds, "MOST", 1)
    for _ in range(2):
        committed(returned_visit)
    assert [len(swept(days=3)) for _ in range(3)] == [1, 2, 2]


def test_its_evidence_says_the_rule_how_the_deadline_was_found_and_by_which_edition(app):
    committed(returned_visit)
    [row] = swept(days=3)
    told = evidence.of(row)
    assert told.rule and told.rule.key == "visit.write_up" and told.entry.fen == 3000
    assert told.opened and told.opened.kind == "visit.returned" and told.opened.at == make.MONDAY
    assert [one.kind for one in told.events] == ["visit.returned", "duty.breached"]
    assert told.due == told.ruled == row.happened_at and told.kept is None
    assert told.edition == db.session.query(duties.Edition.number).scalar()


def test_an_incomplete_record_costs_fifty_and_says_what_was_missing_at_its_deadline(app):
    record = committed(ended_record)
    with later(days=3), unit_of_work():
        make.filled(record)
        tickets.complete(record, by=make.who("specialist"))
    [row] = swept(days=3)
    assert (row.category, row.fen) == ("7.5", 5000)
    assert row.evidence["missing"] == ["report_name", "doubt", "analysis", "solution"], "though it is complete by now"
    told = evidence.of(row)
    assert [one.key for one in told.missing] == row.evidence["missing"] and told.kept and told.kept.kind == "ticket.completed"


def test_what_is_served_outside_the_five_costs_nothing(app):
    committed(ended_record, "inquiry")
    assert swept(days=9) == []


@pytest.mark.parametrize("sheets", [1, 3])
def test_a_lost_application_costs_fifty_a_sheet(app, sheets):
    committed(lost_application, sheets)
    [row] = [one for one in swept(minutes=1) if one.category == "7.3"]
    assert (row.fen, row.concerned_id) == (5000 * sheets, make.who("specialist").id)
    assert row.facts_said == "搬家时不见了", "what was said of it is among the facts"


def test_a_lost_paper_that_no_customer_applied_on_costs_nothing(app):
    with unit_of_work():
        papers.lose(make.paper(), by=make.who("specialist"), words="找不到")
    assert swept(minutes=1) == []


def test_a_late_implementation_form_costs_five_hundred(app):
    committed(ended_implementation)
    assert [(row.category, row.fen) for row in swept(days=6)] == [("7.6", 50000)]


def test_the_first_complaint_about_attitude_is_fined_and_the_second_recommends(app):
    committed(make.complaint, upto="founded")
    assert [(row.category, row.fen, row.sanction) for row in swept(minutes=1)] == [("7.1.first", 20000, "fine")]
    committed(make.complaint, upto="founded")
    assert [(row.category, row.sanction) for row in swept(minutes=2)][1:] == [("7.1.later", "recommendation")]
    committed(make.complaint, upto="founded", about="delay")
    assert keys(swept(minutes=3)) == ["7.1.first", "7.1.later", "7.2"]
    often = db.session.query(Penalty).filter_by(category="7.2").one()
    assert len(evidence.of(often).complaints) == 2, "those that came before it"


def test_a_sweep_more_or_two_at_once_propose_nothing_twice(app):
    committed(returned_visit)
    committed(lost_application)
    committed(make.complaint, upto="founded")
    before = keys(swept(days=3))
    for _again in range(3):
        assert keys(swept(days=4)) == before
    numbers = [row.number for row in db.session.query(Penalty)]
    assert len(set(numbers)) == len(numbers) == 3


def test_it_does_not_matter_when_or_how_often_was_swept(app):
    """The same penalties, dated alike, whether a sweep came after each thing or once at the end."""
    committed(returned_visit)
    with later(days=2):
        tick()
        committed(ended_record)
    with later(days=5):
        tick()
    often = {(row.category, row.happened_at, row.fen) for row in swept(days=9)}
    assert often == {
        ("7.4", clock.parse("2026-11-24T18:00"), 3000), ("7.5", clock.parse("2026-11-25T18:00"), 5000),
    }  # fmt: skip


def test_a_decision_taken_up_again_voids_what_it_led_to_and_decided_anew_it_is_proposed_anew(app):
    complaint = committed(make.complaint, upto="founded")
    [row] = swept(minutes=1)
    with later(minutes=2), unit_of_work():
        opinions.review(complaint, by=make.who("manager"), reason="录音对不上")
    assert [one.state for one in swept(minutes=3)] == ["voided"]
    with later(minutes=4), unit_of_work():
        opinions.confirm(complaint, by=make.who("manager"), findings="确实如此")
    first, again = swept(minutes=5)
    assert (first.state, again.state, again.category) == ("voided", "proposed", "7.1.first")
    assert first.cause_id != again.cause_id


def test_without_a_sweep_in_between_it_comes_to_the_same(app):
    complaint = committed(make.complaint, upto="founded")
    swept(minutes=1)
    for act in (lambda: opinions.review(complaint, by=make.who("manager"), reason="再听一遍"),
                lambda: opinions.confirm(complaint, by=make.who("manager"), findings="属实")):  # fmt: skip
        with later(minutes=2), unit_of_work():
            act()
    assert [one.state for one in swept(minutes=5)] == ["voided", "proposed"]


def test_where_an_earlier_complaint_falls_the_later_one_becomes_the_first(app):
    first = committed(make.complaint, upto="founded")
    committed(make.complaint, upto="founded")
    assert keys(swept(minutes=1)) == ["7.1.first", "7.1.later"]
    with later(minutes=2), unit_of_work():
        opinions.review(first, by=make.who("manager"), reason="弄错人了")
    rows = swept(minutes=3)
    assert [(one.category, one.state) for one in rows] == [
        ("7.1.first", "voided"), ("7.1.later", "voided"), ("7.1.first", "proposed"),
    ]  # fmt: skip


@pytest.mark.parametrize(("story", "now"), [
    ([], {}),
    ([(1, "opinion.confirmed", ["a", "b"])], {"a": 1, "b": 1}),
    ([(1, "opinion.confirmed", ["a"]), (2, "opinion.reviewed", ["a"])], {}),
    ([(1, "opinion.confirmed", ["a"]), (2, "opinion.reviewed", []), (3, "opinion.confirmed", ["a"])], {"a": 3}),
    ([(1, "opinion.confirmed", ["a", "b"]), (2, "opinion.reweighed", ["b", "c"])], {"b": 1, "c": 2}),
    ([(1, "opinion.confirmed", ["a"]), (2, "opinion.reweighed", []), (3, "opinion.reweighed", ["a"])], {"a": 3}),
])  # fmt: skip
def test_what_a_complaint_leads_to_rests_on_the_event_that_said_so_last(story, now):
    told = [Told(id, kind, clock.now(), None, follows) for id, kind, follows in story]
    assert {key: one.id for key, one in follows_now(told).items()} == now


def test_a_service_that_a_callback_finds_has_no_record_is_a_finding_of_whoever_called(app):
    from crm.callbacks import workflow as calls
    from crm.customers.models import Contact

    with unit_of_work():
        call = make.begun_callback()
        person = db.session.query(Contact).filter_by(customer_id=call.customer_id).first()
        calls.reach(call, by=make.who("followup"), contact=person, department="财务部", attitude=5, skill=5, result=5,
                    unrecorded="上周还远程弄过一次", clause="7.5")  # fmt: skip
    [row] = [one for one in swept(minutes=1) if one.category == "7.5"]
    assert (row.entered_by_id, row.facts_said, row.fen) == (make.who("followup").id, "上周还远程弄过一次", 5000)
    with pytest.raises(Forbidden), unit_of_work():  # what was found stands in the callback: it is no entry by mistake
        penalties.withdraw(row, by=make.who("followup"), reason="看错了")


def test_a_manager_owes_the_decision_and_nobody_is_told_before_it(app):
    committed(returned_visit)
    [row] = swept(days=3)
    owed = {duty.rule: duty for duty in stories.of_subject(row)}
    assert owed["penalty.issue"].pool == "manager" and owed["penalty.issue"].fine_fen is None
    told = db.session.query(Notice).join(Event, Event.id == Notice.event_id).filter(Event.subject_id == row.id)
    assert told.count() == 0


def test_what_nobody_owed_by_name_is_nobodys_penalty(app):
    """A breach that names nobody has nobody to pay for it."""
    committed(returned_visit)
    with unit_of_work():
        db.session.query(Duty).filter_by(rule="visit.write_up").update({"owner_id": None, "pool": "manager"})
    assert swept(days=3) == []
    assert db.session.query(Duty).filter_by(rule="visit.write_up").one().breached_by_id, "though it was missed"


def test_of_a_cancelled_visit_nothing_is_proposed(app):
    with unit_of_work():
        row = make.visit()
        visits.cancel(row, by=make.who("specialist"), reason="客户改期")
    assert swept(days=9) == []


def test_nobody_pays_for_what_fell_due_while_they_were_away_and_could_not_be_handed_over(app):
    committed(returned_visit)
    committed(make.absence, upto="approved", unforeseen=True, days=3, starts_in=0)
    assert swept(days=6) == [], "ill from one hour to the next"


def test_leave_approved_afterwards_voids_what_it_excuses_signed_or_not(app):
    committed(returned_visit)
    [row] = swept(days=3)
    with later(days=3), unit_of_work():
        row = db.session.get_one(Penalty, row.id)
        penalties.issue(row, by=make.who("manager"))
        penalties.sign(row, by=make.who("specialist"))
    with later(days=3), unit_of_work():
        away = absences.ask(by=make.who("specialist"), starts_on=date(2026, 11, 24), ends_on=date(2026, 11, 25), category="sick",
                            words="高烧", stand_in=make.who("specialist2"))  # fmt: skip
        absences.approve(away, by=make.who("manager"), unforeseen=True)
    assert [one.state for one in swept(days=4)] == ["voided"]
    assert [one.state for one in swept(days=5)] == ["voided"], "and is not proposed again"


def test_a_missed_answer_to_a_complaint_that_costs_something_keeps_its_penalty(app):
    """It rests on the duty, not on what was decided on the complaint."""
    with unit_of_work():
        text = changed(reading.shipped(), [Change(("duty", "opinion.answer", "fine"), [{"clause": "7.4"}])])
        duties.issue_edition(text, clock.now() + timedelta(seconds=1), by=make.who("director"))
    with later(hours=1):
        committed(make.opinion)
        for days in (20, 21, 22):
            rows = [row for row in swept(days=days) if row.origin_id and row.duty_id]
            assert [row.state for row in rows] == ["proposed"], days
            assert not [event for row in rows for event in stories.timeline(row) if event.kind in ("penalty.voided", "penalty.revived")]


def test_one_that_cannot_be_settled_stops_none_of_the_others(app, monkeypatch, caplog):
    committed(returned_visit)
    monkeypatch.setattr(grounds, "gone", lambda penalty_id=None: {999_999: "absence"} if penalty_id is None else 1 / 0)
    assert [row.clause for row in swept(days=3)] == ["7.4"] and "999999" in caplog.text


def test_what_was_missing_is_kept_though_it_cost_nothing_then(app):
    """It turns out to be of a declared category afterwards: the notice says what was missing at the deadline."""
    with unit_of_work():
        row = ended_record("inquiry")
    with later(days=2):
        tick()
        with unit_of_work():
            said = {"contact": db.session.get(Contact, row.contact_id), "department": row.department, "category": "report_problem"}
            tickets.edit_ticket(db.session.get_one(type(row), row.id), by=make.who("specialist"), **said)
        [found] = [one for one in swept(hours=1) if one.origin_id == row.id]
        assert found.evidence["missing"] and found.fen == 5000


def test_what_costs_nothing_holds_up_nothing_that_does(app, monkeypatch):
    """Papers that no customer applied on are lost as well, and looked at by every sweep."""
    monkeypatch.setattr("crm.penalties.grounds.MOST", 2)
    with unit_of_work():
        for _paper in range(3):
            papers.lose(make.paper(), by=make.who("specialist"), words="找不到")
    committed(lost_application)
    assert keys(swept(minutes=1)) == ["7.3"]


def test_a_thousand_days_later_a_sweep_that_never_ran_catches_up(app):
    committed(returned_visit)
    [row] = swept(days=1000)
    assert row.happened_at == clock.parse("2026-11-24T18:00") and row.opened_at - row.happened_at > timedelta(days=900)


def test_a_deadline_at_the_end_of_a_month_belongs_to_the_month_that_ends(app):
    """24:00 of the thirtieth is no breach of December."""
    with unit_of_work():
        row = by_hand("3.9.late")
        row.happened_at = clock.end_of(date(2026, 11, 30))
        do("issue", row)
        do("sign", row)
    november, december = Month(month=date(2026, 11, 1)), Month(month=date(2026, 12, 1))
    [line] = statement.due(november)
    assert statement.body([line])["people"][0]["lines"][0]["happened"] == "2026-11-30"
    assert [len(fairness.lines(fairness.Scope(day, day))) for day in (november.month, december.month)] == [1, 0]
    listed = [queries.listing(make.who("manager"), queries.Filter(month=day)).count for day in (november.month, december.month)]
    assert listed == [1, 0]


def test_what_leave_had_excused_is_proposed_again_once_it_excuses_no_longer(app):
    committed(returned_visit)
    with unit_of_work():
        away = absences.ask(by=make.who("specialist"), starts_on=clock.today(), ends_on=date(2026, 11, 25), category="sick",
                            words="高烧", stand_in=make.who("specialist2"))  # fmt: skip
    [row] = swept(days=3)
    with later(days=3), unit_of_work():
        do("issue", row)
        do("sign", row)
        absences.approve(db.session.get_one(Absence, away.id), by=make.who("manager"), unforeseen=True)
    [row] = swept(days=3, minutes=1)
    assert row.state == "voided"
    because = db.session.query(Event).filter_by(kind="penalty.voided").one()
    assert because.facts["name"] == away.number, "it says which leave"
    with later(days=3, minutes=2), unit_of_work():
        absences.judge(db.session.get_one(Absence, away.id), by=make.who("manager"), unforeseen=False, reason="没有病假条")
    [row] = swept(days=3, minutes=3)
    assert (row.state, row.fen, row.issued_by_id, row.held_at) == ("proposed", 3000, None, None)
    assert [one.state for one in swept(days=3, minutes=4)] == ["proposed"], "once"
    with later(days=3, minutes=5), unit_of_work():
        do("issue", row)


def test_a_final_warning_goes_with_the_notice_it_came_of(app):
    with unit_of_work():
        make.complaint(upto="founded")
    [row] = [one for one in swept(minutes=1) if one.category == "7.1.first"]
    with later(minutes=2), unit_of_work():
        do("issue", row)
        penalties.refuse(row, by=make.who("manager"), words="撕了", witnesses=(make.who("followup"), make.who("archivist")),
                         ill_mannered=True)  # fmt: skip
        do("witness", row)
    assert [one.state for one in swept(minutes=3) if one.category == "D1.final"] == ["proposed"]
    with later(minutes=4), unit_of_work():
        opinions.review(db.session.query(Opinion).one(), by=make.who("manager"), reason="弄错人了")
    swept(minutes=5)
    assert {one.category: one.state for one in swept(minutes=6)} == {"7.1.first": "voided", "D1.final": "voided"}


def test_what_was_reduced_and_is_void_later_is_sound(app):
    committed(returned_visit)
    [row] = swept(days=3)
    with later(days=3), unit_of_work():
        for step in ("issue", "sign", "appeal", "reduced"):
            do(step, row)
        away = absences.ask(by=make.who("specialist"), starts_on=date(2026, 11, 24), ends_on=date(2026, 11, 25), category="sick",
                            words="高烧", stand_in=make.who("specialist2"))  # fmt: skip
        absences.approve(away, by=make.who("manager"), unforeseen=True)
    assert [(one.state, one.reduced_fen) for one in swept(days=4)] == [("voided", None)]


def test_a_sweep_asks_as_much_however_many_complaints_there_ever_were(app):
    def asked() -> int:
        told: list[str] = []
        listen = "before_cursor_execute", lambda *given: told.append(given[2])
        event.listen(db.engine, *listen)
        with unit_of_work(read_only=True):
            assert list(grounds.all_new()) == [] and grounds.gone() == {}
        event.remove(db.engine, *listen)
        return len(told)

    numbers = []
    for _more in range(3):
        with unit_of_work():
            make.complaint(upto="founded")
        swept(minutes=1)
        numbers.append(asked())
    assert len(set(numbers)) == 1, numbers
