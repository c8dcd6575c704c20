from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar, Self

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, and_, bindparam, false, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.customers.models import Contact
from crm.db import db
from crm.duties.models import Event, Subject
from crm.labels import N_, Labelled, Priority
from crm.permissions import Permission, Role, by_reader
from crm.search import Entry


class State(Labelled):
    NEW = "new", N_("New")
    WORKING = "working", N_("Working")
    WAITING = "waiting", N_("Waiting")
    ENDED = "ended", N_("Service ended")
    COMPLETE = "complete", N_("Complete")
    CANCELLED = "cancelled", N_("Cancelled")


class Channel(Labelled):
    """How the customer reached us and was served (5.1.1)."""

    QQ = "qq", N_("QQ")
    PHONE = "phone", N_("Phone")
    WECHAT = "wechat", N_("WeChat")
    REMOTE_DESKTOP = "remote_desktop", N_("Remote desktop")
    EMAIL = "email", N_("E-mail")
    VISIT = "visit", N_("On-site visit")
    TRIP = "trip", N_("Trip")


REMOTE = tuple(one for one in Channel if one not in (Channel.VISIT, Channel.TRIP))  # the other two a visit writes (7.4)


class TicketEvent(Labelled):
    OPENED = "ticket.opened", N_("opened the record")
    EDITED = "ticket.edited", N_("changed the record")
    RECATEGORISED = "ticket.recategorised", N_("changed the category")
    FILLED = "ticket.filled", N_("filled in the record")
    STARTED = "ticket.started", N_("started the work")
    WAITING = "ticket.waiting", N_("set it waiting")
    RESUMED = "ticket.resumed", N_("took it up again")
    ENDED = "ticket.ended", N_("ended the service")
    COMPLETED = "ticket.completed", N_("completed the record")
    CANCELLED = "ticket.cancelled", N_("cancelled the record")
    REOPENED = "ticket.reopened", N_("reopened the record")
    ESCALATED = "ticket.escalated", N_("handed it up to the manager")
    SETTLED = "ticket.settled", N_("settled what was handed up")
    CUSTOMER_TOLD = "ticket.customer_told", N_("called the customer with the answer")
    ASSIGNED = "ticket.assigned", N_("gave it to somebody else")
    UNCOVERED = "ticket.uncovered", N_("serves outside the service period")
    EXCEPTION_SEEN = "ticket.exception_seen", N_("looked at the service outside the service period")
    DUPLICATE = "ticket.duplicate", N_("linked it as a duplicate")
    NOTED = "ticket.noted", N_("added a note")
    ATTACHED = "ticket.attached", N_("attached a file")
    DETACHED = "ticket.detached", N_("took a file away")


STAMPS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # state → what it needs, what it may have besides
    State.NEW: ((), ()),
    State.WORKING: (("started_at",), ()),
    State.WAITING: (("started_at", "wait_until"), ()),
    State.ENDED: (("started_at", "ended_at"), ()),
    State.COMPLETE: (("started_at", "ended_at", "completed_at"), ()),
    State.CANCELLED: (("cancelled_at",), ("started_at",)),
}
STAMPED = frozenset(name for needs, may in STAMPS.values() for name in (*needs, *may))
PASSWORD = "admin_password"  # 5.1.4.3: seen only by its owner, managers and the director


def stamp(record: Any, at: datetime) -> None:
    """Give a record, or the story of one, the stamps its state needs and take those it must not have; one that it has
    already stays. Until when it waits is a day that somebody says, and is only taken away here."""
    needs, may = STAMPS[record.state]
    for name in STAMPED:
        if name not in (*needs, *may):
            setattr(record, name, None)
        elif name in needs and name != "wait_until":
            setattr(record, name, getattr(record, name) or at)


