"""Forms that were sent: each takes effect once, and its duplicates are led where it led."""

from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import bindparam, delete, update
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import db, insert, rows_of, unit_of_work


class Submission(db.Model):
    """A form sent once: its `request_id`, by whom, to which path, and where the answer led."""

    __tablename__ = "submissions"
    request_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int | None]
    path: Mapped[str]
    answer: Mapped[str | None]
    at: Mapped[datetime]


def claim(request_id: str, user_id: int | None, path: str) -> Submission | None:
    """Take `request_id` for this transaction; if it was taken before, the earlier submission.

    Waits for a transaction that holds the same id, so that of any number sent at once one takes effect.
    """
    row = {"request_id": request_id, "user_id": user_id, "path": path, "at": clock.now()}
    if db.session.scalar(_claiming(db.engine.dialect.name), row):
        return None
    return db.session.get(Submission, request_id)


@cache
def _claiming(_dialect: str):
    submissions = Submission.__table__
    return insert(submissions).on_conflict_do_nothing(index_elements=["request_id"]).returning(submissions.c.request_id)


def answer(request_id: str, location: str | None) -> None:
    """Keep where the submission led, for its duplicates."""
    db.session.execute(_answering(), {"given": request_id, "led_to": location})


@cache
def _answering():
    submissions = Submission.__table__
    return update(submissions).where(submissions.c.request_id == bindparam("given")).values(answer=bindparam("led_to"))


def forget_submissions(as_of: datetime) -> int:
    """A sweep's step: nobody sends the same form again after thirty days."""
    with unit_of_work():
        return rows_of(db.session.execute(delete(Submission).where(Submission.at < as_of - timedelta(days=30))))
