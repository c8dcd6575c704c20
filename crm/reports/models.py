from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint, false, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import db
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission, by_reader
from crm.reports.periods import Period


class State(Labelled):
    OPEN = "open", N_("To be submitted")
    SUBMITTED = "submitted", N_("Submitted")
    RECEIVED = "received", N_("Received")
    VERIFIED = "verified", N_("Verified")
    WAIVED = "waived", N_("Not needed")


class Kind(Labelled):
    CALLBACKS = "callbacks", N_("Monthly callback report")
    SPECIALIST = "specialist", N_("Monthly service report")
    SERVICES = "services", N_("Services of the month")
    SATISFACTION = "satisfaction", N_("Satisfaction of the month")
    FRIDAY = "friday", N_("Figures for the Friday meeting")
    PENALTIES = "penalties", N_("Penalties and fund of the month")
    COMPANY = "company", N_("Monthly report to the company")


class ReportEvent(Labelled):
    OPENED = "report.opened", N_("prepared the report")
    REMARKED = "report.remarked", N_("wrote a remark on a customer")
    SUBMITTED = "report.submitted", N_("submitted the report")
    RECEIVED = "report.received", N_("received the report")
    VERIFIED = "report.verified", N_("verified the report")
    SENT_BACK = "report.sent_back", N_("gave the report back")
    WAIVED = "report.waived", N_("noted that no report is needed")
    POSTED = "report.posted", N_("lets somebody know of the report")
    NOTED = "report.noted", N_("added a note")
    ATTACHED = "report.attached", N_("attached a file")


FROZEN = (State.SUBMITTED, State.RECEIVED, State.VERIFIED)
OF_FOLLOWUP = (Kind.CALLBACKS,)  # what follow-up reads, beside their own


class Report(Subject):
    """A report of a kind (`category`) about some days. `owner` is the specialist whose it is, else who submitted it. `body`: its
    figures as they were when it was submitted; `remarks`: what its specialist wrote on customers, by their number."""

    __tablename__ = "reports"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    since: Mapped[date]
    until: Mapped[date]
    body: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))
    remark: Mapped[str] = mapped_column(default="")
    remarks: Mapped[dict] = mapped_column(JSON, default=dict)
    submitted_at: Mapped[datetime | None]
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))

    __table_args__ = (
        CheckConstraint("(body IS NULL) = (submitted_at IS NULL)", name="frozen"),
        CheckConstraint("since <= until", name="period"),
        Index("ix_reports_until", "until", "id"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "report", "inherit_condition": id == Subject.id}
    noun = "reports"
    label = N_("Report")
    EVENTS = ReportEvent
    STATES = State
    FACTS = ("reader",)
    NOTICES: ClassVar[dict[str, str]] = dict.fromkeys(
        (ReportEvent.RECEIVED, ReportEvent.VERIFIED, ReportEvent.SENT_BACK, ReportEvent.WAIVED, ReportEvent.NOTED), "owner"
    )

    @property
    def period(self) -> Period:
        return Period(self.since, self.until)

    @property
    def person_id(self) -> int | None:
        """Whose report it is, where each has their own."""
        return self.owner_id if self.category == Kind.SPECIALIST else None

    @property
    def askers(self) -> set[int | None]:
        return {self.submitted_by_id, self.person_id}

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        return {
            "a report is frozen from its submission on": cls.state.in_(FROZEN) != cls.submitted_at.is_not(None),
            "a specialist's report is somebody's": (cls.category == Kind.SPECIALIST) & cls.owner_id.is_(None),
        }

    @classmethod
    @by_reader
    def visible(cls, user) -> ColumnElement[bool]:
        """Who receives reports reads every one; others what they wrote, and follow-up that of the callbacks."""
        if user.may(Permission.REPORT_RECEIVE):
            return true()
        if not user.may(Permission.REPORT_WRITE):
            return false()
        own = Subject.owner_id == user.id
        return or_(own, Subject.category.in_(OF_FOLLOWUP)) if user.may(Permission.REPORT_READ) else own


class Returned(db.Model):
    """A report as it was submitted before it was given back: it stays, beside what was submitted after it."""

    __tablename__ = "report_returns"
    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), index=True)
    body: Mapped[dict] = mapped_column(JSON)
    remark: Mapped[str]
    submitted_at: Mapped[datetime]
    submitted_by_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    reason: Mapped[str]
    returned_at: Mapped[datetime]
    returned_by_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))


class Counted(db.Model):
    """What a number counted when its report was submitted: the rows of the list at `address`, packed (`reports.keeping`)."""

    __tablename__ = "report_rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    place: Mapped[int]
    address: Mapped[str]
    rows: Mapped[bytes]

    __table_args__ = (UniqueConstraint("report_id", "place"),)

class Reader(db.Model):
    """That somebody is told of each report of a kind, so many days after its period ended."""

    __tablename__ = "report_readers"
    kind: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    days: Mapped[int]
    named_on: Mapped[date]

    __table_args__ = (CheckConstraint("days BETWEEN 1 AND 28", name="days"),)
