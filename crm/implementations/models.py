from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, false, true
from sqlalchemy.orm import Mapped, mapped_column

from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission
from crm.search import Entry


class State(Labelled):
    RUNNING = "running", N_("Under way")
    ENDED = "ended", N_("Ended")
    CANCELLED = "cancelled", N_("Cancelled")


class ImplementationEvent(Labelled):
    STARTED = "implementation.started", N_("began the implementation")
    EDITED = "implementation.edited", N_("changed the implementation")
    ENDED = "implementation.ended", N_("ended the implementation")
    ASSIGNED = "implementation.assigned", N_("gave the implementation to somebody else")
    CANCELLED = "implementation.cancelled", N_("cancelled the implementation")
    NOTED = "implementation.noted", N_("added a note")
    ATTACHED = "implementation.attached", N_("attached a file")


class Implementation(Subject):
    """Bringing software into use at a customer (5.7.3): it has a start and an end, and three papers are owed from its end."""

    __tablename__ = "implementations"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    installation_id: Mapped[int | None] = mapped_column(ForeignKey("installations.id"))
    starts_on: Mapped[date]
    ended_on: Mapped[date | None]
    remark: Mapped[str] = mapped_column(default="")

    __table_args__ = (CheckConstraint("starts_on <= ended_on", name="order"),)
    __mapper_args__: ClassVar[dict[str, Any]] = {
        "polymorphic_identity": "implementation", "inherit_condition": id == Subject.id,
    }  # fmt: skip
    noun = "implementations"
    label = N_("Implementation")
    EVENTS = ImplementationEvent
    STATES = State
    DATES = ("ended_on",)
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {
        "title": N_("What is put in"), "starts_on": N_("Begins on"), "ended_on": N_("Ended on"), "remark": N_("Remark"),
        "installation": N_("Installation"),
    }  # fmt: skip
    HANDED = frozenset({ImplementationEvent.ASSIGNED})
    NOTICES: ClassVar[dict[str, str]] = {ImplementationEvent.ASSIGNED: "to from"}
    SEARCHED = frozenset({ImplementationEvent.STARTED, ImplementationEvent.EDITED})

    def searched(self) -> Iterator[Entry]:
        yield Entry("implementation", (self.number,), "", "\n".join(filter(None, (self.title, self.remark))))

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"ended_on": self.ended_on}

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        return {"an implementation that ended has its day": (cls.state == "ended") != cls.ended_on.is_not(None)}

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.CUSTOMER_READ) else false()
