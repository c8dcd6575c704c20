"""Every kind of report there is. A further one is a member of `Kind`, its rules in the rulebook, and a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm.reports import callbacks, company, fined, friday, satisfied, services, specialist
from crm.reports.layout import Layout
from crm.reports.models import Kind
from crm.reports.periods import Period


@dataclass(frozen=True)
class Sort:
    """`figures` of a period, and of a person where each has their own; `layout` says what they are. `place`: in its number."""

    place: int
    layout: Layout
    figures: Callable[[Period, int | None], dict[str, Any]]
    weekly: bool = False
    personal: bool = False
    clause: str = ""
    ready: Callable[[Period], bool] = lambda _period: True  # whether what is over is settled, too

    def period(self, day: date) -> Period:
        """The one of a day."""
        return Period.week(day) if self.weekly else Period.month(day)


SORTS: Mapping[str, Sort] = {
    Kind.CALLBACKS: Sort(1, callbacks.LAYOUT, callbacks.figures, clause="5.5.5"),
    Kind.SPECIALIST: Sort(1000, specialist.LAYOUT, specialist.figures, personal=True, clause="4.specialist.7"),
    Kind.SERVICES: Sort(2, services.LAYOUT, services.figures, clause="4.director.6"),
    Kind.SATISFACTION: Sort(3, satisfied.LAYOUT, satisfied.figures, clause="4.director.4"),
    Kind.FRIDAY: Sort(100, friday.LAYOUT, friday.figures, weekly=True, clause="4.director.7"),
    Kind.PENALTIES: Sort(5, fined.LAYOUT, fined.figures, clause="7.8", ready=fined.closed),
    Kind.COMPANY: Sort(4, company.LAYOUT, company.figures, clause="4.director.8"),
}  # fmt: skip


def number(kind: str, period: Period, person_number: str = "") -> str:
    """Made of the period, so that two who prepare it at once make one: a week has that of its last day, a person their own."""
    sort = SORTS[kind]
    place = sort.place + (int(person_number[1:]) if sort.personal else period.until.day if sort.weekly else 0)
    return f"M{period.until:%y%m}-{place:04}"
