"""How often a door may be tried. Counted in the database, so for all workers together, and before the trying: fifty
tries at once are fifty. A stranger's tries never lock an owner out: a browser that was let in before is counted alone."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import case, delete, update

from crm import clock
from crm.db import db, insert, rows_of, unit_of_work
from crm.staff.models import Attempt

WINDOW = timedelta(minutes=15)
DOOR, ACCOUNT, ADDRESS = 10, 30, 60  # tries a window: of one account from one place, of one account, from one address


def key(*parts: object) -> str:
    """Whom and what is counted; hashed, so that no wrong name or password stands in the database."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


def take(limits: Mapping[str, int]) -> dict[str, int]:
    """Count one try under each key, the narrowest first, until one is over its limit: that one with how often. What is held up
    at one place counts for no wider one, so whoever goes on trying there holds up nobody else. Call in a unit of its own."""
    now = clock.now()
    for name, most in limits.items():  # in one order of kinds: two at once wait for each other, never crosswise
        fresh = Attempt.since < now - WINDOW
        counted = insert(Attempt).values(key=name, count=1, since=now)
        counted = counted.on_conflict_do_update(
            index_elements=["key"],
            set_={"count": case((fresh, 1), else_=Attempt.count + 1), "since": case((fresh, now), else_=Attempt.since)},
        )
        count = db.session.execute(counted.returning(Attempt.count)).scalar_one()
        if count > most:
            return {name: count}
    return {}


def give_back(limits: Mapping[str, int]) -> None:
    """It was right: this try does not count."""
    for name in sorted(limits):
        spent = update(Attempt).where(Attempt.key == name, Attempt.count > 0).values(count=Attempt.count - 1)
        db.session.execute(spent.execution_options(synchronize_session=False))


def clear(name: str) -> None:
    """Whoever came in starts afresh."""
    db.session.execute(delete(Attempt).where(Attempt.key == name))


def forget(as_of: datetime) -> int:
    """A sweep's step: windows that are over."""
    with unit_of_work():
        return rows_of(db.session.execute(delete(Attempt).where(Attempt.since < as_of - WINDOW)))
