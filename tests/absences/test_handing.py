"""What somebody owes goes to their stand-in, who can really do it; what only they can do stays, and it is said why (2)."""

from datetime import timedelta

import pytest

from crm import clock, sweep
from crm.absences import days, handing, workflow
from crm.absences.models import Absence, Handed, How, Why
from crm.absences.parts import PARTS
from crm.callbacks import workflow as calls
from crm.changes import workflow as changes
from crm.customers import workflow as customers
from crm.db import db, unit_of_work
from crm.duties import queries as duties
from crm.duties import workflow as owing
from crm.duties.models import Duty, Event, Notice, Subject
from crm.implementations import workflow as implementing
from crm.opinions import workflow as opinions
from crm.papers import workflow as papers
from crm.staff import workflow as staff
from crm.tickets import workflow as tickets
from crm.visits import workflow as visits
from tests import make
from tests.reading import text_of
from tests.seen import owed

pytestmark = pytest.mark.usefixtures("sound")
AT = clock.parse


def away(**details) -> Absence:
    """Somebody leaves today."""
    with unit_of_work():
        row = make.absence(upto="away", **details)
    db.session.expire_all()
    return row


def became(absence: Absence) -> dict[str, tuple[str, str]]:
    """Each rule of what was handed over → how, and why not."""
    return {row.duty.rule: (row.how, row.why) for row in handing.handed(absence)}


def story(subject: Subject, kind: str) -> list[dict]:
    return [event.facts for event in duties.timeline(subject) if event.kind == kind]


def test_whatever_may_be_assigned_may_be_handed_over():
    """A kind with an `assign` of its owner gets a line in PARTS; a callback's opens a record of somebody's."""
    kinds = {kind.__mapper__.polymorphic_identity: kind for kind in Subject.__subclasses__()}
    assert PARTS.keys() == {name for name, kind in kinds.items() if "assign" in kind.MOVES} - {"callback"}
    for name, parts in PARTS.items():
        for part in parts:
            assert part.move in kinds[name].MOVES and part.event in set(kinds[name].EVENTS)
            assert part.event in kinds[name].HANDED, "else a trial does not know whose it is"


def test_a_record_goes_over_with_all_that_is_owed_on_it_and_the_stand_in_can_finish_it(app):
    me, other = make.who("specialist"), make.who("specialist2")
    with unit_of_work():
        record = make.filled(make.ticket())
        tickets.start(record, by=me)
    row = away()
    assert (record.owner_id, owed(record)["ticket.progress"].owner_id) == (other.id, other.id)
    [said] = story(record, "ticket.assigned")
    assert said == {"from": me.id, "to": other.id, "of": row.id, "leave": "out"}
    assert became(row)["ticket.progress"] == (How.MATTER, "")
    [noted] = story(row, "absence.handed_over")
    assert (noted["from"], noted["to"], noted["moved"]) == (me.id, other.id, 1)
    with unit_of_work():
        tickets.end(record, by=other)
        tickets.complete(record, by=other)
    assert not owed(record)


def test_a_visit_an_opinion_a_contract_and_an_implementation_go_over(app):
    me, other = make.who("specialist"), make.who("specialist2")
    with unit_of_work():
        unit = make.served_customer()
        visit, opinion, contract = make.visit(unit), make.opinion(unit, by=me), make.contract(unit)
        visits.approve(visit, by=make.who("manager"))
        built = implementing.begin(unit, by=me, title="上线", starts_on=clock.today() - timedelta(days=80))
    row = away(days=90)
    for matter in (visit, opinion, contract, built):
        assert matter.owner_id == other.id, matter.kind
        assert {duty.owner_id for duty in duties.of_subject(matter) if duty.open and duty.pool is None} == {other.id}
    assert {how for how, _why in became(row).values()} == {How.MATTER, How.STAYS}
    with unit_of_work():
        visits.depart(visit, by=other)
        opinions.answer(opinion, by=other, answer="已安排")


