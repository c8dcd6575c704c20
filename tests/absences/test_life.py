"""A leave from its asking to the return: decided by others, accepted by the stand-in, begun after the hand-over (2)."""

from datetime import date, timedelta

import pytest

from crm import clock, sweep
from crm.absences import workflow
from crm.absences.models import Absence, State
from crm.db import db, unit_of_work
from crm.duties import queries as duties
from crm.duties.models import Event, Notice
from crm.errors import Forbidden, Invalid, Refused
from crm.staff import workflow as staff
from tests import make
from tests.seen import owed

pytestmark = pytest.mark.usefixtures("sound")
AT = clock.parse


def leave(**details) -> Absence:
    with unit_of_work():
        return make.absence(**details)


def at(text: str) -> Absence:
    """The clock goes on and a sweep comes by; the one leave as it is then."""
    sweep.tick(AT(text))
    db.session.expire_all()
    return db.session.query(Absence).one()


def test_it_is_asked_for_decided_accepted_begun_ended_and_reported_back_from(app):
    row = leave()
    me, other = make.who("specialist"), make.who("specialist2")
    assert (row.number, row.state, row.owner_id, row.concerned_id) == ("A2611-0001", State.ASKED, me.id, other.id)
    decide = owed(row)["absence.decide"]
    assert (decide.pool, decide.clause, decide.fine_fen, decide.due_at) == ("manager", "2", None, AT("2026-11-24T18:00"))
    with unit_of_work():
        workflow.approve(row, by=make.who("manager"))
    accept = owed(row)["absence.accept"]
    assert row.state == State.APPROVED and (accept.owner_id, accept.due_at) == (other.id, AT("2026-11-24T18:00"))
    with unit_of_work():
        workflow.accept(row, by=other)
    assert row.state == State.ACCEPTED and not owed(row)
    row = at("2026-11-24T00:00")
    assert row.state == State.AWAY
    back = owed(row)["absence.return"]
    assert (back.owner_id, back.due_at) == (me.id, AT("2026-11-26T18:00")), "the working day after its last day"
    assert at("2026-11-25T23:59").state == State.AWAY
    assert at("2026-11-26T00:00").state == State.OVER and "absence.return" in owed(row)
    with clock.frozen(AT("2026-11-26T09:00")), unit_of_work():
        workflow.come_back(row, by=me)
    assert row.state == State.OVER and not owed(row)


@pytest.mark.parametrize(("asks", "pool", "decides"), [
    ("specialist", "manager", {"manager", "director"}), ("manager", "director", {"director"}), ("director", "manager", {"manager"}),
])  # fmt: skip
def test_nobody_decides_on_their_own_and_a_managers_is_the_directors(app, asks, pool, decides):
    row = leave(by=make.who(asks))
    rule = "absence.decide_lead" if pool == "director" else "absence.decide"
    assert owed(row)[rule].pool == pool
    may = {login for login in make.CAST if row.MOVES["approve"].may(make.who(login), row)}
    assert may == decides
    with pytest.raises(Forbidden), unit_of_work():
        workflow.approve(row, by=make.who(asks))


def test_another_manager_may_decide_on_a_managers(app):
    row = leave(by=make.who("manager"))
    with unit_of_work():
        other = staff.add_user("manager2", "马林", ["manager"], "!")
        workflow.approve(row, by=other)
    assert row.state == State.APPROVED and not owed(row).keys() & {"absence.decide", "absence.decide_lead"}


def test_the_director_in_the_managers_place_says_why_but_not_of_a_managers_own(app):
    row = leave()
    with pytest.raises(Invalid) as refused, unit_of_work():
        workflow.approve(row, by=make.who("director"))
    assert "standing_in" in refused.value.fields
    with unit_of_work():
        workflow.approve(row, by=make.who("director"), standing_in="经理在外地")
    own = leave(by=make.who("manager"))
    with unit_of_work():
        workflow.approve(own, by=make.who("director"))
    assert own.state == State.APPROVED


def test_a_rejected_leave_is_over_with_its_reason(app):
    row = leave()
    with pytest.raises(Invalid), unit_of_work():
        workflow.reject(row, by=make.who("manager"), reason=" ")
    with unit_of_work():
        workflow.reject(row, by=make.who("manager"), reason="月底太忙")
    assert row.state == State.REJECTED and not owed(row) and row.away_from is None
    with pytest.raises(Refused), unit_of_work():
        workflow.approve(row, by=make.who("manager"))


