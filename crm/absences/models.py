from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, and_, or_, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm import clock
from crm.db import db
from crm.duties.models import Duty, Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission, by_reader
from crm.search import Entry
from crm.staff.leading import role_of_lead
from crm.workdays import Span, calendar


class Kind(Labelled):
    ANNUAL = "annual", N_("Annual leave")
    PERSONAL = "personal", N_("Personal leave")
    SICK = "sick", N_("Sick leave")
    FAMILY = "family", N_("Marriage, birth or bereavement")
    IN_LIEU = "in_lieu", N_("Time off in lieu")
    OTHER = "other", N_("Other leave")


class State(Labelled):
    ASKED = "asked", N_("To be approved")
    APPROVED = "approved", N_("Approved, to be accepted")
    WANTING = "wanting", N_("Stand-in wanted")
    ACCEPTED = "accepted", N_("Stand-in has accepted")
    AWAY = "away", N_("Away")
    OVER = "over", N_("Over")
    LAPSED = "lapsed", N_("Never began")
    REJECTED = "rejected", N_("Rejected")
    WITHDRAWN = "withdrawn", N_("Withdrawn")


LIVE = frozenset({State.ASKED, State.APPROVED, State.WANTING, State.ACCEPTED, State.AWAY})
AHEAD = frozenset({State.APPROVED, State.WANTING, State.ACCEPTED})  # approved, and not begun


class AbsenceEvent(Labelled):
    ASKED = "absence.asked", N_("asked for leave")
    APPROVED = "absence.approved", N_("approved the leave")
    REJECTED = "absence.rejected", N_("rejected the leave")
    ACCEPTED = "absence.accepted", N_("accepted to stand in")
    DECLINED = "absence.declined", N_("declined to stand in")
    LET_OFF = "absence.let_off", N_("let the stand-in off")
    NAMED = "absence.named", N_("named another stand-in")
    BEGUN = "absence.begun", N_("noted that the absence begins")
    HANDED_OVER = "absence.handed_over", N_("handed over what is owed")
    SHORTENED = "absence.shortened", N_("shortened the leave")
    RETURNED = "absence.returned", N_("is back")
    ENDED = "absence.ended", N_("noted that the leave is over")
    LAPSED = "absence.lapsed", N_("noted that the leave never began: nobody had accepted to stand in")
    JUDGED = "absence.judged", N_("decided anew whether it could be foreseen")
    GIVEN_BACK = "absence.given_back", N_("gave back what is still open")
    WITHDRAWN = "absence.withdrawn", N_("withdrew the leave")
    NOTED = "absence.noted", N_("added a note")
    ATTACHED = "absence.attached", N_("attached a file")