def test_a_customer_stays_in_their_care_and_the_call_that_is_due_goes_over(app):
    me, other = make.who("specialist"), make.who("specialist2")
    with clock.frozen(AT("2026-10-26T09:00")), unit_of_work():
        unit = make.served_customer()
        customers.edit_customer(unit, by=me, owner_id=me.id, short_name=unit.title, grade="C")
    call = owed(unit)["call.regular"]
    row = away(days=4)
    db.session.refresh(call)
    assert (unit.owner_id, call.owner_id) == (me.id, other.id)
    assert story(unit, "duty.handed_over") == [
        {"duty": call.id, "rule": "call.regular", "from": me.id, "to": other.id, "of": row.id, "leave": "out"}]  # fmt: skip
    with unit_of_work():
        assert calls.begin(call, by=other).owner_id == other.id


def test_what_is_shown_only_after_the_return_stays_where_it_is(app):
    me = make.who("specialist")
    with unit_of_work():
        unit = make.served_customer()
        customers.edit_customer(unit, by=me, owner_id=me.id, short_name=unit.title, grade="C")
    row = away()
    assert "call.regular" not in became(row) and owed(unit)["call.regular"].owner_id == me.id


def test_what_a_developer_builds_another_builds_and_never_who_asked_for_it(app):
    with unit_of_work():
        other = make.other_developer()
        change = make.change(upto="building")
    row = away(by=make.who("developer"), to=other)
    assert (change.concerned_id, change.owner_id) == (other.id, make.who("specialist").id)
    assert became(row)["change.deliver"] == (How.BUILD, "") and story(change, "change.builder")[0]["of"] == row.id
    with unit_of_work():
        changes.deliver(change, by=other, changed="好了", how_to_test="试")


def test_a_request_goes_over_with_its_test_but_not_to_who_built_it(app):
    with unit_of_work():
        both = staff.add_user("both", "两用", ["specialist", "developer"], "!")
        change = make.change(upto="approved")
        changes.take(change, by=both)
    row = away(to=both)
    assert became(row)["change.tell"] == (How.STAYS, Why.BUILDS)
    assert change.owner_id == make.who("specialist").id


def test_a_call_taken_on_for_a_role_goes_to_one_of_the_role(app):
    by = make.who("followup")
    with unit_of_work():
        other = staff.add_user("followup2", "方芳", ["followup"], "!")
        call = db.session.query(Duty).filter_by(subject_id=make.handed_in().id, rule="call.feedback").one()
        owing.claim(call, by=by)
    row = away(by=by, to=other)
    assert call.owner_id == other.id and became(row)["call.feedback"] == (How.DUTY, "")
    with unit_of_work():
        assert calls.begin(call, by=other).owner_id == other.id


def test_what_the_stand_in_has_no_role_for_falls_to_the_role_again(app):
    manager = make.who("manager")
    with unit_of_work():
        decide = db.session.query(Duty).filter_by(subject_id=make.visit().id, rule="visit.decide").one()
        owing.claim(decide, by=manager)
    row = away(by=manager, to=make.who("followup"))
    assert (decide.owner_id, decide.pool) == (None, "manager") and became(row)["visit.decide"] == (How.ROLE, "")
    [said] = story(decide.subject, "duty.released")
    assert (said["from"], said["of"]) == (manager.id, row.id)


def test_a_call_never_goes_to_who_served_the_customer_there(app):
    """5.5.1 holds for a stand-in as well."""
    by = make.who("followup")
    with unit_of_work():
        other = staff.add_user("both", "两用", ["followup", "specialist"], "!")
        visit = make.visit(by=other)
        visits.approve(visit, by=make.who("manager"))
        for step in (visits.depart, visits.arrive):
            step(visit, by=other)
        make.feedback_of(visit, signed=True)
        visits.come_back(visit, by=other)
        make.feedback.hand_in(visit, by=other)
        call = db.session.query(Duty).filter_by(subject_id=visit.id, rule="call.feedback").one()
        owing.claim(call, by=by)
    row = away(by=by, to=other)
    assert call.owner_id is None and became(row)["call.feedback"] == (How.ROLE, "")


