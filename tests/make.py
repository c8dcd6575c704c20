"""Plain maker functions: a fixed cast, and what a test needs of the department."""

import json
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from crm import clock
from crm.absences import workflow as absences
from crm.absences.models import Absence
from crm.callbacks import workflow as calls
from crm.callbacks.models import Callback
from crm.changes import workflow as changes
from crm.changes.models import FORM, ChangeRequest
from crm.contracts import paying
from crm.contracts import workflow as contracts
from crm.contracts.models import Contract
from crm.customers import workflow as customers
from crm.customers.models import Contact, Customer
from crm.db import db, unit_of_work
from crm.duties import workflow as duties
from crm.duties.models import Duty, Subject
from crm.duties.record import settle
from crm.files import workflow as files
from crm.files.workflow import note
from crm.letters import workflow as letters
from crm.opinions import workflow as opinions
from crm.opinions.models import Opinion
from crm.papers import workflow as papers
from crm.papers.models import Paper
from crm.permissions import Role
from crm.serials import workflow as serials
from crm.serials.models import Installation
from crm.staff import workflow as staff
from crm.staff.models import User
from crm.staff.passwords import hashed
from crm.tickets import workflow as tickets
from crm.tickets.models import Ticket
from crm.visits import feedback
from crm.visits import workflow as visits
from crm.visits.models import Visit

MONDAY = clock.parse("2026-11-23T09:00")
PASSWORD = "a password of the cast"
CAST = {
    "specialist": ("张伟", [Role.SPECIALIST]), "specialist2": ("李娜", [Role.SPECIALIST]), "followup": ("王芳", [Role.FOLLOWUP]),
    "manager": ("刘强", [Role.MANAGER]), "director": ("陈静", [Role.DIRECTOR]), "developer": ("赵磊", [Role.DEVELOPER]),
    "archivist": ("孙丽", [Role.ARCHIVIST]), "admin": ("周敏", [Role.ADMIN]), "stranger": ("陌生人", []),
}  # fmt: skip
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def department() -> None:
    """The shipped rulebook, the shipped letters and the cast, in one unit of work."""
    with unit_of_work():
        duties.issue_shipped()
        letters.issue_shipped()
        for login, (name, roles) in CAST.items():
            staff.add_user(login, name, roles, hashed(PASSWORD), must_change=False)


def who(login: str) -> User:
    return db.session.query(User).filter_by(login=login).one()


def customer(name: str = "宏远机械", *, by: User | None = None, **details: Any) -> Customer:
    by = by or who("specialist")
    return customers.add_customer(by=by, short_name=name, **{"owner_id": by.id, **details})


def contact(unit: Customer, name: str = "王会计", department: str = "财务部", **details: Any) -> Contact:
    return customers.add_contact(unit, by=who("specialist"), name=name, department=department, **details)


def installation(unit: Customer, *, ends_in: int = 200, **details: Any) -> Installation:
    """An installation served until `ends_in` days from today (negative: expired)."""
    today = clock.today()
    period: dict[str, date] = {"starts_on": today - timedelta(days=400), "ends_on": today + timedelta(days=ends_in)}
    facts = {"of": serials.product("金洋", "财务通"), **period, **details}
    return serials.add_installation(unit, by=who("specialist"), **facts)


def served_customer(name: str = "宏远机械") -> Customer:
    """A customer in service with one contact."""
    unit = customer(name)
    contact(unit)
    installation(unit)
    return unit


def ticket(
    unit: Customer | None = None, *, by: User | None = None, category: str = "inquiry", **details: Any
) -> Ticket:
    """A new record, all that every record needs already on it."""
    unit = unit or served_customer()
    person = db.session.query(Contact).filter_by(customer_id=unit.id).first()
    call = {"department": "财务部", "channel": "phone", "asked_at": clock.now(), "answered_at": clock.now()}
    facts = {"title": "凭证无法保存", "contact": person, **call, **details}
    return tickets.open_ticket(by=by or who("specialist"), customer=unit, category=category, **facts)


