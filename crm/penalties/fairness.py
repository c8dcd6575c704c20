"""Fairness in figures: how each clause that costs something has fared. One that is mostly waived or struck is pointed out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from dateutil.relativedelta import relativedelta
from sqlalchemy import ColumnElement, and_, case, func, literal, select

from crm import clock, lists
from crm.db import db
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.models import Duty
from crm.duties.owed import ANY, Fared, fared, was_due
from crm.penalties.models import OVER, STANDING, Penalty, State

FEW = 3  # decided penalties, fewer of which say nothing
MONTHS = 6


@dataclass(frozen=True)
class Scope:
    """From a month's first day to another's last."""

    since: date
    until: date

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Self:
        this = clock.today().replace(day=1)
        until = lists.month(args, "until") or this
        return cls(min(lists.month(args, "since") or until - relativedelta(months=MONTHS - 1), until), until)

    def asked(self, key: str, state: str = "") -> str:
        """The list behind a number."""
        return lists.at("/penalties", key=key, state=state, since=f"{self.since:%Y-%m}", until=f"{self.until:%Y-%m}")

    def due(self, key: str, fared: str = "") -> str:
        """The list behind a number of duties."""
        return lists.at("/duties/owed", fine=key, fared=fared, since=self.since, until=self.last)

    @property
    def last(self) -> date:
        return self.until + relativedelta(months=1, days=-1)

    def within(self, at: Any) -> Iterator[ColumnElement[bool]]:
        return duties.fell_due(self.since, self.last, at)


@dataclass(frozen=True)
class Line:
    """One penalty of the rulebook. Of what was owed under it, duties; of what came of that, penalties."""

    key: str
    clause: str = ""
    owed: int = 0
    warned: int = 0  # of those missed: there was a warning before
    kept: int = 0
    kept_late: int = 0
    missed: int = 0
    proposed: int = 0
    pending: int = 0
    standing: int = 0
    waived: int = 0
    struck: int = 0  # on appeal; reduced ones among `standing`
    voided: int = 0
    fen: int = 0

    @property
    def decided(self) -> int:
        return self.standing + self.waived + self.struck

    @property
    def unfair(self) -> bool:
        """Mostly waived or struck: the rule may be wrong rather than the people."""
        return self.decided >= FEW and 2 * (self.waived + self.struck) > self.decided


FARED = {Fared.KEPT: "kept", Fared.LATE: "kept_late", Fared.MISSED: "missed"}


def _count(where: ColumnElement[bool], name: str) -> Any:
    return func.coalesce(func.sum(case((where, 1), else_=0)), 0).label(name)


def lines(scope: Scope) -> list[Line]:
    """A line for each penalty under which something was owed or proposed, in the rulebook's order; two statements."""
    warned = and_(Duty.breached_by_id.is_not(None), Duty.warn_at < Duty.due_at)
    due = (
        select(Duty.fine_clause.label("key"), func.count().label("owed"), _count(warned, "warned"),
               *(_count(fared(how), name) for how, name in FARED.items()))
        .where(*was_due(scope.since, scope.last, ANY)).group_by(Duty.fine_clause)
    )  # fmt: skip
    found: dict[str, dict[str, int]] = {row.key: dict(row._mapping) for row in db.session.execute(due)}
    for row in db.session.execute(_fared(scope)):
        found.setdefault(row.key, {"key": row.key}).update(row._mapping)
    book = editions.todays().penalties
    order = {key: at for at, key in enumerate(book)}
    made = [Line(**one, clause=book[key].clause if key in book else "") for key, one in found.items()]
    return sorted(made, key=lambda one: (order.get(one.key, len(order)), one.key))


def _fared(scope: Scope) -> Any:
    state = Penalty.state
    costs = case((state.in_(STANDING), func.coalesce(Penalty.reduced_fen, Penalty.fen, literal(0))), else_=0)
    over = (*STANDING, *OVER)
    return (
        select(Penalty.category.label("key"), func.count().label("proposed"), _count(state.not_in(over), "pending"),
               _count(state.in_(STANDING), "standing"), _count(state == State.WAIVED, "waived"),
               _count(state == State.STRUCK, "struck"), _count(state == State.VOIDED, "voided"), func.sum(costs).label("fen"))
        .where(*scope.within(Penalty.happened_at)).group_by(Penalty.category)
    )  # fmt: skip


def unfair() -> list[Line]:
    """The clauses to be pointed out now, over the last months."""
    return [one for one in lines(Scope.of({})) if one.unfair]
