from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, and_, false, or_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.customers.models import Contact
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission, Role, by_reader
from crm.search import Entry
from crm.staff.leading import role_of_lead


class Kind(Labelled):
    COMPLAINT = "complaint", N_("Complaint")
    SUGGESTION = "suggestion", N_("Suggestion")
    PRAISE = "praise", N_("Praise")
    LETTER = "letter", N_("Customer's letter")


class Way(Labelled):
    """How it reached us."""

    CALL = "call", N_("By telephone")
    ONLINE = "online", N_("By QQ, WeChat or e-mail")
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
    CONFIRMED = "founded", N_("Complaint confirmed")
    DISMISSED = "dismissed", N_("Not confirmed")
    ANSWERED = "answered", N_("Answered")
    WITHDRAWN = "withdrawn", N_("Withdrawn")


class OpinionEvent(Labelled):
    OPENED = "opinion.opened", N_("took the customer's opinion in")
    INVESTIGATED = "opinion.investigated", N_("took the investigation on")
    HEARD = "opinion.heard", N_("heard those concerned")
    CONFIRMED = "opinion.confirmed", N_("confirmed the complaint")
    DISMISSED = "opinion.dismissed", N_("did not confirm the complaint")
    ANSWERED = "opinion.answered", N_("answered the customer")
    REVIEWED = "opinion.reviewed", N_("took the decision up again")
    CORRECTED = "opinion.corrected", N_("put right what it is about")
    REOPENED = "opinion.reopened", N_("took the answer up again")
    REWEIGHED = "opinion.reweighed", N_("worked out anew what follows, for an earlier complaint is decided anew")
    WEIGHED = "opinion.weighed", N_("decided on what is recommended")  # before there were penalties
    WITHDRAWN = "opinion.withdrawn", N_("noted that the customer withdrew it")
    ASSIGNED = "opinion.assigned", N_("gave it to somebody else")
    NOTED = "opinion.noted", N_("added a note")
    ATTACHED = "opinion.attached", N_("attached a file")


FIRST, LATER, OFTEN = "7.1.first", "7.1.later", "7.2"  # the penalties a confirmed complaint leads to
SINCE_HEARD = (State.HEARD, State.CONFIRMED, State.DISMISSED, State.ANSWERED)


def verdict(kind: str, state: str, confirmed_at: datetime | None) -> State | None:
    if kind != Kind.COMPLAINT or state not in (State.CONFIRMED, State.DISMISSED, State.ANSWERED):
        return None
    return State.CONFIRMED if confirmed_at else State.DISMISSED


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
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "opinion", "inherit_condition": id == Subject.id}
    noun = "opinions"
    label = N_("Customer's opinion")
    EVENTS = OpinionEvent
    STATES = State
    FACTS = ("against_lead",)
    PENALTIES = (FIRST, LATER, OFTEN)
    HANDED = frozenset({OpinionEvent.ASSIGNED})
    NOTICES: ClassVar[dict[str, str]] = {
        OpinionEvent.ASSIGNED: "to from", OpinionEvent.HEARD: "against", OpinionEvent.CONFIRMED: "against",
        OpinionEvent.DISMISSED: "against", OpinionEvent.REWEIGHED: "owner against",
        OpinionEvent.REVIEWED: "owner against", OpinionEvent.REOPENED: "owner",
    }  # fmt: skip
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {
        "category": (N_("Kind"), Kind), "about": (N_("Complaint about"), About), "against": N_("Of whom it speaks"),
        "said_on": N_("Said on"),
    }  # fmt: skip
    SEARCHED = frozenset({OpinionEvent.OPENED, OpinionEvent.ANSWERED})

    @property
    def complaint(self) -> bool:
        return self.category == Kind.COMPLAINT

    @property
    def decided(self) -> State | None:
        """What was decided on a complaint, also once it is answered."""
        return verdict(self.category, self.state, self.confirmed_at)

    @property
    def askers(self) -> set[int | None]:
        return {self.concerned_id}  # whom it is about, who neither decides nor answers

    @property
    def servers(self) -> set[int | None]:
        return {self.concerned_id}

    @property
    def served_by(self) -> None:
        return None  # marks given in such a call are of nobody's service

    def searched(self) -> Iterator[Entry]:
        """What the customer said and was answered; findings are for those whom they concern."""
        yield Entry("opinion", (self.number,), "", "\n".join(filter(None, (self.title, self.said, self.answer))))

    def facts(self) -> dict[str, Any]:
        """`against_lead`: the role of one who leads and is complained of; the other role sees to it then."""
        return super().facts() | {"against_lead": role_of_lead(self.concerned_id) if self.complaint else ""}

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        complaint = cls.category == Kind.COMPLAINT
        inquired = cls.state.in_([State.TO_INVESTIGATE, State.INVESTIGATING, *SINCE_HEARD[:3]])
        return {
            "what is investigated is a complaint, and says what about": and_(inquired, or_(~complaint, cls.about == "")),
            "a confirmed complaint has its day": (cls.state == State.CONFIRMED) & cls.confirmed_at.is_(None),
            "a withdrawn complaint is not confirmed": and_(cls.state == State.WITHDRAWN, cls.confirmed_at.is_not(None)),
            "only a complaint is confirmed": and_(~complaint, cls.confirmed_at.is_not(None)),
            "an answered opinion has its answer": and_(cls.state == State.ANSWERED, cls.answer == ""),
            "nobody investigates what is said of themselves": and_(
                complaint, cls.concerned_id.is_not(None), cls.owner_id == cls.concerned_id),
        }  # fmt: skip

    @classmethod
    @by_reader
    def visible(cls, user) -> ColumnElement[bool]:
        """Besides what one reads whole, follow-up sees a complaint that is over: what was said and answered, for the call."""
        calls = Role.FOLLOWUP in user.roles and user.may(Permission.OPINION_READ)
        mine = and_(Subject.category == Kind.COMPLAINT, Subject.concerned_id == user.id)
        over = Subject.state.in_([State.ANSWERED, State.WITHDRAWN])
        return or_(cls.whole(user), and_(over, ~mine)) if calls else cls.whole(user)

    @classmethod
    @by_reader
    def whole(cls, user) -> ColumnElement[bool]:
        """The four roles read all but complaints against somebody: those, besides who leads, only whoever investigates, and
        whom it is about once they were heard. Who leads and is complained of is nobody special."""
        if not user.may(Permission.OPINION_READ):
            return false()
        about_them = and_(Subject.category == Kind.COMPLAINT, Subject.concerned_id == user.id)
        against = and_(Subject.category == Kind.COMPLAINT, Subject.concerned_id.is_not(None))
        once_heard = and_(about_them, Subject.state.in_(SINCE_HEARD))
        if user.may(Permission.OPINION_INVESTIGATE):
            return or_(~about_them, Subject.concerned_id.is_(None), once_heard)
        return or_(~against, Subject.owner_id == user.id, once_heard)
