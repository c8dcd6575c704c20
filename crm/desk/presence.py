"""Who else has a page open. A page says so every half minute; whoever was silent for a minute is gone."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from crm import clock
from crm.db import db, insert, rows_of, unit_of_work
from crm.desk.models import Presence
from crm.duties.models import Subject
from crm.staff.models import User

SILENT = timedelta(seconds=60)


def say(user: User, subject: Subject) -> list[str]:
    """Say that `user` looks at `subject`; the names of the others who do."""
    now = clock.now()
    here = insert(Presence).values(subject_id=subject.id, user_id=user.id, seen_at=now)
    db.session.execute(here.on_conflict_do_update(index_elements=["subject_id", "user_id"], set_={"seen_at": now}))
    others = select(User.title).join(Presence, Presence.user_id == User.id).where(
        Presence.subject_id == subject.id, Presence.seen_at > now - SILENT, User.id != user.id
    )  # fmt: skip
    return list(db.session.scalars(others.order_by(User.title).limit(10)))


def leave(user: User, subject: Subject) -> None:
    db.session.execute(delete(Presence).where(Presence.subject_id == subject.id, Presence.user_id == user.id))


def forget(as_of: datetime) -> int:
    """A sweep's step."""
    with unit_of_work():
        return rows_of(db.session.execute(delete(Presence).where(Presence.seen_at < as_of - SILENT)))