def test_only_who_is_named_accepts_and_only_once(app):
    row = leave(upto="approved")
    for login in ("specialist", "manager", "followup"):
        with pytest.raises(Forbidden), unit_of_work():
            workflow.accept(row, by=make.who(login))
    with unit_of_work():
        workflow.accept(row, by=make.who("specialist2"))
    with pytest.raises(Refused), unit_of_work():
        workflow.accept(row, by=make.who("specialist2"))
    with pytest.raises(Refused), unit_of_work():
        workflow.decline(row, by=make.who("specialist2"), reason="后悔了")


def test_who_declines_says_why_and_another_is_named_who_is_asked_anew(app):
    row, other = leave(upto="approved"), make.who("specialist2")
    with pytest.raises(Invalid), unit_of_work():
        workflow.decline(row, by=other, reason="")
    with unit_of_work():
        workflow.decline(row, by=other, reason="那几天出差")
    assert (row.state, row.concerned_id) == (State.WANTING, None)
    name = owed(row)["absence.name"]
    assert (name.owner_id, owed(row).keys()) == (make.who("specialist").id, {"absence.name"})
    with unit_of_work():
        workflow.name(row, by=make.who("specialist"), to=make.who("manager"))
    assert row.state == State.APPROVED and owed(row).keys() == {"absence.accept"}
    assert owed(row)["absence.accept"].owner_id == make.who("manager").id


def test_a_manager_names_another_even_after_the_first_accepted(app):
    row = leave(upto="accepted")
    with unit_of_work():
        workflow.name(row, by=make.who("manager"), to=make.who("director"))
    assert (row.state, row.accepted_at, row.away_from) == (State.APPROVED, None, None)
    assert owed(row)["absence.accept"].owner_id == make.who("director").id
    told = db.session.query(Notice).join(Event, Event.id == Notice.event_id).filter(Event.kind == "absence.let_off")
    assert [one.user_id for one in told] == [make.who("specialist2").id]


def test_a_stand_in_who_was_asked_and_is_replaced_owes_no_answer(app):
    row = leave(upto="approved")
    first = owed(row)["absence.accept"]
    with clock.frozen(AT("2026-11-23T17:00")), unit_of_work():
        workflow.name(row, by=make.who("specialist"), to=make.who("manager"))
    db.session.refresh(first)
    assert first.dropped_by_id and owed(row)["absence.accept"].id != first.id


@pytest.mark.parametrize("who", ["followup", "specialist2"])
def test_nobody_else_names_shortens_or_withdraws(app, who):
    row, by = leave(upto="approved"), make.who(who)
    for act in (lambda: workflow.name(row, by=by, to=make.who("manager")), lambda: workflow.withdraw(row, by=by, reason="x"),
                lambda: workflow.shorten(row, by=by, ends_on=row.starts_on, reason="x")):  # fmt: skip
        with pytest.raises(Forbidden), unit_of_work():
            act()


def test_leave_starts_only_after_hand_over(app):
    """2: the first day comes, nobody has accepted: it has not begun; once they accept, it begins."""
    leave(upto="approved")
    row = at("2026-11-24T09:00")
    assert row.state == State.APPROVED and row.away_from is None
    with clock.frozen(AT("2026-11-24T10:30")):
        assert row.held_up
        with unit_of_work():
            workflow.accept(row, by=make.who("specialist2"))
    assert (row.state, row.away_from) == (State.AWAY, AT("2026-11-24T10:30"))


def test_one_that_nobody_accepted_never_began(app):
    leave(upto="approved")
    row = at("2026-11-26T00:00")
    assert row.state == State.LAPSED and not owed(row) and row.away_from is None


