"""The one source of time: aware instants, kept in UTC, read by people in the business zone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
YEARS = range(1990, 2101)  # whose days are taken
_frozen: datetime | None = None


def now() -> datetime:
    return _frozen or datetime.now(UTC)


def today() -> date:
    return local(now()).date()


def local(instant: datetime) -> datetime:
    return instant.astimezone(ZONE)


def moment(day: date, at: time = time()) -> datetime:
    """The instant at which the business zone's clock shows `at` on `day`."""
    return datetime.combine(day, at, ZONE).astimezone(UTC)


def end_of(day: date) -> datetime:
    """24:00 of `day`, where every deadline counted in calendar days falls."""
    return moment(day + timedelta(days=1))


def day_ended(at: datetime) -> date:
    """The day an instant belongs to where 24:00 is of the day that it ends."""
    return local(at - timedelta(microseconds=1)).date()


def parse(text: str) -> datetime:
    """ISO date or time as people type it; without an offset it is the business zone's. ValueError if neither."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=ZONE)).astimezone(UTC)


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Hold the clock for the whole process: for a sweep's `--as-of`, the demo and tests; never while serving."""
    global _frozen
    before, _frozen = _frozen, at
    try:
        yield
    finally:
        _frozen = before
