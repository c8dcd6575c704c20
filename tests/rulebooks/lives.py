"""Random stories of verbs: the same script runs in two departments, whose rulebooks differ."""

import random
from collections import Counter
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import func

from crm import clock, sweep
from crm.callbacks import workflow as calls
from crm.changes import workflow as changes
from crm.contracts import paying, sums
from crm.contracts import workflow as contracts
from crm.customers import workflow as customers
from crm.customers.models import Contact, Customer
from crm.db import db, unit_of_work
from crm.duties import editions
from crm.duties import workflow as duties
from crm.duties.models import Duty, Edition, Event, Extension, Subject, open_now
from crm.errors import Refused
from crm.opinions import workflow as opinions
from crm.papers import workflow as papers
from crm.rulebooks.text import Change, changed
from crm.staff.models import User
from crm.tickets import workflow as tickets
from crm.tickets.models import Ticket
from crm.visits import feedback
from crm.visits import workflow as visits
from crm.visits.models import Visit
from tests import make

Name = tuple[int, int]  # the step a subject was made by, and the how-manieth of it: by this it is known in both departments
CHOSEN: dict[int, tuple[Name | int, str]] = {}  # step → what it is about, as the first department had it: subject, of a duty its rule
BORN: dict[int, Name] = {}  # of the department that lives
HERE: list[int] = [0]


def known_as(id: int) -> Name | int:
    return BORN.get(id, id)


class Step(NamedTuple):
    """After so many minutes somebody tries something; `dice` decide all else."""

    minutes: int
    verb: str
    dice: int


def one(kind: type[Subject], dice: random.Random) -> Any:
    """Of this kind; in the other department the same, where it came to be there."""
    found = db.session.query(kind).filter(kind.edition_id.is_not(None)).order_by(kind.id).all()
    if HERE[0] in CHOSEN:
        found = [row for row in found if (known_as(row.id), "") == CHOSEN[HERE[0]]]
    if not found:
        raise Refused()
    row = random.Random(dice.randrange(10**9)).choice(found)
    CHOSEN[HERE[0]] = known_as(row.id), ""
    return row


def unit(dice: random.Random) -> Customer:
    return dice.choice(db.session.query(Customer).order_by(Customer.id).all())


def owner(row: Subject) -> User:
    return db.session.get_one(User, row.owner_id)


def open_ticket(dice: random.Random) -> None:
    category = dice.choice(list(make.FIELDS))
    row = make.ticket(unit(dice), category=category, channel=dice.choice(["phone", "qq"]), service_qq="10001", by=make.who(dice.choice(["specialist", "specialist2"])))
    if dice.random() < 0.8:
        make.filled(row)


def edit_ticket(dice: random.Random) -> None:
    row = one(Ticket, dice)
    contact = db.session.get(Contact, row.contact_id)
    tickets.edit_ticket(row, by=owner(row), contact=contact, department="财务部", category=dice.choice(["inquiry", "bug", "report_problem", "program_change"]), channel=dice.choice(["phone", "wechat"]))


def assign(dice: random.Random) -> None:
    tickets.assign(one(Ticket, dice), by=make.who("manager"), to=make.who(dice.choice(["specialist", "specialist2", "followup"])), reason="换人")


def ticket_verb(dice: random.Random) -> None:
    row, manager = one(Ticket, dice), make.who("manager")
    me = owner(row)
    acts: list[Callable[[], object]] = [
        lambda: tickets.start(row, by=me), lambda: tickets.end(row, by=me), lambda: tickets.complete(row, by=me),
        lambda: tickets.complete(row, by=me), lambda: make.filled(row, me),
        lambda: tickets.wait(row, by=me, reason="等", until=clock.today() + timedelta(days=dice.randint(0, 5))),
        lambda: tickets.resume(row, by=me), lambda: tickets.reopen(row, by=me, reason="又来了"),
        lambda: tickets.cancel(row, by=manager, reason="重复"), lambda: tickets.escalate(row, by=me, story="不接受"),
        lambda: tickets.settle(row, by=manager, answer="先这样", to=make.who("specialist2")), lambda: tickets.tell(row, by=me, words="好"),
    ]  # fmt: skip
    dice.choice(acts)()


