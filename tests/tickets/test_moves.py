"""What each move leaves behind; every state × verb × role is in `nets/test_moves.py`."""

from datetime import timedelta

import pytest

from crm import clock
from crm.customers.models import Customer
from crm.db import db, unit_of_work
from crm.duties.models import Duty, Event
from crm.errors import Forbidden, Invalid
from crm.tickets import workflow
from crm.tickets.models import State, Ticket
from crm.tickets.moves import MOVES
from tests import make

TODAY = clock.local(make.MONDAY).date()
VERBS = {
    "start": lambda t, by: workflow.start(t, by=by),
    "resume": lambda t, by: workflow.resume(t, by=by),
    "end": lambda t, by: workflow.end(t, by=by),
    "complete": lambda t, by: workflow.complete(t, by=by),
    "wait": lambda t, by: workflow.wait(t, by=by, reason="等客户", until=TODAY + timedelta(days=3)),
    "escalate": lambda t, by: workflow.escalate(t, by=by, story="客户不接受"),
    "settle": lambda t, by: workflow.settle(t, by=by, answer="退一步"),
    "tell": lambda t, by: workflow.tell(t, by=by, words="同意"),
    "see": lambda t, by: workflow.see(t, by=by),
    "assign": lambda t, by: workflow.assign(t, by=by, to=make.who("specialist2"), reason="请假"),
    "reopen": lambda t, by: workflow.reopen(t, by=by, reason="又出现"),
    "cancel": lambda t, by: workflow.cancel(t, by=by, reason="重复"),
    "duplicate": lambda t, by: workflow.duplicate(t, by=by, of=twin(t)),
}  # fmt: skip
OWNERS_AND_MANAGERS = {
    "start",
    "resume",
    "end",
    "complete",
    "wait",
    "escalate",
    "tell",
    "reopen",
    "cancel",
    "duplicate",
}


def twin(ticket: Ticket) -> Ticket:
    """Another record of the same customer."""
    unit = db.session.get_one(Customer, ticket.customer_id)
    return make.ticket(unit, uncovered_reason="老客户", title="先登记的")


@pytest.mark.parametrize("role", make.CAST)
def test_the_table_gives_each_verb_to_those_who_are_to_have_it(app, role):
    """Written down a second time: `nets/test_moves.py` tries what the table says, this what it should say."""
    with unit_of_work():
        ticket = make.ticket()
    by = make.who(role)
    for verb, move in MOVES.items():
        mine = ("specialist", "manager") if verb in OWNERS_AND_MANAGERS else ("manager", "director")
        assert move.may(by, ticket) == (role in mine), verb


def test_another_specialists_record_is_not_mine_to_work_on(app):
    with unit_of_work():
        ticket = make.filled(make.ticket())
        for verb in OWNERS_AND_MANAGERS - {"tell", "resume", "reopen"}:
            with pytest.raises(Forbidden):
                VERBS[verb](ticket, make.who("specialist2"))


@pytest.mark.parametrize("category", make.FIELDS)
def test_each_category_names_every_gap_and_is_completed_once_they_are_filled(app, category):
    with unit_of_work():
        ticket = make.ticket(category=category, answered_at=None, channel="qq")
        with pytest.raises(workflow.Incomplete) as refused:
            workflow.complete(ticket, by=make.who("specialist"))
        scans = {"application"} if category in ("data_cleanup", "admin_password") else set()
        told = {"told"} if category == "admin_password" else {"change"} if category in ("program_change", "bug") else set()
        assert {gap.field.key for gap in refused.value.gaps} == (
            set(make.FIELDS[category]) | scans | told | {"answered_at", "service_qq"})  # fmt: skip
        make.filled(ticket)
        workflow.complete(ticket, by=make.who("specialist"), service_qq="10001", answered_at=clock.now())
        assert ticket.state == State.COMPLETE
        kinds = [event.kind for event in db.session.query(Event).filter_by(subject_id=ticket.id).order_by(Event.id)]
        assert kinds[-3:] == ["ticket.started", "ticket.ended", "ticket.completed"]


