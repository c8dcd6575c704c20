"""The demo department: a year of work, done through the same verbs people use, with the clock held at each step.

Whatever takes its time is a *life*: a generator that yields when it goes on. `Department.live` runs all of them in the
order of the clock, up to now; what is not over by then is today's work.
"""

import heapq
import itertools
import struct
import tomllib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from importlib.resources import files as resources
from random import Random
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import select

from crm import clock
from crm.customers import workflow as customers
from crm.customers.models import Contact, Customer
from crm.db import db
from crm.duties import editions, queries
from crm.duties import workflow as duties
from crm.duties.models import Edition, Extension, Subject
from crm.errors import Refused
from crm.files import workflow as files
from crm.serials import workflow as serials
from crm.serials.models import Installation
from crm.staff import passwords
from crm.staff import queries as known
from crm.staff import workflow as staff
from crm.staff.models import User
from crm.tickets import workflow as tickets
from crm.tickets.models import PASSWORD, Ticket
from crm.workdays import calendar

RECORDS = 415  # in the year before today
MIX = {"inquiry": 46, "report_problem": 14, "install_training": 11, "bug": 10, "data_cleanup": 7, "program_change": 7,
       PASSWORD: 5}  # fmt: skip
FATES = {"plain": 74, "late": 8, "waits": 8, "cancelled": 4, "reopened": 3, "escalated": 3, "reassigned": 2, "asks": 2}
CHANNELS = {"qq": 50, "phone": 25, "wechat": 12, "remote_desktop": 10, "email": 3}
PRIORITIES = {"normal": 82, "high": 11, "low": 4, "urgent": 3}
USE = {"normal": 86, "partly": 11, "stopped": 3}
MINUTE = timedelta(minutes=1)
QUIET = timedelta(days=14)  # for so long nobody is late, so that what is overdue now is what `plan_today` says
NOT_FIELDS = {"category", "area", "title", "description", "priority", "who", "customer", "words", "reason"}

Life = Iterator[datetime]


def _texts() -> dict[str, Any]:
    return tomllib.loads((resources(__package__) / "demo.toml").read_text(encoding="utf-8"))


def _password(login: str) -> str:
    return f"{login}-demo-pass"


def logins() -> list[str]:
    """A line for each account that opens with its demo password; if none does, one that says so."""
    hashes = {user.login: user.password_hash for user in known.everybody() if user.is_active}
    lines = [
        f"{login:<12} {_password(login):<22} {one['name']} {one['shown']}"
        for login, one in _texts()["staff"].items()
        if login in hashes and passwords.matches(_password(login), hashes[login])
    ]
    return lines or ["Log in with your own account: this is not the demo department."]


def fill(say: Callable[[str], None]) -> None:
    """Make the demo department in an empty database; Refused if it holds any account or customer."""
    if db.session.scalar(select(Subject.id).where(Subject.kind.in_(["user", "customer"])).limit(1)):
        raise Refused("There are accounts or customers already; the demo only goes into an empty database.")
    department = Department(_texts(), clock.now().replace(second=0, microsecond=0))
    department.plan()
    department.plan_today()
    department.live()
    counts = len(department.people), len(department.units), department.opened
    say("The demo department: %s accounts, %s customers, %s service records." % counts)


def _scan() -> bytes:
    """A sheet with a few lines of writing on it, as PNG."""
    blank, line = b"\x00" + b"\xff" * 420, b"\x00" + b"\xff" * 60 + b"\x40" * 300 + b"\xff" * 60
    rows = b"".join(line if 80 < y < 420 and y % 28 < 3 else blank for y in range(594))
    head = struct.pack(">IIBBBBB", 420, 594, 8, 0, 0, 0, 0)
    chunks = [b"IHDR" + head, b"IDAT" + zlib.compress(rows), b"IEND"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks
    )


@dataclass
class Unit:
    """A customer, the people who call from there, and what it has of ours, each with the areas it is used for."""

    customer: Customer
    contacts: list[Contact] = field(default_factory=list)
    systems: list[tuple[Installation, list[str]]] = field(default_factory=list)

    def system(self, area: str | None) -> Installation | None:
        return next((one for one, areas in self.systems if area in (None, *areas)), None)


