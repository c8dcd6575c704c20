"""The registry of makers: what an address names, by its endpoint. A new route with a row of a new kind gets a line."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from sqlalchemy import func

from crm import clock
from crm.absences import workflow as absences
from crm.absences.models import LIVE, Absence
from crm.callbacks import workflow as calls
from crm.changes import following as status_links
from crm.changes import workflow as changing
from crm.changes.models import FORM
from crm.contracts import paying
from crm.contracts import workflow as contracts
from crm.contracts.models import COPY, Contract
from crm.contracts.moves import CHANGE
from crm.contracts.moves import MOVES as MOVES_OF_CONTRACTS
from crm.customers import workflow as customers
from crm.customers.models import CustomerState
from crm.db import db
from crm.desk import shelf
from crm.desk.imports import KINDS
from crm.desk.models import SavedFilter
from crm.desk.tables import TABLES
from crm.duties import workflow as duties
from crm.duties.message import Message
from crm.duties.models import Duty, Edition, Event, Notice, Subject
from crm.duties.passing import hand_over
from crm.duties.record import record
from crm.files import store
from crm.files import workflow as files
from crm.fund import workflow as monthly
from crm.fund.models import FundEntry, Month, MonthEvent
from crm.implementations import workflow as implementing
from crm.letters import workflow as letters
from crm.opinions import workflow as opining
from crm.papers import workflow as papers
from crm.penalties import workflow as penalizing
from crm.penalties.models import HANDED_OUT
from crm.permissions import Permission, Role
from crm.plans import workflow as planning
from crm.plans.models import Plan
from crm.reports import workflow as reports
from crm.reports.models import Counted, Report
from crm.reports.models import Kind as ReportKind
from crm.reports.moves import MOVES as MOVES_OF_REPORTS
from crm.reports.periods import Period
from crm.rulebooks import suggesting, trying
from crm.rulebooks import workflow as drafting
from crm.rulebooks.models import TrialRun
from crm.rulebooks.moves import SUGGESTION_MOVES
from crm.serials import numbers
from crm.sheets import runs
from crm.sheets.kinds import Kind
from crm.staff import links
from crm.staff import workflow as staff
from crm.staff.models import Login, User
from crm.tickets import bulk
from crm.tickets import workflow as tickets
from crm.tickets.moves import MOVES
from crm.visits import feed, feedback
from crm.visits import workflow as visits
from tests import make
from tests.nets import values
from tests.penalties import making as fining

WHOSE = ("own", "another's", "closed")


@dataclass
class Row:
    """What stands in the address, who sees it and, of those, who may act on it."""

    values: dict
    subject: Subject | None = None
    seen: Callable | None = None  # None: as the subject's class says
    may: Callable = field(default=lambda user: True)

    def seen_by(self, user) -> bool:
        if self.seen is not None or self.subject is None:
            return self.seen is None or bool(self.seen(user))
        kind = type(self.subject)
        here = db.session.query(Subject.id).filter(Subject.id == self.subject.id, kind.visible(user))
        return here.first() is not None


def another(user):
    return make.who("specialist2" if user.login != "specialist2" else "specialist")


def owner_of(whose: str, user):
    return another(user) if whose == "another's" else user


def unit():
    found = db.session.query(customers.Customer).filter_by(title="宏远机械").first()
    return found or make.served_customer()


def unserved():
    """A record of a customer outside the service period, which the manager has to look at."""
    customer = make.customer(f"老单位{db.session.query(Subject).count()}")
    make.contact(customer)
    return make.ticket(customer, uncovered_reason="老客户")


def ticket(whose: str, user, name: str = "") -> Row:
    """Another's is a password record, which only its owner and those who lead may see."""
    category = "admin_password" if whose == "another's" else "inquiry"
    if name == "application_pdf" and category == "inquiry":
        category = "data_cleanup"
    row = make.filled(unserved() if name == "see" else make.ticket(unit(), category=category))
    if whose == "closed":
        tickets.complete(row, by=make.who("specialist"))
    else:
        _prepared(row, name)
    owner = owner_of(whose, user)
    hand_over(row, row.owner_id, owner.id)
    row.owner_id = owner.id
    if user.may(Permission.CHANGE_BUILD) and category != "admin_password":  # a developer sees those that changes came of
        make.change(make.customer_of(row), origin=row)
    db.session.flush()
    move = MOVES.get(name) or (MOVES["complete"] if name in ("fill", "detach", "edit") else None)
    return Row({"number": row.number}, row, may=lambda who: move is None or move.may(who, row))


