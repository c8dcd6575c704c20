from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    Table,
    and_,
    false,
    func,
    or_,
    select,
    true,
)  # fmt: skip
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm import clock
from crm.db import db
from crm.duties.message import MessageEvent
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.money import Fen
from crm.permissions import Permission
from crm.search import Entry
from crm.serials.models import Installation


class Kind(Labelled):
    SERVICE = "service", N_("Service contract")
    SALES = "sales", N_("Sales contract")


class State(Labelled):
    """How far it has come. Payment is beside it: a period begins unpaid only by a manager's word (5.2.7)."""

    DRAFT = "draft", N_("Being negotiated")
    SIGNED = "signed", N_("Signed by us")
    SENT = "sent", N_("Sent to the customer")
    RETURNED = "returned", N_("Countersigned, to be paid")
    RUNNING = "running", N_("In force")
    RENEWED = "renewed", N_("Renewed")
    DECLINED = "declined", N_("Declined")
    LAPSED = "lapsed", N_("Lapsed")


class ContractEvent(Labelled):
    DRAFTED = "contract.drafted", N_("drafted the contract")
    IMPORTED = "contract.imported", N_("imported the contract")
    EDITED = "contract.edited", N_("changed the contract")
    SIGNED = "contract.signed", N_("signed the contract for us")
    SENT = "contract.sent", N_("sent the contract to the customer")
    AGREED = "contract.agreed", N_("noted the terms agreed")
    RETURNED = "contract.returned", N_("got the countersigned copy back")
    INVOICED = "contract.invoiced", N_("posted the invoice")
    PAYMENT = "contract.payment", N_("noted a payment")
    PAID = "contract.paid", N_("saw the contract paid in full")
    UNPAID = "contract.unpaid", N_("took a payment back: the contract is not paid in full any more")
    CHASED = "contract.chased", N_("reminded the customer of the payment")
    DEMANDED = "contract.demanded", N_("demanded the payment formally")
    RELEASED = "contract.released", N_("let the new period begin before the payment")
    WITHHELD = "contract.withheld", N_("withheld the new period")
    WAITED = "contract.waited", N_("decided to wait for the payment")
    POSTPONED = "contract.postponed", N_("accepted a later payment: nothing is owed for the day that was missed")
    BEGUN = "contract.begun", N_("put the period in force")
    SERIALS_GIVEN = "contract.serials_given", N_("settled the new serial numbers")
    CHECKED = "contract.checked", N_("found the service period right")
    ADJUSTED = "contract.adjusted", N_("adjusted the period")
    RENEWED = "contract.renewed", N_("noted that the contract is renewed")
    RESUMED = "contract.resumed", N_("noted that it is to be renewed again: what renewed it lapsed")
    DECLINED = "contract.declined", N_("noted that the customer declines")
    LAPSED = "contract.lapsed", N_("let the contract lapse")
    NOTIFIED = "contract.notified", N_("wrote the expiry notice")
    REMINDED = "contract.reminded", N_("wrote a reminder of the expiry")
    NO_ADDRESS = "contract.no_address", N_("found no fax and no e-mail to write to")
    ADDRESS_FOUND = "contract.address_found", N_("found where to write to")
    PASSED_OVER = "contract.passed_over", N_("passed over a reminder of the expiry")
    OVER = "contract.over", N_("found the period over, and wrote no letter any more")
    ANSWERED = "contract.answered", N_("noted the customer's answer")
    DECIDED = "contract.decided", N_("noted that the customer has decided")
    ASSIGNED = "contract.assigned", N_("gave the contract to somebody else")
    NOTED = "contract.noted", N_("added a note")
    ATTACHED = "contract.attached", N_("attached a file")


class Answer(Labelled):
    """What the customer says to the notice (5.5.2)."""

    RENEWS = "renews", N_("will renew")
    UNDECIDED = "undecided", N_("undecided")
    LEAVES = "leaves", N_("will not renew")


