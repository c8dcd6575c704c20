from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, Index, and_, false, or_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.customers.models import Contact
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission, Role, by_reader
from crm.search import Entry


class Kind(Labelled):
    COMPLAINT = "complaint", N_("Complaint")
    SUGGESTION = "suggestion", N_("Suggestion")
    PRAISE = "praise", N_("Praise")
    LETTER = "letter", N_("Customer's letter")


class Way(Labelled):
    """How it reached us."""

    CALL = "call", N_("By telephone")
    LETTER = "letter", N_("By letter")
    VISIT = "visit", N_("On a visit")
    CALLBACK = "callback", N_("In a callback")


class About(Labelled):
    """What a complaint is about."""

    ATTITUDE = "attitude", N_("Attitude")
    QUALITY = "quality", N_("Quality")
    DELAY = "delay", N_("Delay")


class State(Labelled):
    TO_ANSWER = "to_answer", N_("To be answered")
    TO_INVESTIGATE = "to_investigate", N_("To be investigated")
    INVESTIGATING = "investigating", N_("Being investigated")
    HEARD = "heard", N_("Heard, to be decided")
    CONFIRMED = "founded", N_("Confirmed")
    DISMISSED = "dismissed", N_("Not confirmed")
    ANSWERED = "answered", N_("Answered")
    WITHDRAWN = "withdrawn", N_("Withdrawn")


class OpinionEvent(Labelled):
    OPENED = "opinion.opened", N_("took the customer's opinion in")
    INVESTIGATED = "opinion.investigated", N_("took the investigation on")
    HEARD = "opinion.heard", N_("heard what is said to it")
    CONFIRMED = "opinion.confirmed", N_("confirmed the complaint")
    DISMISSED = "opinion.dismissed", N_("did not confirm the complaint")
    ANSWERED = "opinion.answered", N_("answered the customer")
    REVIEWED = "opinion.reviewed", N_("took the decision up again")
    REOPENED = "opinion.reopened", N_("took the answer up again")
    WEIGHED = "opinion.weighed", N_("decided on what is recommended")
    WITHDRAWN = "opinion.withdrawn", N_("noted that the customer withdrew it")
    ASSIGNED = "opinion.assigned", N_("gave it to somebody else")
    NOTED = "opinion.noted", N_("added a note")
    ATTACHED = "opinion.attached", N_("attached a file")


SINCE_HEARD = (State.HEARD, State.CONFIRMED, State.DISMISSED, State.ANSWERED)


class Opinion(Subject):
    """What a customer thinks of us. `owner` sees to it, `concerned` is of whom it speaks, `origin` what it came of."""

    __tablename__ = "opinions"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    installation_id: Mapped[int | None] = mapped_column(ForeignKey("installations.id"))  # of the software, then
    way: Mapped[str]
    about: Mapped[str] = mapped_column(default="")
    said_on: Mapped[date]
    said: Mapped[str]  # in the customer's words
    heard: Mapped[str] = mapped_column(default="")  # what whom it concerns says to it
    findings: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None]
    follows: Mapped[list] = mapped_column(JSON, default=list)  # the penalties its confirmation leads to, by their keys
    answer: Mapped[str] = mapped_column(default="")

    contact: Mapped[Contact | None] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("said <> ''", name="said"),
        Index("ix_opinions_confirmed", "confirmed_at"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "opinion", "inherit_condition": id == Subject.id}
    noun = "opinions"
    label = N_("Customer's opinion")
    EVENTS = OpinionEvent
    STATES = State
    FACTS = ("recommended",)
    NOTICES: ClassVar[dict[str, str]] = {
        OpinionEvent.ASSIGNED: "to from", OpinionEvent.HEARD: "against", OpinionEvent.CONFIRMED: "against",
        OpinionEvent.DISMISSED: "against", OpinionEvent.REVIEWED: "owner against", OpinionEvent.REOPENED: "owner",
    }  # fmt: skip
    SEARCHED = frozenset({OpinionEvent.OPENED, OpinionEvent.ANSWERED})

    @property
    def complaint(self) -> bool:
        return self.category == Kind.COMPLAINT

    @property
    def askers(self) -> set[int | None]:
        return {self.concerned_id} if self.complaint else set()  # nobody decides on a complaint about themselves

    @property
    def servers(self) -> set[int | None]:
        return {self.concerned_id}

    def searched(self) -> Iterator[Entry]:
        """What the customer said and was answered; findings are for those whom they concern."""
        yield Entry("opinion", (self.number,), "", "\n".join(filter(None, (self.title, self.said, self.answer))))

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"recommended": False}

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        complaint = cls.category == Kind.COMPLAINT
        inquired = cls.state.in_([State.TO_INVESTIGATE, State.INVESTIGATING, *SINCE_HEARD[:3]])
        return {
            "what is investigated is a complaint, and says what about": and_(inquired, or_(~complaint, cls.about == "")),
            "a confirmed complaint has its day": (cls.state == State.CONFIRMED) & cls.confirmed_at.is_(None),
            "only a complaint is confirmed": and_(~complaint, cls.confirmed_at.is_not(None)),
            "an answered opinion has its answer": and_(cls.state == State.ANSWERED, cls.answer == ""),
            "nobody investigates what is said of themselves": and_(
                complaint, cls.concerned_id.is_not(None), cls.owner_id == cls.concerned_id),
        }  # fmt: skip

    @classmethod
    @by_reader
    def visible(cls, user) -> ColumnElement[bool]:
        """The four roles read all but complaints against somebody: those, besides who leads, only whoever investigates, whom
        it is about once they were heard, and follow-up once it is answered, for the call. Who leads and is complained of
        is nobody special."""
        if not user.may(Permission.OPINION_READ):
            return false()
        about_them = and_(Subject.category == Kind.COMPLAINT, Subject.concerned_id == user.id)
        against = and_(Subject.category == Kind.COMPLAINT, Subject.concerned_id.is_not(None))
        once_heard = and_(about_them, Subject.state.in_(SINCE_HEARD))
        if user.may(Permission.OPINION_INVESTIGATE):
            return or_(~about_them, Subject.concerned_id.is_(None), once_heard)
        rest = or_(~against, Subject.owner_id == user.id, once_heard)
        if Role.FOLLOWUP in user.roles:
            rest = or_(rest, and_(Subject.state == State.ANSWERED, ~about_them))
        return rest