STEPS = {"depart": 0, "arrive": 1, "return": 2, "report": 2, "sign": 2, "signature": 2, "scan": 2, "refuse": 2, "see": 2, "hand_in": 3, "write_up": 3}


def visit(whose: str, user, name: str = "") -> Row:
    """As far as the verb begins; whoever decides is never its owner. A closed one is called off."""
    owner = owner_of(whose, user)
    move = visits.MOVES.get(name) or (visits.CHANGE if name == "edit" else None)
    row = make.visit(unit(), by=make.who("specialist"))
    if whose == "closed":
        visits.cancel(row, by=make.who("specialist"), reason="改期")
    elif name in STEPS:
        visits.approve(row, by=make.who("manager"))
        for step in (visits.depart, visits.arrive, visits.come_back)[: STEPS[name]]:
            step(row, by=make.who("specialist"))
    if name in ("sign", "signature", "scan", "refuse", "see", "hand_in") and whose != "closed":
        make.feedback_of(row, signed=name == "hand_in", at=row.id)
    if name == "see" and whose != "closed":
        feedback.refuse(row, by=make.who("specialist"), name="王主任", position="总监", words="要等上级同意")
    if not (move and move.others):
        hand_over(row, row.owner_id, owner.id)
        row.owner_id = owner.id
    db.session.flush()
    return Row({"number": row.number}, row, may=lambda who: move is None or move.may(who, row))


SCANNED = {"visit": ("file_signed", "feedback"), "contract": ("file_copy", COPY), "change": ("file_form", FORM)}  # kind → a scan's input, and its purpose
SCANS = ("scan", "submit")  # the verbs they are for
BEFORE = {"send": "signed", "agree": "sent", "copy": "sent", "scan": "returned", "invoice": "returned", "pay": "returned", "release": "returned",
          "adjust": "running", "check": "running", "serials": "running", "lapse": "running"}  # fmt: skip
UNPAID = ("chase", "demand", "withhold", "wait")


def contract(whose: str, user, name: str = "") -> Row:
    """As far as the verb begins, in the hands of whoever is to do it; a closed one is declined."""
    by, owner = make.who("specialist"), owner_of(whose, user)
    of = make.served_customer(f"单位{db.session.query(Subject).count()}")  # one service has one contract on a day
    row = make.unpaid(of) if name in UNPAID else make.contract(of, upto=BEFORE.get(name, "draft"))
    if whose == "closed" and row.state == "draft":
        contracts.decline(row, by=by, reason="不买了")
    if name == "pay":
        paying.pay(row, by=by, fen=60_000, paid_on=clock.today())
    if name in ("withhold", "wait"):
        paying.demand(row, by=by)
    if name == "check":
        record("contract.edited", row, unagreed=True)
    if name == "lapse":  # nothing is owed for it any more
        contracts.serials(row, by=by, reason="客户自备加密狗")
        record("contract.notified", row, act="contract.notice", ends_on=row.ends_on)
    hand_over(row, row.owner_id, owner.id)
    row.owner_id = owner.id
    db.session.flush()
    move = MOVES_OF_CONTRACTS.get(name) or (CHANGE if name == "edit" else None)
    return Row({"number": row.number}, row, may=lambda who: move is None or move.may(who, row))


def callback(whose: str, user, name: str = "") -> Row:
    """As far as the verb begins; a closed one is over."""
    owner, by = owner_of(whose, user), make.who("followup")
    owed = _call()
    row = calls.begin(owed, by=by)
    person = db.session.query(make.Contact).filter_by(customer_id=row.customer_id).first()
    row.attempts = 3
    if whose == "closed" or name in ("escalate", "assign"):
        calls.reach(row, by=by, contact=person, attitude=5, skill=5, result=5)
    if name == "assign" and whose != "closed":
        calls.escalate(row, by=by, doubt="老问题又来了")
    row.owner_id = owed.owner_id = owner.id
    if name == "drop" and whose != "closed":
        owed.dropped_by_id = record("visit.noted", owed.subject).id
    db.session.flush()
    move = calls.MOVES.get(name)
    return Row({"number": row.number}, row, may=lambda who: move is None or move.may(who, row))


