from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, and_, false, or_, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.customers.models import Contact
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission
from crm.search import Entry


class State(Labelled):
    REQUESTED = "requested", N_("To be approved")
    APPROVED = "approved", N_("Approved")
    REJECTED = "rejected", N_("Rejected")
    DEPARTED = "departed", N_("On the way")
    ARRIVED = "arrived", N_("On site")
    BACK = "back", N_("Back")
    WRITTEN_UP = "written_up", N_("Written up")
    CANCELLED = "cancelled", N_("Cancelled")


class Kind(Labelled):
    """A trip out of town is the same form, with place and cost (5.3.3)."""

    VISIT = "visit", N_("Visit")
    TRIP = "trip", N_("Trip")


class VisitEvent(Labelled):
    REQUESTED = "visit.requested", N_("requested the visit")
    EDITED = "visit.edited", N_("changed the visit")
    VOIDED = "visit.voided", N_("changed it, so the approval is void")
    APPROVED = "visit.approved", N_("approved the visit")
    REJECTED = "visit.rejected", N_("rejected the visit")
    DEPARTED = "visit.departed", N_("left for the customer")
    ARRIVED = "visit.arrived", N_("arrived at the customer")
    RETURNED = "visit.returned", N_("is back from the customer")
    HANDED_IN = "visit.handed_in", N_("handed in the feedback form")
    WRITTEN_UP = "visit.written_up", N_("wrote the visit up")
    CANCELLED = "visit.cancelled", N_("cancelled the visit")
    NOTED = "visit.noted", N_("added a note")
    ATTACHED = "visit.attached", N_("attached a file")


STAMPS: dict[str, tuple[str, ...]] = {  # state → the times it needs; it has no others
    State.DEPARTED: ("departed_at",),
    State.ARRIVED: ("departed_at", "arrived_at"),
    State.BACK: ("departed_at", "arrived_at", "returned_at"),
    State.WRITTEN_UP: ("departed_at", "arrived_at", "returned_at"),
}
TIMES = ("departed_at", "arrived_at", "returned_at")


class Visit(Subject):
    """An on-site visit or a trip. `departments`: what waits in each, and later what came of it."""

    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    department: Mapped[str] = mapped_column(default="")
    installation_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    asked_at: Mapped[datetime]
    arrive_at: Mapped[datetime]  # agreed with the customer (5.3.2)
    ends_at: Mapped[datetime]
    description: Mapped[str] = mapped_column(default="")
    departments: Mapped[list] = mapped_column(JSON, default=list)
    place: Mapped[str] = mapped_column(default="")
    cost_fen: Mapped[int | None]
    uncovered_reason: Mapped[str] = mapped_column(default="")
    departed_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]

    contact: Mapped[Contact | None] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("ends_at > arrive_at", name="agreed"),
        CheckConstraint("arrived_at >= departed_at", name="arrived"),
        CheckConstraint("returned_at >= arrived_at", name="returned"),
        CheckConstraint("cost_fen >= 0", name="cost"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "visit", "inherit_condition": id == Subject.id}
    noun = "visits"
    label = N_("On-site visit")
    EVENTS = VisitEvent
    STATES = State
    DATES = ("arrive_at", "ends_at", "returned_at")
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {
        "title": N_("Purpose"), "category": (N_("Kind"), Kind), "contact": N_("Contact"), "department": N_("Department"),
        "asked_at": (N_("When the customer asked"), datetime), "arrive_at": (N_("Agreed arrival"), datetime),
        "ends_at": (N_("Agreed end"), datetime), "description": N_("Further words"), "departments": N_("Departments"),
        "place": N_("Place"), "cost": N_("Cost"),
    }  # fmt: skip
    NOTICES: ClassVar[dict[str, str]] = dict.fromkeys(
        (VisitEvent.APPROVED, VisitEvent.REJECTED, VisitEvent.NOTED), "owner"
    )
    SEARCHED = frozenset({VisitEvent.REQUESTED, VisitEvent.EDITED, VisitEvent.VOIDED})

    @property
    def askers(self) -> set[int | None]:
        return {self.owner_id, self.requested_by_id}

    def searched(self) -> Iterator[Entry]:
        waits = (f"{one['name']} {one['waits']}" for one in self.departments)
        words = "\n".join(filter(None, (self.title, self.description, self.place, *waits)))
        yield Entry("visit", (self.number,), "", words)

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"arrive_at": self.arrive_at, "ends_at": self.ends_at, "returned_at": self.returned_at}

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        """Each state has the times it needs, and none besides."""
        wrong = []
        for state in State:
            needs = STAMPS.get(state, ())
            has = [getattr(cls, name).is_(None) if name in needs else getattr(cls, name).is_not(None) for name in TIMES]
            wrong.append(and_(cls.state == state, or_(*has)))
        return {"a visit's times fit its state": or_(*wrong)}

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.VISIT_READ) else false()


