from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, and_, false, select, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm import clock
from crm.db import db, only
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission
from crm.search import Entry


class Kind(Labelled):
    PROGRAM = "program_change", N_("Program change")
    BUG = "bug", N_("Software bug")


class State(Labelled):
    DRAFT = "draft", N_("Being agreed")
    SUBMITTED = "submitted", N_("To be decided")
    APPROVED = "approved", N_("Approved")
    REJECTED = "rejected", N_("Rejected")
    BUILDING = "building", N_("Being built")
    TESTING = "testing", N_("To be tested")
    PASSED = "passed", N_("Passed the test")
    UPDATED = "updated", N_("With the customer")
    CLOSED = "closed", N_("Closed")
    WITHDRAWN = "withdrawn", N_("Withdrawn")


class ChangeEvent(Labelled):
    OPENED = "change.opened", N_("opened the change request")
    EDITED = "change.edited", N_("changed the request")
    REWORKED = "change.reworked", N_("took the request up again")
    VOIDED = "change.voided", N_("changed what was approved: the approval is void")
    SUBMITTED = "change.submitted", N_("submitted the request")
    APPROVED = "change.approved", N_("approved the request")
    REJECTED = "change.rejected", N_("rejected the request")
    TOLD = "change.told", N_("told the customer what was decided")
    TAKEN = "change.taken", N_("took it on")
    POSTPONED = "change.postponed", N_("moved the promised date")
    DELIVERED = "change.delivered", N_("delivered it, to be tested")
    PASSED = "change.passed", N_("tested it: it does what was agreed")
    FAILED = "change.failed", N_("tested it: it fails")
    UPDATED = "change.updated", N_("brought it to the customer")
    CLOSED = "change.closed", N_("noted the customer's opinion, and closed it")
    WITHDRAWN = "change.withdrawn", N_("withdrew the request")
    LINKED = "change.linked", N_("made a status link for the customer")
    UNLINKED = "change.unlinked", N_("ended the customer's status link")
    BUILDER = "change.builder", N_("gave it to another developer to build")
    ASSIGNED = "change.assigned", N_("gave the request to somebody else")
    NOTED = "change.noted", N_("added a note")
    ATTACHED = "change.attached", N_("attached a file")


FORM = "change_form"  # the purpose of a scan: the customer's stamped form (5.4.1)
UNDECIDED = frozenset({State.DRAFT, State.SUBMITTED, State.REJECTED})
BOUND = frozenset({State.APPROVED, State.BUILDING, State.TESTING})  # by a text that was approved
PROMISED = BOUND | {State.PASSED}
OVER = frozenset({State.CLOSED, State.WITHDRAWN, State.REJECTED})