def report(whose: str, user, name: str = "") -> Row:
    """Of a month long ago: a specialist's, or one the director has next. A closed one has been received or verified."""
    month = Period.month(date(2010, 1, 1) + relativedelta(months=db.session.query(Report).count()))
    owner, manager, director = owner_of(whose, user), make.who("manager"), make.who("director")
    if name == "verify" or (name in ("receive", "send_back", "waive") and Role.DIRECTOR in user.roles):
        kind, by, ends = ReportKind.SERVICES if name == "verify" else ReportKind.SATISFACTION, manager, director
    else:
        writes = whose != "closed" and owner.may(Permission.REPORT_WRITE)
        kind, by, ends = ReportKind.SPECIALIST, owner if writes else make.who("specialist"), manager
    make.customer(f"单位{db.session.query(Subject).count()}", owner_id=by.id)
    row = reports.prepare(kind, month, by if kind == ReportKind.SPECIALIST else None)
    if name in ("receive", "verify", "send_back", "rows") or whose == "closed":
        reports.submit(row, by=by)
    if whose == "closed":
        (reports.verify if kind == ReportKind.SERVICES else reports.receive)(row, by=ends)
    move = MOVES_OF_REPORTS.get(name)
    place = db.session.query(Counted.place).filter_by(report_id=row.id).limit(1).scalar() if name == "rows" else 0
    return Row({"number": row.number, "place": place}, row, may=lambda who: move is None or move.may(who, row))


def plan(whose: str, user, name: str = "") -> Row:
    """Of a month long ago, as far as the verb begins; a closed one is signed off. Whoever signs is never who submitted it."""
    row = planning.propose(date(2010, 1, 1) + relativedelta(months=db.session.query(Plan).count()))
    addable()
    by = make.who("manager")
    if name in ("submit", "sign_off", "send_back") or whose == "closed":
        planning.settle(row, by=by)
    if name in ("sign_off", "send_back") or whose == "closed":
        planning.submit(row, by=by)
    if whose == "closed":
        planning.sign_off(row, by=make.who("director"))
    move = planning.MOVES.get(name) or (planning.CHANGE if name == "edit" else None)
    return Row({"number": row.number}, row, may=lambda who: move is None or move.may(who, row))


def addable() -> None:
    """A contract that may be put into a plan by hand: the one `values` names."""
    if not db.session.query(Contract).count():
        make.in_force()


def _call() -> Duty:
    """A call that falls to the follow-up staff."""
    row = make.handed_in(unit())
    return db.session.query(Duty).filter_by(subject_id=row.id, rule="call.feedback").one()


def owed_call(whose: str, user) -> Row:
    """A call one has taken on, another has, and one that is settled."""
    owed = _call()
    if whose == "closed":
        begun = calls.begin(owed, by=make.who("followup"))
        begun.attempts = 3
        calls.give_up(begun, by=make.who("followup"), reason="空号")
    else:
        owed.owner_id = owner_of(whose, user).id
        db.session.flush()
    return Row({"duty_id": owed.id}, owed.subject)


def letter(whose: str, user) -> Row:
    """One in use, one with a text of its own, and one out of use."""
    brand = f"品牌{db.session.query(Subject).count()}"
    row = letters.add(by=make.who("director"), template="notice", brand=brand, language="zh", title="通知", subject="通知", body="到期 {ends_on}")
    if whose == "closed":
        letters.retire(row, by=make.who("director"))
    return Row({"number": row.number}, row)


WAITS = {"look": {}, "put_on_paper": {}, "withdraw": {}, "posted": {"way": "paper"}}  # the verbs of a letter that waits, and how it does


def message(whose: str, user, name: str = "") -> Row:
    """A letter of the outbox as the verb needs it; a closed one is withdrawn. Whoever sees the contract sees it."""
    subject = make.in_force()
    event = record("contract.notified", subject, ends_on=subject.ends_on)
    row = db.session.query(Message).filter_by(event_id=event.id).one()
    kept = {"sheet_sha256": store.put(make.PDF), "mail_sha256": store.put(b"To: a@example.cn")}
    ends = {"state": "sent", "way": "email", "ended_at": clock.now()}
    if whose == "closed":
        ends |= {"state": "withdrawn"}
    elif name in WAITS:
        ends = WAITS[name]
    elif name == "outcome":
        ends |= {"state": "unknown", "ended_at": None}
    for key, value in {**kept, **ends}.items():
        setattr(row, key, value)
    db.session.flush()
    if row.state == "unknown":  # which opens the duty to find out
        record("message.unknown", subject, **row.facts)
    return Row({"message_id": row.id}, subject)


def paper(whose: str, user, name: str = "") -> Row:
    """As far as the verb begins, with whoever is to do it; another's is a password application. A closed one is void."""
    move, owner, other = papers.MOVES.get(name), owner_of(whose, user), make.who("manager")
    if whose == "another's":
        record = make.filled(make.ticket(unit(), category="admin_password", by=owner), owner)
        row = make.paper(record, by=owner, kind="password_application")
    else:
        row = make.paper(make.visit(unit()), by=owner)
    if whose == "closed":
        row.state, row.entered_by_id = "void", None
    elif move:
        _on_its_way(row, name, owner, other)
    db.session.flush()
    return Row({"number": row.number}, row, may=lambda who: move is None or move.may(who, row))


