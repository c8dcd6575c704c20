from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, false, true
from sqlalchemy.orm import Mapped, mapped_column

from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission


class State(Labelled):
    OPEN = "open", N_("To be submitted")
    SUBMITTED = "submitted", N_("Submitted")
    RECEIVED = "received", N_("Received")


class Kind(Labelled):
    CALLBACKS = "callbacks", N_("Monthly callback report")


class ReportEvent(Labelled):
    OPENED = "report.opened", N_("prepared the report")
    SUBMITTED = "report.submitted", N_("submitted the report")
    RECEIVED = "report.received", N_("received the report")
    NOTED = "report.noted", N_("added a note")
    ATTACHED = "report.attached", N_("attached a file")


class Report(Subject):
    """One month's report of a kind (`category`). `body`: its figures as they were when it was submitted."""

    __tablename__ = "reports"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    month: Mapped[date]  # its first day
    body: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))
    remark: Mapped[str] = mapped_column(default="")
    submitted_at: Mapped[datetime | None]
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))

    __table_args__ = (CheckConstraint("(body IS NULL) = (submitted_at IS NULL)", name="frozen"),)
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "report", "inherit_condition": id == Subject.id}
    noun = "reports"
    label = N_("Report")
    EVENTS = ReportEvent
    STATES = State
    NOTICES: ClassVar[dict[str, str]] = {ReportEvent.RECEIVED: "owner", ReportEvent.NOTED: "owner"}

    @property
    def askers(self) -> set[int | None]:
        return {self.submitted_by_id}

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.REPORT_READ) else false()