def give_visit(dice: random.Random) -> None:
    visits.assign(one(Visit, dice), by=make.who("manager"), to=make.who(dice.choice(["specialist", "specialist2"])), reason="换人")


def ask_visit(dice: random.Random) -> None:
    make.visit(unit(dice), starts_in=dice.randint(1, 40))


def visit_verb(dice: random.Random) -> None:
    row, manager = one(Visit, dice), make.who("manager")
    me = owner(row)
    acts: list[Callable[[], object]] = [
        lambda: visits.approve(row, by=manager), lambda: visits.approve(row, by=manager), lambda: visits.depart(row, by=me), lambda: visits.arrive(row, by=me),
        lambda: make.feedback_of(row, signed=dice.random() < 0.7, at=row.id), lambda: visits.come_back(row, by=me),
        lambda: feedback.hand_in(row, by=me), lambda: make.written_up(row), lambda: visits.reject(row, by=manager, reason="不必"),
        lambda: visits.cancel(row, by=me, reason="改期"), lambda: papers.enter(row, "visit_request", by=me),
    ]  # fmt: skip
    dice.choice(acts)()


def on_site(dice: random.Random) -> None:
    """The next step of a visit, so that some come to their end."""
    row = one(Visit, dice)
    me = owner(row)
    steps: dict[str, Callable[[], object]] = {
        "requested": lambda: visits.approve(row, by=make.who("manager")), "approved": lambda: visits.depart(row, by=me),
        "departed": lambda: (visits.arrive(row, by=me), make.feedback_of(row, signed=True, at=row.id)), "arrived": lambda: visits.come_back(row, by=me),
        "back": lambda: make.written_up(row) if row.handed_in_at else feedback.hand_in(row, by=me),
    }  # fmt: skip
    steps.get(row.state, lambda: None)()


def grade(dice: random.Random) -> None:
    customers.change_customer(unit(dice), {"category": dice.choice(["A", "B", "C", ""]), "owner_id": make.who(dice.choice(["specialist", "specialist2"])).id}, by=make.who("manager"))


def opinion(dice: random.Random) -> None:
    make.opinion(unit(dice), by=make.who("followup"))


def answer(dice: random.Random) -> None:
    row = one(opinions.Opinion, dice)
    opinions.answer(row, by=owner(row), answer="谢谢")


def agree(dice: random.Random) -> None:
    make.contract(unit(dice), upto=dice.choice(["signed", "sent", "returned"]), starts_in=400 * db.session.query(Subject).count())


def pay(dice: random.Random) -> None:
    row = one(contracts.Contract, dice)
    paying.pay(row, by=owner(row), fen=sums.open_fen(row), paid_on=clock.today())


def wish(dice: random.Random) -> None:
    make.change(unit(dice), upto=dice.choice(["draft", "submitted", "approved", "building"]))


def change_verb(dice: random.Random) -> None:
    row = one(changes.ChangeRequest, dice)
    acts: list[Callable[[], object]] = [
        lambda: changes.tell(row, by=owner(row), words="好"), lambda: changes.take(row, by=make.who("developer")),
        lambda: changes.deliver(row, by=make.who("developer"), changed="取数", how_to_test="打开"),
        lambda: changes.passes(row, by=owner(row)), lambda: changes.fail(row, by=owner(row), words="不对"),
        lambda: changes.postpone(row, by=make.who("manager"), expected_on=clock.today() + timedelta(days=dice.randint(8, 20)), reason="忙", told="电话"),
    ]  # fmt: skip
    dice.choice(acts)()