def _left() -> User:
    """Somebody who worked here."""
    name = f"left{db.session.query(User).count()}"
    user = staff.add_user(name, name, [Role.SPECIALIST], "!")
    user.state = "inactive"
    return user


def _on_its_way(row, name: str, owner, other) -> None:
    """Where the verb begins: straight in its columns, whatever roles the owner has."""
    state = next(iter(sorted(papers.MOVES[name].froms & {"offered", "archived", "lent", "returned", "lost"})), "held")
    row.state = "held" if name in ("archive", "lose", "fetch") else state
    if name == "fetch":
        row.owner_id = _left().id
    if name == "see":
        row.state, row.owner_id = "held", make.who("specialist").id
        db.session.flush()
        papers.lose(row, by=make.who("specialist"), words="找不到")
    if row.state == "offered":
        row.owner_id, row.concerned_id = (other.id, owner.id) if name in ("take", "decline") else (owner.id, other.id)
    if row.state in ("archived", "lent", "returned"):
        row.place = "甲柜"
    if row.state in ("lent", "returned"):
        row.lent_until = clock.today()


def scanned(whose: str, user) -> Row:
    """The visit or record a printed form names; whose paper is another's, its record is, too."""
    row = paper(whose, user)
    origin = db.session.get_one(Subject, row.subject.origin_id)
    kind = "password_application" if whose == "another's" else "visit_request"
    archives = Permission.PAPER_ARCHIVE
    known = Row({}, origin)
    return Row({"number": origin.number, "kind": kind}, origin, seen=lambda who: who.may(archives) or known.seen_by(who))


def _prepared(row, name: str) -> None:
    """As far as the verb begins."""
    by, manager = make.who("specialist"), make.who("manager")
    if name in ("end", "wait", "resume", "reopen"):
        tickets.start(row, by=by)
    if name == "resume":
        tickets.wait(row, by=by, reason="等客户", until=clock.today() + timedelta(days=3))
    if name == "reopen":
        tickets.end(row, by=by)
    if name in ("settle", "tell"):
        tickets.escalate(row, by=by, story="客户不接受")
    if name == "tell":
        tickets.settle(row, by=manager, answer="先这样")


def attached(whose: str, user) -> Row:
    row = ticket("own" if whose == "closed" else whose, user, "detach")
    file = tickets.note(row.subject, by=user, words="看", files=[_draft(user)]) or _of(row.subject)
    if whose == "closed":
        files.take_away(file)
    gone = whose == "closed"
    return Row(row.values | {"key": file.key}, row.subject, seen=lambda who: not gone and row.seen_by(who), may=row.may)


def _draft(user, purpose: str = "", content: bytes = make.PDF, name: str = "a.pdf") -> str:
    file = files.draft(name, content, user, purpose)
    db.session.add(file)
    db.session.flush()
    return file.key


def _of(subject):
    return db.session.query(files.File).filter_by(subject_id=subject.id).order_by(files.File.id.desc()).first()


def file(whose: str, user) -> Row:
    """One's own draft, another's, and one on a record that is complete."""
    if whose != "closed":
        owner = owner_of(whose, user)
        return Row({"key": _draft(owner)}, seen=lambda who: who.id == owner.id)
    row = ticket("own", user)
    tickets.note(row.subject, by=user, words="看", files=[_draft(user)])
    return Row({"key": _of(row.subject).key}, row.subject)


def customer(whose: str, user) -> Row:
    row = make.served_customer(f"单位{db.session.query(Subject).count()}")
    row.owner_id = owner_of(whose, user).id
    row.state = CustomerState.INACTIVE if whose == "closed" else row.state
    db.session.flush()
    return Row({"number": row.number}, row)


def contact(whose: str, user) -> Row:
    row = customer(whose, user)
    found = db.session.query(make.Contact).filter_by(customer_id=row.subject.id).one()
    found.active = whose != "closed"
    return Row(row.values | {"contact_id": found.id}, row.subject)


def installation(whose: str, user) -> Row:
    unit = customer("own", user).subject
    row = make.installation(unit, ends_in=-30 if whose == "closed" else 30)
    return Row({"number": row.number}, row)


def person(whose: str, user) -> Row:
    """Oneself, another, and one who left. Nobody sets their own password or link here."""
    row = user
    if whose != "own":
        row = staff.add_user(f"u{db.session.query(Subject).count()}", "同事", ["specialist"], "")
        if whose == "closed":
            staff.edit_user(row, by=make.who("admin"), roles=row.roles, active=False)
    return Row({"number": row.number}, row, seen=lambda who: who.may(Permission.STAFF_EDIT))


