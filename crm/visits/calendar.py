"""Visits by day: a week or a month of them, those of one person that overlap, and which days are off."""

import calendar as weeks
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Self

from sqlalchemy import Row, select

from crm import clock, lists, workdays
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.visits.models import State, Visit

OFF = (State.REJECTED, State.CANCELLED)  # these do not take place
COMING = (State.REQUESTED, State.APPROVED, State.DEPARTED, State.ARRIVED)  # those that may still be in another's way
MOST = 1000  # on one page


class View(Labelled):
    WEEK = "week", N_("Week")
    MONTH = "month", N_("Month")


@dataclass(frozen=True)
class Wanted:
    """What a calendar's address asks for; `day` is any day of it."""

    view: str
    day: date
    owner: int | None = None

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        mine = user.id if args.get("owner") == "me" else None
        view = lists.one_of(args, "view", View) or View.WEEK
        return cls(view, lists.day(args, "day") or clock.today(), mine or lists.key(args, "owner"))

    @property
    def first(self) -> date:
        """The Monday it begins with."""
        day = self.day.replace(day=1) if self.view == View.MONTH else self.day
        return day - timedelta(days=day.weekday())

    @property
    def days(self) -> list[date]:
        count = 7
        if self.view == View.MONTH:
            last = self.day.replace(day=weeks.monthrange(self.day.year, self.day.month)[1])
            count = (last - self.first).days // 7 * 7 + 7
        return [self.first + timedelta(days=one) for one in range(count)]

    @property
    def before(self) -> date:
        return (self.day.replace(day=1) if self.view == View.MONTH else self.first) - timedelta(days=1)

    @property
    def after(self) -> date:
        if self.view == View.MONTH:
            return (self.day.replace(day=28) + timedelta(days=4)).replace(day=1)
        return self.first + timedelta(days=7)


@dataclass(frozen=True)
class Entry:
    """A visit on one of its days."""

    visit: Any
    begins: bool  # on this day; else it goes on from the day before
    ends: bool
    clash: bool  # the same person is somewhere else at the same time


@dataclass(frozen=True)
class Day:
    day: date
    works: bool
    inside: bool  # of the month that is shown
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class Shown:
    days: list[Day]
    names: Mapping[int | None, Any]
    cut: bool  # there are more than one page holds


def shown(user, wanted: Wanted) -> Shown:
    """The days of a calendar with their visits, the earliest first."""
    days = wanted.days
    since, until = clock.moment(days[0]), clock.moment(days[-1] + timedelta(days=1))
    found = between(user, since, until, wanted.owner)
    clashing, calendar = clashes([one for one in found if one.state in COMING]), workdays.calendar()
    board = {
        one: Day(one, calendar.works(one), wanted.view == View.WEEK or one.month == wanted.day.month) for one in days
    }
    for visit in found:
        begins, ends = clock.local(visit.arrive_at).date(), clock.local(visit.ends_at - timedelta(microseconds=1)).date()
        for one in days:
            if begins <= one <= ends:
                board[one].entries.append(Entry(visit, one == begins, one == ends, visit.id in clashing))
    names = duties.names(id for row in found for id in (row.customer_id, row.owner_id))
    return Shown(list(board.values()), names, len(found) == MOST)


def between(user, since: datetime, until: datetime, owner: int | None = None) -> Sequence[Row[Any]]:
    """Visits that take place in a span of time, as they were agreed; in the order of their beginning."""
    at = Visit.__table__.c
    rows = (
        select(Visit.id, Visit.number, Visit.title, Visit.state, Visit.category, Visit.version, Visit.customer_id,
               Visit.owner_id, at.arrive_at, at.ends_at, at.place)
        .where(Visit.visible(user), Visit.kind == "visit", Visit.state.not_in(OFF))
        .where(at.ends_at > since, at.arrive_at < until)
    )  # fmt: skip
    if owner:
        rows = rows.where(Subject.owner_id == owner)
    return db.session.execute(rows.order_by(at.arrive_at, at.id).limit(MOST)).all()


def clashes(visits: Sequence[Any]) -> set[int]:
    """Those during which the same person has another; `visits` in the order of their beginning."""
    found: set[int] = set()
    latest: dict[int | None, Any] = {}  # of each person, the one that ends last so far
    for one in visits:
        last = latest.get(one.owner_id)
        if last is not None and one.arrive_at < last.ends_at:
            found |= {one.id, last.id}
        if last is None or one.ends_at > last.ends_at:
            latest[one.owner_id] = one
    return found
