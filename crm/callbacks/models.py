from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, and_, false, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.customers.models import Contact
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.opinions.models import Opinion
from crm.permissions import Permission, by_reader
from crm.search import Entry


class State(Labelled):
    CALLING = "calling", N_("Being called")
    REACHED = "reached", N_("Reached")
    UNREACHED = "unreached", N_("Not reached")
    DROPPED = "dropped", N_("No longer owed")
    ESCALATED = "escalated", N_("With the manager")
    ASSIGNED = "assigned", N_("Assigned")


class CallbackEvent(Labelled):
    OPENED = "callback.opened", N_("began to call back")
    TAKEN_OVER = "callback.taken_over", N_("goes on with the callback")
    ATTEMPTED = "callback.attempted", N_("called; nobody answered")
    LATER = "callback.later", N_("was asked to call later")
    REACHED = "callback.reached", N_("spoke with the customer")
    UNREACHED = "callback.unreached", N_("gave up: nobody could be reached")
    DROPPED = "callback.dropped", N_("ended the callback: no call is owed any more")
    ESCALATED = "callback.escalated", N_("passed a doubt on to the manager")
    UNRECORDED = "callback.unrecorded", N_("found a service that has no record")
    ASSIGNED = "callback.assigned", N_("gave it to somebody to settle")
    NOTED = "callback.noted", N_("added a note")
    ATTACHED = "callback.attached", N_("attached a file")


SPOKEN = (State.REACHED, State.ESCALATED, State.ASSIGNED)
MARKS = ("attitude", "skill", "result")
OPINION = "call.opinion"  # the rule by which an opinion's outcome is called about


class Callback(Subject):
    """A call to a customer about what it came of (`origin`): a visit, a record, or the customer itself. `category` is the
    rule that wanted it, `concerned` whoever served, `owner` whoever calls. The marks are 1 to 5 (5.5.1)."""

    __tablename__ = "callbacks"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))  # who was spoken to
    department: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)  # that nobody answered
    try_at: Mapped[datetime | None]
    reached_at: Mapped[datetime | None]
    attitude: Mapped[int | None]
    skill: Mapped[int | None]
    result: Mapped[int | None]
    comment: Mapped[str] = mapped_column(default="")
    software: Mapped[str] = mapped_column(default="")  # the customer's opinion of the software (4.director.10)
    doubt: Mapped[str] = mapped_column(default="")

    contact: Mapped[Contact | None] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts"),
        *(CheckConstraint(f"{mark} BETWEEN 1 AND 5", name=mark) for mark in MARKS),
        Index("ix_callbacks_reached", "reached_at"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "callback", "inherit_condition": id == Subject.id}
    noun = "callbacks"
    label = N_("Callback")
    EVENTS = CallbackEvent
    STATES = State
    NOTICES: ClassVar[dict[str, str]] = {CallbackEvent.ASSIGNED: "owner", CallbackEvent.NOTED: "owner"}
    SEARCHED = frozenset({CallbackEvent.OPENED, CallbackEvent.REACHED, CallbackEvent.ESCALATED})

    @property
    def askers(self) -> set[int | None]:
        return {self.concerned_id}  # nobody settles what a customer says of themselves

    def searched(self):
        said = (self.title, self.comment, self.software, self.doubt)
        yield Entry("callback", (self.number,), "", "\n".join(filter(None, said)))

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        """Marks stand only where somebody was spoken to, and who that was stands there."""
        kept = (cls.reached_at, cls.contact_id, *(getattr(cls, mark) for mark in MARKS))
        told = or_(*(column.is_not(None) for column in kept))
        silent = or_(cls.reached_at.is_(None), cls.contact_id.is_(None))
        spoken = cls.state.in_(SPOKEN)
        return {"a callback's marks fit its state": or_(and_(spoken, silent), and_(~spoken, told))}

    @classmethod
    @by_reader
    def visible(cls, user) -> ColumnElement[bool]:
        if not user.may(Permission.CALLBACK_READ):
            return false()
        read = select(Subject.id).where(Subject.kind == "opinion", Opinion.visible(user)).correlate(None)
        return or_(Subject.category != OPINION, Subject.origin_id.in_(read))  # what is said of somebody stays with its readers
