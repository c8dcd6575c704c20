from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from dateutil.relativedelta import relativedelta
from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, and_, false, true
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import db
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission, Role


class State(Labelled):
    OPEN = "open", N_("Not yet closed")
    CLOSED = "closed", N_("Month closed")
    TAKEN = "taken", N_("With payroll")


class MonthEvent(Labelled):
    OPENED = "month.opened", N_("opened the month's statement")
    CLOSED = "month.closed", N_("closed the month's statement")
    TAKEN = "month.taken", N_("took the statement to payroll")
    SPENT = "month.spent", N_("spent from the fund")
    REVERSED = "month.reversed", N_("took an entry of the fund back")
    NOTED = "month.noted", N_("added a note")
    ATTACHED = "month.attached", N_("attached a file")


class Month(Subject):
    """One month's statement. `body`: what it said when it was closed, with the names of that day."""

    __tablename__ = "months"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    month: Mapped[date] = mapped_column(unique=True)  # its first day
    closed_at: Mapped[datetime | None]
    body: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (CheckConstraint("(body IS NULL) = (closed_at IS NULL)", name="frozen"),)
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "month", "inherit_condition": id == Subject.id}
    noun = "statements"
    label = N_("Month's statement")
    EVENTS = MonthEvent
    STATES = State
    DATES = ("ends_on",)

    @property
    def ends_on(self) -> date:
        return self.month + relativedelta(months=1, days=-1)

    @property
    def over(self) -> bool:
        return self.ends_on < clock.today()

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"ends_on": self.ends_on}

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        return {"a closed month is frozen": and_(cls.state != State.OPEN, cls.body.is_(None))}

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        """Everybody: of it each reads what is their own."""
        return true()

    @classmethod
    def whole(cls, user) -> ColumnElement[bool]:
        """Who leads; the archivist once it is closed."""
        if not user.may(Permission.STATEMENT_READ):
            return false()
        archives = Role.ARCHIVIST in user.roles and not user.may(Permission.PENALTY_READ_ANY)
        return Subject.state != State.OPEN if archives else true()


class EntryKind(Labelled):
    MONTH = "month", N_("A month's fines")
    SPENT = "spent", N_("Spent")
    REVERSED = "reversed", N_("Taken back")


class FundEntry(db.Model):
    """One line of the ledger. Nothing is changed or deleted: what was wrong is taken back by a line of its own (7.8)."""

    __tablename__ = "fund_entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    month_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))  # in which it was entered; of fines, whose they are
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), unique=True)
    fen: Mapped[int]  # in, or less than nothing: out
    on: Mapped[date]
    purpose: Mapped[str] = mapped_column(default="")
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("fund_entries.id"), unique=True)

    __table_args__ = (
        CheckConstraint("kind <> 'spent' OR fen < 0", name="out"),
        CheckConstraint("(kind = 'reversed') = (reverses_id IS NOT NULL)", name="reverses"),
    )
