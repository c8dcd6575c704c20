"""What a report is about: days that belong together, a month or the week before a meeting."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from dateutil.relativedelta import relativedelta
from sqlalchemy import ColumnElement

from crm import clock

WEDNESDAY = 2


@dataclass(frozen=True)
class Period:
    """From one day to another, both of them in it."""

    since: date
    until: date

    @classmethod
    def month(cls, day: date) -> Self:
        """The month of a day."""
        first = day.replace(day=1)
        return cls(first, first + relativedelta(months=1, days=-1))

    @classmethod
    def week(cls, day: date) -> Self:
        """The seven days of a day that end with a Wednesday: what the meeting of the Friday after speaks of (4.director.7)."""
        last = day + timedelta(days=(WEDNESDAY - day.weekday()) % 7)
        return cls(last - timedelta(days=6), last)

    @property
    def is_week(self) -> bool:
        return self.until - self.since == timedelta(days=6)

    @property
    def after(self) -> Self:
        """The next one, as long as this."""
        kind = type(self)
        return kind.week(self.until + timedelta(days=1)) if self.is_week else kind.month(self.until + timedelta(days=1))

    @property
    def before(self) -> Self:
        kind = type(self)
        return kind.week(self.since - timedelta(days=1)) if self.is_week else kind.month(self.since - timedelta(days=1))

    @property
    def title(self) -> str:
        """`2026-11`, or `2026-11-19 – 11-25`."""
        return f"{self.since} – {self.until:%m-%d}" if self.is_week else f"{self.since:%Y-%m}"

    @property
    def over(self) -> bool:
        return self.until < clock.today()

    def within(self, at: ColumnElement) -> Iterator[ColumnElement[bool]]:
        """Instants in it, by the department's clock."""
        yield at >= clock.moment(self.since)
        yield at < clock.end_of(self.until)

    def named(self, since: str = "since", until: str = "until") -> dict[str, date]:
        """As a list's address names it."""
        return {since: self.since, until: self.until}