def test_what_only_they_can_do_stays_and_says_so(app):
    me, other = make.who("specialist"), make.who("specialist2")
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
        held = make.paper(visit, by=me)
        handed = make.paper(make.visit(), by=other)
        papers.offer(handed, by=other, to=me)
    row = away()
    found = became(row)
    assert found["rulebook.acknowledge"] == (How.STAYS, Why.OWN)
    assert found["paper.visit_request"] == found["paper.confirm"] == (How.STAYS, Why.IN_HAND)
    assert (visit.owner_id, owed(visit)["visit.back"].owner_id) == (other.id, other.id)
    assert owed(visit)["paper.visit_request"].owner_id == me.id, "the paper is in their hands"
    with unit_of_work():
        papers.offer(held, by=me, to=make.who("archivist"))
        papers.archive(held, by=make.who("archivist"), place="甲柜")
    assert "paper.visit_request" not in owed(visit)


def test_an_expected_paper_that_nobody_has_in_hand_goes_over_with_its_matter(app):
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
    away()
    assert owed(visit)["paper.visit_request"].owner_id == make.who("specialist2").id


def test_what_the_stand_in_does_not_work_on_stays_with_that_reason(app):
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
        record = make.ticket(make.customer_of(visit))
    row = away(to=make.who("manager"))
    assert became(row)["visit.back"] == (How.STAYS, Why.WORKS) and visit.owner_id == make.who("specialist").id
    assert record.owner_id == make.who("manager").id


def test_what_stands_where_it_cannot_be_given_to_anybody_stays(app):
    me, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        record = make.filled(make.ticket())
        tickets.escalate(record, by=me, story="客户不接受")
        tickets.settle(record, by=manager, answer="先这样")
        tickets.start(record, by=me)
        tickets.end(record, by=me)
        tickets.complete(record, by=me)
    row = away()
    assert became(row)["ticket.tell_customer"] == (How.STAYS, Why.STATE) and record.owner_id == me.id


def test_a_complaint_goes_to_one_who_leads_and_never_to_whom_it_is_about(app):
    with unit_of_work():
        about = make.complaint(upto="heard", against=make.who("director"))
        other = make.complaint(make.customer_of(about), upto="heard", against=make.who("specialist"))
    with unit_of_work():
        lead = staff.add_user("manager2", "马林", ["manager"], "!")
        row = make.absence(by=make.who("manager"), to=make.who("director"))
        workflow.approve(row, by=lead)
        with clock.frozen(AT("2026-11-24T09:00")):
            workflow.accept(row, by=make.who("director"))
    found = {one.duty.subject_id: (one.how, one.why) for one in handing.handed(row) if one.duty.rule == "opinion.decide"}
    assert found == {about.id: (How.STAYS, Why.ABOUT), other.id: (How.MATTER, "")}
    with clock.frozen(AT("2026-11-24T10:00")), unit_of_work():
        opinions.dismiss(other, by=make.who("director"), findings="没有这回事")


def test_a_password_record_is_seen_by_the_stand_in_once_it_is_theirs(app, browser):
    with unit_of_work():
        record = make.ticket(category="admin_password")
    path = record.path
    assert browser("specialist2").get(path).status_code == 404
    away()
    assert browser("specialist2").get(path).status_code == 200


def test_accepted_beforehand_nothing_moves_before_the_first_day(app):
    me, other = make.who("specialist"), make.who("specialist2")
    with unit_of_work():
        record, row = make.ticket(), make.absence(upto="accepted")
    assert record.owner_id == me.id and not handing.handed(row)
    sweep.tick(AT("2026-11-23T23:59"))
    assert db.session.get(Subject, record.id, populate_existing=True).owner_id == me.id
    assert sweep.tick(AT("2026-11-24T00:00"))["leave begun, handed over and ended"] > 1
    assert db.session.get(Subject, record.id, populate_existing=True).owner_id == other.id
    assert sweep.tick(AT("2026-11-24T00:01"))["leave begun, handed over and ended"] == 0, "once is enough"


def test_what_newly_falls_to_who_is_away_is_handed_on_too(app):
    me, other = make.who("specialist"), make.who("specialist2")
    row = away()
    with unit_of_work():
        record = make.ticket()  # as by a manager, or a mistake
        change = make.change(make.customer_of(record), upto="submitted")
        changes.approve(change, by=make.who("manager"), opinion="可以", expected_on=clock.today() + timedelta(days=9))
    assert record.owner_id == change.owner_id == me.id
    sweep.tick(clock.now() + timedelta(minutes=1))
    db.session.expire_all()
    assert record.owner_id == change.owner_id == other.id and {"ticket.progress", "change.tell"} <= became(row).keys()
    assert len(story(row, "absence.handed_over")) == 2


