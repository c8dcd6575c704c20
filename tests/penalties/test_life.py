"""A penalty from its proposal to its end: who may do what, when, and what is owed meanwhile (D1)."""

from datetime import date, timedelta

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.duties.models import Duty, Event, Notice
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.penalties import workflow
from crm.penalties.models import Penalty
from crm.penalties.workflow import Found
from crm.permissions import Role
from crm.staff import workflow as staff
from tests import make
from tests.penalties.making import by_hand, committed, later, penalty, second_manager, somebody, swept
from tests.seen import owed

pytestmark = pytest.mark.usefixtures("sound")


def refused(kind, act, *args, **said):
    with pytest.raises(kind) as why, unit_of_work():
        act(*args, **said)
    return why.value


def day(duty: Duty) -> date:
    return clock.local(duty.due_at - timedelta(microseconds=1)).date()


def test_every_step_owes_the_next_and_nothing_is_left_at_the_end(app):
    row = committed(by_hand)
    assert set(owed(row)) == {"penalty.issue"} and day(owed(row)["penalty.issue"]) == date(2026, 11, 26)
    with unit_of_work():
        workflow.issue(row, by=make.who("manager"), facts="迟到十五分钟")
    assert owed(row)["penalty.sign"].owner_id == make.who("specialist").id, "the person signs"
    assert owed(row)["penalty.serve"].owner_id == make.who("manager").id, "whoever issued it sees that it is signed"
    with unit_of_work():
        workflow.sign(row, by=make.who("specialist"), words="我不同意，但收到了")
    assert not owed(row) and row.state == "signed"
    with unit_of_work():
        workflow.appeal(row, by=make.who("specialist"), words="那天高速封路")
    answer = owed(row)["penalty.answer"]
    assert (answer.pool, day(answer)) == ("director", date(2026, 11, 30)), "a week"


@pytest.mark.parametrize("fact", ["to", "issuer"])
def test_whom_it_concerns_is_told(app, fact):
    row = committed(penalty, "signed")
    kind, whom = {"to": ("penalty.issued", "specialist"), "issuer": ("penalty.signed", "manager")}[fact]
    told = db.session.query(Notice).join(Event, Event.id == Notice.event_id).filter(Event.subject_id == row.id, Event.kind == kind)
    assert [one.user_id for one in told] == [make.who(whom).id]


def test_nobody_issues_or_waives_what_they_entered_or_what_is_against_them(app):
    manager = make.who("manager")
    mine = committed(by_hand, by=manager)
    with unit_of_work():
        other = second_manager()
        against = by_hand(person=manager)
    for act, said in ((workflow.issue, {"facts": "迟到"}), (workflow.waive, {"reason": "算了"})):
        for row in (mine, against):
            refused(Forbidden, act, row, by=manager, **said)
    with unit_of_work():
        workflow.issue(mine, by=other, facts="迟到")
        workflow.waive(against, by=other, reason="有事先说明")
    assert (mine.state, against.state) == ("issued", "waived")


@pytest.mark.parametrize("who", ["specialist2", "followup", "director", "archivist", "developer", "admin", "stranger"])
def test_only_managers_issue(app, who):
    row = committed(by_hand, by=make.who("director"))
    refused(Forbidden, workflow.issue, row, by=make.who(who), facts="迟到")


def test_whoever_becomes_a_manager_later_still_does_not_issue_what_they_entered(app):
    row = committed(by_hand, by=make.who("followup"))
    with unit_of_work():
        staff.edit_user(make.who("followup"), by=make.who("admin"), roles=[Role.MANAGER], active=True)
    refused(Forbidden, workflow.issue, row, by=make.who("followup"), facts="迟到")


def test_what_is_entered_by_hand_says_what_happened(app):
    assert refused(Invalid, by_hand, facts=" ").fields.keys() == {"facts"}
    assert refused(Invalid, by_hand, happened_at=clock.now() + timedelta(days=1)).fields.keys() == {"happened_at"}
    assert refused(Invalid, by_hand, happened_at=clock.now() - timedelta(days=400)).fields.keys() == {"happened_at"}
    assert refused(Invalid, by_hand, person=make.who("director")).fields.keys() == {"person"}
    assert refused(Invalid, by_hand, "9.99").fields.keys() == {"key"}
    refused(Forbidden, by_hand, by=make.who("specialist2"))


def test_every_clause_that_costs_something_can_be_entered(app):
    from crm.duties import editions

    for key, entry in editions.todays().penalties.items():
        open_ = entry.kind in ("fine", "compensation") and entry.fen is None
        row = committed(by_hand, key, fen=(entry.from_fen or 12345) if open_ else None)
        assert (row.category, row.clause, row.sanction) == (key, entry.clause or key, entry.kind)
        assert row.fen == (entry.fen if entry.fen is not None else (entry.from_fen or 12345) if open_ else None)