def of_another(whose: str, user) -> Row:
    row = person(whose, user)
    row.may = lambda who: who.id != row.subject.id
    return row


def duty(whose: str, user) -> Row:
    row = ticket("closed" if whose == "closed" else "own", user)
    if whose == "another's":
        hand_over(row.subject, user.id, another(user).id)
    owed = db.session.query(Duty).filter_by(subject_id=row.subject.id).order_by(Duty.id).first()
    return Row({"duty_id": owed.id}, row.subject)


def extension(whose: str, user) -> Row:
    """Asked by oneself, by another, and one that is decided."""
    by = user if whose == "own" else another(user)
    subject = make.ticket(unit())
    hand_over(subject, subject.owner_id, by.id)
    owed = db.session.query(Duty).filter_by(subject_id=subject.id).order_by(Duty.id).first()
    asked = duties.ask_more_time(owed, by=by, reason="忙", wanted=owed.due_at + timedelta(days=3))
    if whose == "closed":
        duties.decide_more_time(asked, by=make.who("director"), granted=False)
    return Row({"extension_id": asked.id}, subject, may=lambda who: whose == "closed" or who.id != by.id)


def edition(whose: str, user) -> Row:
    row = db.session.query(Edition).order_by(Edition.id).first()
    row.state = "confirmed" if whose == "closed" else "unconfirmed"
    db.session.flush()
    return Row({"number": row.number}, row)


def imported(kind: Kind, content: bytes) -> Callable[..., Row]:
    """One's own waiting file, another's, and one that was brought in."""

    def made(whose: str, user) -> Row:
        owner = owner_of(whose, user)
        key = _draft(owner, kind.purpose, content, "list.csv")
        if whose == "closed":
            run = runs.start(kind, runs.draft(kind, key, owner), {}, owner)
            runs.go_on(kind, run, 0, owner)
        return Row({"key": key}, seen=lambda who: who.id == owner.id)

    return made


def begun(kind: Kind, content: bytes) -> Callable[..., Row]:
    def made(whose: str, user) -> Row:
        owner = owner_of(whose, user)
        row = imported(kind, content)("closed" if whose == "closed" else whose, user)
        if whose != "closed":
            runs.start(kind, runs.draft(kind, row.values["key"], owner), {}, owner)
        return row

    return made


def session(whose: str, user) -> Row:
    owner = owner_of(whose, user)
    row = Login(user=owner, token_hash=f"h{db.session.query(Login).count()}", started_at=clock.now())
    row.ended_at = clock.now() if whose == "closed" else None
    db.session.add(row)
    db.session.flush()
    return Row({"session_id": row.id}, seen=lambda who: whose != "closed" and who.id == owner.id)


def link(whose: str, user) -> Row:
    row = person("another's", user).subject
    token = links.make(row, by=make.who("admin"))
    if whose == "closed":
        links.void(row)
    return Row({"token": token}, seen=lambda who: whose != "closed")


def looked_at(whose: str, user) -> Row:
    return ticket(whose, user)


def notice(whose: str, user) -> Row:
    """One's own, another's, and one that was seen."""
    owner, row = owner_of(whose, user), ticket("own", user).subject
    happened = db.session.query(Event).filter_by(subject_id=row.id).first()
    told = Notice(user_id=owner.id, event_id=happened.id, seen_at=clock.now() if whose == "closed" else None)
    db.session.add(told)
    db.session.flush()
    return Row({"notice_id": told.id}, seen=lambda who: who.id == owner.id)


def listed(whose: str, user) -> Row:
    return Row({"key": "tickets"}, seen=lambda who: who.may(Permission.TICKET_READ))


def saved_filter(whose: str, user) -> Row:
    owner = owner_of(whose, user)
    name = f"筛选{db.session.query(SavedFilter).count()}"
    row = shelf.save_filter(owner, TABLES["tickets"], name, "category=bug", shared=False)
    return Row({"filter_id": row.id}, seen=lambda who: who.id == owner.id)


def bulk_run(whose: str, user) -> Row:
    owner = owner_of(whose, user)
    run = bulk.carry_out(bulk.Verb.CANCEL, [make.ticket(unit()).number], by=owner, reason="重复")
    return Row({"run_id": run.id}, seen=lambda who: who.id == owner.id)


def phone(whose: str, user) -> Row:
    """One's own link, another's, and one that has ended: whoever has a link reads it."""
    owner = owner_of(whose, user) if user.is_active and user.may(Permission.VISIT_WORK) else make.who("specialist")
    token = feed.make(owner)
    if whose == "closed":
        feed.end(owner)
    return Row({"token": token}, seen=lambda who: whose != "closed")