class Absence(Subject):
    """Somebody's leave, in whole days. `owner` is away, `concerned` stands in, `category` is its kind. `away_from` and
    `away_until`: the instants between which it excuses; none as long as it does not."""

    __tablename__ = "absences"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]  # its last day
    words: Mapped[str]  # why
    to_do: Mapped[str] = mapped_column(default="")  # what the stand-in must know
    unforeseen: Mapped[bool] = mapped_column(default=False)  # who approved it says so: nothing could be handed over before
    approved_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]  # by the stand-in there is
    returned_at: Mapped[datetime | None]
    away_from: Mapped[datetime | None]
    away_until: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("starts_on <= ends_on", name="days"),
        CheckConstraint("words <> ''", name="words"),
        CheckConstraint("accepted_at IS NULL OR approved_at IS NOT NULL", name="accepted"),
        CheckConstraint("returned_at IS NULL OR approved_at IS NOT NULL", name="returned"),
        CheckConstraint("(away_from IS NULL) = (away_until IS NULL)", name="span"),
        CheckConstraint("away_from <= away_until", name="order"),
        CheckConstraint("away_from IS NULL OR approved_at IS NOT NULL", name="approved"),
        Index("ix_absences_away_until", "away_until"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "absence", "inherit_condition": id == Subject.id}
    noun = "absences"
    label = N_("Leave")
    EVENTS = AbsenceEvent
    STATES = State
    DATES = ("ends_on",)
    FACTS = ("asker_lead",)
    FIELDS: ClassVar[dict[str, str]] = {"ends_on": N_("Last day"), "unforeseen": N_("Could not be foreseen")}
    SAID: ClassVar[dict[str, dict[str, str]]] = {
        AbsenceEvent.ASKED: {"words": N_("Reason for the leave"), "remark": N_("What the stand-in must know")},
    }  # fmt: skip
    NOTICES: ClassVar[dict[str, str]] = {
        AbsenceEvent.APPROVED: "owner to", AbsenceEvent.REJECTED: "owner", AbsenceEvent.ACCEPTED: "owner",
        AbsenceEvent.DECLINED: "owner", AbsenceEvent.LET_OFF: "to", AbsenceEvent.NAMED: "owner to",
        AbsenceEvent.HANDED_OVER: "owner to", AbsenceEvent.SHORTENED: "owner to", AbsenceEvent.RETURNED: "to",
        AbsenceEvent.LAPSED: "owner", AbsenceEvent.JUDGED: "owner", AbsenceEvent.GIVEN_BACK: "owner to",
        AbsenceEvent.WITHDRAWN: "owner to", AbsenceEvent.NOTED: "owner",
    }  # fmt: skip
    SEARCHED = frozenset({AbsenceEvent.ASKED, AbsenceEvent.SHORTENED})

    def searched(self) -> Iterator[Entry]:
        yield Entry("absence", (self.number,), "", self.title)

    def facts(self) -> dict[str, Any]:
        """`asker_lead`: the role of one who leads and asks; the other role decides then."""
        return super().facts() | {"ends_on": self.ends_on, "asker_lead": self.asker_lead}

    @property
    def asker_lead(self) -> str:
        return role_of_lead(self.owner_id)

    @property
    def past(self) -> bool:
        return self.ends_on < clock.today()

    @property
    def back_by(self) -> datetime:
        """Closing time of the first working day after it."""
        return Span(1, "working day").from_instant(clock.moment(self.ends_on), calendar())

    @property
    def held_up(self) -> bool:
        """Whether its first day has come and nobody has accepted: it has not begun, and excuses nothing (2)."""
        alone = self.state == State.AWAY and self.accepted_at is None and not self.unforeseen
        return (alone or self.state in (State.APPROVED, State.WANTING)) and self.starts_on <= clock.today()

    @property
    def handing(self) -> bool:
        """Whether what falls to who is away is the stand-in's now."""
        return self.state == State.AWAY and self.accepted_at is not None

    def reckon(self) -> None:
        """From when to when it excuses (docs/decisions/23): once approved, its days as they are, if nobody could foresee it;
        else from the acceptance on, for leave begins after the hand-over (2). Never longer than they were away."""
        since, until = clock.moment(self.starts_on), clock.end_of(self.ends_on)
        until = min(until, self.returned_at) if self.returned_at else until
        if not self.unforeseen:
            since = max(since, self.accepted_at) if self.accepted_at else until
        counts = self.approved_at is not None and since < until
        self.away_from, self.away_until = (since, until) if counts else (None, None)

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        return {
            "an absence under way was approved": and_(
                cls.state.in_([*AHEAD, State.AWAY, State.OVER]), cls.approved_at.is_(None)),
            "a leave that was not approved, withdrawn or never began excuses nothing": and_(
                cls.state.in_([State.ASKED, State.REJECTED, State.WITHDRAWN, State.LAPSED]), cls.away_from.is_not(None)),
            "who is accepted as a stand-in is somebody": and_(cls.accepted_at.is_not(None), cls.concerned_id.is_(None)),
            "nobody stands in for themselves": cls.concerned_id == cls.owner_id,
        }  # fmt: skip

    @classmethod
    @by_reader
    def visible(cls, user) -> ColumnElement[bool]:
        """The person, the stand-in, and who decides on leave."""
        if user.may(Permission.ABSENCE_DECIDE):
            return true()
        return or_(Subject.owner_id == user.id, Subject.concerned_id == user.id)


class How(Labelled):
    """What becomes of something owed when who owes it is away."""

    MATTER = "matter", N_("goes over with its matter")
    BUILD = "build", N_("goes over to be built")
    DUTY = "duty", N_("goes over")
    ROLE = "role", N_("falls to its role again")
    STAYS = "stays", N_("stays")


class Why(Labelled):
    """Why it stays."""

    OWN = "own", N_("Only they themselves can do this.")
    IN_HAND = "in_hand", N_("The paper is in their own hands: hand it over before leaving.")
    TIME = "time", N_("There is time for this call after the return.")
    WORKS = "works", N_("This is not among what the stand-in works on.")
    STATE = "state", N_("As it stands, it cannot be given to anybody.")
    GIVEN = "given", N_("It had gone over, and was given back to them meanwhile.")
    ABOUT = "about", N_("It is about the stand-in.")
    ASKED = "asked", N_("The stand-in asked for it, and so does not build it.")
    BUILDS = "builds", N_("The stand-in builds it, and so does not test it.")


class Back(Labelled):
    """What became of it on the return."""

    BACK = "back", N_("given back")
    DONE = "done", N_("nothing is open any more")
    ELSEWHERE = "elsewhere", N_("with somebody else by now")
    NOT = "not", N_("cannot go back: it is no longer among what they work on")


class Handed(db.Model):
    """Something owed when an absence began, or that came while it lasted, and what became of it."""

    __tablename__ = "absence_duties"
    absence_id: Mapped[int] = mapped_column(ForeignKey("absences.id"), primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duties.id"), primary_key=True, index=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))  # who stands in
    how: Mapped[str]
    why: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    back: Mapped[str] = mapped_column(default="")

    duty: Mapped[Duty] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("(how = 'stays') = (why <> '')", name="why"),
        Index("ix_absence_duties_to_id", "to_id", "how", "subject_id"),
    )
