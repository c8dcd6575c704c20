"""The demo department: a year of work, done through the same verbs people use, with the clock held at each step.

Whatever takes its time is a *life*: a generator that yields when it goes on. `Department.live` runs all of them in the
order of the clock, up to now; what is not over by then is today's work. Names, words and ways are in demo.toml."""

import heapq
import itertools
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from dateutil.relativedelta import relativedelta
from sqlalchemy import select

from crm import clock
from crm.customers import workflow as customers
from crm.customers.models import Contact, Customer
from crm.db import db
from crm.demo_accounts import Texts, texts
from crm.demo_accounts import logins as logins
from crm.demo_contracts import Contracts
from crm.demo_field import Field
from crm.duties import editions, queries
from crm.duties import workflow as duties
from crm.duties.models import Edition, Extension, Subject
from crm.errors import Refused
from crm.files import workflow as files
from crm.papers import workflow as papers
from crm.serials import workflow as serials
from crm.serials.models import Installation
from crm.staff import passwords
from crm.staff import workflow as staff
from crm.staff.models import User
from crm.tickets import workflow as tickets
from crm.tickets.models import Ticket
from crm.tickets.printing import paper_of
from crm.workdays import calendar

RECORDS = 390  # in the year before today
QUIET = 10  # working days for which all has gone to plan, so that just what [today] says is overdue now
ASKED = ("question", "doubt", "steps", "requirement", "data", "report_name", "error_message")  # known from the call on
SAID = {"note": "words", "tell": "words", "escalate": "story", "settle": "answer"}  # else what is said is the `reason`
BY_MANAGER = ("assign", "settle", "see", "grant", "refuse")

Life = Iterator[datetime]


def fill(say: Callable[[str], None]) -> None:
    """Make the demo department in an empty database; Refused if it holds any account or customer."""
    if db.session.scalar(select(Subject.id).where(Subject.kind.in_(["user", "customer"])).limit(1)):
        raise Refused("There are accounts or customers already; the demo only goes into an empty database.")
    made = Department(texts(), clock.now().replace(second=0, microsecond=0))
    made.plan()
    made.live()
    say(f"The demo department is there: {len(made.people)} accounts, {len(made.units)} customers and a year of work.")


@dataclass
class Unit:
    """A customer, the people who call from there, and what it has of ours, each with the areas it is used for."""

    customer: Customer
    contacts: list[Contact] = field(default_factory=list)
    systems: list[tuple[Installation, list[str]]] = field(default_factory=list)

    def system(self, area: str | None) -> Installation | None:
        return next((one for one, areas in self.systems if area in (None, *areas)), None)


@dataclass
class Case:
    """A record on its way. `roll` picks the same place of each list of sayings."""

    ticket: Ticket
    topic: Texts
    fields: dict[str, str]
    roll: int
    until: date | None = None
    request: Extension | None = None