covered = Table(
    "contract_installations", db.metadata,
    Column("contract_id", ForeignKey("contracts.id"), primary_key=True),
    Column("installation_id", ForeignKey("installations.id"), primary_key=True, index=True),
)  # fmt: skip

COPY = "contract_copy"  # the purpose of a scan: the copy signed by both
AHEAD = frozenset({State.DRAFT, State.SIGNED, State.SENT})
GONE = frozenset({State.DECLINED, State.LAPSED})
PAYING = frozenset({State.RETURNED, State.RUNNING})  # while the period that is to be paid goes on
OWING = PAYING | {State.RENEWED}  # while something of it may still be open


class Contract(Subject):
    """A contract, and so the service period it agrees on (5.2.1). `category` is its kind, `origin_id` the contract it
    renews: a renewal is a successor, never an overwrite. `owner_id` is the specialist in charge."""

    __tablename__ = "contracts"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    paper_number: Mapped[str | None] = mapped_column(unique=True)  # the number printed on it
    amount_fen: Mapped[int | None]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    adjustment: Mapped[str] = mapped_column(default="")  # why the period is not simply the next (5.2.1)
    language: Mapped[str] = mapped_column(default="zh")  # of its letters
    representative_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # Party B's (5.2.3)
    salesperson: Mapped[str] = mapped_column(default="")
    signed_on: Mapped[date | None]
    stamped: Mapped[bool] = mapped_column(default=False)
    sent_way: Mapped[str] = mapped_column(default="")
    sent_on: Mapped[date | None]
    copy_due_on: Mapped[date | None]  # agreed (5.2.4)
    terms: Mapped[str] = mapped_column(default="")
    returned_on: Mapped[date | None]  # the countersigned copy is back: signed (5.2.6)
    payment_due_on: Mapped[date | None]
    payment_accepted: Mapped[bool] = mapped_column(default=False)  # by a manager, as late as that day is (5.2.6)
    withheld_at: Mapped[datetime | None]
    invoice_title: Mapped[str] = mapped_column(default="")
    tax_number: Mapped[str] = mapped_column(default="")
    invoice_address: Mapped[str] = mapped_column(default="")
    invoice_recipient: Mapped[str] = mapped_column(default="")
    invoice_posted_on: Mapped[date | None]
    courier_number: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    answer_why: Mapped[str] = mapped_column(default="")
    renewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("contracts.id"), index=True)
    remark: Mapped[str] = mapped_column(default="")

    installations: Mapped[list[Installation]] = relationship(secondary=covered, lazy="raise", order_by="Installation.id")
    payments: Mapped[list["Payment"]] = relationship(
        lazy="raise", order_by="Payment.id", foreign_keys="Payment.contract_id", viewonly=True
    )

    __table_args__ = (
        CheckConstraint("amount_fen >= 0", name="amount"),
        CheckConstraint("starts_on <= ends_on", name="period"),
        CheckConstraint("(starts_on IS NULL) = (ends_on IS NULL)", name="whole_period"),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        Index("ix_contracts_ends_on", "ends_on", "id"),
        Index("ix_contracts_payment_due_on", "payment_due_on", "id"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "contract", "inherit_condition": id == Subject.id}
    noun = "contracts"
    label = N_("Contract")
    EVENTS = ContractEvent
    STATES = State
    DATES = ("starts_on", "ends_on", "copy_due_on", "payment_due_on")
    FACTS = ("over", "answer", "rule", "taken_over", "unagreed", "what", "to_invoice", "demand")
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {
        "title": N_("What the contract is for"), "category": (N_("Kind"), Kind), "paper_number": N_("Number on the paper"),
        "amount_fen": (N_("Amount"), Fen), "starts_on": N_("First day"), "ends_on": N_("Last day"),
        "adjustment": N_("Why the period is not simply the next"), "language": N_("Language of its letters"),
        "representative": N_("Our representative"), "salesperson": N_("Salesperson"), "signed_on": N_("Signed by us on"),
        "stamped": N_("Stamped"), "sent_way": N_("Sent by"), "sent_on": N_("Sent on"),
        "copy_due_on": N_("Copy expected back by"), "terms": N_("Terms agreed"), "returned_on": N_("Copy back on"),
        "payment_due_on": N_("Payment due on"), "invoice_title": N_("Invoice title"), "tax_number": N_("Tax number"),
        "invoice_address": N_("Invoice sent to"), "invoice_recipient": N_("Recipient"),
        "invoice_posted_on": N_("Invoice posted on"), "courier_number": N_("Courier number"), "remark": N_("Remark"),
        "installations": N_("Installations"), "answer": (N_("Answer"), Answer),
    }  # fmt: skip
    HANDED = frozenset({ContractEvent.ASSIGNED})
    NOTICES: ClassVar[dict[str, str]] = {ContractEvent.ASSIGNED: "to from"} | dict.fromkeys(
        (ContractEvent.RELEASED, ContractEvent.WITHHELD, ContractEvent.ANSWERED, ContractEvent.NOTED,
         MessageEvent.REJECTED, MessageEvent.UNKNOWN), "owner")  # fmt: skip
    SEARCHED = frozenset({ContractEvent.DRAFTED, ContractEvent.EDITED, ContractEvent.AGREED, ContractEvent.INVOICED,
                          ContractEvent.BEGUN})

    def searched(self) -> Iterator[Entry]:
        keys = tuple(filter(None, (self.number, self.paper_number, self.external_ref)))
        yield Entry("contract", keys, "", "\n".join(filter(None, (self.title, self.terms, self.remark, self.invoice_title))))

    def facts(self) -> dict[str, Any]:
        return super().facts() | {
            "starts_on": self.starts_on, "ends_on": self.ends_on, "copy_due_on": self.copy_due_on,
            "payment_due_on": self.payment_due_on, "answer": self.answer, "over": self.over,
            "to_invoice": self.to_invoice,
        }  # fmt: skip

    @property
    def over(self) -> bool:
        """Whether its period has ended."""
        return self.ends_on is not None and self.ends_on < clock.today()

    @property
    def begun(self) -> bool:
        """Whether its period has begun, if it has one."""
        return self.starts_on is None or self.starts_on <= clock.today()

    @property
    def to_invoice(self) -> bool:
        """Whether an invoice is to be posted (5.2.5): not for nothing, nor for what lapsed before anything was paid."""
        if not self.amount_fen or self.invoice_posted_on is not None:
            return False
        return self.state != State.LAPSED or (db.session.scalar(paid_for(self.id)) or 0) > 0

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        running = and_(cls.category == Kind.SERVICE, cls.state.in_([State.RUNNING, State.RENEWED]))
        came_back = cls.state == State.RETURNED
        return {
            "a contract in force has its period": and_(running, cls.ends_on.is_(None)),
            "a countersigned contract has the day its copy came back": and_(came_back, cls.returned_on.is_(None)),
            "a countersigned contract has the day its payment is due": and_(came_back, cls.payment_due_on.is_(None)),
            "only a period that is not paid is withheld": and_(
                cls.withheld_at.is_not(None),
                or_(cls.returned_on.is_(None), paid_for(cls.id).scalar_subquery() >= func.coalesce(cls.amount_fen, 0)),
            ),
            "a contract sent was signed by us": and_(or_(cls.state == State.SENT, came_back), cls.signed_on.is_(None)),
        }  # fmt: skip

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.CONTRACT_READ) else false()


class Payment(db.Model):
    """A part of what is due that came in. What was noted wrongly is taken back by one of the same amount below zero."""

    __tablename__ = "payments"
    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), index=True)
    fen: Mapped[int]
    paid_on: Mapped[date]
    way: Mapped[str] = mapped_column(default="")
    noted_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # None: came with a file
    noted_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("fen <> 0", name="fen"),)


def paid_for(contract_id) -> Select:
    """What came in for a contract, in fen."""
    return select(func.coalesce(func.sum(Payment.fen), 0)).where(Payment.contract_id == contract_id)