def test_what_nobody_could_foresee_begins_without_waiting_for_a_stand_in(app):
    row = leave(upto="approved", starts_in=0, category="sick", unforeseen=True)
    assert (row.state, row.away_from) == (State.AWAY, AT("2026-11-23T00:00"))
    assert owed(row).keys() == {"absence.accept", "absence.return"}
    with unit_of_work():
        workflow.decline(row, by=make.who("specialist2"), reason="也病了")
    assert row.state == State.AWAY and "absence.name" in owed(row)
    with unit_of_work():
        workflow.name(row, by=make.who("manager"), to=make.who("manager"))
        workflow.accept(row, by=make.who("manager"))
    assert row.state == State.AWAY and row.handing
    with pytest.raises(Refused), unit_of_work():
        workflow.name(row, by=make.who("manager"), to=make.who("director"))


def test_who_was_ill_and_is_back_owes_no_stand_in_any_more(app):
    row = leave(upto="approved", starts_in=0, category="sick", unforeseen=True)
    with clock.frozen(AT("2026-11-24T09:00")), unit_of_work():
        workflow.come_back(row, by=make.who("specialist"))
    assert (row.state, row.away_until) == (State.OVER, AT("2026-11-24T09:00")) and not owed(row)


def test_a_sick_note_of_days_that_are_over_needs_no_stand_in_and_excuses_once_approved(app):
    row = leave(starts_in=-4, days=2, category="sick", stand_in=None)
    assert (row.concerned_id, row.away_from) == (None, None)
    with unit_of_work():
        workflow.approve(row, by=make.who("manager"), unforeseen=True)
    assert (row.state, row.away_from, row.away_until) == (State.OVER, AT("2026-11-19T00:00"), AT("2026-11-21T00:00"))
    assert not owed(row)


def test_shortened_it_ends_sooner_and_is_reported_back_from_sooner(app):
    row = leave(upto="away", days=5)
    assert owed(row)["absence.return"].due_at == AT("2026-11-30T18:00")
    with unit_of_work():
        workflow.shorten(row, by=make.who("specialist"), ends_on=date(2026, 11, 24), reason="事情办完了")
    assert (row.away_until, row.title) == (AT("2026-11-25T00:00"), "张伟 2026-11-23 – 2026-11-24")
    assert owed(row)["absence.return"].due_at == AT("2026-11-25T18:00")
    for wrong in (date(2026, 11, 22), date(2026, 11, 24), date(2026, 11, 25)):
        with pytest.raises(Invalid) as refused, unit_of_work():
            workflow.shorten(row, by=make.who("specialist"), ends_on=wrong, reason="x")
        assert "ends_on" in refused.value.fields


def test_withdrawn_it_excuses_nothing_and_nobody_owes_anything_for_it(app):
    row = leave(upto="accepted")
    assert row.away_from
    with unit_of_work():
        workflow.withdraw(row, by=make.who("specialist"), reason="不去了")
    assert (row.state, row.away_from) == (State.WITHDRAWN, None) and not owed(row)
    assert at("2026-11-24T09:00").state == State.WITHDRAWN


def test_under_way_it_is_not_withdrawn_but_ended_by_the_return(app):
    row = leave(upto="away")
    with pytest.raises(Refused), unit_of_work():
        workflow.withdraw(row, by=make.who("specialist"), reason="不去了")
    with pytest.raises(Forbidden), unit_of_work():
        workflow.come_back(row, by=make.who("manager"))


def test_whether_it_could_be_foreseen_is_decided_anew_with_a_reason_and_by_others(app):
    row, manager = leave(starts_in=-4, days=2, category="sick", stand_in=None), make.who("manager")
    with unit_of_work():
        workflow.approve(row, by=manager)
    assert row.state == State.OVER and row.away_from is None, "not ticked by mistake: nothing is excused"
    for wrong, field in (({"unforeseen": True, "reason": " "}, "reason"), ({"unforeseen": False, "reason": "x"}, "unforeseen")):
        with pytest.raises(Invalid) as refused, unit_of_work():
            workflow.judge(row, by=manager, **wrong)
        assert field in refused.value.fields
    with unit_of_work():
        workflow.judge(row, by=manager, unforeseen=True, reason="漏勾了")
    assert row.away_from == AT("2026-11-19T00:00")
    assert not row.MOVES["judge"].may(make.who("specialist"), row)
    own = leave(by=manager, upto="approved")
    assert not own.MOVES["judge"].may(manager, own)


