"""The demo department on site and on the telephone: visits from the request to the callback, and regular calls."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.callbacks import workflow as callbacks
from crm.callbacks.models import MARKS, Callback
from crm.customers import workflow as customers
from crm.customers.models import Contact
from crm.db import db
from crm.demo_absences import Absences
from crm.demo_changes import Changes
from crm.demo_opinions import Opinions
from crm.demo_penalties import Penalties
from crm.demo_reports import Reports
from crm.demo_rulebook import Rules
from crm.duties.models import Duty, Subject, open_now
from crm.papers import workflow as papers
from crm.staff.models import User
from crm.tickets import workflow as tickets
from crm.tickets.models import Ticket
from crm.visits import feedback
from crm.visits import workflow as visits
from crm.visits.models import Visit

Life = Iterator[datetime]
VISITS = 26  # in the year before today


class Field(Changes, Opinions, Penalties, Absences, Reports, Rules):
    """What of the department happens out of the house."""

    texts: dict[str, Any]
    people: dict[str, User]
    units: dict[str, Any]
    dice: Random
    days: Any
    today: date
    now: datetime
    named: dict[str, date]
    quiet: date
    begin: Any
    when: Any
    morning: Any
    owner: Any

    def plan_field(self) -> None:
        """Visits through the year, and those that are under way today; what customers want changed, and the rulebook."""
        self.plan_changes()
        self.plan_opinions()
        self.plan_penalties()
        self.plan_absences()
        self.plan_rulebook()
        for count in range(VISITS):
            day = self.days.next(self.today - timedelta(days=18 + count * 13))
            self.begin(self.morning(day), self.visit(), Random(f"{self.today} visit {count}"))
        self.plan_reports()
        last, soon = self.named["last"], self.days.add_days(self.days.next(self.today + timedelta(days=1)), 1)
        for name, at, life in (
            ("asked", self.when("now -0.5"), self.visit(soon, self.days.add_days(soon, 1), steps=0)),
            ("coming", self.when("before 14:20"), self.visit(self.days.next(self.today + timedelta(days=1)), steps=1)),
            ("to call", self.when("before 10:10"), self.visit(last, call=None)),
            ("doubted", self.when("before 11:30"), self.visit(last, call=self.when("now -0.4"))),
        ):
            self.begin(at, life, Random(f"{self.today} {name}"))

    def drawn(self, name: str) -> str:
        weights = self.texts["weights"][name]
        return self.dice.choices(list(weights), list(weights.values()))[0]

    def visit(
        self, day: date | None = None, end: date | None = None, *, steps: int = 9, call: datetime | bool | None = True
    ) -> Life:
        """One visit on `day` (the working day after next), as far as `steps`; called back on as usual, not yet, or with a
        doubt at an instant."""
        unit, topic = self.dice.choice(list(self.units.values())), self.dice.choice(self.texts["visit"])
        by, contact = self.owner(unit.customer), unit.contacts[0]
        day = day or self.days.add_days(clock.today(), 2)
        arrive = clock.moment(day, time(9, 30) if call is not True else time(10, 0))
        ends = arrive + timedelta(hours=3) if end is None else clock.moment(end, time(17))
        visit = visits.request_visit(
            by=by, customer=unit.customer, contact=contact, department=contact.department, title=topic["title"],
            installation=unit.system(None), category="trip" if end else "visit", place="南京江宁" if end else "",
            cost_fen=86000 if end else None, asked_at=clock.now() - timedelta(minutes=12), arrive_at=arrive, ends_at=ends,
            departments=[{"name": name, "waits": waits} for name, waits, _ in topic["rooms"]], description="",
            uncovered_reason="续签正在谈",
        )  # fmt: skip
        if steps > 0:
            yield self.when("10-60 minutes")
            visits.approve(visit, by=self.people["manager"])
        if steps > 1:
            self.begin(clock.now(), self.file(visit, by), Random(visit.number))
            yield from self.go_there(visit, topic, by)
            if call is not None:
                usual = self.morning(self.days.add_days(clock.today(), 1))
                self.begin(usual if call is True else call, self.call_back(visit, by, call is not True), Random(visit.number))

    def go_there(self, visit: Visit, topic: dict[str, Any], by: User) -> Life:
        """There and back, the form signed by the customer and handed in, the record written."""
        for act, at in ((visits.depart, -35), (visits.arrive, 4)):
            yield max(clock.now(), visit.arrive_at + timedelta(minutes=at))
            act(visit, by=by)
        yield max(clock.now(), visit.arrive_at + timedelta(hours=2, minutes=20))
        outcomes = [outcome for _, _, outcome in topic["rooms"]]
        feedback.report(visit, by=by, outcomes=outcomes, open_points=topic.get("open", ""), opinion=topic["opinion"])
        who = db.session.get_one(Contact, visit.contact_id)
        feedback.sign(visit, by=by, name=who.name, position=who.position or "主管", strokes=self.scribble(),
                      what=feedback.what_of(visit, feedback.head_of(visit)))  # fmt: skip
        yield clock.now() + timedelta(minutes=50)
        visits.come_back(visit, by=by)
        yield clock.now() + timedelta(minutes=10)
        feedback.hand_in(visit, by=by)
        said = "\n".join(f"{name}：{waits} → {outcome}" for name, waits, outcome in topic["rooms"])
        ticket = visits.write_up(visit, by=by, category="inquiry", title=visit.title, description=said,
                                 fields={"question": topic["rooms"][0][1], "answer": topic["rooms"][0][2]})  # fmt: skip
        if ticket.uncovered_reason:
            self.begin(clock.now(), self.look_at(ticket), Random(ticket.number))

    def look_at(self, ticket: Ticket) -> Life:
        yield self.when("30-200 minutes")
        tickets.see(ticket, by=self.people["manager"])

    def scribble(self) -> str:
        """A signature as the pad sends it."""
        line = [[20 + 9 * n, 70 + self.dice.randint(-40, 40)] for n in range(24)]
        return str([line, [[40, 120], [120 + self.dice.randint(0, 60), 118], [230, 124]]])

    def file(self, visit: Visit, by: User) -> Life:
        """The signed request goes to the archive (5.7.1)."""
        yield self.when("1-2 days")
        paper, archivist = papers.enter(visit, "visit_request", by=by), self.people["archivist"]
        papers.offer(paper, by=by, to=archivist)
        yield self.when("20-90 minutes")
        papers.archive(paper, by=archivist, place=f"{clock.today():%Y}年上门申请卷")

    def owed_call(self, subject: Subject, rule: str) -> Duty:
        owed = select(Duty).where(Duty.subject_id == subject.id, Duty.rule == rule, open_now())
        return db.session.scalars(owed).one()

    def speak(self, subject: Subject, rule: str, by: User, said: str, *, doubt: str = "", **marks: Any) -> Callback:
        """One call that is answered."""
        callback = callbacks.begin(self.owed_call(subject, rule), by=by)
        people = select(Contact).where(Contact.customer_id == subject.customer_id).order_by(Contact.id)
        contact = db.session.scalars(people).first()
        assert contact
        software = self.dice.choice(self.texts["callback"]["software"]) if self.dice.random() < 0.2 else ""
        callbacks.reach(callback, by=by, contact=contact, department=contact.department, comment=said, doubt=doubt,
                        software=software, **marks)  # fmt: skip
        return callback

    def call_back(self, visit: Visit, served: User, now: bool) -> Life:
        """The customer is asked how it was; a doubt goes to the manager, who sends somebody."""
        texts, followup = self.texts["callback"], self.people["followup"]
        if not now and (clock.today() >= self.quiet or self.dice.random() > 0.2):
            marks = {mark: self.dice.choice([4, 4, 5, 5, 5]) for mark in MARKS}
            self.speak(visit, "call.feedback", followup, self.dice.choice(texts["good"]), **marks)
            return
        marks = {"attitude": 4, "skill": 3, "result": 2}
        callback = self.speak(visit, "call.feedback", followup, "", doubt=self.dice.choice(texts["doubt"]), **marks)
        if now:
            return
        yield self.when("8-40 minutes")
        words, manager = "今天给客户一个准话。", self.people["manager"]
        ticket = callbacks.assign(callback, by=manager, to=served, category="inquiry", words=words)
        yield self.when("40-160 minutes")
        self.finish(ticket, callback, served)
        yield self.morning(self.days.add_days(clock.today(), 1))
        self.speak(ticket, "call.outcome", followup, self.dice.choice(texts["settled"]), attitude=5, skill=4, result=5)

    def finish(self, ticket: Ticket, callback: Callback, by: User) -> None:
        fields = {"question": callback.doubt, "answer": "重新核对后已改好，操作说明也发给客户了。"}
        tickets.complete(ticket, by=by, fields=fields, answered_at=clock.now())

    def plan_grade(self, unit: Any, grade: str) -> None:
        day = max(clock.today(), self.days.next(self.today - timedelta(days=self.dice.randint(34, 45))))
        at = self.morning(day) if day > clock.today() else clock.now()
        self.begin(at, self.grade(unit, grade), Random(unit.customer.number))

    def grade(self, unit: Any, grade: str) -> Life:
        """The customer is graded, and called for the first time three weeks later (4.specialist.2)."""
        customers.change_customer(unit.customer, {"category": grade}, by=self.people["manager"])
        yield self.morning(self.days.add_days(clock.today(), self.dice.randint(13, 17)))
        said = self.dice.choice(self.texts["callback"]["regular"])
        self.speak(unit.customer, "call.regular", self.owner(unit.customer), said)