@pytest.mark.parametrize(("category", "held"), [("data_cleanup", True), ("admin_password", True), ("program_change", True),
                                                ("bug", False), ("inquiry", False), ("report_problem", False)])  # fmt: skip
def test_what_is_needed_before_the_work_holds_the_start(app, category, held):
    if held:
        with pytest.raises(workflow.Incomplete) as refused, unit_of_work():
            workflow.start(make.ticket(category=category), by=make.who("specialist"))
        assert {gap.stage for gap in refused.value.gaps} == {"work"}
    else:
        with unit_of_work():
            ticket = make.ticket(category=category)
            workflow.start(ticket, by=make.who("specialist"))
            assert ticket.state == State.WORKING


def test_blanks_fill_nothing(app):
    with unit_of_work():
        ticket = make.ticket(category="inquiry")
        workflow.fill(ticket, by=make.who("specialist"), fields={"question": "  \n ", "answer": "　"})
        assert {gap.field.key for gap in workflow.gaps(ticket)} == {"question", "answer"}


def test_words_typed_for_another_category_are_kept(app):
    with unit_of_work():
        ticket = make.ticket(category="bug")
        me = make.who("specialist")
        workflow.fill(ticket, by=me, fields={"steps": "打开"})
        contact = db.session.get(make.Contact, ticket.contact_id)
        for category in ("inquiry", "bug"):
            facts = {"department": "财务部", "category": category, "title": "报错"}
            workflow.edit_ticket(ticket, by=me, contact=contact, **facts)
            workflow.fill(ticket, by=me, fields={"question": "怎么办"})
        assert ticket.fields == {"steps": "打开", "question": "怎么办"}


def test_a_customer_out_of_service_is_served_only_with_a_reason_which_the_manager_sees(app):
    with pytest.raises(Invalid), unit_of_work():
        unit = make.customer("过期的")
        make.contact(unit)
        make.installation(unit, ends_in=-1)
        make.ticket(unit)
    with unit_of_work():
        unit = make.customer("过期的")
        make.contact(unit)
        ticket = make.ticket(unit, uncovered_reason="已答应续约")
        owed = db.session.query(Duty).filter_by(subject_id=ticket.id, rule="ticket.exception_seen").one()
        assert owed.pool == "manager" and owed.open
        workflow.see(ticket, by=make.who("manager"))
        db.session.refresh(owed)
        assert owed.kept_by_id


def test_handed_up_settled_and_told(app):
    with unit_of_work():
        ticket = make.ticket()
        workflow.escalate(ticket, by=make.who("specialist"), story="客户不接受")
        settle = db.session.query(Duty).filter_by(rule="ticket.settle_escalation").one()
        assert settle.due_at == clock.parse("2026-11-23T10:00"), "one working hour"
        workflow.settle(ticket, by=make.who("manager"), answer="免费再培训一次", to=make.who("specialist2"))
        tell = db.session.query(Duty).filter_by(rule="ticket.tell_customer").one()
        assert tell.owner_id == make.who("specialist2").id
        workflow.tell(ticket, by=make.who("specialist2"), words="满意")
        db.session.refresh(tell)
        assert tell.kept_by_id


def test_a_wait_has_an_end_and_on_that_day_it_is_taken_up_again(app):
    with unit_of_work():
        ticket = make.ticket()
        me = make.who("specialist")
        workflow.start(ticket, by=me)
        for until in (TODAY - timedelta(days=1), TODAY + timedelta(days=31)):
            with pytest.raises(Invalid):
                workflow.wait(ticket, by=me, reason="等客户", until=until)
        workflow.wait(ticket, by=me, reason="等客户", until=TODAY + timedelta(days=5))
        owed = db.session.query(Duty).filter_by(rule="ticket.waiting_over").one()
        assert owed.due_at == clock.parse("2026-11-30T18:00"), "Saturday: the next working day's closing time"
        workflow.resume(ticket, by=me)
        db.session.refresh(owed)
        assert owed.kept_by_id


def test_a_contact_of_another_customer_is_refused(app):
    with unit_of_work():
        one, other = make.served_customer("甲"), make.customer("乙")
        stranger = make.contact(other, "丙")
        with pytest.raises(Invalid):
            make.ticket(one, contact=stranger)