def test_what_somebody_gives_back_to_them_meanwhile_stays_with_them(app):
    me = make.who("specialist")
    with unit_of_work():
        record = make.ticket()
    away()
    with unit_of_work():
        tickets.assign(record, by=make.who("manager"), to=me, reason="他在线处理")
    sweep.tick(clock.now() + timedelta(minutes=1))
    assert db.session.get(Subject, record.id, populate_existing=True).owner_id == me.id


def test_nor_does_what_newly_arises_there_take_it_from_them_again(app):
    me = make.who("specialist")
    with unit_of_work():
        record = make.ticket()
    row = away()
    with unit_of_work():
        tickets.assign(record, by=make.who("manager"), to=me, reason="他在线处理")
        tickets.start(record, by=me)
        tickets.end(record, by=me)
    sweep.tick(clock.now() + timedelta(minutes=1))
    assert db.session.get(Subject, record.id, populate_existing=True).owner_id == me.id
    assert became(row)["ticket.complete"] == (How.STAYS, Why.GIVEN)


def test_what_stayed_goes_over_once_its_reason_holds_no_more(app):
    me, other = make.who("specialist"), make.who("specialist2")
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
        paper = make.paper(visit, by=me)
    row = away()
    with unit_of_work():
        papers.void(paper, by=me, reason="点错了")
    sweep.tick(clock.now() + timedelta(minutes=1))
    db.session.expire_all()
    assert became(row)["paper.visit_request"] == (How.DUTY, "") and owed(visit)["paper.visit_request"].owner_id == other.id


def test_a_breach_dated_before_the_hand_over_keeps_its_name(app):
    me, other = make.who("specialist"), make.who("specialist2")
    with unit_of_work():
        record = make.filled(make.ticket(category="bug"))
        tickets.start(record, by=me)
        tickets.end(record, by=me)
        make.absence(upto="accepted")
    sweep.tick(AT("2026-11-24T00:00"))
    db.session.expire_all()
    missed = owed(record)["ticket.complete"]
    assert (missed.due_at, missed.breached_owner_id, missed.owner_id) == (AT("2026-11-23T18:00"), me.id, other.id)


def test_what_passed_while_more_time_was_being_decided_keeps_its_name_too(app):
    me, other = make.who("specialist"), make.who("specialist2")
    with clock.frozen(AT("2026-10-26T09:00")), unit_of_work():
        unit = make.served_customer()
        customers.edit_customer(unit, by=me, owner_id=me.id, short_name=unit.title, grade="C")
    call = owed(unit)["call.regular"]
    with unit_of_work():
        asked = owing.ask_more_time(call, by=me, reason="休假", wanted=call.due_at + timedelta(days=9))
        make.absence(upto="accepted", starts_in=7)
    sweep.tick(AT("2026-11-30T09:00"))
    db.session.expire_all()
    assert call.due_at < AT("2026-11-30T09:00") and (call.owner_id, call.liable_id) == (other.id, me.id)
    with clock.frozen(AT("2026-11-30T09:30")), unit_of_work():
        owing.decide_more_time(asked, by=make.who("manager"), granted=False)
    assert call.breached_owner_id == me.id


def test_one_matter_that_cannot_go_over_stops_none_of_the_others(app, monkeypatch, caplog):
    other = make.who("specialist2")
    with unit_of_work():
        bad, good = make.ticket(), make.ticket(make.served_customer("第二家"))
        row = make.absence(upto="accepted")
    hand = handing.hand

    def fails(absence, matter):
        if matter.id == bad.id:
            raise RuntimeError("no")
        return hand(absence, matter)

    monkeypatch.setattr(handing, "hand", fails)
    sweep.tick(AT("2026-11-24T00:00"))
    db.session.expire_all()
    assert (bad.owner_id, good.owner_id) == (make.who("specialist").id, other.id) and "could not be handed over" in caplog.text
    monkeypatch.undo()
    sweep.tick(AT("2026-11-24T00:01"))
    db.session.expire_all()
    assert bad.owner_id == other.id and len(handing.handed(row)) == 3