@pytest.mark.parametrize(("fen", "fits"), [(1999, False), (2000, True), (3550, True), (5000, True), (5001, False), (None, False)])
def test_a_fine_in_a_range_stays_in_it(app, fen, fits):
    if fits:
        assert committed(by_hand, "3.7.fine", fen=fen).fen == fen
    else:
        assert refused(Invalid, by_hand, "3.7.fine", fen=fen).fields.keys() == {"fen"}


def test_a_fixed_fine_costs_what_the_rulebook_says_and_another_amount_is_refused(app):
    with pytest.raises(Invalid) as wrong, unit_of_work():
        by_hand("3.9.late", fen=999999)
    assert set(wrong.value.fields) == {"fen"}
    row = committed(by_hand, "3.9.late")
    with unit_of_work():
        workflow.issue(row, by=make.who("manager"), facts="迟到", fen=1)
    assert row.fen == 2000


def test_whoever_issues_it_may_set_the_amount_within_the_range_and_it_is_told(app):
    row = committed(by_hand, "3.7.fine", fen=2000)
    assert refused(Invalid, workflow.issue, row, by=make.who("manager"), facts="三次没接", fen=9000).fields
    with unit_of_work():
        workflow.issue(row, by=make.who("manager"), facts="三次没接", fen=3000)
    event = db.session.query(Event).filter_by(subject_id=row.id, kind="penalty.issued").one()
    assert event.facts["changes"] == {"fen": [2000, 3000]} and event.facts["text"] == workflow.text_of(row)


def test_only_the_person_signs_and_once(app):
    row = committed(penalty, "issued")
    for who in ("specialist2", "manager", "director"):
        refused(Forbidden, workflow.sign, row, by=make.who(who))
    with unit_of_work():
        workflow.sign(row, by=make.who("specialist"))
    refused(WrongState, workflow.sign, row, by=make.who("specialist"))


def test_what_was_signed_is_the_text_that_was_issued(app):
    row = committed(penalty, "signed")
    texts = {event.facts["text"] for event in db.session.query(Event).filter(Event.subject_id == row.id) if "text" in event.facts}
    assert texts == {workflow.text_of(row)}


def test_a_refusal_needs_two_others_who_sign_each_for_themselves(app):
    row, manager = committed(penalty, "issued"), make.who("manager")
    one, two = make.who("followup"), make.who("archivist")
    me = make.who("specialist")
    for pair, field in (((one, one), "second"), ((me, two), "first"), ((one, manager), "second")):
        why = refused(Invalid, workflow.refuse, row, by=manager, words="不签", witnesses=pair)
        assert why.fields.keys() == {field}
    with unit_of_work():
        workflow.refuse(row, by=manager, words="不签", witnesses=(one, two))
    refused(Forbidden, workflow.confirm, row, by=make.who("specialist2"))
    with unit_of_work():
        workflow.confirm(row, by=one)
    assert row.state == "refused" and "penalty.serve" in owed(row), "one is not enough"
    refused(WrongState, workflow.confirm, row, by=one)
    with unit_of_work():
        workflow.confirm(row, by=two)
    assert row.state == "witnessed" and row.held_at and not owed(row)


def test_witnesses_named_anew_sign_anew(app):
    row, manager = committed(penalty, "issued"), make.who("manager")
    one, two, three = make.who("followup"), make.who("archivist"), make.who("developer")
    with unit_of_work():
        workflow.refuse(row, by=manager, words="不签", witnesses=(one, two))
        workflow.confirm(row, by=one)
        workflow.refuse(row, by=manager, words="孙丽出差了", witnesses=(one, three))
    assert row.witnessed == []
    refused(Forbidden, workflow.confirm, row, by=two)


def test_whoever_refused_may_still_sign(app):
    row = committed(penalty, "refused")
    with unit_of_work():
        workflow.sign(row, by=make.who("specialist"), words="想通了")
    assert row.state == "signed" and not owed(row)


def test_a_refusal_in_bad_manner_is_referred_for_a_final_warning(app):
    row, manager = committed(penalty, "issued"), make.who("manager")
    two = make.who("followup"), make.who("archivist")
    with unit_of_work():
        workflow.refuse(row, by=manager, words="把单子撕了", witnesses=two, ill_mannered=True)
        for one in two:
            workflow.confirm(row, by=one)
    referred = db.session.query(Penalty).filter_by(category="D1.final").one()
    assert (referred.sanction, referred.fen, referred.origin_id) == ("warning", None, row.id)
    assert referred.concerned_id == row.concerned_id and "penalty.issue" in owed(referred)
    assert [one.category for one in swept(minutes=5)] == ["3.9.late", "D1.final"], "and once"