def some_duty(dice: random.Random, *where: Any) -> Duty:
    """One that is open; in the other department the same."""
    found = db.session.query(Duty).join(Duty.subject).filter(open_now(), Duty.rule.not_like("rulebook.%"), *where).order_by(Subject.id, Duty.rule).all()
    if HERE[0] in CHOSEN:
        found = [duty for duty in found if (known_as(duty.subject_id), duty.rule) == CHOSEN[HERE[0]]]
    if not found:
        raise Refused()
    duty = random.Random(dice.randrange(10**9)).choice(found)
    CHOSEN[HERE[0]] = known_as(duty.subject_id), duty.rule
    return duty


def ask_time(dice: random.Random) -> None:
    owed = some_duty(dice, Duty.owner_id.is_not(None))
    duties.ask_more_time(owed, by=db.session.get_one(User, owed.owner_id), reason="忙", wanted=clock.now() + timedelta(days=dice.randint(1, 9)))


def decide_time(dice: random.Random) -> None:
    asked = db.session.query(Extension).filter(Extension.granted.is_(None)).order_by(Extension.id).first()
    if asked is None:
        raise Refused()
    duties.decide_more_time(asked, by=make.who("director"), granted=dice.random() < 0.6)


def call(dice: random.Random) -> None:
    owed = some_duty(dice, Duty.rule.like("call.%"))
    by = make.who({"call.manager": "manager", "call.director": "director"}.get(owed.rule, "followup"))
    by = db.session.get_one(User, owed.owner_id) if owed.owner_id else by
    row = calls.begin(owed, by=by)
    if dice.random() < 0.3:
        return
    contact = db.session.query(Contact).filter_by(customer_id=row.customer_id).first()
    marks = dict.fromkeys(("attitude", "skill", "result"), 4) if calls.wants_marks(row) else {}
    calls.reach(row, by=by, contact=contact, department="财务部", comment="好", **marks, **({"answer": "will"} if calls.asks_renewal(row) else {}))


def claim(dice: random.Random) -> None:
    owed = some_duty(dice, Duty.pool == "manager", Duty.owner_id.is_(None))
    duties.claim(owed, by=make.who("manager"))


def release(dice: random.Random) -> None:
    owed = some_duty(dice, Duty.pool.in_(["manager", "followup"]), Duty.owner_id.is_not(None))
    duties.release(owed, by=make.who("manager"))


VERBS: dict[str, Callable[[random.Random], object]] = {
    function.__name__: function for function in (
        open_ticket, edit_ticket, assign, ticket_verb, ask_visit, give_visit, visit_verb, on_site, grade, opinion, answer, agree, pay, wish, change_verb, ask_time,
        decide_time, call, claim, release)
}  # fmt: skip
OFTEN = {"ticket_verb": 8, "open_ticket": 4, "on_site": 5, "visit_verb": 2, "ask_visit": 2, "ask_time": 3, "decide_time": 2, "call": 3}


def script(seed: int, length: int) -> list[Step]:
    dice = random.Random(seed)
    names = [name for name in VERBS for _ in range(OFTEN.get(name, 1))]
    return [Step(dice.choice([0, 1, 7, 50, 200, 600, 1500, 5000]), dice.choice(names), dice.randrange(10**9)) for _ in range(length)]


def begin() -> None:
    """Two customers in service."""
    with unit_of_work():
        for name in ("宏远机械", "东方贸易"):
            make.served_customer(name)


class Told(NamedTuple):
    """What became of a script: the steps that were taken, each with the subjects to which anything happened by it, and by which
    step each subject was made."""

    taken: dict[int, set[int]]
    born: dict[int, Name]

    def name(self, id: int) -> Name | int:
        return self.born.get(id, id)


def live(steps: list[Step], only: Collection[int] | None = None) -> Told:
    """Run a script, the sweep coming by before each step. `only`: no others are tried."""
    at, told = make.MONDAY, Told({}, {})
    BORN.clear()
    if only is None:
        CHOSEN.clear()
    for place, step in enumerate(steps):
        at += timedelta(minutes=step.minutes, seconds=1)
        HERE[0] = place
        with clock.frozen(at):
            sweep.breach_overdue(at)
            if only is None or place in only:
                _step(place, step, told)
    return told


