"""Nobody is fined for what they could not have kept (2): which missed duties a leave excuses, exact at its edges."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from crm import clock, sweep
from crm.absences import excuses, handing, workflow
from crm.absences.excuses import Away
from crm.absences.models import Absence, State
from crm.db import db, unit_of_work
from crm.duties import queries as duties
from crm.duties import workflow as owing
from crm.duties.models import Duty, Event
from crm.papers import workflow as papers
from crm.tickets import workflow as tickets
from crm.visits import workflow as visits
from tests import make

AT = clock.parse
TUESDAY, THURSDAY = AT("2026-11-24T00:00"), AT("2026-11-27T00:00")  # from Tuesday to Thursday, whole days
MOMENT = timedelta(microseconds=1)
BEFORE, DURING = AT("2026-11-23T17:59"), AT("2026-11-24T10:00")
# fell due when → whether a leave that began beforehand covers it
EDGES = {
    "the last moment before the first day": ("2026-11-23T23:59:59.999999", False), "24:00 of the day before": ("2026-11-24T00:00", False),
    "the first moment": ("2026-11-24T00:00:00.000001", True), "opening of the first day": ("2026-11-24T09:00", True),
    "closing of the first day": ("2026-11-24T18:00", True), "closing of the last day": ("2026-11-26T18:00", True),
    "24:00 of the last day": ("2026-11-27T00:00", True), "the first moment after it": ("2026-11-27T00:00:00.000001", False),
    "opening of the day after": ("2026-11-27T09:00", False),
}  # fmt: skip


def over(unforeseen: bool = False, since=TUESDAY) -> Away:
    return Away(since, THURSDAY, unforeseen)


@pytest.mark.parametrize(("due", "covered"), EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("unforeseen", [True, False])
def test_it_covers_what_fell_due_on_its_days_to_the_moment(due, covered, unforeseen):
    assert excuses.covers(over(), AT(due)) == covered
    assert excuses.excuses(over(unforeseen), opened=TUESDAY, due=AT(due)) == covered


@pytest.mark.parametrize(("opened", "unforeseen", "handed", "excused"), [
    (BEFORE, False, False, False), (BEFORE, True, False, True), (BEFORE, False, True, True),
    (TUESDAY - MOMENT, False, False, False), (TUESDAY, False, False, True), (DURING, False, False, True), (DURING, True, True, True),
])  # fmt: skip
def test_what_was_there_before_could_be_handed_over_unless_nobody_could_foresee_it(opened, unforeseen, handed, excused):
    assert excuses.excuses(over(unforeseen), opened=opened, due=AT("2026-11-24T18:00"), handed=handed) == excused
    late = AT("2026-11-27T09:00")
    assert not excuses.excuses(over(unforeseen), opened=opened, due=late, handed=handed), "by then they were back"


def test_a_leave_begins_with_the_hand_over_but_for_one_nobody_could_foresee():
    row = Absence(starts_on=date(2026, 11, 24), ends_on=date(2026, 11, 26), unforeseen=False, approved_at=BEFORE, accepted_at=None)
    row.reckon()
    assert (row.away_from, row.away_until) == (None, None), "approved, and not handed over"
    row.accepted_at = BEFORE
    row.reckon()
    assert (row.away_from, row.away_until) == (TUESDAY, THURSDAY)
    row.accepted_at = DURING
    row.reckon()
    assert (row.away_from, row.away_until) == (DURING, THURSDAY)
    row.accepted_at = THURSDAY
    row.reckon()
    assert row.away_from is None, "accepted when it was over"
    row.unforeseen, row.accepted_at = True, None
    row.reckon()
    assert row.away_from == TUESDAY
    row.approved_at = None
    row.reckon()
    assert row.away_from is None, "merely asked for"


# With the database: the same of duties as they are.


def missed(rule: str) -> Duty:
    return db.session.query(Duty).filter_by(rule=rule).order_by(Duty.id).first()


def excused(duty: Duty) -> bool:
    """As both are asked: of one, and of many."""
    one = excuses.excuse_of(duty)
    many = db.session.scalar(select(Duty.id).where(Duty.id == duty.id, excuses.excused())) is not None
    joined = select(Duty.id).join(Duty.subject).where(Duty.id == duty.id, ~excuses.excused())
    assert many == (one is not None) == (db.session.scalar(joined) is None)
    return many


def ended(at: str = "2026-11-23T17:00", category: str = "bug"):
    """A declared record whose service ended: ¥50, and due at closing time of that day."""
    with clock.frozen(AT(at)), unit_of_work():
        record = make.filled(make.ticket(category=category))
        tickets.start(record, by=make.who("specialist"))
        tickets.end(record, by=make.who("specialist"))
    return record


def ill(*, starts: str = "2026-11-24", days: int = 2, approved: bool = True, at: str = "2026-11-27T10:00", **details) -> Absence:
    """A sick note that comes afterwards."""
    with clock.frozen(AT(at)), unit_of_work():
        first = date.fromisoformat(starts)
        row = workflow.ask(by=make.who("specialist"), category="sick", starts_on=first, ends_on=first + timedelta(days=days - 1),
                           words="发烧", stand_in=make.who("specialist2"), **details)  # fmt: skip
        if approved:
            workflow.approve(row, by=make.who("manager"), unforeseen=True)
    return row


def at(text: str) -> None:
    sweep.tick(AT(text))
    db.session.expire_all()


def test_a_sick_note_approved_afterwards_excuses_what_fell_due_on_those_days(app):
    ended("2026-11-23T18:30")  # after hours: due on Tuesday at closing time
    at("2026-11-27T09:00")
    breach = missed("ticket.complete")
    assert breach.breached_owner_id == make.who("specialist").id and not excused(breach)
    row = ill()
    assert excused(breach) and excuses.excuse_of(breach).id == row.id


def test_one_merely_asked_for_rejected_or_withdrawn_excuses_nothing(app):
    ended("2026-11-23T18:30")
    at("2026-11-27T09:00")
    row = ill(approved=False)
    assert not excused(missed("ticket.complete"))
    with clock.frozen(AT("2026-11-27T11:00")), unit_of_work():
        workflow.reject(row, by=make.who("manager"), reason="没有病假条")
    assert not excused(missed("ticket.complete"))


def test_what_was_overdue_before_and_what_falls_due_after_is_not_excused(app):
    ended("2026-11-23T17:00")  # due on Monday
    at("2026-11-27T09:00")
    ill()
    early = missed("ticket.complete")
    assert early.due_at == AT("2026-11-23T18:00") and not excused(early)
    ended("2026-11-27T10:30")  # due on Friday, when they are back
    at("2026-11-30T09:00")
    late = db.session.query(Duty).filter_by(rule="ticket.complete").order_by(Duty.id.desc()).first()
    assert late.breached_by_id and not excused(late)


def test_it_excuses_nobody_else(app):
    with clock.frozen(AT("2026-11-23T18:30")), unit_of_work():
        record = make.filled(make.ticket(category="bug", by=make.who("specialist2")), make.who("specialist2"))
        tickets.start(record, by=make.who("specialist2"))
        tickets.end(record, by=make.who("specialist2"))
    at("2026-11-27T09:00")
    ill()
    assert not excused(missed("ticket.complete"))


def test_what_stayed_with_them_though_they_could_see_it_coming_is_not_excused(app):
    """A paper in their own hands when a planned leave begins: it could be handed over, or explained beforehand (3.8)."""
    me = make.who("specialist")
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
        make.paper(visit, by=me)
        make.absence(upto="accepted", days=10)
    at("2026-11-24T00:00")
    at("2026-12-01T09:00")
    paper = missed("paper.visit_request")
    assert paper.breached_owner_id == me.id and not excused(paper)


def test_what_came_while_they_were_away_and_stayed_theirs_is_excused(app):
    """A paper handed to somebody who is on leave: only they can confirm it."""
    with unit_of_work():
        make.absence(upto="accepted", days=4)
        paper = make.paper(make.visit(by=make.who("specialist2")), by=make.who("specialist2"))
    at("2026-11-24T00:00")
    with clock.frozen(AT("2026-11-24T10:00")), unit_of_work():
        papers.offer(paper, by=make.who("specialist2"), to=make.who("specialist"))
    at("2026-11-26T09:00")
    confirm = missed("paper.confirm")
    assert (confirm.due_at, confirm.breached_owner_id) == (AT("2026-11-25T18:00"), make.who("specialist").id)
    assert excused(confirm)


def test_what_the_stand_in_took_over_is_theirs_to_keep(app):
    """The stand-in owes it: the leave excuses who is away, and nobody else."""
    ended("2026-11-23T18:30")
    with unit_of_work():
        make.absence(upto="accepted")
    at("2026-11-24T00:00")
    at("2026-11-25T09:00")
    breach = missed("ticket.complete")
    assert breach.breached_owner_id == make.who("specialist2").id and not excused(breach)


def test_no_fine_depends_on_when_the_sweep_ran(app):
    """Accepted, and the worker stood still over the first day: what was to be handed over names who was away, and is excused."""
    ended("2026-11-23T18:30")
    with clock.frozen(AT("2026-11-23T18:40")), unit_of_work():
        make.absence(upto="accepted", days=3)
    at("2026-11-25T10:00")
    breach = missed("ticket.complete")
    assert (breach.due_at, breach.breached_owner_id) == (AT("2026-11-24T18:00"), make.who("specialist").id)
    assert breach.owner_id == make.who("specialist2").id and excused(breach)


def test_where_no_sweep_came_by_in_all_its_days_nobody_is_fined_for_it(app):
    ended("2026-11-23T18:30")
    with clock.frozen(AT("2026-11-23T18:40")), unit_of_work():
        row = make.absence(upto="accepted", days=2)
    at("2026-11-26T10:00")
    assert db.session.get(Absence, row.id).state == State.OVER and not handing.handed(row)
    assert excused(missed("ticket.complete"))


def away(person_id: int, at: str) -> bool:
    return any(excuses.covers(one, AT(at)) for one in excuses.leaves().get(person_id, ()))


def test_who_came_back_early_is_excused_only_until_then(app):
    with unit_of_work():
        row = make.absence(upto="accepted", days=3)
    at("2026-11-24T00:00")
    with clock.frozen(AT("2026-11-25T09:00")), unit_of_work():
        workflow.come_back(db.session.get(Absence, row.id), by=make.who("specialist"))
    assert away(row.owner_id, "2026-11-25T09:00")
    assert not away(row.owner_id, "2026-11-25T18:00")


def test_a_shortened_leave_excuses_only_its_days(app):
    with unit_of_work():
        row = make.absence(upto="away", days=4)
        workflow.shorten(row, by=make.who("specialist"), ends_on=date(2026, 11, 24), reason="好了")
    assert away(row.owner_id, "2026-11-25T00:00") and not away(row.owner_id, "2026-11-25T00:01")


def test_a_trial_reads_the_same_days_of_all_at_once(app):
    row = ill()
    found = {day: away(row.owner_id, f"2026-11-{day}T14:00") for day in (23, 24, 25, 26)}
    assert found == {23: False, 24: True, 25: True, 26: False}
    assert not away(make.who("specialist2").id, "2026-11-24T14:00")


def test_who_owed_it_when_it_passed_counts_where_more_time_was_refused_afterwards(app):
    """3.8 and 2 together: the deadline passed while more time was being decided, and they were ill that day."""
    ended("2026-11-23T18:30")
    duty = missed("ticket.complete")
    with clock.frozen(AT("2026-11-23T19:00")), unit_of_work():
        asked = owing.ask_more_time(duty, by=make.who("specialist"), reason="不舒服", wanted=AT("2026-11-27T18:00"))
    with clock.frozen(AT("2026-11-25T09:00")), unit_of_work():
        owing.decide_more_time(asked, by=make.who("manager"), granted=False)
    db.session.refresh(duty)
    assert duty.breached_by_id and not excused(duty)
    ill()
    assert excused(duty)


@pytest.mark.parametrize(("due", "covered"), EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("unforeseen", [True, False])
@pytest.mark.parametrize("opened", [BEFORE, DURING], ids=["before", "during"])
def test_the_database_answers_as_the_rule_does(app, due, covered, unforeseen, opened):
    with unit_of_work():
        record = make.ticket()
        row = make.absence(upto="approved", unforeseen=unforeseen, days=3)
        if not unforeseen:
            workflow.accept(row, by=make.who("specialist2"))
    duty = next(one for one in duties.of_subject(record) if one.rule == "ticket.progress")
    with unit_of_work():
        event = Event(kind="ticket.noted", subject_id=record.id, at=opened, recorded_at=opened)
        db.session.add(event)
        db.session.flush()
        duty.due_at, duty.opened_by_id, duty.show_from, duty.warn_at = AT(due), event.id, BEFORE, BEFORE
    assert row.away_from == TUESDAY
    pure = excuses.excuses(Away(row.away_from, row.away_until, row.unforeseen), opened=opened, due=duty.due_at)
    assert excused(duty) == pure == (covered and (unforeseen or opened == DURING))
