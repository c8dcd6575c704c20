from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from dateutil.relativedelta import relativedelta
from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, UniqueConstraint, and_, false, true
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import db
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.money import Fen
from crm.permissions import Permission


class State(Labelled):
    PROPOSED = "proposed", N_("Proposed")
    SETTLED = "settled", N_("Settled")
    SUBMITTED = "submitted", N_("Completion submitted")
    SIGNED_OFF = "signed_off", N_("Signed off")


class Kind(Labelled):
    """What a line is expected to bring."""

    RENEWAL = "renewal", N_("Renewal")
    FINAL = "final", N_("Final payment")


class PlanEvent(Labelled):
    PROPOSED = "plan.proposed", N_("proposed the plan")
    EDITED = "plan.edited", N_("changed a line of the plan")
    ADDED = "plan.added", N_("put a contract into the plan")
    SETTLED = "plan.settled", N_("settled the plan")
    SUBMITTED = "plan.submitted", N_("submitted the plan's completion")
    SIGNED_OFF = "plan.signed_off", N_("signed off the plan's completion")
    SENT_BACK = "plan.sent_back", N_("sent the plan's completion back")
    NOTED = "plan.noted", N_("added a note")
    ATTACHED = "plan.attached", N_("attached a file")


class Plan(Subject):
    """One month's contracts: who renews what, and the amount expected (4.manager.7). `body`: its completion as it was when
    it was submitted; `owner_id`: who settled or submitted it last."""

    __tablename__ = "plans"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    month: Mapped[date] = mapped_column(unique=True)  # its first day
    settled_at: Mapped[datetime | None]
    body: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))
    remark: Mapped[str] = mapped_column(default="")
    submitted_at: Mapped[datetime | None]
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))

    __table_args__ = (
        CheckConstraint("(body IS NULL) = (submitted_at IS NULL)", name="frozen"),
        CheckConstraint("(submitted_at IS NULL) = (submitted_by_id IS NULL)", name="submitted"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "plan", "inherit_condition": id == Subject.id}
    noun = "plans"
    label = N_("Contract plan")
    EVENTS = PlanEvent
    STATES = State
    DATES = ("eve", "closes_on")
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {
        "expected_fen": (N_("Expected amount"), Fen), "owner": N_("In charge"), "remark": N_("Remark"),
        "struck": N_("Struck, because"),
    }  # fmt: skip
    NOTICES: ClassVar[dict[str, str]] = dict.fromkeys((PlanEvent.SIGNED_OFF, PlanEvent.SENT_BACK, PlanEvent.NOTED), "owner")

    @property
    def closes_on(self) -> date:
        """The month's last day."""
        return self.month + relativedelta(months=1, days=-1)

    @property
    def over(self) -> bool:
        return self.closes_on < clock.today()

    @property
    def askers(self) -> set[int | None]:
        return {self.submitted_by_id}

    def facts(self) -> dict[str, Any]:
        """`eve`: the day before it was proposed, so that three working days from it count the first of the month too."""
        eve = clock.local(self.opened_at).date() - timedelta(days=1)
        return super().facts() | {"eve": eve, "closes_on": self.closes_on}

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        frozen = cls.state.in_([State.SUBMITTED, State.SIGNED_OFF])
        return {
            "a plan's completion is frozen from its submission on": frozen != cls.submitted_at.is_not(None),
            "a plan that was settled has its day": and_(cls.state != State.PROPOSED, cls.settled_at.is_(None)),
        }

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.CONTRACT_READ) else false()


class PlanLine(db.Model):
    """One contract of a plan. What is struck stays, with the reason, and is not counted."""

    __tablename__ = "plan_lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), index=True)
    kind: Mapped[str]
    due_on: Mapped[date]  # when its period ends, or the payment is due, as the plan has it
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    expected_fen: Mapped[int | None]  # None: nobody has said yet
    ahead: Mapped[bool] = mapped_column(default=False)  # renewed before the plan was made
    by_hand: Mapped[bool] = mapped_column(default=False)
    remark: Mapped[str] = mapped_column(default="")
    struck: Mapped[str] = mapped_column(default="")  # why; empty: it stands

    __table_args__ = (
        UniqueConstraint("plan_id", "contract_id"),
        CheckConstraint("expected_fen >= 0", name="expected"),
        CheckConstraint("kind IN ('renewal', 'final')", name="kind"),
    )