def status(whose: str, user) -> Row:
    """The link of a change request, and one that was ended: whoever has it reads it."""
    row, by = make.change(unit()), make.who("specialist")
    token = status_links.make(row, by=by)
    if whose == "closed":
        status_links.end(row, by=by)
    return Row({"token": token}, seen=lambda who: whose != "closed")


def static(whose: str, user) -> Row:
    return Row({"filename": "app.css"})


def numbered(whose: str, user) -> Row:
    """An installation of one's own customer, of another's, and one whose serial number is handed over."""
    of = make.customer(f"有序列号{db.session.query(Subject).count()}", owner_id=owner_of(whose, user).id)
    make.contact(of)
    row = make.installation(of)
    issuer = owner_of(whose, user)
    made = numbers.issue(row, by=issuer if numbers.may(issuer, of) else None, number=f"SN-{row.id:06d}", starts_on=clock.today(), ends_on=clock.today() + timedelta(days=99))
    if whose == "closed":
        numbers.give(made, by=make.who("manager"), to=db.session.query(make.Contact).filter_by(customer_id=row.customer_id).first(), on=clock.today())
    return Row({"number": row.number}, row, may=lambda who: numbers.may(who, row))


def implementation(whose: str, user, name: str = "") -> Row:
    owner = owner_of(whose, user)
    begin = owner if owner.may(Permission.CUSTOMER_EDIT) else make.who("specialist")
    row = implementing.begin(unit(), by=begin, title="上线", starts_on=clock.today())
    if whose == "closed":
        implementing.cancel(row, by=make.who("manager"), reason="不做了")
    move = implementing.MOVES.get(name) or (implementing.CHANGE if name == "edit" else None)
    return Row({"number": row.number}, row, may=lambda who: move is None or move.may(who, row))


FAR = {"approve": "submitted", "reject": "submitted", "tell": "approved", "take": "approved", "deliver": "building", "pass": "testing",
       "fail": "testing", "postpone": "building", "update": "passed", "close": "updated", "rebuild": "building"}  # fmt: skip


def change(whose: str, user, name: str = "") -> Row:
    """As far as the verb begins; whoever decides or builds is never its owner. A closed one is over."""
    owner, by = owner_of(whose, user), make.who("specialist")
    move = changing.MOVES.get(name) or (changing.CHANGE if name == "edit" else None)
    row = make.change(unit(), upto=FAR.get(name, "draft"))
    if whose == "closed" and row.state == "updated":
        changing.close(row, by=by, said="好用", mark=5)
    elif whose == "closed":
        changing.withdraw(row, by=by, reason="不要了")
    if name == "unlink":
        status_links.make(row, by=by)
    if name == "rebuild":
        make.other_developer()
    if move and move.hands and owner.may(Permission.CHANGE_BUILD):
        row.concerned_id = owner.id
    if not (move and move.others) and row.concerned_id != owner.id:
        hand_over(row, row.owner_id, owner.id)
        row.owner_id = owner.id
    db.session.flush()
    return Row({"number": row.number}, row, may=lambda who: move is None or move.may(who, row))


LED = {"investigate": "to_investigate", "hear": "investigating", "confirm": "heard", "dismiss": "heard",
       "review": "founded", "reopen": "answered", "assign": "heard", "correct": "investigating"}  # fmt: skip


def opinion(whose: str, user, name: str = "") -> Row:
    """As far as the verb begins: a complaint where it is one of whoever leads, about somebody where another's. A closed one is
    withdrawn."""
    owner, about = owner_of(whose, user), make.who("specialist2" if whose == "another's" else "followup")
    move = opining.MOVES.get(name)
    if name in LED or whose == "another's":
        row = make.complaint(unit(), upto=LED.get(name, "to_investigate"), against=about, said_on=clock.today())
    else:
        row = make.opinion(unit())
    if whose == "closed" and row.state in opining.MOVES["withdraw"].froms:
        opining.withdraw(row, by=make.who("manager"), reason="不提了")
    elif row.owner_id and (not row.complaint or owner.may(Permission.OPINION_INVESTIGATE)):
        hand_over(row, row.owner_id, owner.id)
        row.owner_id = owner.id
    db.session.flush()
    return Row({"number": row.number}, row, may=lambda who: move is None or move.may(who, row))


FINED = {"sign": "issued", "refuse": "issued", "notice": "issued", "confirm": "refused", "appeal": "signed", "decide": "appealed",
         "appoint": "appealed", "weigh": "upheld"}  # fmt: skip


