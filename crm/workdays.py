"""The working calendar of China, spans of time that name their unit, and where a deadline falls."""

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import holidays
from dateutil.relativedelta import relativedelta
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import db, insert

SHIPPED_HOURS = ((time(9), time(12)), (time(13), time(18)))


class CalendarOverride(db.Model):
    """One day that is not what the shipped calendar says; an administrator's word wins."""

    __tablename__ = "calendar_overrides"
    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    name: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")


@functools.cache
def _official(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """(days off on weekdays and weekends, weekend days worked) of a year, as the `holidays` package knows them."""
    china = holidays.country_holidays("CN", years=year)
    return frozenset(day for day in china if day.year == year), frozenset(
        day for day in china.weekend_workdays if day.year == year
    )


@dataclass(frozen=True)
class Calendar:
    """Which days are worked, and in which hours of theirs."""

    overrides: Mapping[date, bool] = field(default_factory=dict)
    hours: tuple[tuple[time, time], ...] = SHIPPED_HOURS

    def works(self, day: date) -> bool:
        if day in self.overrides:
            return self.overrides[day]
        off, made_up = _official(day.year)
        return day in made_up or (day.weekday() < 5 and day not in off)

    def projected(self, year: int) -> bool:
        """Whether the year's official notice is not known yet: its days are then only a projection."""
        return not _official(year)[1] and not any(day.year == year for day in self.overrides)

    def next(self, day: date) -> date:
        """`day` itself if it is worked, else the first working day after it."""
        while not self.works(day):
            day += timedelta(days=1)
        return day

    def previous(self, day: date) -> date:
        while not self.works(day):
            day -= timedelta(days=1)
        return day

    def opening(self, day: date) -> datetime:
        return clock.moment(day, self.hours[0][0])

    def closing(self, day: date) -> datetime:
        return clock.moment(day, self.hours[-1][1])

    def add_days(self, day: date, count: int) -> date:
        """The `count`-th working day after `day` (before it, if negative)."""
        step = timedelta(days=1 if count > 0 else -1)
        for _ in range(abs(count)):
            day = (self.next if count > 0 else self.previous)(day + step)
        return day

    def add_hours(self, at: datetime, count: float) -> datetime:
        """`count` working hours after `at` (before it, if negative)."""
        left, day = timedelta(hours=abs(count)), clock.local(at).date()
        while True:
            spells = [(clock.moment(day, a), clock.moment(day, b)) for a, b in self.hours] if self.works(day) else []
            for opens, closes in spells if count >= 0 else reversed(spells):
                start, end = (max(opens, at), closes) if count >= 0 else (opens, min(closes, at))
                if end - start >= left:
                    return start + left if count >= 0 else end - left
                left -= max(end - start, timedelta())
            day += timedelta(days=1 if count >= 0 else -1)


MOST = {"m": 9999, "working hour": 200, "working day": 500, "day": 1100, "week": 150, "month": 36, "year": 3}
_SPAN = re.compile(r"(\d{1,4}) ?(m|working hours?|working days?|days?|weeks?|months?|years?)")


@dataclass(frozen=True)
class Span:
    """A length of time with its unit: `30m`, `8 working hours`, `1 working day`, `3 days`, `1 month`."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Span":
        match = _SPAN.fullmatch(text.strip())
        if not match:
            raise ValueError(f"{text!r} is no span of time, such as '2 working days'")
        return cls.of(int(match[1]), match[2].removesuffix("s"))

    @classmethod
    def of(cls, count: int, unit: str) -> "Span":
        """ValueError beyond three years or so: no deadline is further, and each is counted day by day."""
        if count > MOST[unit]:
            raise ValueError(f"{count} {unit} is too long a span of time")
        return cls(count, unit)

    def __neg__(self) -> "Span":
        return Span(-self.count, self.unit)

    def ahead_of(self, due: datetime, calendar: Calendar) -> datetime:
        """So long before a deadline; one at 24:00 belongs to the day that ends, so a working day before it is the day before."""
        last = due - timedelta(microseconds=1) if self.unit == "working day" else due
        return (-self).from_instant(last, calendar)

    def from_instant(self, at: datetime, calendar: Calendar, *, notice: bool = False) -> datetime:
        """When a span that begins at `at` ends. A deadline in working days falls at closing time, one in calendar days
        at 24:00, on a day off on the next working day, or for a `notice` to a customer on the one before (ours.days)."""
        if self.unit == "m":
            return at + timedelta(minutes=self.count)
        if self.unit == "working hour":
            return calendar.add_hours(at, self.count)
        day = clock.local(at).date()
        if self.unit == "working day":
            if self.count == 0:  # the end of the day on which it happened, or of the next if after hours (7.5, ours)
                over = calendar.works(day) and at >= calendar.closing(day)
                return calendar.closing(calendar.next(day + timedelta(days=1) if over else day))
            return calendar.closing(calendar.add_days(day, self.count))
        end = day + relativedelta(**{f"{self.unit}s": self.count})  # pyright: ignore
        return clock.end_of(calendar.previous(end) if notice else calendar.next(end))


def calendar_with(overrides: Iterable[tuple[date, bool]], hours=SHIPPED_HOURS) -> Calendar:
    return Calendar(dict(overrides), tuple(hours))


_OVERRIDES = select(CalendarOverride.day, CalendarOverride.working)


def calendar() -> Calendar:
    """The department's calendar, read once per session."""
    info = db.session().info
    if "calendar" not in info:
        info["calendar"] = calendar_with((day, working) for day, working in db.session.execute(_OVERRIDES))
    return info["calendar"]


def override(day: date, *, working: bool, name: str = "", source: str = "") -> None:
    """An administrator's word on one day; the later word stands."""
    row = {"working": working, "name": name, "source": source}
    statement = insert(CalendarOverride).values(day=day, **row)
    db.session.execute(statement.on_conflict_do_update(index_elements=["day"], set_=row))
    db.session().info.pop("calendar", None)


def import_notice(text: str) -> int:
    """The yearly notice as JSON (`{"days": [{"date": …, "name": …, "isOffDay": …}]}`): how many days it set.

    ValueError, naming what is wrong, leaves the calendar as it was.
    """
    try:
        notice: Any = json.loads(text)
        source = ", ".join(str(paper) for paper in notice.get("papers", []))
        days = [(date.fromisoformat(day["date"]), bool(day["isOffDay"]), str(day["name"])) for day in notice["days"]]
    except (KeyError, TypeError, AttributeError, RecursionError, json.JSONDecodeError) as wrong:
        raise ValueError(
            'not a notice of holidays: {"days": [{"date": "2026-10-01", "name": "国庆节", "isOffDay": true}, …]}'
        ) from wrong
    if len(text) > 1_000_000 or any(len(name) > 50 or not name.isprintable() for _, _, name in days):
        raise ValueError("not a notice of holidays: too long")
    if any(day.year not in clock.YEARS for day, _, _ in days) or not source.isprintable():
        raise ValueError("not a notice of holidays: such a year has none")
    for day, off, name in days:
        override(day, working=not off, name=name, source=source)
    return len(days)
