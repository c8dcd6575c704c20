from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, Index, and_, exists, false, or_, select, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.customers.models import Contact
from crm.db import db
from crm.duties.models import Event, Subject
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
    REPORTED = "visit.reported", N_("filled in the feedback form")
    SIGNED = "visit.signed", N_("had the feedback form signed")
    REFUSED = "visit.refused", N_("noted that the customer does not sign")
    REFUSAL_SEEN = "visit.refusal_seen", N_("looked at why the customer did not sign")
    UNSIGNED = "visit.unsigned", N_("changed the feedback form, so its signature is void")
    HANDED_IN = "visit.handed_in", N_("handed in the feedback form")
    WRITTEN_UP = "visit.written_up", N_("wrote the visit up")
    ASSIGNED = "visit.assigned", N_("gave the visit to somebody else")
    CANCELLED = "visit.cancelled", N_("cancelled the visit")
    NOTED = "visit.noted", N_("added a note")
    ATTACHED = "visit.attached", N_("attached a file")


class Way(Labelled):
    """How the customer's responsible person signed (5.3.5)."""

    SCREEN = "screen", N_("on the screen")
    PAPER = "paper", N_("on paper")
    REFUSED = "refused", N_("not signed")


STAMPS: dict[str, tuple[str, ...]] = {  # state → the times it needs; it has no others
    State.DEPARTED: ("departed_at",),
    State.ARRIVED: ("departed_at", "arrived_at"),
    State.BACK: ("departed_at", "arrived_at", "returned_at"),
    State.WRITTEN_UP: ("departed_at", "arrived_at", "returned_at"),
}
TIMES = ("departed_at", "arrived_at", "returned_at")