class Ticket(Subject):
    """A service record. `fields` keeps what was typed for any category it ever had, so that no word is lost."""

    __tablename__ = "tickets"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    department: Mapped[str] = mapped_column(default="")
    installation_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    channel: Mapped[str] = mapped_column(default="")
    service_qq: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    description: Mapped[str] = mapped_column(default="")
    fields: Mapped[dict] = mapped_column(default=dict)
    uncovered_reason: Mapped[str] = mapped_column(default="")
    wait_until: Mapped[date | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    called_back: Mapped[bool] = mapped_column(default=False)  # its outcome is called back (5.5.4)
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"), index=True)

    contact: Mapped[Contact | None] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("ended_at IS NULL OR started_at IS NOT NULL", name="ended"),
        CheckConstraint("completed_at IS NULL OR ended_at IS NOT NULL", name="completed"),
        CheckConstraint("completed_at IS NULL OR cancelled_at IS NULL", name="one_end"),
        CheckConstraint("answered_at >= asked_at", name="answered"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {
        "polymorphic_identity": "ticket",
        "inherit_condition": id == Subject.id,
    }
    noun = "tickets"
    label = N_("Service record")
    EVENTS = TicketEvent
    STATES = State
    DATES = ("ended_at", "wait_until")
    FACTS = ("channel", "called_back", "purpose")
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {
        "title": N_("In one line"), "category": N_("Category"), "priority": (N_("Priority"), Priority),
        "state": (N_("State"), State), "contact": N_("Contact"), "department": N_("Department"),
        "channel": (N_("Channel"), Channel), "service_qq": N_("Service QQ"),
        "asked_at": (N_("When the customer asked"), datetime), "answered_at": (N_("When first answered"), datetime),
        "description": N_("What was asked"), "customer": N_("Customer"), "owner": N_("Specialist"),
        # of an imported log
        "subcategory": N_("Subcategory"), "symptom": N_("Symptom"), "item": N_("Affected item"), "impact": N_("Impact"),
        "urgency": N_("Urgency"), "group": N_("Group"), "problem": N_("Problem"), "vendor": N_("Vendor"),
        "change_request": N_("Change request"),
    }  # fmt: skip

    NOTICES: ClassVar[dict[str, str]] = {TicketEvent.ASSIGNED: "to from"} | dict.fromkeys(
        (TicketEvent.OPENED, TicketEvent.NOTED, TicketEvent.SETTLED, TicketEvent.RECATEGORISED, TicketEvent.CANCELLED,
         TicketEvent.REOPENED, TicketEvent.COMPLETED, TicketEvent.DUPLICATE), "owner")  # fmt: skip
    SEARCHED = frozenset({TicketEvent.OPENED, TicketEvent.EDITED, TicketEvent.FILLED, TicketEvent.NOTED})
    HANDED = frozenset({TicketEvent.ASSIGNED})
    TELLS: ClassVar[dict[str, dict[str, Any]]] = {
        TicketEvent.OPENED: {"state": State.NEW}, TicketEvent.STARTED: {"state": State.WORKING},
        TicketEvent.WAITING: {"state": State.WAITING, "wait_until": "until"},
        TicketEvent.RESUMED: {"state": State.WORKING, "wait_until": None},
        TicketEvent.ENDED: {"state": State.ENDED, "wait_until": None, "ended_at": "at"},
        TicketEvent.COMPLETED: {"state": State.COMPLETE}, TicketEvent.CANCELLED: {"state": State.CANCELLED, "ended_at": None},
        TicketEvent.REOPENED: {"state": State.WORKING, "ended_at": None},
    }  # fmt: skip
    STEADY = ("called_back",)

    @property
    def of_visit(self) -> bool:
        """Whether a visit owes this record (5.3.6)."""
        return self.channel in (Channel.VISIT, Channel.TRIP) and self.origin_id is not None

    @property
    def servers(self) -> set[int | None]:
        """Whoever worked on it, and not only whose it is now."""
        worked = (TicketEvent.STARTED, TicketEvent.RESUMED, TicketEvent.ENDED, TicketEvent.COMPLETED)
        rows = select(Event.actor_id).where(Event.subject_id == self.id, Event.kind.in_(worked)).distinct()
        return {self.owner_id, *db.session.scalars(rows)}

    def searched(self) -> Iterator[Entry]:
        yield from (entry for _id, entry in self.searched_all([self]))

    @classmethod
    def searched_all(cls, some: Iterable[Self]) -> Iterator[tuple[int, Entry]]:
        """What was asked, what was filled in, and the notes."""
        records = {one.id: one for one in some}
        notes: dict[int, list[str]] = {}
        for id, facts in db.session.execute(_NOTED, {"records": list(records)}):
            notes.setdefault(id, []).append(facts.get("words", ""))
        for id, one in records.items():
            yield id, one._entry(notes.get(id, ()))

    def searched_first(self) -> Iterator[Entry]:
        yield self._entry()

    def _entry(self, notes: Iterable[str] = ()) -> Entry:
        said = (self.title, self.description, *map(str, self.fields.values()), self.service_qq, *notes)
        keys = tuple(filter(None, (self.number, self.external_ref)))
        return Entry("ticket", keys, "", "\n".join(filter(None, said)))

    def facts(self) -> dict[str, Any]:
        return super().facts() | {
            "channel": self.channel, "ended_at": self.ended_at, "wait_until": self.wait_until,
            "called_back": self.called_back,
        }  # fmt: skip

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        """Each state has its stamps: those it needs, and none that it must not have."""
        stamps = {name: getattr(cls, name) for name in STAMPED}
        missing = {name: column.is_(None) for name, column in stamps.items()}
        missing["wait_until"] &= cls.edition_id.is_not(None)  # imported history does not tell until when it waits
        wrong = []
        for state, (needs, may) in STAMPS.items():
            lacks = [missing[name] for name in needs]
            has = [stamps[name].is_not(None) for name in STAMPED - {*needs, *may}]
            wrong.append((cls.state == state) & or_(*lacks, *has))
        return {"a record's stamps fit its state": or_(*wrong)}

    @classmethod
    @by_reader
    def visible(cls, user) -> ColumnElement[bool]:
        if not user.may(Permission.TICKET_READ):
            return false()
        if user.roles & {Role.MANAGER, Role.DIRECTOR}:
            return Subject.id.is_not(None)
        if not user.may(Permission.CUSTOMER_READ):  # a developer: those a change request came of
            of = Subject.__table__.alias("came_of_it")
            wished = select(of.c.origin_id).where(of.c.origin_id.is_not(None), of.c.kind == "change")
            return and_(Subject.category != PASSWORD, Subject.id.in_(wished))
        return or_(Subject.category != PASSWORD, Subject.owner_id == user.id)


_NOTED = (
    select(Event.subject_id, Event.facts).order_by(Event.id)
    .where(Event.subject_id.in_(bindparam("records", expanding=True)), Event.kind == TicketEvent.NOTED)
)  # fmt: skip


class BulkRun(db.Model):
    """One verb done to many records, and what became of each: number, done, why not, what it lacks."""

    __tablename__ = "bulk_runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), index=True)
    verb: Mapped[str]
    at: Mapped[datetime]
    outcomes: Mapped[list] = mapped_column(JSON)
