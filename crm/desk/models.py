from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import db


class SavedFilter(db.Model):
    """A list as somebody narrowed it, under a name; shared ones are everybody's to use."""

    __tablename__ = "saved_filters"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    table: Mapped[str]
    name: Mapped[str]
    query: Mapped[str]
    shared: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (UniqueConstraint("owner_id", "table", "name"), Index("ix_saved_filters_table", "table", "owner_id"))


class ChosenColumns(db.Model):
    """The columns somebody wants of a list; they stand in the list's own order."""

    __tablename__ = "chosen_columns"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    table: Mapped[str] = mapped_column(primary_key=True)
    columns: Mapped[str]


class Presence(db.Model):
    """That somebody has a subject's page open: said anew every half minute while it is."""

    __tablename__ = "presences"
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    seen_at: Mapped[datetime]