class Department:
    """Its people and customers, and the lives that wait for their time. `dice` are those of the life that runs."""

    def __init__(self, texts: dict[str, Any], now: datetime) -> None:
        self.texts, self.words, self.now, self.today = texts, texts["words"], now, clock.local(now).date()
        self.days, self.dice = calendar(), Random(str(self.today))
        self.edition = db.session.get_one(Edition, editions.edition_id(now))
        self.people: dict[str, User] = {}
        self.units: dict[str, Unit] = {}
        self.opened, self.scan, self.order = 0, _scan(), itertools.count()
        self.waiting: list[tuple[datetime, int, Life, Random]] = []

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

    def working_minutes(self, least: int, most: int) -> datetime:
        return self.days.add_hours(clock.now(), self.dice.randint(least, most) / 60)

    def working_days(self, least: int, most: int) -> datetime:
        day = self.days.add_days(clock.today(), self.dice.randint(least, most))
        return clock.moment(day, time(10, self.dice.randint(0, 59)))

    def before_closing(self) -> datetime:
        left = max((self.days.closing(clock.today()) - clock.now()) // MINUTE, 0)
        return clock.now() + min(self.dice.randint(4, 50), left) * MINUTE

    def drawn(self, weights: dict[str, int]) -> str:
        return self.dice.choices(list(weights), list(weights.values()))[0]

    def plan(self) -> None:
        """Who joins when, which customers are taken on, and when they call: more around the end of a month."""
        first = self.days.add_days(self.today - timedelta(days=365), -6)
        for login, one in self.texts["staff"].items():
            day = self.days.add_days(self.today, -2) if one.get("new") else first
            self.begin(clock.moment(day, time(9)), self.join(login, one))
        for count, line in enumerate(self.texts["customer"]):
            at = self.days.add_hours(self.days.opening(first), 0.5 + count * 0.8)
            if "joined" in line:
                at = clock.moment(self.days.next(self.today - timedelta(days=line["joined"])), time(10, 30))
            self.begin(at, self.take_on(line), Random(f"{self.today} {line['short']}"))
        days = [day for day in (self.today - timedelta(days=ago) for ago in range(365)) if self.days.works(day)]
        busy = [2 if day.day >= 26 or day.day <= 6 else 1 for day in days]
        for count, day in enumerate(self.dice.choices(days, busy, k=RECORDS)):
            at = self.days.add_hours(self.days.opening(day), self.dice.randint(8, 455) / 60)
            self.begin(at, self.call(), Random(f"{self.today} {count}"))

    def join(self, login: str, one: dict[str, Any]) -> Life:
        user = staff.add_user(login, one["name"], [one["role"]], _password(login), must_change=False)
        self.people[login] = user
        if not one.get("new"):
            yield self.working_minutes(60, 900)
            duties.acknowledge(self.edition, by=user)

    def take_on(self, line: dict[str, Any]) -> Life:
        """A customer, its people and what it has of ours; one of its people may leave later."""
        by, area_code = self.people[line["owner"]], self.texts["area_code"][line["region"]]
        phone = f"{area_code}-0{self.dice.randint(10**5, 10**6 - 1)}0"
        customer = customers.add_customer(
            by=by, short_name=line["short"], full_name=line["full"], owner_id=by.id, grade=line.get("grade", ""),
            region=line["region"], address=f"{line['region']}市{line['address']}", invoice_title=line["full"],
            phone=phone, fax=phone[:-1] + "9" if self.dice.random() < 0.4 else "",
        )  # fmt: skip
        unit = self.units[line["short"]] = Unit(customer)
        posts = self.texts["posts"][line["kind"]]
        for department, position in posts[: self.dice.randint(2, len(posts))]:
            responsible = not unit.contacts and line.get("lacks") != "person"
            unit.contacts.append(self.contact(unit, by, department, position, responsible))
        unit.systems = [self.install(unit, by, line, self.texts["product"][key]) for key in line["products"]]
        if line.get("gone"):
            yield self.working_days(20, 150)
            customers.edit_contact(unit.contacts.pop(), by=by, active=False)

    def contact(self, unit: Unit, by: User, department: str, position: str, responsible: bool) -> Contact:
        name = self.dice.choice(self.texts["names"]["family"]) + self.dice.choice(self.texts["names"]["given"])
        return customers.add_contact(
            unit.customer, by=by, name=name, department=department, position=position, software_responsible=responsible,
            mobile=f"154{self.dice.randint(0, 10**8 - 1):08d}",
        )  # fmt: skip

    def install(self, unit: Unit, by: User, line: dict, one: dict) -> tuple[Installation, list[str]]:
        starts = clock.today()
        ends = starts + relativedelta(years=1, days=-1)
        if "ends" in line:
            ends = self.today + timedelta(days=line["ends"])
            starts = ends - relativedelta(years=2) + timedelta(days=1)
        installation = serials.add_installation(
            unit.customer, by=by, of=serials.product(one["brand"], one["name"]), edition=one["edition"],
            product_version=one["version"], modules=one["modules"], users=self.dice.choice([1, 3, 5, 8, 10, 15]),
            use="unknown" if line.get("lacks") == "use" else self.drawn(USE), starts_on=starts, ends_on=ends,
            installed_on=min(starts, clock.today()),
        )  # fmt: skip
        return installation, one["areas"]

    def call(self) -> Life:
        """One record, from the call to its end."""
        unit = self.dice.choice(list(self.units.values()))
        fate = self.drawn(FATES) if clock.now() < self.now - QUIET else "plain"
        ticket, fields = self.open(unit, self.topic(unit))
        if fate == "cancelled" and not ticket.uncovered_reason:
            yield self.working_minutes(5, 200)
            tickets.cancel(ticket, by=self.owner(ticket), reason=self.dice.choice(self.words["cancels"]))
        elif ticket.category == "inquiry" and fate == "plain" and self.dice.random() < 0.5:
            yield self.working_minutes(3, 25)
            tickets.complete(ticket, by=self.owner(ticket), fields=fields)
        else:
            yield from self.work(ticket, fields, fate)

    def work(self, ticket: Ticket, fields: dict[str, str], fate: str) -> Life:
        yield self.working_minutes(2, 25)
        if tickets.gaps(ticket, upto="work"):
            yield self.working_minutes(20, 240)
            self.prepare(ticket, fields)
        tickets.start(ticket, by=self.owner(ticket))
        if self.dice.random() < 0.12:
            tickets.note(ticket, by=self.owner(ticket), words=self.dice.choice(self.words["notes"]))
        on_the_way = {"waits": self.wait, "escalated": self.hand_up, "reassigned": self.pass_on, "asks": self.ask}
        if fate in on_the_way:
            yield self.working_minutes(5, 60)
            yield from on_the_way[fate](ticket)
        yield from self.close(ticket, fields, late=fate == "late")
        if fate == "reopened":
            yield self.working_days(1, 4)
            tickets.reopen(ticket, by=self.owner(ticket), reason=self.dice.choice(self.words["reopens"]))
            yield from self.close(ticket, fields)

    def close(self, ticket: Ticket, fields: dict[str, str], *, late: bool = False) -> Life:
        yield self.working_minutes(8, 150)
        tickets.end(ticket, by=self.owner(ticket))
        yield self.working_days(1, 3) if late else self.before_closing()
        tickets.complete(ticket, by=self.owner(ticket), fields=fields)

    def owner(self, subject: Subject) -> User:
        return next(user for user in self.people.values() if user.id == subject.owner_id)

    def topic(self, unit: Unit) -> dict[str, str]:
        category = self.drawn(MIX)
        fits = [one for one in self.texts["topic"] if one["category"] == category and
                ("area" not in one or unit.system(one["area"]))]  # fmt: skip
        return self.dice.choice(fits)

    def server(self, unit: Unit, category: str) -> User:
        """Mostly whoever is responsible; follow-up takes a few questions."""
        roll = self.dice.random()
        if roll < 0.12:
            return self.people["followup" if category == "inquiry" and roll < 0.08 else "specialist"]
        return self.owner(unit.customer)

    def open(self, unit: Unit, topic: dict[str, str]) -> tuple[Ticket, dict[str, str]]:
        """A record of what `topic` says, and the fields of its category, for whoever fills them in."""
        contact, channel = self.dice.choice(unit.contacts), self.drawn(CHANNELS)
        by = self.people[topic["who"]] if "who" in topic else self.server(unit, topic["category"])
        before = clock.today().replace(day=1) - timedelta(days=1)
        known = {"who": contact.name, "month": before.month, "year": before.year, "last_year": before.year - 1}
        said = {key: value.format(**known) for key, value in topic.items()}
        fields = {key: value for key, value in said.items() if key not in NOT_FIELDS}
        if topic["category"] == PASSWORD:
            fields["told"] = str(contact.id)
        asked = clock.now() - self.dice.randint(6, 15) * MINUTE
        trial = "" if unit.systems else self.words["trial"]
        ticket = tickets.open_ticket(
            by=by, customer=unit.customer, contact=contact, category=topic["category"], title=said["title"],
            installation=unit.system(topic.get("area")), department=contact.department, channel=channel,
            service_qq=self.words["qq"][by.login] if channel == "qq" else "", asked_at=asked,
            answered_at=asked + self.dice.randint(1, 5) * MINUTE, priority=topic.get("priority") or self.drawn(PRIORITIES),
            description=said.get("description") or next(iter(fields.values())),
            uncovered_reason=topic.get("reason") or trial or self.dice.choice(self.words["uncovered"]),
        )  # fmt: skip
        self.opened += 1
        if ticket.uncovered_reason and "who" not in topic:
            self.begin(clock.now(), self.see(ticket))
        return ticket, fields

    # TODO
