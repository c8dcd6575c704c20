from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    and_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import db, only
from crm.duties.models import Duty, Event, Subject
from crm.labels import N_, Labelled
from crm.money import Fen
from crm.permissions import Permission, Role, by_reader
from crm.search import Entry
from crm.staff.leading import role_of_lead


class Sanction(Labelled):
    FINE = "fine", N_("Fine")
    WARNING = "warning", N_("Written warning")
    COMPENSATION = "compensation", N_("Compensation")
    RECOMMENDATION = "recommendation", N_("Recommendation")


class State(Labelled):
    PROPOSED = "proposed", N_("Proposed, to be decided")
    ISSUED = "issued", N_("Issued, to be signed")
    REFUSED = "refused", N_("Signature refused, to be witnessed")
    SIGNED = "signed", N_("Signed")
    WITNESSED = "witnessed", N_("Refused before witnesses")
    APPEALED = "appealed", N_("Under appeal")
    UPHELD = "upheld", N_("Upheld")
    REDUCED = "reduced", N_("Reduced")
    STRUCK = "struck", N_("Struck")
    WAIVED = "waived", N_("Waived")
    VOIDED = "voided", N_("Void: its ground is gone")
    WITHDRAWN = "withdrawn", N_("Entered by mistake")


PENDING = (State.PROPOSED, State.ISSUED, State.REFUSED, State.APPEALED)
OVER = (State.WAIVED, State.STRUCK, State.VOIDED, State.WITHDRAWN)
STANDING = (State.SIGNED, State.WITNESSED, State.UPHELD, State.REDUCED)
HANDED_OUT = (State.ISSUED, State.REFUSED, *STANDING, State.APPEALED, State.STRUCK)


class Outcome(Labelled):
    """What an appeal comes to, and the state it leads to."""

    UPHELD = "upheld", N_("Upheld: it stands")
    REDUCED = "reduced", N_("Reduced: less is deducted")
    STRUCK = "struck", N_("Struck: nothing is deducted")


class PenaltyEvent(Labelled):
    PROPOSED = "penalty.proposed", N_("proposed a penalty")
    ISSUED = "penalty.issued", N_("issued the penalty notice")
    WAIVED = "penalty.waived", N_("waived the penalty")
    SIGNED = "penalty.signed", N_("signed the notice")
    REFUSED = "penalty.refused", N_("wrote down that the signature was refused")
    CONFIRMED = "penalty.confirmed", N_("signed as a witness of the refusal")
    WITNESSED = "penalty.witnessed", N_("two witnesses have signed; the notice holds")
    APPEALED = "penalty.appealed", N_("appealed")
    APPOINTED = "penalty.appointed", N_("named who answers the appeal")
    DECIDED = "penalty.decided", N_("answered the appeal")
    WEIGHED = "penalty.weighed", N_("decided on what is recommended")
    VOIDED = "penalty.voided", N_("its ground is gone")
    WITHDRAWN = "penalty.withdrawn", N_("took back what was entered by mistake")
    REVIVED = "penalty.revived", N_("its ground is there again")
    NOTED = "penalty.noted", N_("added a note")
    ATTACHED = "penalty.attached", N_("attached a file")


# What besides a missed duty and a confirmed complaint costs something; the sweep looks for these by an index of their own.
LOST, UNRECORDED = "paper.lost", "callback.unrecorded"
Index("ix_events_grounds", Event.id, **only(f"kind IN ('{LOST}', '{UNRECORDED}')"))
Index("ix_duties_fined", Duty.breached_by_id, **only("breached_by_id IS NOT NULL AND fine_fen IS NOT NULL"))
DECISIONS = "opinion.confirmed", "opinion.reviewed", "opinion.reweighed"  # on a complaint
Index("ix_events_confirmed", Event.id, **only(f"kind IN {DECISIONS}"))
Index("ix_duties_costly", Duty.due_at, **only("fine_clause IS NOT NULL"))
FINAL_WARNING = "D1.final"