class Department(Field, Contracts):
    """Its people and customers, and the lives that wait for their time; `dice` are those of the life that runs."""

    def __init__(self, texts: Texts, now: datetime) -> None:
        self.texts, self.now, self.today = texts, now, clock.local(now).date()
        self.days, self.dice = calendar(), Random(str(self.today))
        self.edition = db.session.get_one(Edition, editions.edition_id(now))
        self.people: dict[str, User] = {}
        self.units: dict[str, Unit] = {}
        self.waiting: list[tuple[datetime, int, Life, Random]] = []
        self.order, self.quiet = itertools.count(), self.days.add_days(self.today, -QUIET)
        last = self.days.previous(self.today - timedelta(days=int(now < self.days.closing(self.today))))
        self.named = {"last": last, "before": self.days.add_days(last, -1), "earlier": self.days.add_days(last, -2),
                      "recent": self.days.add_days(self.days.next(self.today + timedelta(days=1)), -2)}  # fmt: skip

    def begin(self, at: datetime, life: Life, dice: Random | None = None) -> None:
        if at <= self.now:
            heapq.heappush(self.waiting, (at, next(self.order), life, dice or self.dice))

    def live(self) -> None:
        """Run every life, step by step in the order of the clock, until now."""
        while self.waiting:
            at, _, life, self.dice = heapq.heappop(self.waiting)
            with clock.frozen(at):
                then = next(life, None)
            if then:
                self.begin(then, life)

    def morning(self, day: date) -> datetime:
        return clock.moment(day, time(10, self.dice.randint(0, 59)))

    def when(self, words: str, until: date | None = None) -> datetime:
        """When a step of the texts falls."""
        name, rest = words.split()
        if rest in ("minutes", "days"):
            count = self.dice.randint(*map(int, name.split("-")))
            if rest == "minutes":
                return self.days.add_hours(clock.now(), count / 60)
            return self.morning(self.days.add_days(clock.today(), count))
        if rest == "closing":
            soon, closing = timedelta(minutes=self.dice.randint(4, 50)), self.days.closing(clock.today())
            return min(clock.now() + soon, max(closing, clock.now()))
        if until and rest == "over":
            return self.morning(until)
        if name == "now":
            return self.days.add_hours(self.now, float(rest))
        return min(clock.moment(self.named[name], time.fromisoformat(rest)), self.now)

    def plan(self) -> None:
        """Who joins when, which customers are taken on, and who calls: more of them around the end of a month."""
        first = self.days.add_days(self.today - timedelta(days=365), -6)
        for login, one in self.texts["staff"].items():
            day = self.days.add_days(self.today, -2) if one.get("new") else first
            self.begin(clock.moment(day, time(9)), self.join(login, one))
        for count, line in enumerate(self.texts["customer"]):
            at = self.days.add_hours(self.days.opening(first), 0.5 + count * 0.8)
            if "joined" in line:
                at = self.morning(self.days.next(self.today - timedelta(days=line["joined"])))
            self.begin(at, self.take_on(line), Random(f"{self.today} {line['short']}"))
        days = [day for day in (self.today - timedelta(days=ago) for ago in range(365)) if self.days.works(day)]
        busy = [2 if day.day >= 26 or day.day <= 6 else 1 for day in days]
        for count, day in enumerate(self.dice.choices(days, busy, k=RECORDS)):
            at = self.days.add_hours(self.days.opening(day), self.dice.randint(8, 455) / 60)
            self.begin(at, self.call(), Random(f"{self.today} {count}"))
        self.plan_field()
        self.plan_contracts()
        for name, topic in self.texts["today"].items():
            self.begin(self.when(topic["opens"]), self.scene(topic), Random(f"{self.today} {name}"))

    def join(self, login: str, one: Texts) -> Life:
        user = staff.add_user(login, one["name"], [one["role"]], passwords.hashed(one["password"]), must_change=False)
        self.people[login] = user
        if one["role"] == "admin":
            staff.set_company(by=user, **self.texts["company"])
        if not one.get("new"):
            yield self.when("60-900 minutes")
            duties.acknowledge(self.edition, by=user)

    def take_on(self, line: Texts) -> Life:
        """A customer, its people and what it has of ours; one of its people may leave later."""
        by, area_code = self.people[line["owner"]], self.texts["area_code"][line["region"]]
        phone = f"{area_code}-0{self.dice.randint(10**5, 10**6 - 1)}0"
        customer = customers.add_customer(
            by=by, short_name=line["short"], full_name=line["full"], owner_id=by.id,
            region=line["region"], address=f"{line['region']}市{line['address']}", invoice_title=line["full"],
            phone=phone, fax=phone[:-1] + "9" if self.dice.random() < 0.4 else "", email=line.get("email") or self.mail_of(phone),
        )  # fmt: skip
        unit = self.units[line["short"]] = Unit(customer)
        if line.get("post"):
            customer.fax, customer.email, customer.by_post = "", "", True
        names, posts = self.texts["names"], self.texts["posts"][line["kind"]]
        for department, position in posts[: self.dice.randint(2, len(posts))]:
            unit.contacts.append(customers.add_contact(
                customer, by=by, name=self.dice.choice(names["family"]) + self.dice.choice(names["given"]),
                department=department, position=position, mobile=f"154{self.dice.randint(0, 10**8 - 1):08d}",
                software_responsible=not unit.contacts and line.get("lacks") != "person",
            ))  # fmt: skip
        unit.systems = [self.install(customer, by, line, self.texts["product"][key]) for key in line["products"]]
        self.begin(clock.now(), self.under_contract(unit, line), Random(f"{self.today} {customer.number}"))
        if grade := line.get("grade"):
            self.plan_grade(unit, grade)
        if line.get("gone"):
            yield self.when("20-150 days")
            customers.edit_contact(unit.contacts.pop(), by=by, active=False)

    def install(self, customer: Customer, by: User, line: Texts, one: Texts) -> tuple[Installation, list[str]]:
        ends = self.today + timedelta(days=line["ends"])
        starts, ends = ends - relativedelta(years=1 if "joined" in line else 2) + timedelta(days=1), self.first_end(line, ends)
        return serials.add_installation(
            customer, by=by, of=serials.product(one["brand"], one["name"]), edition=one["edition"],
            product_version=one["version"], modules=one["modules"], users=self.dice.choice([1, 3, 5, 8, 10, 15]),
            use="unknown" if line.get("lacks") == "use" else self.drawn("use"), starts_on=starts, ends_on=ends,
            installed_on=min(starts, clock.today()),
        ), one["areas"]  # fmt: skip

    def call(self) -> Life:
        """One record of the year, from the call to its end."""
        unit, category = self.dice.choice(list(self.units.values())), self.drawn("category")
        fits = [one for one in self.texts["topic"] if one["category"] == category
                and ("area" not in one or unit.system(one["area"]))]  # fmt: skip
        case = self.open(unit, self.dice.choice(fits), self.server(unit, category))
        fate = self.drawn("fate") if clock.today() < self.quiet else "plain"
        if case.ticket.uncovered_reason:
            self.begin(clock.now(), self.go(case, ["see 30-700 minutes"]))
            fate = "plain"
        if category == "inquiry" and fate == "plain" and self.dice.random() < 0.6:
            fate = "answered"
        yield from self.go(case, self.texts["fate"][fate])

    def scene(self, topic: Texts) -> Life:
        """A record that must be there today."""
        case = self.open(self.units[topic["customer"]], topic, self.people[topic["who"]])
        yield from self.go(case, topic["then"])

    def server(self, unit: Unit, category: str) -> User:
        """Mostly whoever is responsible; follow-up answers a few questions."""
        if category == "inquiry" and self.dice.random() < 0.1:
            return self.people["followup"]
        return self.other(unit.customer) if self.dice.random() < 0.07 else self.owner(unit.customer)

    def owner(self, subject: Subject) -> User:
        return next(user for user in self.people.values() if user.id == subject.owner_id)

    def other(self, subject: Subject) -> User:
        return self.people["specialist2" if self.owner(subject).login == "specialist" else "specialist"]

    def open(self, unit: Unit, topic: Texts, by: User) -> Case:
        contact, channel = self.dice.choice(unit.contacts), self.drawn("channel")
        day, n = clock.today() - relativedelta(months=1), self.dice.randint(200, 30000)
        known = {"who": contact, "day": day, "last": day - relativedelta(years=1), "sum": f"{n:,}", "count": n // 40}
        said = {key: text.format(**known) for key, text in topic.items() if isinstance(text, str)}
        wanted = editions.book(self.edition.id).fields_of(topic["category"])
        asked, roll = clock.now() - timedelta(minutes=self.dice.randint(6, 15)), self.dice.randrange(1000)
        reasons = self.texts["words"]["uncovered" if unit.systems else "trial"]
        ticket = tickets.open_ticket(
            by=by, customer=unit.customer, contact=contact, category=topic["category"], title=said["title"],
            installation=unit.system(topic.get("area")), department=contact.department, channel=channel,
            service_qq=self.texts["qq"][by.login] if channel == "qq" else "", asked_at=asked,
            answered_at=asked + timedelta(minutes=self.dice.randint(1, 5)),
            priority=topic.get("priority", self.drawn("priority")),
            description=next(said[key] for key in ("description", *ASKED, "title") if key in said),
            uncovered_reason=topic.get("reason", reasons[roll % len(reasons)]),
        )  # fmt: skip
        return Case(ticket, topic, {one.key: said[one.key] for one in wanted if one.key in said}, roll)

    def go(self, case: Case, steps: list[str]) -> Life:
        for step in steps:
            verb, when = step.split(" ", 1)
            yield self.when(when, case.until)
            self.do(verb, case, self.people["manager"] if verb in BY_MANAGER else self.owner(case.ticket))

    def do(self, verb: str, case: Case, by: User) -> None:
        sayings = self.texts["words"].get(verb, [])
        words = case.topic.get("words") or (sayings[case.roll % len(sayings)] if sayings else "")
        more = {SAID.get(verb, "reason"): words} if sayings else {}
        if verb == "ask":
            self.ask(case, by, words)
        elif verb in ("grant", "refuse"):
            assert case.request
            duties.decide_more_time(case.request, by=by, granted=verb == "grant", remark=words)
        else:
            if verb == "start":
                self.take_in(case, by)
            elif verb == "wait":
                case.until = self.days.add_days(clock.today(), case.topic.get("wait_days", case.roll % 4 + 1))
                more["until"] = case.until
            elif verb == "assign":
                more["to"] = self.other(case.ticket)
            elif verb in ("fill", "complete"):
                more["fields"] = self.wished(case, verb)
            getattr(tickets, verb)(case.ticket, by=by, **more)

    def take_in(self, case: Case, by: User) -> None:
        """What is known from the call, and the scan of the application if one is needed before the work."""
        png = b64decode(self.texts["scan"]["png"]) + case.ticket.number.encode()  # no two are the same file
        asked = [gap for gap in tickets.gaps(case.ticket, upto="work") if gap.field.kind == "file"]
        scans = [files.draft("书面申请.png", png, by, "application") for _gap in asked]
        db.session.add_all(scans)
        db.session.flush()
        tickets.fill(case.ticket, by=by, fields={key: text for key, text in case.fields.items() if key in ASKED},
                     files=[one.key for one in scans])  # fmt: skip
        if scans and "then" not in case.topic:  # today's are still expected
            self.begin(clock.now(), self.hand_in(case.ticket, by), Random(case.ticket.number))

    def hand_in(self, ticket: Ticket, by: User) -> Life:
        """The paper of an application: a day or two later it is in the archive (5.7.5)."""
        paper, archivist = papers.enter(ticket, paper_of(ticket), by=by), self.people["archivist"]
        yield self.when("1-2 days")
        papers.offer(paper, by=by, to=archivist)
        yield self.when("60-240 minutes")
        papers.archive(paper, by=archivist, place=f"{clock.today():%Y}年客户申请卷")

    def ask(self, case: Case, by: User, reason: str) -> None:
        """More time to end the service: three working days."""
        [duty] = [one for one in queries.of_subject(case.ticket) if one.rule == "ticket.progress" and one.open]
        case.until = self.days.add_days(clock.local(duty.due_at).date(), 3)
        case.request = duties.ask_more_time(duty, by=by, reason=reason, wanted=self.days.closing(case.until))
