"""A month of work for the reports' tests, and how many rows a number leads to."""

from datetime import date
from urllib.parse import parse_qsl, urlsplit

from crm import clock, sweep
from crm.callbacks import workflow as calls
from crm.contracts import paying
from crm.db import db, unit_of_work
from crm.desk.tables import TABLES
from crm.duties.models import Duty
from crm.fund import workflow as funds
from crm.fund.models import Month
from crm.reports.periods import Period
from crm.serials import workflow as serials
from crm.serials.models import Installation
from crm.tickets import workflow as tickets
from crm.tickets.models import Ticket
from crm.visits import workflow as visits
from crm.visits.models import Visit
from tests import make

NOVEMBER = Period.month(date(2026, 11, 1))
DECEMBER = clock.parse("2026-12-01T09:00")
LISTS = {one.path: one for one in TABLES.values()}


def at(text: str):
    """The clock stands there, in a unit of work."""
    return clock.frozen(clock.parse(text))


def rows_at(address: str, login: str = "manager") -> int | None:
    """How many rows the list has to which a number leads; None for an address that is no list's."""
    parts, user = urlsplit(address), make.who(login)
    if parts.path not in LISTS:
        return None
    table, asked = LISTS[parts.path], dict(parse_qsl(parts.query))
    assert asked.keys() <= table.filters, f"{address}: the list knows what it is asked"
    page = table.asked(user, asked)[1]
    assert page.next is None or page.count is not None, "more than a page, and nobody counted them"
    return len(page.rows) if page.count is None else page.count


def record(when: str, *, by: str = "specialist", upto: str = "complete", category: str = "inquiry", done: str = "", **details) -> Ticket:
    """A record opened then, as far as a state; `done`: when it was completed."""
    me = make.who(by)
    with at(when), unit_of_work():
        ticket = make.ticket(make.served_customer() if not db.session.query(Installation).count() else _unit(), by=me, category=category, **details)
        if upto in ("working", "ended", "complete"):
            make.filled(ticket, me)
            tickets.start(ticket, by=me)
        if upto in ("ended", "complete"):
            tickets.end(ticket, by=me)
        if upto == "cancelled":
            tickets.cancel(ticket, by=me, reason="重复")
    if upto == "complete":
        with at(done or when), unit_of_work():
            tickets.complete(ticket, by=me)
    return ticket


def _unit():
    return db.session.query(make.Customer).order_by(make.Customer.id).first()


def visit(when: str, *, by: str = "specialist", called: str = "", kind: str = "visit", **marks: int) -> Visit:
    """Asked for then, made the next day, back four hours later; called back on at `called` with these marks."""
    me = make.who(by)
    with at(when), unit_of_work():
        row = make.visit(_unit(), by=me, category=kind, place="南京" if kind == "trip" else "")
        visits.approve(row, by=make.who("manager"))
    with clock.frozen(row.arrive_at), unit_of_work():
        visits.depart(row, by=me)
        visits.arrive(row, by=me)
        make.feedback_of(row, signed=True, at=row.id)
    with clock.frozen(row.ends_at), unit_of_work():
        visits.come_back(row, by=me)
        if called:
            make.feedback.hand_in(row, by=me)
    if called:
        with at(called), unit_of_work():
            _call(row, **marks)
    return row


def _call(row: Visit, **marks: int) -> None:
    by = make.who("followup")
    call = calls.begin(db.session.query(Duty).filter_by(subject_id=row.id, rule="call.feedback").one(), by=by)
    person = db.session.query(make.Contact).filter_by(customer_id=row.customer_id).first()
    doubt = "还是慢" if min(marks.values()) <= 2 else ""
    calls.reach(call, by=by, contact=person, doubt=doubt, unrecorded="上周来过" if doubt else "", clause="7.4" if doubt else "", **marks)


def close_november() -> None:
    """What the month deducts no longer changes; then its penalties are reported on."""
    with unit_of_work():
        funds.close(db.session.query(Month).filter_by(title="2026-11").one(), by=make.who("director"))
    sweep.tick(clock.now())


def november() -> None:
    """At its edges too: two specialists, every state, what was late, reopened, handed on and handed up; visits, a trip, marks,
    opinions, changes and a final payment. The clock goes on to the first of December."""
    manager, me, other = make.who("manager"), make.who("specialist"), make.who("specialist2")
    record("2026-11-01T00:00", channel="wechat")
    record("2026-11-23T09:10", category="bug", done="2026-11-25T09:00", channel="qq", service_qq="10001", priority="urgent")  # late
    record("2026-11-23T09:20", by="specialist2", category="report_problem", done="2026-11-24T09:00")  # late, the other's
    record("2026-11-24T10:00", upto="ended", category="data_cleanup")
    record("2026-11-24T10:10", upto="working", priority="low")
    record("2026-11-24T10:20", upto="new", category="admin_password", channel="email")
    record("2026-11-24T10:30", upto="cancelled")
    again = record("2026-11-25T10:00")
    with at("2026-11-25T15:00"), unit_of_work():
        tickets.reopen(again, by=me, reason="还有问题")
        tickets.escalate(again, by=me, story="不接受")
        tickets.settle(again, by=manager, answer="再培训一次")
        tickets.assign(again, by=manager, to=other, reason="忙")
    with at("2026-11-26T10:00"), unit_of_work():
        old = make.customer("老客户")
        make.contact(old)
        make.ticket(old, uncovered_reason="老客户")
    record("2026-11-30T23:59")
    record("2026-12-01T00:00")
    visit("2026-11-24T08:00", called="2026-11-26T10:00", attitude=5, skill=4, result=4)
    visit("2026-11-25T08:00", by="specialist2", called="2026-11-27T10:00", attitude=2, skill=3, result=1)
    visit("2026-11-25T09:00", kind="trip")
    with at("2026-11-26T11:00"), unit_of_work():
        make.opinion(_unit())
        make.complaint(_unit(), upto="founded", against=other, said_on=clock.today())
        make.change(_unit(), upto="closed", installation=db.session.query(Installation).first())
        sale = make.contract(_unit(), category="sales", upto="returned", amount_fen=500_000, salesperson="钱进")
        paying.pay(sale, by=me, fen=200_000, paid_on=clock.today())
    sweep.tick(DECEMBER)


def closed_november() -> None:
    november()
    with clock.frozen(DECEMBER):
        close_november()


def product() -> str:
    return serials.product("金洋", "财务通").title
