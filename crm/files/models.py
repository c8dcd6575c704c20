from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import db


class File(db.Model):
    """A file on a subject, or a draft that only its owner knows of. The bytes lie under their SHA-256."""

    __tablename__ = "files"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)  # 128 random bits: its name in addresses
    subject_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"), index=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), index=True)
    purpose: Mapped[str] = mapped_column(default="")  # the field of its category it fills; "" an attachment
    name: Mapped[str]
    kind: Mapped[str]  # media type, as its content says
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(index=True)
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("size > 0", name="size"),)
