from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.db import db
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission


class State(Labelled):
    ACTIVE = "active", N_("In use")
    RETIRED = "retired", N_("No longer used")


class LetterEvent(Labelled):
    ADDED = "letter.added", N_("added the letter")
    CHANGED = "letter.changed", N_("changed the letter")
    RETIRED = "letter.retired", N_("took the letter out of use")
    REVIVED = "letter.revived", N_("took the letter into use again")


class Letter(Subject):
    """A letter's text, for a kind of letter (`category`: the rulebook's template), a brand and a language; `title` is what it
    is called. Its versions are kept: what was sent names the one it was made of."""

    __tablename__ = "letters"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    brand: Mapped[str] = mapped_column(default="")  # "": any brand that has none of its own
    language: Mapped[str] = mapped_column(default="zh")

    versions: Mapped[list["LetterVersion"]] = relationship(lazy="raise", order_by="LetterVersion.n")

    __table_args__ = (CheckConstraint("language IN ('zh', 'en')", name="language"),)
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "letter", "inherit_condition": id == Subject.id}
    noun = "letters"
    label = N_("Letter")
    EVENTS = LetterEvent
    STATES = State
    FIELDS: ClassVar[dict[str, str]] = {
        "title": N_("What it is called"), "brand": N_("Brand"), "language": N_("Language"), "subject": N_("Subject line"),
        "body": N_("Text"),
    }  # fmt: skip

    @property
    def text(self) -> "LetterVersion":
        """What is sent now."""
        return self.versions[-1]

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.LETTER_READ) else false()


class LetterVersion(db.Model):
    """One text of a letter; never changed."""

    __tablename__ = "letter_versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey("letters.id"))
    n: Mapped[int]
    subject: Mapped[str]
    body: Mapped[str]
    made_at: Mapped[datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # None: came with the program

    __table_args__ = (UniqueConstraint("letter_id", "n"), CheckConstraint("n > 0", name="n"))