class Visit(Subject):
    """An on-site visit or a trip. `departments`: each one's `name`, what `waits` there and, once noted, its `outcome`."""

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
    open_points: Mapped[str] = mapped_column(default="")
    opinion: Mapped[str] = mapped_column(default="")  # the customer's, on the feedback form (5.3.5)
    handed_in_at: Mapped[datetime | None]

    contact: Mapped[Contact | None] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("ends_at > arrive_at", name="agreed"),
        CheckConstraint("arrived_at >= departed_at", name="arrived"),
        CheckConstraint("returned_at >= arrived_at", name="returned"),
        CheckConstraint("cost_fen >= 0", name="cost"),
        CheckConstraint("handed_in_at >= returned_at", name="handed_in"),
        Index("ix_visits_ends_at", "ends_at"),  # the calendar asks for what ends after a day
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "visit", "inherit_condition": id == Subject.id}
    noun = "visits"
    label = N_("On-site visit")
    EVENTS = VisitEvent
    HANDED = frozenset({VisitEvent.ASSIGNED})
    STATES = State
    DATES = ("arrive_at", "ends_at", "returned_at")
    FACTS = ("signed_way",)
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {
        "title": N_("Purpose"), "category": (N_("Kind"), Kind), "contact": N_("Contact"), "department": N_("Department"),
        "asked_at": (N_("When the customer asked"), datetime), "arrive_at": (N_("Agreed arrival"), datetime),
        "ends_at": (N_("Agreed end"), datetime), "description": N_("Further words"), "departments": N_("Departments"),
        "place": N_("Place"), "cost": N_("Cost"), "open_points": N_("Open points"), "opinion": N_("The customer's opinion"),
    }  # fmt: skip
    NOTICES: ClassVar[dict[str, str]] = {VisitEvent.ASSIGNED: "to from"} | dict.fromkeys(
        (VisitEvent.APPROVED, VisitEvent.REJECTED, VisitEvent.CANCELLED, VisitEvent.NOTED), "owner"
    )
    SEARCHED = frozenset({VisitEvent.REQUESTED, VisitEvent.EDITED, VisitEvent.VOIDED, VisitEvent.REPORTED})
    TELLS: ClassVar[dict[str, dict[str, Any]]] = {
        VisitEvent.REQUESTED: {"state": State.REQUESTED}, VisitEvent.APPROVED: {"state": State.APPROVED},
        VisitEvent.DEPARTED: {"state": State.DEPARTED}, VisitEvent.ARRIVED: {"state": State.ARRIVED},
        VisitEvent.RETURNED: {"state": State.BACK, "returned_at": "at"}, VisitEvent.WRITTEN_UP: {"state": State.WRITTEN_UP},
    }  # fmt: skip

    @property
    def askers(self) -> set[int | None]:
        return {self.owner_id, self.requested_by_id}

    @property
    def servers(self) -> set[int | None]:
        """Whoever went, and not only whose it is now."""
        went = (VisitEvent.DEPARTED, VisitEvent.ARRIVED, VisitEvent.RETURNED)
        rows = select(Event.actor_id).where(Event.subject_id == self.id, Event.kind.in_(went)).distinct()
        return {self.owner_id, *db.session.scalars(rows)}

    @property
    def signed_way(self) -> str | None:
        """How the form is signed as it stands."""
        rows = select(Signature.way).where(Signature.visit_id == self.id, Signature.voided_at.is_(None))
        return db.session.scalar(rows.order_by(Signature.id.desc()).limit(1))

    @property
    def reported(self) -> bool:
        """Whether the feedback form is filled in: something came of each department."""
        return bool(self.departments) and all(one.get("outcome") for one in self.departments)

    def searched(self) -> Iterator[Entry]:
        each = (f"{one['name']} {one['waits']} {one.get('outcome', '')}" for one in self.departments)
        words = "\n".join(filter(None, (self.title, self.description, self.place, *each, self.open_points, self.opinion)))
        yield Entry("visit", (self.number,), "", words)

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"arrive_at": self.arrive_at, "ends_at": self.ends_at, "returned_at": self.returned_at,
                                  "signed_way": self.signed_way}  # fmt: skip

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        """Each state has the times it needs, and none besides."""
        wrong = []
        for state in State:
            needs = STAMPS.get(state, ())
            has = [getattr(cls, name).is_(None) if name in needs else getattr(cls, name).is_not(None) for name in TIMES]
            wrong.append(and_(cls.state == state, or_(*has)))
        signed = exists().where(Signature.visit_id == cls.id, Signature.voided_at.is_(None))
        unfit = or_(cls.state.not_in([State.BACK, State.WRITTEN_UP]), ~signed)
        return {
            "a visit's times fit its state": or_(*wrong),
            "a feedback form handed in is signed": and_(cls.handed_in_at.is_not(None), unfit),
        }

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.VISIT_READ) else false()


class Signature(db.Model):
    """The customer's responsible person signed the feedback form (5.3.5), or would not: then `words` say why. Void once the
    form is changed, or signed anew."""

    __tablename__ = "signatures"
    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"), index=True)
    way: Mapped[str]
    name: Mapped[str]
    position: Mapped[str]
    head: Mapped[dict] = mapped_column(JSON)  # whose form it was: names, address and telephone as they stood in the text
    what: Mapped[str]  # SHA-256 of the text that was signed
    strokes: Mapped[list | None] = mapped_column(JSON(none_as_null=True))
    ink: Mapped[str | None] = mapped_column(unique=True)  # the strokes without place and size: none serves twice
    file_key: Mapped[str | None]
    words: Mapped[str] = mapped_column(default="")
    signed_at: Mapped[datetime]
    by_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    voided_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "(way = 'screen' AND ink IS NOT NULL) OR (way = 'paper' AND file_key IS NOT NULL)"
            " OR (way = 'refused' AND words <> '')",
            name="way",
        ),
    )


class Feed(db.Model):
    """A secret link to one person's visits, for the calendar of their phone. Its token is kept as a hash only."""

    __tablename__ = "feeds"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    epoch: Mapped[int]  # of the password: a link made under an older one is void
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
