"""A department in which there is something on every page, for the nets that crawl."""

from datetime import timedelta

from crm import clock
from crm.customers import workflow as customers
from crm.customers.importing import KIND
from crm.db import db
from crm.duties import workflow as duties
from crm.duties.message import Message
from crm.duties.models import Duty, Edition
from crm.duties.record import record
from crm.files import store
from crm.files import workflow as files
from crm.reports import workflow as reports
from crm.reports.kinds import SORTS
from crm.reports.models import Kind
from crm.reports.periods import Period
from crm.rulebooks import suggesting, trying
from crm.rulebooks import workflow as drafting
from crm.rulebooks.text import Change
from crm.sheets import runs
from crm.tickets import workflow as tickets
from tests import make
from tests.nets.values import TABLE


def populate() -> None:
    """Call in a unit of work."""
    by, manager = make.who("specialist"), make.who("manager")
    unit = make.served_customer()
    customers.add_contact(unit, by=by, name="李主任", department="信息科", mobile="13900000001", qq="10001")
    _records(unit, by, manager)
    for count, state in enumerate(make.STEPS, 1):
        make.contract(make.served_customer(f"第{count}单位"), upto=state)
    make.unpaid(unit)
    make.in_force(make.customer("快到期", email="a@example.cn"))
    make.absence(upto="approved")
    _letters()
    _reports(by, manager)
    _rulebook()
    for login in ("specialist", "followup", "manager", "director"):
        file = files.draft("list.csv", TABLE, make.who(login), KIND.purpose)
        db.session.add(file)
        db.session.flush()
        runs.start(KIND, file, {"简称": "short_name"}, make.who(login))


def _rulebook() -> None:
    """A draft that was tried, and what people wrote."""
    director = make.who("director")
    draft = drafting.begin(by=director, title="明年的制度", base=db.session.query(Edition).one())
    drafting.change(draft, [Change(("penalty", "7.5", "fen"), 6000), Change(("duty", "ticket.progress", "due"), "1 day")], by=director)
    trying.at_once(trying.ask(draft, by=director, since=clock.today(), until=clock.today() + timedelta(days=9)))
    for login, category in (("specialist", "suggestion"), ("followup", "objection"), ("stranger", "suggestion")):
        suggesting.suggest(by=make.who(login), category=category, words="期限太紧", clause="5.1.3")


def _letters() -> None:
    """One of each state in which somebody may do something."""
    ends = {"state": "unknown", "way": "email", "sheet_sha256": store.put(make.PDF), "mail_sha256": store.put(b"To: a@example.cn")}
    for values in ({}, {"way": "paper", "sheet_sha256": store.put(make.PDF)}, ends, {**ends, "state": "sent", "ended_at": clock.now()}):
        subject = make.in_force()
        event = record("contract.notified", subject, ends_on=subject.ends_on)
        letter = db.session.query(Message).filter_by(event_id=event.id).one()
        for key, value in values.items():
            setattr(letter, key, value)
        if letter.state == "unknown":
            record("message.unknown", subject, **letter.facts)
    db.session.flush()


def _reports(by, manager) -> None:
    """One of each kind, and of those that go through several hands one given back and one submitted."""
    for kind, sort in SORTS.items():
        row = reports.prepare(kind, sort.period(clock.today()).before, by if sort.personal else None)
        if sort.personal:
            reports.remark(row, by=by, customer=db.session.query(customers.Customer).filter_by(owner_id=by.id).first().number, words="换了会计")
            reports.submit(row, by=by)
            reports.send_back(row, by=manager, reason="缺少尾款")
    early = reports.prepare(Kind.SERVICES, Period.month(clock.today()))  # of which there are rows
    reports.submit(early, by=manager)


def _records(unit, by, manager) -> None:
    first = make.ticket(unit, category="data_cleanup", description="凭证太多，打开很慢。")
    tickets.note(first, by=by, words="已电话说明。", files=[make.application(by)])
    working = make.ticket(unit, category="bug", title="报表打开时报错", priority="urgent")
    tickets.start(working, by=by)
    tickets.escalate(working, by=by, story="客户不接受答复。")
    waiting = make.ticket(unit, title="等一份申请")
    tickets.start(waiting, by=by)
    tickets.wait(waiting, by=by, reason="等客户", until=clock.today() + timedelta(days=3))
    ended = make.ticket(unit, category="bug", title="打印错位")
    tickets.start(ended, by=by)
    tickets.end(ended, by=by)
    told = make.ticket(unit, title="怎么结账")
    tickets.escalate(told, by=by, story="客户不接受答复。")
    tickets.settle(told, by=manager, answer="免费再培训一次")
    closed = make.filled(make.ticket(unit, title="已经完成的"))
    tickets.complete(closed, by=by)
    make.ticket(unit, category="admin_password", title="忘了密码")
    old = make.customer("老客户")
    make.contact(old)
    make.ticket(old, title="服务期外", uncovered_reason="老客户")
    for one in (first, waiting):
        owed = db.session.query(Duty).filter_by(subject_id=one.id, kept_by_id=None).order_by(Duty.id).first()
        if owed is not None and duties.may_ask(owed, by):
            duties.ask_more_time(owed, by=by, reason="忙", wanted=owed.due_at + timedelta(days=3))