def test_an_appeal_comes_within_three_days_and_not_after(app):
    row = committed(penalty, "signed")
    assert clock.local(row.appeal_until) == clock.local(clock.end_of(date(2026, 11, 26)))
    refused(Forbidden, workflow.appeal, row, by=make.who("specialist2"), words="替他")
    refused(Invalid, workflow.appeal, row, by=make.who("specialist"), words=" ")
    with clock.frozen(row.appeal_until + timedelta(microseconds=1)):
        refused(Refused, workflow.appeal, row, by=make.who("specialist"), words="晚了")
    with clock.frozen(row.appeal_until), unit_of_work():
        workflow.appeal(row, by=make.who("specialist"), words="正好在截止那一刻")
    assert row.state == "appealed"


def test_the_days_to_appeal_in_end_on_a_working_day(app):
    with clock.frozen(clock.parse("2026-11-25T10:00")), unit_of_work():
        row = penalty("signed")
    assert clock.local(row.appeal_until) == clock.local(clock.end_of(date(2026, 11, 30))), "the third is a Saturday"


def test_a_director_answers_it_and_never_whoever_issued_entered_or_is_concerned(app):
    row = committed(penalty, "appealed")
    refused(Forbidden, workflow.decide, row, by=make.who("director"), outcome="upheld", answer="我录的")
    for who in ("manager", "specialist", "specialist2", "followup"):
        refused(Forbidden, workflow.decide, row, by=make.who(who), outcome="struck", answer="算了")
    other = committed(somebody, "director2", "何平", Role.DIRECTOR)
    with unit_of_work():
        workflow.decide(row, by=other, outcome="struck", answer="确有通知")
    assert row.state == "struck" and row.effective_fen == 0 and not owed(row)


@pytest.mark.parametrize(("fen", "fits"), [(1, True), (1999, True), (2000, False), (None, False)])
def test_reduced_is_to_less_than_it_was(app, fen, fits):
    row = committed(penalty, "appealed")
    by = committed(somebody, "director2", "何平", Role.DIRECTOR)
    said = {"by": by, "outcome": "reduced", "answer": "只迟到五分钟", "fen": fen}
    if fits:
        with unit_of_work():
            workflow.decide(row, **said)
        assert (row.state, row.fen, row.effective_fen) == ("reduced", 2000, fen)
    else:
        assert refused(Invalid, workflow.decide, row, **said).fields.keys() == {"fen"}


def test_where_nobody_may_answer_somebody_is_appointed(app):
    """The director's own: a manager issued it, no other director is there."""
    director, manager = make.who("director"), make.who("manager")
    with unit_of_work():
        row = by_hand(by=make.who("followup"), person=director)
        workflow.issue(row, by=manager, facts="周五没到")
        workflow.sign(row, by=director)
        workflow.appeal(row, by=director, words="在外地")
    assert workflow.may_answer(row) == [] and {"penalty.appoint", "penalty.answer"} <= set(owed(row))
    with unit_of_work():
        other = second_manager()
    refused(Forbidden, workflow.appoint, row, by=director, to=make.who("archivist"), reason="请她看看")
    for to in (director, manager, make.who("followup")):
        assert refused(Invalid, workflow.appoint, row, by=other, to=to, reason="请他看看").fields.keys() == {"to"}
    assert refused(Invalid, workflow.appoint, row, by=other, to=other, reason="我来").fields.keys() == {"to"}
    with unit_of_work():
        workflow.appoint(row, by=other, to=make.who("archivist"), reason="与此事无关")
    assert "penalty.appoint" not in owed(row)
    assert owed(row)["penalty.answer"].owner_id == make.who("archivist").id
    with unit_of_work():
        workflow.decide(row, by=make.who("archivist"), outcome="upheld", answer="属实")
    assert row.state == "upheld" and row.effective_fen == row.fen


def test_with_one_manager_and_one_director_an_appeal_is_answered_all_the_same(app, browser):
    """The director entered it, the manager issued it: naming who answers is not answering."""
    row = committed(penalty, "appealed", by=make.who("director"))
    assert workflow.may_answer(row) == [] and "penalty.appoint" in owed(row)
    for by in ("director", "manager"):
        assert "/appointment" in browser(by).get(row.path).text
    refused(Forbidden, workflow.appoint, row, by=make.who("specialist"), to=make.who("archivist"), reason="请她看看")
    refused(Invalid, workflow.appoint, row, by=make.who("manager"), to=make.who("director"), reason="请他看看")
    with unit_of_work():
        workflow.appoint(row, by=make.who("manager"), to=make.who("archivist"), reason="与此事无关")
        workflow.decide(row, by=make.who("archivist"), outcome="struck", answer="确实请过假")
    assert row.state == "struck"


