"""What somebody outside has to be told: one row a letter, from the event that posts it to what became of it."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.db import db, only
from crm.duties.models import Event, Subject
from crm.labels import N_, Labelled


class MessageState(Labelled):
    QUEUED = "queued", N_("To be sent")
    SENDING = "sending", N_("Being sent")
    SENT = "sent", N_("Sent")
    REJECTED = "rejected", N_("Refused")
    UNKNOWN = "unknown", N_("Outcome unknown")
    WITHDRAWN = "withdrawn", N_("Withdrawn")


class Way(Labelled):
    EMAIL = "email", N_("E-mail")
    FAX = "fax", N_("Fax")
    PAPER = "paper", N_("On paper")


class MessageEvent(Labelled):
    """Events of any subject that letters are sent for."""

    SENT = "message.sent", N_("sent the letter")
    REJECTED = "message.rejected", N_("noted that the letter did not reach the customer")
    UNKNOWN = "message.unknown", N_("does not know whether the letter arrived")
    WITHDRAWN = "message.withdrawn", N_("withdrew the letter before it was sent")
    DECIDED = "message.decided", N_("decided what became of the letter")
    AGAIN = "message.again", N_("sent the letter again")
    ON_PAPER = "message.on_paper", N_("had the letter printed, to be posted")


OPEN = "ended_at IS NULL"
ENDED = "state IN ('sent', 'rejected', 'withdrawn')"


class Message(db.Model):
    """A letter about a subject. `rule` names the rulebook's entry that posts it, `slot` what it is for (such as the end of
    a period): of one subject, entry and slot there is one, whoever posts it and however often. Its Message-ID is fixed
    when it is posted; state `sending` is committed before anybody is spoken to."""

    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    rule: Mapped[str]
    slot: Mapped[str] = mapped_column(default="")
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    message_id: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(default=MessageState.QUEUED)
    way: Mapped[str | None]  # chosen when it is sent, with the address as it is known then
    address: Mapped[str] = mapped_column(default="")
    queued_at: Mapped[datetime]
    next_at: Mapped[datetime]  # not tried before
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]  # till then somebody has it in hand: prepares it, or waits for an answer
    ended_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(default="")  # what the other side said
    mail_sha256: Mapped[str | None]  # what was sent, byte for byte
    sheet_sha256: Mapped[str | None]  # the letter in it, as PDF
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))  # it was sent once more, as that one

    subject: Mapped[Subject] = relationship(lazy="raise")
    event: Mapped[Event] = relationship(lazy="raise")

    __table_args__ = (
        UniqueConstraint("subject_id", "rule", "slot"),
        CheckConstraint("state <> 'sending' OR lease_until IS NOT NULL", name="lease"),
        CheckConstraint(f"({ENDED}) = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("state NOT IN ('sending', 'sent') OR (way IS NOT NULL AND sheet_sha256 IS NOT NULL)",
                        name="sent_what"),  # what a restore holds back is unknown before anything was made of it
        CheckConstraint("attempts >= 0", name="attempts"),
        Index("ix_messages_waiting", "state", "next_at", "id", **only(OPEN)),
        Index("ix_messages_state", "state", "id"),
        Index("ix_messages_ended_at", "ended_at", "id"),
    )  # fmt: skip

    KINDS: ClassVar[type[Labelled]] = MessageEvent

    @property
    def facts(self) -> dict[str, Any]:
        """What its events say of it."""
        return {"message": self.id, "letter": self.rule, "slot": self.slot, "way": self.way, "address": self.address}