def customer_of(subject: Subject) -> Customer:
    return db.session.get_one(Customer, subject.customer_id)


def visit(unit: Customer | None = None, *, by: User | None = None, starts_in: int = 24, **details: Any) -> Visit:
    """A request for a visit of four hours that begins in some hours."""
    unit, by = unit or served_customer(), by or who("specialist")
    arrive = clock.now() + timedelta(hours=starts_in)
    facts = {"category": "visit", "title": "月结时到场", "department": "财务部", "place": "", "asked_at": clock.now(),
             "arrive_at": arrive, "ends_at": arrive + timedelta(hours=4), "description": "", "cost_fen": None,
             "departments": [{"name": "财务部", "waits": "报表打不开"}]}  # fmt: skip
    person = db.session.query(Contact).filter_by(customer_id=unit.id).first()
    return visits.request_visit(by=by, customer=unit, contact=person, **{**facts, **details})


def feedback_of(row: Visit, *, signed: bool = False, at: int = 0) -> None:
    """The feedback form filled in, and signed if it is to be."""
    by = db.session.get_one(User, row.owner_id)
    feedback.report(row, by=by, outcomes=["报表已改好"] * len(row.departments), opinion="很满意")
    if signed:
        what = feedback.what_of(row, feedback.head_of(row))
        feedback.sign(row, by=by, name="王主任", position="财务总监", strokes=drawing(at), what=what)