def test_a_director_who_stands_in_for_the_issuer_does_not_answer_and_it_is_known(app):
    """Their cover is barred as they are: then somebody is to be named (2)."""
    row = committed(penalty, "signed", by=make.who("followup"))
    with unit_of_work():
        make.absence(by=make.who("manager"), to=make.who("director"), upto="away", days=9)
    with unit_of_work():
        workflow.appeal(row, by=make.who("specialist"), words="那天高速封路")
    assert workflow.may_answer(row) == [] and "penalty.appoint" in owed(row)


def test_what_the_only_director_recommended_says_that_nobody_may_decide(app, browser):
    row = committed(penalty, "signed", key="3.11.dismissal", by=make.who("director"))
    with later(days=4):
        assert "penalty.weigh" in owed(row) and workflow.may_weigh(row) == []
        assert "appoint somebody" in browser("director").get(row.path).text
        with unit_of_work():
            somebody("director2", "何平", Role.DIRECTOR)
        assert "appoint somebody" not in browser("director").get(row.path).text


def test_who_stands_in_for_the_person_concerned_decides_nothing_of_it(app):
    """Neither by a role they have, nor by being named (2)."""
    row = committed(penalty, "appealed", by=make.who("followup"))
    with unit_of_work():
        make.absence(upto="away", days=9, to=make.who("specialist2"))
        staff.edit_user(make.who("specialist2"), by=make.who("admin"), roles=["specialist", "manager"], active=True)
    other, hers = make.who("specialist2"), committed(penalty, by=make.who("followup"))
    for act, said in ((workflow.issue, {"facts": "迟到"}), (workflow.waive, {"reason": "算了"})):
        refused(Forbidden, act, hers, by=other, **said)
    refused(Forbidden, workflow.appoint, row, by=other, to=make.who("developer"), reason="请他看看")
    assert refused(Invalid, workflow.appoint, row, by=make.who("director"), to=other, reason="请她看看").fields.keys() == {"to"}


def test_whoever_issued_it_does_not_undo_who_was_named(app):
    row = committed(penalty, "appealed", by=make.who("followup"))
    refused(Forbidden, workflow.appoint, row, by=make.who("manager"), to=make.who("developer"), reason="换我的人")
    with unit_of_work():
        workflow.appoint(row, by=make.who("director"), to=make.who("archivist"), reason="我出差")
    refused(Forbidden, workflow.appoint, row, by=make.who("manager"), to=make.who("developer"), reason="换我的人")
    assert refused(Invalid, workflow.appoint, row, by=make.who("director"), to=make.who("admin"), reason="请他").fields.keys() == {"to"}, "C6"


def test_a_stand_in_who_is_given_one_more_role_still_answers(app):
    row = committed(penalty, "appealed", by=make.who("director"))
    with unit_of_work():
        workflow.appoint(row, by=make.who("manager"), to=make.who("archivist"), reason="与此事无关")
    other = make.who("archivist")
    with unit_of_work():
        staff.edit_user(other, by=make.who("admin"), roles=["archivist", "followup"], active=True)
    assert owed(row)["penalty.answer"].owner_id == other.id
    with unit_of_work():
        staff.edit_user(other, by=make.who("admin"), roles=["archivist"], active=False)
    assert owed(row)["penalty.answer"].owner_id is None and workflow.may_answer(row) == []


def test_a_named_stand_in_answers_though_there_is_a_director(app):
    row = committed(penalty, "appealed", by=make.who("followup"))
    assert workflow.may_answer(row) == [make.who("director").id] and "penalty.appoint" not in owed(row)
    with unit_of_work():
        workflow.appoint(row, by=make.who("director"), to=make.who("developer"), reason="我出差")
        workflow.decide(row, by=make.who("developer"), outcome="upheld", answer="属实")
    assert row.state == "upheld"


def test_what_is_recommended_people_decide_on_once_no_appeal_is_possible(app):
    row = committed(penalty, "signed", key="7.1.later", by=make.who("followup"))
    director = make.who("director")
    assert "penalty.weigh" in owed(row)
    refused(Refused, workflow.weigh, row, by=director, words="谈话")
    with later(days=4):
        refused(Forbidden, workflow.weigh, row, by=make.who("manager"), words="辞退")
        refused(Invalid, workflow.weigh, row, by=director, words=" ")
        with unit_of_work():
            workflow.weigh(row, by=director, words="调岗，不辞退")
    assert row.decision == "调岗，不辞退" and not owed(row)


