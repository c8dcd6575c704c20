"""What a confirmed complaint leads to, by the complaints that were confirmed before it (7.1, 7.2). Pure: no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta

from crm.opinions.models import FIRST, LATER, OFTEN, About


@dataclass(frozen=True)
class Confirmed:
    """A confirmed complaint against somebody: on which day the customer complained, and what about."""

    said_on: date
    about: str


def follows(this: Confirmed, before: Sequence[Confirmed], *, many: int, months: int) -> list[str]:
    """The penalties that confirming `this` leads to, after those confirmed `before` it, in whatever order they were said.

    7.1 goes by what was confirmed first, so that nothing decided shifts afterwards; 7.2 by the days on which customers
    complained, for how long an investigation takes is nobody's fault: `many` or more within `months` months, the last day
    of which counts.
    """
    found = []
    if this.about == About.ATTITUDE:
        found.append(LATER if any(one.about == About.ATTITUDE for one in before) else FIRST)
    if most_within([one.said_on for one in (*before, this)], this.said_on, months) >= many:
        found.append(OFTEN)
    return found


def most_within(days: Iterable[date], day: date, months: int) -> int:
    """The most of these days that any span of so many months with `day` in it holds. A span begins on one of them: one that
    does not would lose none by beginning later."""
    days = sorted(days)
    spans = ((start, start + relativedelta(months=months)) for start in days)
    return max((sum(start <= one <= end for one in days) for start, end in spans if start <= day <= end), default=0)
