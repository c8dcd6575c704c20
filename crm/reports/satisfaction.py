"""How customers marked services and changes (4.director.4): by month, specialist and product. Added up by the database."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import dropwhile
from typing import Any, Self
from urllib.parse import urlencode

from dateutil.relativedelta import relativedelta
from sqlalchemy import ColumnElement, Select, case, func, literal, select

from crm import clock, lists
from crm.callbacks import marks as called
from crm.callbacks.models import MARKS, Callback
from crm.changes import marks as changed
from crm.changes.models import ChangeRequest
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.permissions import Permission
from crm.serials import queries as serials
from crm.serials.models import Installation

SPAN, LONGEST = 12, 36  # months
PAGE = "/reports/satisfaction"
CHANGE = "change"  # the mark of a change request, beside the three of a callback
PRODUCT = Installation.__table__.c.product_id


@dataclass(frozen=True)
class Scope:
    """What is looked at: whole months, by their first days; one specialist's, one product's."""

    since: date
    until: date
    specialist: int | None = None
    product: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        """As an address names it: the last twelve months if it says nothing, three years at most. Who reads no reports sees
        their own marks."""
        now = clock.today().replace(day=1)
        until = min(lists.month(args, "until") or now, now)
        since = min(lists.month(args, "since") or back(until, SPAN), until)
        person = lists.key(args, "specialist") if user.may(Permission.REPORT_READ) else user.id
        return cls(max(since, back(until, LONGEST)), until, person, serials.product_asked(args))

    @property
    def months(self) -> list[date]:
        count = (self.until.year - self.since.year) * 12 + self.until.month - self.since.month + 1
        return [self.since + relativedelta(months=i) for i in range(count)]

    @property
    def title(self) -> str:
        return f"{self.since:%Y-%m} – {self.until:%Y-%m}" if self.since < self.until else f"{self.since:%Y-%m}"

    @property
    def _last(self) -> date:
        return self.until + relativedelta(months=1) - timedelta(days=1)

    def at(self, path: str = PAGE) -> str:
        """Where it is looked at."""
        return _address(path, since=f"{self.since:%Y-%m}", until=f"{self.until:%Y-%m}", specialist=self.specialist,
                        product=self.product)  # fmt: skip

    def callbacks(self, marked: str = "given") -> str:
        """Where the callbacks stand that it adds up."""
        return _address("/callbacks/all", served=self.specialist, product=self.product, marked=marked, spoken=self.since,
                        spoken_until=self._last)  # fmt: skip

    def changes(self, marked: str = "given") -> str:
        return _address("/changes", owner=self.specialist, product=self.product, marked=marked, closed=self.since,
                        closed_until=self._last)  # fmt: skip

    def within(self, at: ColumnElement, person: ColumnElement) -> Iterable[ColumnElement[bool]]:
        yield at >= clock.moment(self.since)
        yield at < clock.end_of(self._last)
        if self.specialist:
            yield person == self.specialist
        if self.product:
            yield serials.of_product(self.product)


def back(month: date, count: int) -> date:
    """The first of so many months that end with this one."""
    return month - relativedelta(months=count - 1)


def _address(path: str, **asked: Any) -> str:
    return f"{path}?{urlencode({key: value for key, value in asked.items() if value})}"


@dataclass(frozen=True)
class Line:
    """How a month, a person or a product was marked; `line["skill"]` is the average of a mark in hundredths, or none.
    `scope`: what to narrow to, to see it alone."""

    name: str
    scope: Scope | None
    counts: Counter[str]

    def __getitem__(self, mark: str) -> float | None:
        count = self.counts[f"{mark} given"]
        return round(self.counts[mark] / count, 2) if count else None

    def given(self, mark: str) -> int:
        """How often that mark was given."""
        return self.counts[f"{mark} given"]

    @property
    def key(self) -> str:
        return str(self.scope.specialist or self.scope.product or "") if self.scope else ""


@dataclass(frozen=True)
class Figures:
    """The months begin with the first that has a mark."""

    scope: Scope
    whole: Line
    months: list[Line]
    specialists: list[Line]
    products: list[Line]

    @property
    def any(self) -> bool:
        return bool(self.whole.counts["callbacks"] or self.whole.counts["changes"])


@dataclass(frozen=True)
class Part:
    """What was given in one month to one person on one product."""

    month: int
    person: int | None
    product: int | None
    counts: Counter[str]


def figures(scope: Scope, user) -> Figures:
    parts = [*_added_up(_callbacks(scope, user), "callbacks", MARKS), *_added_up(_changes(scope, user), "changes", (CHANGE,))]
    people = {id: name.title for id, name in duties.names(part.person for part in parts).items()}
    products = serials.product_titles(part.product for part in parts)
    by_month = _sums(parts, lambda part: part.month)
    months = [Line(f"{month:%Y-%m}", replace(scope, since=month, until=month), by_month.get(i, Counter()))
              for i, month in enumerate(scope.months)]  # fmt: skip
    return Figures(
        scope, Line(scope.title, scope, sum((part.counts for part in parts), Counter())),
        list(dropwhile(lambda line: not line.counts, months)),
        _named(_sums(parts, lambda part: part.person), people, lambda id: replace(scope, specialist=id) if id else None),
        _named(_sums(parts, lambda part: part.product), products,
               lambda id: replace(scope, product=str(id or serials.UNNAMED))),
    )  # fmt: skip


def _callbacks(scope: Scope, user) -> Select:
    """Each callback that was marked, in the month the customer was spoken with; its marks are those of who served."""
    said, person = called.SAID, Subject.concerned_id
    rows = called.with_product(*_about(scope, said.reached_at, person, called.bad()), *(said[mark] for mark in MARKS))
    return rows.where(called.MARKED, Callback.visible(user), *scope.within(said.reached_at, person))


def _changes(scope: Scope, user) -> Select:
    """Each change request that was marked, in the month it was closed; its mark is that of who reported it."""
    said, person = changed.SAID, Subject.owner_id
    rows = changed.closed(*_about(scope, said.closed_at, person, changed.bad()), said.mark.label(CHANGE))
    return rows.where(changed.MARKED, ChangeRequest.visible(user), *scope.within(said.closed_at, person))


def _about(scope: Scope, at: ColumnElement, person: ColumnElement, bad: ColumnElement[bool]) -> Iterable[ColumnElement]:
    """Which month it is by the business zone's clock, whose, of which product, and whether it is a bad one."""
    ends = [(at < clock.moment(month), i) for i, month in enumerate(scope.months[1:])]
    yield (case(*ends, else_=len(ends)) if ends else literal(0)).label("month")
    yield person.label("person")
    yield PRODUCT.label("product")
    yield case((bad, 1), else_=0).label("bad")


def _added_up(rows: Select, what: str, marks: Sequence[str]) -> Iterable[Part]:
    """One row for each month, person and product, however many there are of each."""
    said = rows.subquery().c
    by = said.month, said.person, said.product
    sums = [total for mark in marks for total in (func.sum(said[mark]), func.count(said[mark]))]
    names = [what, f"{what} bad", *(name for mark in marks for name in (mark, f"{mark} given"))]
    for month, person, product, *found in db.session.execute(select(*by, func.count(), func.sum(said.bad), *sums).group_by(*by)):
        yield Part(month, person, product, Counter({name: int(count or 0) for name, count in zip(names, found, strict=True)}))


def _sums(parts: Iterable[Part], of: Callable[[Part], Any]) -> dict[Any, Counter[str]]:
    found: dict[Any, Counter[str]] = {}
    for part in parts:
        found.setdefault(of(part), Counter()).update(part.counts)
    return found


def _named(sums: Mapping[int | None, Counter[str]], names: Mapping[Any, str], narrowed: Callable[[Any], Any]) -> list[Line]:
    """By name; without one last."""
    lines = [Line(names.get(id, ""), narrowed(id), counts) for id, counts in sums.items()]
    return sorted(lines, key=lambda line: (not line.name, line.name))
