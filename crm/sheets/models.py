from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import db
from crm.errors import Invalid


class ImportRun(db.Model):
    """A file being imported from the page, batch by batch, and afterwards the report of it."""

    __tablename__ = "import_runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(default="customers")  # of list: the noun of its page
    key: Mapped[str] = mapped_column(unique=True)  # the draft file's
    owner_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), index=True)
    name: Mapped[str]  # the file's, which itself is forgotten after a while
    mapping: Mapped[dict] = mapped_column(default=dict)  # column: field
    total: Mapped[int]
    position: Mapped[int] = mapped_column(default=0)  # rows done; a batch says where it begins, so it counts once
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    refused: Mapped[list] = mapped_column(JSON, default=list)  # [row number, msgid, its parameters]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("position BETWEEN 0 AND total", name="position"),
        CheckConstraint("(finished_at IS NOT NULL) = (position = total)", name="finished"),
    )

    @property
    def refusals(self) -> list[tuple[int, Invalid]]:
        """Each refused row's number and why."""
        return [(number, Invalid(message, **params)) for number, message, params in self.refused]