def penalty(whose: str, user, name: str = "") -> Row:
    """Against oneself or another, as far as the verb begins; entered by follow-up, issued by the cast's manager. What is closed is
    waived. What is recommended about one who leads, others decide on; of a refusal one is a witness, and answers an appeal
    as named for it."""
    person = make.who("director") if name == "weigh" and Role.DIRECTOR not in user.roles else owner_of(whose, user)
    if whose == "own" and name in ("confirm", "decide", "issue", "waive", "appoint"):
        person = another(user)
    if whose == "own" and name == "refuse":  # of one for whom nobody stands in
        person = staff.add_user(f"q{db.session.query(User).count()}", "新来的", [Role.SPECIALIST], make.hashed(make.PASSWORD), must_change=False)
    upto = "waived" if whose == "closed" else FINED.get(name, "proposed")
    by = make.who("followup" if user.login != "followup" else "director")
    if whose == "own" and name == "withdraw" and user.may(Permission.PENALTY_ENTER):
        by, person = user, another(user)
    row = fining.penalty(upto, by=by, person=person, key="7.1.later" if name == "weigh" else "3.9.late")
    if whose == "own" and name == "confirm":
        row.first_witness_id = user.id
    if whose == "own" and name == "decide":
        row.owner_id = user.id
    db.session.flush()
    move, late = penalizing.MOVES.get(name), name == "weigh"
    out = row.state in HANDED_OUT or name != "notice"
    return Row({"number": row.number}, row, seen=lambda who: out and fining.seen(row, who, whole=name == "notice"),
               may=lambda who: move is None or (move.may(who, row) and (not late or move.why_not(row, who) is None)))


def statement(whose: str, user, name: str = "") -> Row:
    """Of a month long ago, before all others there are; closed for whatever else than closing it."""
    row = monthly.open_month(date(2016, 1, 1) - relativedelta(months=db.session.query(Month).count()))
    if name != "close" or whose == "closed":
        monthly.close(row, by=make.who("director"))
    move = monthly.MOVES.get(name)
    return Row({"number": row.number}, row, may=lambda who: move is None or move.may(who, row))


def spent(whose: str, user) -> Row:
    """A line of the ledger, and one that was taken back."""
    month, director = monthly.open_month(clock.today().replace(day=1)) if not running() else running(), make.who("director")
    event = record(MonthEvent.SPENT, month, by=director, fen=100, words="水果")
    row = FundEntry(kind="spent", month_id=month.id, event_id=event.id, fen=-100, on=clock.today(), purpose="水果")
    db.session.add(row)
    db.session.flush()
    if whose == "closed":
        monthly.reverse(row, by=director, reason="记错了")
    return Row({"entry_id": row.id})


def running() -> Month | None:
    return db.session.query(Month).filter_by(month=clock.today().replace(day=1)).first()


LEFT = {"accept": "approved", "decline": "approved", "name": "accepted", "judge": "accepted", "shorten": "accepted", "withdraw": "approved", "return": "away",
        "give_back": "over"}  # fmt: skip


def absence(whose: str, user, name: str = "") -> Row:
    """As far as the verb begins, of whoever takes it or, where others decide or accept, of another. A closed one is withdrawn."""
    move, owner, second = absences.MOVES.get(name), owner_of(whose, user), make.who("specialist2")
    stands = name in ("accept", "decline")
    by = make.who("followup") if move and (move.others or stands) else owner
    to = owner if stands and whose != "another's" else second if by.id != second.id else make.who("specialist")
    far = "asked" if whose == "closed" else LEFT.get(name, "asked")
    alone()
    if far == "over":
        with clock.frozen(clock.now() - timedelta(days=28)):  # whoever leaves has a call to make
            make.customer(f"常客{db.session.query(Subject).count()}", owner_id=by.id, grade="C")
    row = make.absence(by=by, to=to, upto=far, days=5 if far == "over" else 3)
    if whose == "closed":
        absences.withdraw(row, by=by, reason="不去了")
    return Row({"number": row.number}, row, may=lambda who: move is None or move.may(who, row))


def alone() -> None:
    """No other leave shares a day with the one to come."""
    for live in db.session.query(Absence).filter(Absence.state.in_(LIVE)):
        live.state, live.away_from, live.away_until = "withdrawn", None, None
    db.session.flush()


def free_day() -> date:
    """After every edition there is."""
    last = db.session.query(func.max(Edition.holds_from)).scalar()
    return max(clock.today(), clock.local(last).date()) + timedelta(days=1)