def test_while_it_is_appealed_nothing_is_decided_on_it(app):
    row = committed(penalty, "appealed", key="7.1.later", by=make.who("followup"))
    assert "penalty.weigh" not in owed(row)
    with unit_of_work():
        workflow.decide(row, by=make.who("director"), outcome="upheld", answer="属实")
    assert "penalty.weigh" in owed(row)
    with unit_of_work():
        workflow.weigh(row, by=make.who("director"), words="辞退")


def test_what_is_struck_recommends_nothing(app):
    row = committed(penalty, "appealed", key="7.1.later", by=make.who("followup"))
    with unit_of_work():
        workflow.decide(row, by=make.who("director"), outcome="struck", answer="查无实据")
    assert not owed(row)


def test_what_is_recommended_about_a_director_a_manager_decides_on(app):
    director = make.who("director")
    with unit_of_work():
        other = second_manager()
        row = by_hand("3.11.dismissal", by=make.who("followup"), person=director)
        workflow.issue(row, by=make.who("manager"), facts="泄密")
        workflow.sign(row, by=director)
    assert "penalty.weigh_lead" in owed(row) and "penalty.weigh" not in owed(row)
    with later(days=4), unit_of_work():
        workflow.weigh(row, by=other, words="降职")


def test_whoever_entered_it_by_mistake_takes_it_back_and_nobody_else(app, browser):
    """Where there is one manager, nobody else might ever decide on it."""
    row = committed(by_hand, by=make.who("manager"))
    refused(Forbidden, workflow.withdraw, row, by=make.who("followup"), reason="x")
    refused(Forbidden, workflow.withdraw, row, by=make.who("specialist"), reason="x")
    refused(Invalid, workflow.withdraw, row, by=make.who("manager"), reason=" ")
    assert browser("manager").send(f"{row.path}/withdrawal", reason="录错了人").status_code == 303
    db.session.refresh(row)
    assert row.state == "withdrawn" and row.effective_fen == 0 and not owed(row)
    told = db.session.query(Notice).join(Event, Event.id == Notice.event_id).filter(Event.kind == "penalty.withdrawn")
    assert [one.user_id for one in told] == [make.who("specialist").id]
    assert "录错了人" in browser("specialist").get(row.path).text
    other = committed(by_hand, by=make.who("followup"))
    assert browser("followup").get(other.path).status_code == 404, "a finding is not theirs to read"
    with unit_of_work():
        workflow.issue(other, by=make.who("manager"), facts="迟到")
    with pytest.raises((WrongState, Forbidden)), unit_of_work():
        workflow.withdraw(other, by=make.who("followup"), reason="x")


def test_an_amount_belongs_to_a_reduction_alone(app):
    row = committed(penalty, "appealed")
    by = committed(somebody, "director2", "何平", Role.DIRECTOR)
    for outcome in ("upheld", "struck"):
        assert "fen" in refused(Invalid, workflow.decide, row, by=by, outcome=outcome, answer="成立", fen=1000).fields
    with unit_of_work():
        workflow.decide(row, by=by, outcome="struck", answer="成立")
    assert row.state == "struck"


def test_what_is_waived_says_why_and_is_over(app):
    row = committed(by_hand)
    assert refused(Invalid, workflow.waive, row, by=make.who("manager"), reason=" ").fields.keys() == {"reason"}
    with unit_of_work():
        workflow.waive(row, by=make.who("manager"), reason="有事先说明")
    assert row.state == "waived" and not owed(row)
    refused(WrongState, workflow.issue, row, by=make.who("manager"), facts="还是开")


def test_a_notice_can_be_waived_until_it_is_signed_and_not_after(app):
    row = committed(penalty, "issued")
    with unit_of_work():
        workflow.waive(row, by=make.who("manager"), reason="开错了人")
    assert not owed(row)
    refused(WrongState, workflow.waive, committed(penalty, "signed"), by=make.who("manager"), reason="算了")


def test_what_is_proposed_of_a_thing_names_it_and_leads_there(app):
    with unit_of_work():
        ticket = make.ticket()
        found = Found("3.8", make.who("specialist"), clock.now(), "延误", "答应周一，周三才说", fen=12300, origin=ticket)
        row = workflow.enter(found, by=make.who("manager"))
    assert (row.origin_id, row.sanction, row.fen) == (ticket.id, "compensation", 12300)