def test_a_stand_in_who_leaves_too_passes_on_what_they_took_over(app):
    with unit_of_work():
        record = make.ticket()
    away(days=5)
    with unit_of_work():
        third = staff.add_user("third", "老三", ["specialist"], "!")
        second = make.absence(by=make.who("specialist2"), to=third, upto="approved", starts_in=1)
        workflow.accept(second, by=third)
    sweep.tick(AT("2026-11-24T00:00"))
    assert db.session.get(Subject, record.id, populate_existing=True).owner_id == third.id


def test_nothing_is_handed_over_for_whom_nobody_stands_in(app):
    me = make.who("specialist")
    with unit_of_work():
        record = make.ticket()
        row = make.absence(upto="approved", starts_in=0, unforeseen=True)
    sweep.tick(clock.now() + timedelta(minutes=1))
    assert db.session.get(Subject, record.id, populate_existing=True).owner_id == me.id and not handing.handed(row)
    with unit_of_work():
        workflow.accept(db.session.get(Absence, row.id), by=make.who("specialist2"))
    assert db.session.get(Subject, record.id, populate_existing=True).owner_id == make.who("specialist2").id


def test_a_form_opened_before_the_hand_over_is_stale_afterwards(app, browser):
    with unit_of_work():
        record = make.ticket()
        tickets.start(record, by=make.who("specialist"))
    path, version = record.path, record.version
    away()
    assert browser("specialist").send(f"{path}/ending", version=str(version)).status_code == 403, "it is another's"
    assert browser("specialist2").send(f"{path}/ending", version=str(version)).status_code == 409


def test_one_notice_tells_of_all_that_went_over_and_a_breach_is_told_all_the_same(app):
    me, other = make.who("specialist"), make.who("specialist2")
    with unit_of_work():
        for n in range(5):
            make.ticket(make.served_customer(f"单位{n}"))
        late = make.filled(make.ticket(category="bug"))
        tickets.start(late, by=me)
        tickets.end(late, by=me)
        make.absence(upto="accepted")
    handing_over = AT("2026-11-24T00:00")
    with clock.frozen(handing_over):
        days.go_on(handing_over)
    told = db.session.query(Notice.user_id, Event.kind).join(Event, Event.id == Notice.event_id).filter(Event.recorded_at >= handing_over)
    assert sorted(map(tuple, told)) == sorted([(me.id, "absence.handed_over"), (other.id, "absence.handed_over"), (me.id, "duty.breached")])


def test_a_matter_does_not_lead_to_a_leave(app, browser):
    with unit_of_work():
        record = make.ticket()
    away()
    text = text_of(browser("manager").get(record.path).text)
    assert "as stand-in during leave" in text and "Led to" not in text


def test_every_event_of_it_names_both_people(app):
    with unit_of_work():
        make.visit(make.customer_of(make.ticket()))
    row = away()
    moved = [event for event in db.session.query(Event) if event.facts.get("leave")]
    assert moved
    for event in moved:
        assert (event.facts["from"], event.facts["to"], event.facts["of"]) == (row.owner_id, row.concerned_id, row.id)
    assert {one.to_id for one in db.session.query(Handed)} == {row.concerned_id}

def test_a_call_that_can_wait_for_them_does(app):
    me, other = make.who("specialist"), make.who("specialist2")
    with clock.frozen(AT("2026-10-26T09:00")), unit_of_work():
        unit = make.served_customer()
        customers.edit_customer(unit, by=me, owner_id=me.id, short_name=unit.title, grade="C")
    call = owed(unit)["call.regular"]
    assert call.due_at == AT("2026-11-27T00:00")
    with unit_of_work():
        row = make.absence(upto="away", days=2)
    assert became(row)["call.regular"] == (How.STAYS, Why.TIME) and call.owner_id == me.id
    with unit_of_work():
        workflow.come_back(row, by=me)
        longer = make.absence(starts_in=0, days=4, upto="approved", to=other)
        workflow.accept(longer, by=other)
    db.session.refresh(call)
    assert became(longer)["call.regular"] == (How.DUTY, "") and call.owner_id == other.id