def draft(whose: str, user, name: str = "") -> Row:
    """Begun by one or the other; a closed one is discarded. Who only reads it may have it tried and note something."""
    row = drafting.begin(by=owner_of(whose, user), title="明年的制度", base=db.session.query(Edition).order_by(Edition.id).first())
    if name == "result":
        tried(row)
    if name == "take_back" and whose != "closed":
        drafting.issue(row, by=make.who("director"), holds_from=free_day())
    if whose == "closed":
        drafting.discard(row, by=make.who("director"), reason="不改了")
    known = {"place": 2, "key": "7.5", "run_id": db.session.query(func.max(TrialRun.id)).scalar() or 1}
    read = name in ("trial", "note")
    return Row({"number": row.number, **known}, row, may=lambda who: read or who.may(Permission.RULEBOOK_ISSUE))


def tried(row) -> None:
    """The result of a trial."""
    run = trying.ask(row, by=make.who("director"), since=clock.today(), until=clock.today())
    run.state, run.ended_at, run.found = "done", clock.now(), {"seen": 3, "rules": {"ticket.progress": [3, 0, 1, 0]}, "people": {str(make.who("specialist").id): [3, 0, 1, 0]}, "what": {"fewer": 2}, "why": {}}
    db.session.flush()


def suggestion(whose: str, user, name: str = "") -> Row:
    """One's own, another's, and one that was withdrawn; to answer, it is never one's own."""
    owner = another(user) if name in ("answer", "take_up") else owner_of(whose, user)
    kind = "objection" if Role.MANAGER in user.roles else "suggestion"
    row = suggesting.suggest(by=owner, category=kind, words="期限太紧")
    if name == "take_up":
        drafting.begin(by=make.who("director"), title="明年的制度", base=db.session.query(Edition).first())
    if whose == "closed":
        suggesting.withdraw(row, by=owner)
    move = SUGGESTION_MOVES.get(name)
    answers = name != "answer"
    return Row({"number": row.number}, row,
               may=lambda who: move is None or (move.may(who, row) and (answers or move.why_not(row, who) is None)))


MAKERS: dict[str, Callable[..., Row]] = {
    "absences.": absence, "drafts.": draft, "suggestions.": suggestion,
    "changes.": change, "opinions.": opinion, "penalties.": penalty, "statements.": statement, "fund.reverse": spent,
    "letters.": letter, **dict.fromkeys((f"letters.{verb}" for verb in (
        "message", "sheet", "mail", "look", "again", "outcome", "put_on_paper", "posted", "withdraw")), message),
    "static": static, "tickets.": ticket, "tickets.detach": attached, "files.": file, "customers.": customer,
    "customers.contact": contact, "desk.customer": customer, "serials.new": customer, "serials.edit": installation,
    "handing.": numbered, "implementations.": implementation,
    "staff.edit": person, "staff.remove_factor": person, "staff.": of_another, "duties.extension": duty, "duties.decision": extension,
    "duties.edition": edition, "duties.confirmation": edition, "duties.acknowledgement": edition,
    **{f"{one.noun[:-1]}_imports.{page}": make(one, values.LISTS[one.noun]) for page, make in (("look", imported), ("batch", begun))
       for one in KINDS},
    "own.end_session": session, "door.welcome": link,
    "desk.presence_of": looked_at, "desk.read_notice": notice, "listing.save": listed, "listing.columns": listed,
    "listing.remove": saved_filter, "tickets.bulk_run": bulk_run, "visits.": visit,
    "callbacks.": callback, "callbacks.owed": owed_call, "callbacks.begin": owed_call, "duties.claim": owed_call,
    "duties.release": owed_call, "reports.": report,
    "contracts.": contract, "plans.": plan, "papers.": paper, "papers.scanned": scanned,
    "visits.feed_of": phone, "changes.status": status,
}  # fmt: skip


NAMED = (draft, suggestion, message, ticket, visit, change, opinion, absence, contract, implementation, callback, report, plan, paper, penalty, statement)  # what they make depends on the verb


class Unknown(LookupError):
    """A route whose address nobody knows how to fill."""


def maker_of(endpoint: str) -> Callable[..., Row]:
    """The most particular line that fits the endpoint."""
    fitting = [prefix for prefix in MAKERS if endpoint.startswith(prefix)]
    if not fitting:
        raise Unknown(f"{endpoint}: add a line to MAKERS in tests/nets/rows.py that makes what its address names")
    return MAKERS[max(fitting, key=len)]


def row_for(endpoint: str, whose: str, user) -> Row:
    maker = maker_of(endpoint)
    return maker(whose, user, endpoint.partition(".")[2]) if maker in NAMED else maker(whose, user)