def _step(place: int, step: Step, told: Told) -> None:
    last, before = db.session.query(func.max(Subject.id)).scalar(), db.session.query(func.max(Event.id)).scalar()
    try:
        with unit_of_work():
            VERBS[step.verb](random.Random(step.dice))
    except Refused:
        db.session.rollback()
        return
    made = db.session.query(Subject.id).filter(Subject.id > last).order_by(Subject.id)
    told.born.update({id: (place, n) for n, (id,) in enumerate(made)})
    BORN.update(told.born)
    told.taken[place] = {id for (id,) in db.session.query(Event.subject_id).filter(Event.id > before)}


def end_of(steps: list[Step]):
    return make.MONDAY + sum((timedelta(minutes=step.minutes, seconds=1) for step in steps), timedelta()) + timedelta(days=40)


def under(text: str) -> None:
    """A department whose rulebook has always been this one."""
    with unit_of_work():
        edition = db.session.query(Edition).one()
        edition.body = text
        db.session.flush()
        editions._read.get(db.engine, {}).pop(edition.id, None)
        db.session().info.pop("edition", None)


SPANS = ("30m", "1 working hour", "4 working hours", "0 working days", "1 working day", "2 working days", "5 working days", "1 day", "3 days", "1 week", "1 month")
DATED = {"ticket.complete": "ended_at", "visit.back": "ends_at", "contract.copy": "copy_due_on", "contract.pay": "payment_due_on", "change.deliver": "expected_on", "change.promise": "expected_on"}
PLAIN = ("ticket.progress", "ticket.settle_escalation", "ticket.tell_customer", "visit.decide", "visit.hand_in", "visit.write_up", "opinion.answer", "change.agree", "change.decide", "change.take",
         "change.test", "contract.negotiate", "contract.send", "contract.chase", "call.feedback", "call.opinion", "call.regular", "call.manager", "paper.visit_request", "duty.decide_more_time")  # fmt: skip
REMOTE = ["qq", "phone", "wechat", "remote_desktop", "email"]


def draft(seed: int, text: str, *, fields: bool = False) -> str:
    """The text with some entries changed."""
    dice = random.Random(seed)
    made = [Change(("duty", rule, "due"), dice.choice(SPANS)) for rule in dice.sample(PLAIN, 10)]
    made += [Change(("duty", rule, "due"), f"{DATED[rule]} + {dice.choice(SPANS)}") for rule in dice.sample(list(DATED), 2)]
    if dice.random() < 0.5:
        made.append(Change(("hours", "open"), dice.choice([["08:30-12:00", "13:30-17:00"], ["10:00-19:00"]])))
    if dice.random() < 0.5:
        made.append(Change(("penalty", "7.5", "fen"), 6600))
    if dice.random() < 0.5:
        made.append(Change(("duty", "ticket.progress", "fine"), [{"clause": "7.4", "where": {"channel": "phone"}}]))
    if dice.random() < 0.3:
        made.append(Change(("duty", "call.regular", "where"), {"grade": ["A"]}))
    if dice.random() < 0.3:
        made.append(Change(("duty", "ticket.complete", "fine"), [{"clause": "7.5", "where": {"category": ["inquiry"], "channel": REMOTE}}]))
    if fields:
        made.append(Change(("category", "inquiry", "before_complete"), ["question", "answer", "tool"]))
    return changed(text, made)


def fallen(told: Told) -> Counter:
    """What was missed in this department: rule, subject, whose, when due, at which price."""
    rows = db.session.query(Duty).filter(Duty.breached_by_id.is_not(None), Duty.pool.is_distinct_from("program"), Duty.rule.not_like("rulebook.%")).all()
    return Counter((row.rule, told.name(row.subject_id), row.breached_owner_id, row.due_at, row.fine_clause, row.fine_fen) for row in rows)