class ChangeRequest(Subject):
    """What a customer wants changed in the software (5.4). `owner` is who reported it, `concerned` who builds it, `origin` the
    service record it came of."""

    __tablename__ = "changes"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    installation_id: Mapped[int | None] = mapped_column(ForeignKey("installations.id"))
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))  # who opened it,
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # and who last submitted it
    requirement: Mapped[str] = mapped_column(default="")  # the customer's, in their words (5.1.4.4)
    agreed: Mapped[str] = mapped_column(default="")  # what was agreed with them (5.4.2)
    opinion: Mapped[str] = mapped_column(default="")  # the manager's (5.4.4)
    approved_sha256: Mapped[str | None]  # the text that was approved
    expected_on: Mapped[date | None]  # the promise in force
    changed: Mapped[str] = mapped_column(default="")  # what the developer did,
    how_to_test: Mapped[str] = mapped_column(default="")
    tests: Mapped[int] = mapped_column(default=0)  # how often it was tested
    stamped_sha256: Mapped[str | None]  # the requirement that the customer's stamped form is of
    form_new: Mapped[bool] = mapped_column(default=False)  # that form has come since the request was last submitted
    updated_on: Mapped[date | None]
    closed_at: Mapped[datetime | None]
    mark: Mapped[int | None]  # the customer's, 1 to 5
    said: Mapped[str] = mapped_column(default="")  # the customer's opinion of it (5.4.7)

    promises: Mapped[list["Promise"]] = relationship(lazy="raise", order_by="Promise.id", viewonly=True)

    __table_args__ = (
        CheckConstraint("mark BETWEEN 1 AND 5", name="mark"),
        CheckConstraint("tests >= 0", name="tests"),
        Index("ix_changes_expected_on", "expected_on", "id"),
        Index("ix_changes_closed_at", "closed_at"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "change", "inherit_condition": id == Subject.id}
    noun = "changes"
    label = N_("Change request")
    EVENTS = ChangeEvent
    STATES = State
    DATES = ("expected_on",)
    FACTS = ("form_new",)
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {
        "title": N_("In one line"), "category": (N_("Kind"), Kind), "requirement": N_("What the customer wants"),
        "agreed": N_("What was agreed with the customer"), "installation": N_("Installation"),
        "expected_on": N_("Promised for"),
    }  # fmt: skip
    SAID: ClassVar[dict[str, dict[str, str]]] = {
        ChangeEvent.DELIVERED: {"words": N_("What was changed"), "answer": N_("How to test it")},
        ChangeEvent.POSTPONED: {"words": N_("How the customer was told"), "reason": N_("Reason")},
        ChangeEvent.APPROVED: {"reason": N_("Why another day than was promised"), "told": N_("How the customer was told")},
    }  # fmt: skip
    HANDED = frozenset({ChangeEvent.ASSIGNED, ChangeEvent.BUILDER})
    NOTICES: ClassVar[dict[str, str]] = {
        ChangeEvent.ASSIGNED: "to from", ChangeEvent.BUILDER: "to from", ChangeEvent.APPROVED: "owner",
        ChangeEvent.REJECTED: "owner", ChangeEvent.POSTPONED: "owner developer", ChangeEvent.DELIVERED: "owner",
        ChangeEvent.FAILED: "developer", ChangeEvent.VOIDED: "developer", ChangeEvent.WITHDRAWN: "developer",
        ChangeEvent.NOTED: "owner developer",
    }  # fmt: skip
    SEARCHED = frozenset({
        ChangeEvent.OPENED, ChangeEvent.EDITED, ChangeEvent.REWORKED, ChangeEvent.VOIDED, ChangeEvent.SUBMITTED,
        ChangeEvent.APPROVED, ChangeEvent.REJECTED, ChangeEvent.DELIVERED, ChangeEvent.CLOSED,
    })  # fmt: skip

    @property
    def link(self) -> "StatusLink | None":
        """The link that is good now."""
        good = StatusLink.change_id == self.id, StatusLink.ended_at.is_(None), StatusLink.expires_at > clock.now()
        return db.session.scalar(select(StatusLink).where(*good))

    @property
    def askers(self) -> set[int | None]:
        return {self.owner_id, self.requested_by_id, self.submitted_by_id}  # who asks neither approves nor builds

    def searched(self) -> Iterator[Entry]:
        said = (self.title, self.requirement, self.agreed, self.opinion, self.changed, self.how_to_test, self.said)
        yield Entry("change", (self.number,), "", "\n".join(filter(None, said)))

    def facts(self) -> dict[str, Any]:
        told = {"expected_on": self.expected_on, "form_new": self.form_new, "developer": self.concerned_id}
        return super().facts() | told

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        promised = cls.state.in_(PROMISED | {State.UPDATED, State.CLOSED})
        return {
            "an approved change has the date that was promised": and_(promised, cls.expected_on.is_(None)),
            "an approved change has the text that was approved": and_(promised, cls.approved_sha256.is_(None)),
            "what is built has its developer": and_(
                cls.state.in_([State.BUILDING, State.TESTING, State.PASSED, State.UPDATED]), Subject.concerned_id.is_(None)),
            "what the customer has, they have since a day": and_(
                cls.state.in_([State.UPDATED, State.CLOSED]), cls.updated_on.is_(None)),
            "what is closed has its day": (cls.state == State.CLOSED) != cls.closed_at.is_not(None),
            "a promise in force is one that was made": and_(
                cls.expected_on.is_not(None), ~cls.promises.any(Promise.day == cls.expected_on)),
            "nobody builds what they reported": Subject.concerned_id == Subject.owner_id,
        }  # fmt: skip

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.CHANGE_READ) else false()


class Promise(db.Model):
    """A date the customer was promised, and why it was moved to this one; none is ever taken away (5.4.5)."""

    __tablename__ = "change_promises"
    id: Mapped[int] = mapped_column(primary_key=True)
    change_id: Mapped[int] = mapped_column(ForeignKey("changes.id"), index=True)
    day: Mapped[date]
    made_at: Mapped[datetime]
    made_by_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    reason: Mapped[str] = mapped_column(default="")  # why it is not the day before it
    told: Mapped[str] = mapped_column(default="")  # how the customer was told of the move


class StatusLink(db.Model):
    """A secret link by which a customer follows a request. Its token is kept as a hash only."""

    __tablename__ = "change_links"
    id: Mapped[int] = mapped_column(primary_key=True)
    change_id: Mapped[int] = mapped_column(ForeignKey("changes.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_change_links_living", "change_id", unique=True, **only("ended_at IS NULL")),
        Index("ix_change_links_change_id", "change_id"),
    )