def test_judged_to_be_unforeseen_it_begins_at_once_and_never_lasts_longer_than_they_were_away(app):
    row = leave(upto="approved", starts_in=0, days=3)
    with unit_of_work():
        workflow.judge(row, by=make.who("manager"), unforeseen=True, reason="突然住院")
    assert (row.state, row.away_from) == (State.AWAY, AT("2026-11-23T00:00"))
    with clock.frozen(AT("2026-11-24T09:00")), unit_of_work():
        workflow.come_back(row, by=make.who("specialist"))
        workflow.judge(row, by=make.who("manager"), unforeseen=False, reason="早就知道")
        workflow.judge(row, by=make.who("manager"), unforeseen=True, reason="还是突然")
    assert row.away_until == AT("2026-11-24T09:00")


def test_who_no_longer_works_here_takes_nothing_over(app):
    with unit_of_work():
        record, row = make.ticket(), make.absence(upto="accepted")
        staff.edit_user(make.who("specialist2"), by=make.who("admin"), roles=["specialist"], active=False)
    row = at("2026-11-24T00:00")
    assert row.state == State.AWAY and record.owner_id == make.who("specialist").id


MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize(("wrong", "field"), [
    ({"ends_on": MONDAY - timedelta(days=1)}, "ends_on"), ({"ends_on": MONDAY + timedelta(days=367)}, "ends_on"),
    ({"starts_on": MONDAY - timedelta(days=367), "ends_on": MONDAY}, "starts_on"), ({"starts_on": date(2028, 1, 1), "ends_on": date(2028, 1, 1)}, "starts_on"),
    ({"words": "  "}, "words"), ({"stand_in": None}, "stand_in"),
])  # fmt: skip
def test_what_is_missing_or_impossible_is_said(app, wrong, field):
    said = {"category": "annual", "words": "回家", "starts_on": MONDAY, "ends_on": MONDAY, "stand_in": make.who("specialist2"), **wrong}
    with pytest.raises(Invalid) as refused, unit_of_work():
        workflow.ask(by=make.who("specialist"), **said)
    assert field in refused.value.fields


def test_nobody_stands_in_for_themselves_nor_while_they_are_away(app):
    with pytest.raises(Invalid) as refused, unit_of_work():
        make.absence(to=make.who("specialist"))
    assert "stand_in" in refused.value.fields
    leave(by=make.who("specialist2"), to=make.who("manager"), upto="approved")
    with pytest.raises(Invalid) as refused, unit_of_work():
        make.absence()
    assert "A2611-0001" in str(refused.value.fields["stand_in"].params)
    with unit_of_work():
        make.absence(starts_in=3)  # by then they are back


def test_two_leaves_of_one_person_never_share_a_day(app):
    leave()
    for starts_in in (0, 1, 2):
        with pytest.raises(Invalid) as refused, unit_of_work():
            make.absence(starts_in=starts_in)
        assert "starts_on" in refused.value.fields
    with unit_of_work():
        make.absence(starts_in=3)


def test_a_late_decision_is_a_missed_duty_without_a_fine(app):
    leave()
    row = at("2026-11-25T09:00")
    missed = next(one for one in duties.of_subject(row) if one.rule == "absence.decide")
    assert missed.breached_by_id and missed.fine_fen is None
    with clock.frozen(AT("2026-11-25T09:00")), unit_of_work():
        workflow.approve(row, by=make.who("manager"))
    assert row.state == State.APPROVED


def test_what_only_was_asked_for_is_rejected_by_others_and_withdrawn_by_who_asked(app):
    row = leave()
    with pytest.raises(Refused), unit_of_work():
        workflow.withdraw(db.session.get_one(Absence, row.id), by=make.who("manager"), reason="不准")
    with unit_of_work():
        workflow.withdraw(db.session.get_one(Absence, row.id), by=make.who("specialist"), reason="不去了")
    assert db.session.get_one(Absence, row.id).state == State.WITHDRAWN


def test_that_no_sweep_came_by_is_said_by_the_event_that_ends_it(app):
    """What it excuses hangs on that: the story says so."""
    leave(upto="accepted")
    row = at("2026-12-20T09:00")
    told = db.session.query(Event).filter_by(subject_id=row.id, kind="absence.ended").one()
    assert (row.unforeseen, told.facts["changes"]) == (True, {"unforeseen": [False, True]})
