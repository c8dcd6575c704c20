"""What costs something, made as it happens; and a penalty as far as a state."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from crm import clock
from crm.db import db, unit_of_work
from crm.implementations import workflow as implementing
from crm.implementations.models import Implementation
from crm.papers import workflow as papers
from crm.penalties import workflow
from crm.penalties.models import Penalty
from crm.penalties.workflow import Found
from crm.permissions import Role
from crm.staff import workflow as staff
from crm.staff.models import User
from crm.sweep import tick
from crm.tickets import workflow as tickets
from crm.tickets.models import Ticket
from crm.visits.models import Visit
from tests import make


@contextmanager
def later(**span: Any) -> Iterator[datetime]:
    """The clock, some time on from now."""
    with clock.frozen(clock.now() + timedelta(**span)):
        yield clock.now()


def returned_visit() -> Visit:
    """A visit that is over; nothing of it is written up."""
    return make.handed_in()


def ended_record(category: str = "report_problem", **said: Any) -> Ticket:
    """A declared record whose service has ended, and which holds nothing yet."""
    row = make.ticket(category=category, **said)
    tickets.start(row, by=make.who("specialist"))
    tickets.end(row, by=make.who("specialist"))
    return row


def ended_implementation() -> Implementation:
    """Its three papers are owed, one of which has a price."""
    me = make.who("specialist")
    row = implementing.begin(make.customer("长江制药"), by=me, title="上线总账", starts_on=clock.today())
    implementing.end(row, by=me, ended_on=clock.today())
    return row


def lost_application(sheets: int = 1):
    """A customer's application, lost by the specialist who held it."""
    me = make.who("specialist")
    record = make.ticket(category="data_cleanup")
    tickets.fill(record, by=me, fields={}, files=[make.application(me)])
    row = papers.enter(record, "cleanup_application", by=me, sheets=sheets)
    papers.lose(row, by=me, words="搬家时不见了")
    return row


def swept(**span: Any) -> list[Penalty]:
    """A sweep, some time on: all penalties there are then."""
    with later(**span):
        tick()
    db.session.expire_all()
    return db.session.query(Penalty).order_by(Penalty.id).all()


def second_manager() -> User:
    return somebody("manager2", "郑华", Role.MANAGER)


def somebody(login: str, name: str, *roles: Role) -> User:
    found = db.session.query(User).filter_by(login=login).first()
    return found or staff.add_user(login, name, list(roles), "x", must_change=False)


def by_hand(key: str = "3.9.late", *, by: User | None = None, person: User | None = None, **said: Any) -> Penalty:
    """Entered by the director against the specialist."""
    facts = {"happened_at": clock.now(), "title": "周五例会", "facts": "迟到十五分钟", "witnesses": "王芳", **said}
    found = Found(key=key, person=person or make.who("specialist"), **facts)
    return workflow.enter(found, by=by or make.who("director"))


WAYS = {
    "proposed": (), "issued": ("issue",), "refused": ("issue", "refuse"), "witnessed": ("issue", "refuse", "witness"),
    "signed": ("issue", "sign"), "appealed": ("issue", "sign", "appeal"), "waived": ("waive",), "withdrawn": ("withdraw",),
    **{outcome: ("issue", "sign", "appeal", outcome) for outcome in ("upheld", "reduced", "struck")},
}  # fmt: skip


def penalty(upto: str = "proposed", **said: Any) -> Penalty:
    """As far as a state."""
    row = by_hand(**said)
    for step in WAYS[upto]:
        do(step, row)
    return row


def do(step: str, row: Penalty) -> None:
    """One step of its way, by whoever takes it."""
    person, manager = db.session.get_one(User, row.concerned_id), make.who("manager")
    two = make.who("followup"), make.who("archivist")
    if step == "issue":
        workflow.issue(row, by=manager, facts=row.facts_said, fen=row.fen)
    elif step == "waive":
        workflow.waive(row, by=manager, reason="情有可原")
    elif step == "withdraw":
        workflow.withdraw(row, by=db.session.get(User, row.entered_by_id) if row.entered_by_id else manager, reason="录错了人")
    elif step == "sign":
        workflow.sign(row, by=person)
    elif step == "refuse":
        workflow.refuse(row, by=manager, words="看了一眼就推开了", witnesses=two)
    elif step == "witness":
        for one in two:
            workflow.confirm(row, by=one)
    elif step == "appeal":
        workflow.appeal(row, by=person, words="那天高速封路，已在群里说明")
    else:
        by = somebody("director2", "何平", Role.DIRECTOR)
        workflow.decide(row, by=by, outcome=step, answer="核对过记录", fen=1000 if step == "reduced" else None)


def seen(row: Penalty, who, *, whole: bool = False) -> bool:
    may = Penalty.whole(who) if whole else Penalty.visible(who)
    return db.session.query(Penalty.id).filter(Penalty.id == row.id, may).first() is not None


def committed(make_it, *args: Any, **said: Any) -> Any:
    with unit_of_work():
        return make_it(*args, **said)
