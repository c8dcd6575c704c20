"""Figures that are only looked at: of any kind and period, as they are now. Nothing of them is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from flask_babel import gettext as _

from crm import clock, lists
from crm.duties import queries as duties
from crm.errors import Forbidden
from crm.permissions import Permission as P
from crm.permissions import Role
from crm.reports.kinds import SORTS, Sort
from crm.reports.models import OF_FOLLOWUP, Kind
from crm.reports.periods import Period
from crm.staff import queries as staff

PAGE = "/reports/running"


def open_to(user) -> list[Kind]:
    """The kinds somebody may look at: all, or what their role receives or writes."""
    if user.may(P.REPORT_RECEIVE):
        return list(Kind)
    own = [Kind.SPECIALIST] if Role.SPECIALIST in user.roles else []
    return [*own, *(kind for kind in OF_FOLLOWUP if user.may(P.REPORT_READ))]


@dataclass(frozen=True)
class Look:
    """What is looked at, and by whom it may be."""

    kind: Kind
    period: Period
    person: int | None = None

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        """As an address names it: the running month or week of the first kind one may see. Forbidden for what one may not."""
        kinds = open_to(user)
        asked = lists.one_of(args, "kind", Kind)
        if not kinds or (asked and asked not in kinds):
            raise Forbidden()
        kind = Kind(asked) if asked else Kind.CALLBACKS if Kind.CALLBACKS in kinds else kinds[0]
        day = min(lists.day(args, "day") or lists.month(args, "month") or clock.today(), clock.today())
        return cls(kind, SORTS[kind].period(day), cls._whose(kind, args, user))

    @staticmethod
    def _whose(kind: Kind, args: Mapping[str, str], user) -> int | None:
        if not SORTS[kind].personal:
            return None
        people = [one.id for one in staff.choices((Role.SPECIALIST,))]
        asked = lists.key(args, "person") if user.may(P.REPORT_RECEIVE) else user.id
        return asked if asked in people else user.id if user.id in people else next(iter(people), user.id)

    @property
    def sort(self) -> Sort:
        return SORTS[self.kind]

    @property
    def whose(self) -> str:
        """The name of whose it is."""
        found = duties.names([self.person])
        return found[self.person].title if self.person in found else ""

    @property
    def called(self) -> str:
        return f"{_(self.kind.label)} {self.period.title} {self.whose}".strip()

    @property
    def before(self) -> Self:
        return replace(self, period=self.period.before)

    @property
    def after(self) -> Self | None:
        """None of what has not begun."""
        after = self.period.after
        return replace(self, period=after) if after.since <= clock.today() else None

    def figures(self) -> dict[str, Any]:
        return self.sort.figures(self.period, self.person)

    def at(self, path: str = PAGE) -> str:
        return lists.at(path, kind=self.kind, day=self.period.until, person=self.person)

    def to(self, kind: Kind) -> str:
        """The same days, of another kind."""
        return lists.at(PAGE, kind=kind, day=min(self.period.until, clock.today()))