def drawing(at: int = 0) -> str:
    """A signature as the pad sends it: another one for each `at`."""
    return json.dumps([[[10 + 9 * i, 60 + (i * i * (7 + at)) % 40] for i in range(20)], [[30, 90], [20 + at // 60 % 100, 45], [150, 30 + at % 60]]])


def handed_in(unit: Customer | None = None) -> Visit:
    """A visit that was made, its feedback form handed in."""
    row = visit(unit)
    by = db.session.get_one(User, row.owner_id)
    visits.approve(row, by=who("manager"))
    visits.depart(row, by=by)
    visits.arrive(row, by=by)
    feedback_of(row, signed=True, at=row.id)
    visits.come_back(row, by=by)
    feedback.hand_in(row, by=by)
    return row


STEPS = ("draft", "signed", "sent", "returned", "running")


def contract(unit: Customer | None = None, *, upto: str = "draft", by: User | None = None, starts_in: int = 0, **details: Any) -> Contract:
    """A service contract for a year over all that a customer has, as far as a state; running, it is paid in full."""
    unit, by = unit or served_customer(), by or who("specialist")
    starts = clock.today() + timedelta(days=starts_in)
    terms: dict[str, Any] = {"title": "财务通服务一年", "amount_fen": 120_000}
    if details.get("category") != "sales":
        terms |= {"starts_on": starts, "ends_on": starts + relativedelta(years=1, days=-1)}
    installed = db.session.query(Installation).filter_by(customer_id=unit.id).order_by(Installation.id).all()
    row = contracts.draft(by=by, customer=unit, **{"installations": installed, **terms, **details})
    today = clock.today()
    acts = (
        lambda: contracts.sign(row, by=by, signed_on=today, representative_id=by.id, stamped=True),
        lambda: contracts.send(row, by=by, sent_on=today, way="fax"),
        lambda: contracts.copy(row, by=by, returned_on=today),
        lambda: paying.pay(row, by=by, fen=row.amount_fen or 0, paid_on=today),
    )
    for act in acts[: STEPS.index(upto)]:
        act()
    return row


def unpaid(unit: Customer | None = None) -> Contract:
    """A contract whose payment fell due a week ago."""
    unit = unit or served_customer()
    with clock.frozen(clock.now() - timedelta(days=10)):
        row = contract(unit, upto="returned")
    settle(row, clock.now())
    return row


def in_vain(callback: Callback, *, by: User, times: int = 3) -> None:
    """Nobody answered, so many times, an hour apart."""
    for count in range(times):
        with clock.frozen(clock.now() + timedelta(hours=count)):
            calls.attempt(callback, by=by)


def in_force(unit: Customer | None = None, *, ends_on: date | None = None, **details: Any) -> Contract:
    """A contract that was there before the program; unless said otherwise its notice falls due today, to a customer whom
    an e-mail reaches."""
    unit = unit or customer(f"单位{db.session.query(Subject).count()}", email="kuaiji@example.com")
    ends_on = ends_on or clock.today() + relativedelta(months=1)
    period = {"starts_on": ends_on - timedelta(days=364), "ends_on": ends_on}
    return contracts.take_over(unit, [installation(unit, **period)], **period, title="年度服务", **details)


def paper(origin: Subject | None = None, *, by: User | None = None, kind: str = "visit_request") -> Paper:
    """A paper in somebody's hands."""
    return papers.enter(origin or visit(), kind, by=by or who("specialist"))


def form_scan(owner: User) -> str:
    """The customer's stamped form, scanned in and not yet hung anywhere."""
    file = files.draft("申请.pdf", PDF, owner, FORM)
    db.session.add(file)
    db.session.flush()
    return file.key


def other_developer() -> User:
    """Somebody else who builds."""
    found = db.session.query(User).filter_by(login="developer2").first()
    if found is None:
        found = staff.add_user("developer2", "吴桐", [Role.DEVELOPER], hashed(PASSWORD), must_change=False)
    return found


CHANGED = ("draft", "submitted", "approved", "building", "testing", "passed", "updated", "closed")


def change(unit: Customer | None = None, *, upto: str = "draft", by: User | None = None, **details: Any) -> ChangeRequest:
    """A change request as far as a state; promised for a week from now."""
    unit, by = unit or served_customer(), by or who("specialist")
    said = {"category": "program_change", "title": "改报表", "requirement": "费用表按部门汇总", **details}
    row = changes.open_change(by=by, customer=unit, **said)
    scan = [form_scan(by)] if said["category"] == "program_change" else []
    acts = (
        lambda: changes.submit(row, by=by, agreed="按部门汇总，只改取数", files=scan),
        lambda: changes.approve(row, by=who("manager"), opinion="改报表取数", expected_on=clock.today() + timedelta(days=7)),
        lambda: changes.take(row, by=who("developer")),
        lambda: changes.deliver(row, by=who("developer"), changed="取数按部门", how_to_test="打开部门费用表"),
        lambda: changes.passes(row, by=by),
        lambda: changes.update(row, by=by, updated_on=clock.today()),
        lambda: changes.close(row, by=by, said="好用", mark=5),
    )
    for act in acts[: CHANGED.index(upto)]:
        act()
    return row


def begun_callback(by: User | None = None) -> Callback:
    """A call on a feedback form that somebody took up."""
    owed = db.session.query(Duty).filter_by(subject_id=handed_in().id, rule="call.feedback").one()
    return calls.begin(owed, by=by or who("followup"))


def called_about(row: "Opinion", **said: Any) -> Callback:
    """The customer was reached about the outcome of an opinion."""
    by = who("followup")
    call = calls.begin(db.session.query(Duty).filter_by(subject_id=row.id, rule="call.opinion").one(), by=by)
    person = db.session.query(Contact).filter_by(customer_id=row.customer_id).first()
    calls.reach(call, by=by, contact=person, department="财务部", comment="知道了", **said)
    return call


INQUIRED = ("to_investigate", "investigating", "heard", "founded", "answered")


def opinion(unit: Customer | None = None, *, by: User | None = None, category: str = "suggestion", **details: Any) -> Opinion:
    """What a customer said on the telephone today."""
    said = {"way": "call", "title": "希望加快", "said": "回电话再快一点", "said_on": clock.today(), **details}
    return opinions.take_in(by=by or who("followup"), customer=unit or served_customer(), category=category, **said)


def complaint(unit: Customer | None = None, *, upto: str = "to_investigate", by: User | None = None, **details: Any) -> Opinion:
    """A complaint about the specialist's attitude as far as a state; `by` investigates."""
    said = {"about": "attitude", "against": who("specialist"), "title": "态度不好", "said": "说话很冲", **details}
    row, lead = opinion(unit, category="complaint", **said), by or who("manager")
    acts = (
        lambda: opinions.investigate(row, by=lead), lambda: opinions.hear(row, by=lead, words="当时线路不好"),
        lambda: opinions.confirm(row, by=lead, findings="录音听过，属实"), lambda: opinions.answer(row, by=lead, answer="已道歉"),
    )
    for act in acts[: INQUIRED.index(upto)]:
        act()
    return row


LEAVE = ("asked", "approved", "accepted", "away", "over")


def absence(
    *, by: User | None = None, to: User | None = None, upto: str = "asked", starts_in: int = 1, days: int = 2, unforeseen: bool = False, **details: Any
) -> Absence:  # fmt: skip
    """A leave of some days as far as a state, from tomorrow on, or today where it is under way; over, its person is back."""
    by, to = by or who("specialist"), to or who("specialist2")
    starts = clock.today() + timedelta(days=0 if upto in ("away", "over") and starts_in == 1 else starts_in)
    said = {"category": "annual", "words": "回老家", "stand_in": to, **details}
    row = absences.ask(by=by, starts_on=starts, ends_on=starts + timedelta(days=days - 1), **said)
    leads = who("director") if Role.MANAGER in by.roles else who("manager")
    acts = (
        lambda: absences.approve(row, by=leads, unforeseen=unforeseen), lambda: absences.accept(row, by=to), lambda: None,
        lambda: absences.come_back(row, by=by),
    )
    for act in acts[: LEAVE.index(upto)]:
        act()
    return row


def evidence(row: Opinion) -> str:
    """A file on a complaint; its key."""
    file = files.draft("录音文字.pdf", PDF, who("manager"), "")
    db.session.add(file)
    db.session.flush()
    note(row, by=who("manager"), words="录音", files=[file.key])
    return file.key


def written_up(row: Visit) -> Ticket:
    """The record of a visit that is over."""
    by = db.session.get_one(User, row.owner_id)
    words = {"title": row.title, "description": "财务部：报表打不开", "fields": FIELDS["inquiry"]}
    return visits.write_up(row, by=by, category="inquiry", **words)


FIELDS = {
    "data_cleanup": {"data": "2024 年凭证", "tool": "清理工具 2.1"},
    "report_problem": {"report_name": "资产负债表", "doubt": "不平", "analysis": "期初有误", "solution": "改期初"},
    "admin_password": {},
    "program_change": {"requirement": "增加一列", "agreed": "下月交付"},
    "bug": {"steps": "打开再关闭", "error_message": "E1001"},
    "inquiry": {"question": "怎么结账", "answer": "先过账"},
    "install_training": {"installed": "客户端", "trained": "王会计", "remaining": "无"},
}


def application(owner: User) -> str:
    """A scan of a written application, as the owner's draft; its key."""
    file = files.draft("申请.pdf", PDF, owner, "application")
    db.session.add(file)
    db.session.flush()
    return file.key


def filled(one: Ticket, by: User | None = None) -> Ticket:
    """All that the record's category needs."""
    by = by or who("specialist")
    fields = dict(FIELDS[one.category])
    if one.category == "admin_password":
        fields["told"] = str(one.contact_id)
    scans = [application(by)] if one.category in ("data_cleanup", "admin_password") else []
    tickets.fill(one, by=by, fields=fields, files=scans)
    if one.category in ("program_change", "bug"):
        change(customer_of(one), by=who("specialist"), category=one.category, origin=one)
    return one