class Penalty(Subject):
    """A sanction under one clause against one person. `category` is the rulebook's penalty, `concerned` the person, `owner` who
    answers the appeal, `origin` what it is about, `cause` the event it was proposed from."""

    __tablename__ = "penalties"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    clause: Mapped[str]
    sanction: Mapped[str]
    happened_at: Mapped[datetime] = mapped_column(index=True)  # the breach: what a month's statement goes by
    cause_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"), index=True)
    duty_id: Mapped[int | None] = mapped_column(ForeignKey("duties.id"))
    entered_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # none: the program
    fen: Mapped[int | None]  # as proposed, then as issued
    reduced_fen: Mapped[int | None]  # on appeal
    evidence: Mapped[dict] = mapped_column(JSON, default=dict)
    facts_said: Mapped[str] = mapped_column(default="")  # what happened, in words
    witnesses: Mapped[str] = mapped_column(default="")  # of what happened
    issued_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    issued_at: Mapped[datetime | None]
    first_witness_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # of the refusal
    second_witness_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    witnessed: Mapped[list] = mapped_column(JSON, default=list)  # which of the two have signed
    ill_mannered: Mapped[bool] = mapped_column(default=False)
    held_at: Mapped[datetime | None]  # signed or witnessed
    appeal_until: Mapped[datetime | None]
    appeal: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    decision: Mapped[str] = mapped_column(default="")  # on what is recommended

    __table_args__ = (
        UniqueConstraint("duty_id"),  # no missed duty costs twice
        CheckConstraint("fen >= 0", name="fen"),
        CheckConstraint("reduced_fen >= 0 AND reduced_fen < fen", name="reduced"),
        CheckConstraint("(issued_at IS NULL) = (issued_by_id IS NULL)", name="issued"),
        CheckConstraint("cause_id IS NOT NULL OR entered_by_id IS NOT NULL", name="ground"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "penalty", "inherit_condition": id == Subject.id}
    noun = "penalties"
    label = N_("Penalty notice")
    EVENTS = PenaltyEvent
    STATES = State
    FACTS = ("sanction", "against_lead", "nobody")
    PENALTIES = (FINAL_WARNING,)
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {"fen": (N_("Amount"), Fen)}
    NOTICES: ClassVar[dict[str, str]] = {
        PenaltyEvent.ISSUED: "to", PenaltyEvent.REFUSED: "to first second", PenaltyEvent.WITNESSED: "to issuer",
        PenaltyEvent.SIGNED: "issuer", PenaltyEvent.APPEALED: "issuer", PenaltyEvent.APPOINTED: "to person",
        PenaltyEvent.DECIDED: "to issuer", PenaltyEvent.WAIVED: "to", PenaltyEvent.VOIDED: "to", PenaltyEvent.WEIGHED: "to",
        PenaltyEvent.REVIVED: "to", PenaltyEvent.WITHDRAWN: "to",
    }  # fmt: skip
    SEARCHED = frozenset({PenaltyEvent.PROPOSED})

    @property
    def askers(self) -> set[int | None]:
        """Whom it is against, and who entered it; of an appeal whoever issued it as well (ours.approval)."""
        return {self.concerned_id, self.entered_by_id} | ({self.issued_by_id} if self.state == State.APPEALED else set())

    @property
    def contestable(self) -> bool:
        """Whether the days to appeal in still run (D1)."""
        return self.appeal_until is not None and clock.now() <= self.appeal_until

    @property
    def effective_fen(self) -> int:
        """What it costs as it stands; nothing while it is pending or where it was struck."""
        if self.state not in STANDING:
            return 0
        return (self.fen if self.reduced_fen is None else self.reduced_fen) or 0

    def searched(self) -> Iterator[Entry]:
        yield Entry("penalty", (self.number,), "", self.title)

    def facts(self) -> dict[str, Any]:
        """`against_lead`: the role of one who leads and whom it is against; `nobody`: nobody may answer an appeal."""
        return super().facts() | {"sanction": self.sanction, "against_lead": role_of_lead(self.concerned_id), "nobody": False}

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        return {
            "a penalty is somebody's": cls.concerned_id.is_(None),
            "a notice that was handed out was issued": cls.state.in_(HANDED_OUT) & cls.issued_at.is_(None),
            "what stands was signed or witnessed": cls.state.in_([*STANDING, State.APPEALED]) & cls.held_at.is_(None),
            "nobody issues what is against them": cls.issued_by_id == cls.concerned_id,
            "nobody issues what they entered": cls.issued_by_id == cls.entered_by_id,
            "only a reduced penalty costs less": (cls.state == State.REDUCED) != cls.reduced_fen.is_not(None),
            "an appeal has its words": and_(cls.state == State.APPEALED, cls.appeal == ""),
        }

    @classmethod
    @by_reader
    def visible(cls, user) -> ColumnElement[bool]:
        """Besides what one reads whole, the witnesses of a refusal see that there is something to sign."""
        named = select(Penalty.id).where(or_(Penalty.first_witness_id == user.id, Penalty.second_witness_id == user.id))
        return or_(cls.whole(user), Subject.id.in_(named))

    @classmethod
    def named(cls, user) -> ColumnElement[bool]:
        """Its title says what it is for: a witness reads it nowhere."""
        return cls.whole(user)

    @classmethod
    @by_reader
    def whole(cls, user) -> ColumnElement[bool]:
        """Its person, whoever answers its appeal, managers, the director; the archivist once its month is closed."""
        mine = or_(Subject.concerned_id == user.id, Subject.owner_id == user.id)
        if user.may(Permission.PENALTY_READ_ANY):
            return true()
        if Role.ARCHIVIST in user.roles:
            deducted = select(PenaltyLine.penalty_id).join(Penalty, Penalty.id == PenaltyLine.penalty_id)
            return or_(mine, Subject.id.in_(deducted.where(Penalty.sanction != Sanction.RECOMMENDATION)))
        return mine


class PenaltyLine(db.Model):
    """What a closed month's statement says of one penalty: what is deducted, later what is put right (7.7)."""

    __tablename__ = "penalty_lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    month_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    penalty_id: Mapped[int] = mapped_column(ForeignKey("penalties.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    fen: Mapped[int]  # less than nothing: given back
    adjusts: Mapped[bool] = mapped_column(default=False)  # it puts right what an earlier month deducted

    __table_args__ = (UniqueConstraint("month_id", "penalty_id"),)
