"""The watch over the specialists (4.followup.3): whose records are complete, late or lacking, what was not written up or handed
in, what was missed, and how customers marked them. Counted as far as the reader sees, so that each number leads to its rows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import and_, case, func, select

from crm import clock, lists
from crm.callbacks import marks as called
from crm.callbacks.models import MARKS, Callback
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Duty, Subject, open_now
from crm.duties.queries import Missed
from crm.reports.periods import Period
from crm.tickets import marks
from crm.tickets.marks import Standing
from crm.tickets.models import Ticket
from crm.tickets.needs import gaps_of_each
from crm.visits.models import Visit

WRITE_UP, HAND_IN = "visit.write_up", "visit.hand_in"
LONGEST = 366  # days
MOST = 100  # records whose gaps are listed


@dataclass(frozen=True)
class Span:
    """The days that are looked at: this month, unless an address says otherwise; a year at most."""

    since: date
    until: date

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Self:
        until = lists.day(args, "until") or clock.today()
        since = min(lists.day(args, "since") or until.replace(day=1), until)
        return cls(max(since, date.fromordinal(until.toordinal() - LONGEST)), until)

    @property
    def period(self) -> Period:
        return Period(self.since, self.until)


@dataclass(frozen=True)
class Watched:
    """One of those who are watched over: their counts, averages and addresses, by the key of the column."""

    person: int
    name: str
    counts: Mapping[str, Any]
    at: Mapping[str, str]


def watched(span: Span, people: Iterable[Any], user) -> list[Watched]:
    """Of each person, by name; a handful of statements for however many."""
    found: dict[int, Counter[str]] = {}
    for key, id, count in (*_records(span, user), *_owed(user), *_missed(span, user), *_rated(span, user)):
        found.setdefault(id, Counter())[key] = count
    return [Watched(one.id, one.name, _with_averages(found.get(one.id, Counter())), _addresses(span, one.id)) for one in people]


def _with_averages(counts: Counter[str]) -> dict[str, Any]:
    return {**counts, **{mark: round(counts[mark] / given, 2) if (given := counts[f"{mark} given"]) else None for mark in MARKS}}


def _addresses(span: Span, person: int) -> dict[str, str]:
    ended = {"owner": person, **span.period.named("ended", "ended_until")}
    spoken = {"served": person, **span.period.named("spoken", "spoken_until")}
    return {
        "ended": lists.at("/tickets", **ended), "in_time": lists.at("/tickets", **ended, standing=Standing.IN_TIME),
        "late": lists.at("/tickets", **ended, standing=Standing.LATE),
        "lacking": lists.at("/tickets", owner=person, standing=Standing.LACKING),
        WRITE_UP: lists.at("/visits", owner=person, owes=WRITE_UP), HAND_IN: lists.at("/visits", owner=person, owes=HAND_IN),
        "missed": lists.at("/duties", person=person, **span.period.named()),
        "rated": lists.at("/callbacks/all", **spoken, marked="given"),
        "bad": lists.at("/callbacks/all", **spoken, marked=lists.BAD),
    }  # fmt: skip


def _by_owner(key: str, person: Any, rows: Any) -> Iterable[tuple[str, int, int]]:
    counted = rows.with_only_columns(person, func.count()).where(person.is_not(None)).group_by(person)
    return [(key, id, count) for id, count in db.session.execute(counted)]


def _records(span: Span, user) -> Iterable[tuple[str, int, int]]:
    """Of which the service ended in the span; what is lacking now, whenever it ended."""
    mine = select(Subject.owner_id).select_from(Subject.__table__).join(Ticket.__table__, marks.OWN.id == Subject.id)
    mine = mine.where(Subject.kind == "ticket", Ticket.visible(user))
    ended = mine.where(*span.period.within(marks.OWN.ended_at))
    yield from _by_owner("ended", Subject.owner_id, ended)
    for standing in (Standing.IN_TIME, Standing.LATE):
        yield from _by_owner(standing, Subject.owner_id, ended.where(marks.stands(standing)))
    yield from _by_owner("lacking", Subject.owner_id, mine.where(marks.stands(Standing.LACKING)))


def _owed(user) -> Iterable[tuple[str, int, int]]:
    """Visits that are not written up, and feedback forms that are not handed in."""
    visits = select(Subject.owner_id).where(Subject.kind == "visit", Visit.visible(user))
    for rule in (WRITE_UP, HAND_IN):
        yield from _by_owner(rule, Subject.owner_id, visits.where(duties.owing(rule)))


def _missed(span: Span, user) -> Iterable[tuple[str, int, int]]:
    wanted = duties.missed_ids(user, Missed(since=span.since, until=span.until))
    return _by_owner("missed", Duty.breached_owner_id, wanted)


def _rated(span: Span, user) -> Iterable[tuple[str, int, int]]:
    """How customers marked whoever served them: how often, the sum of each mark and how often it was given, and the bad ones."""
    said = called.SAID
    sums = [total for mark in MARKS for total in (func.sum(said[mark]), func.count(said[mark]))]
    rows = called.with_product(Subject.concerned_id, func.count(), func.sum(case((called.bad(), 1), else_=0)), *sums)
    rows = rows.where(called.MARKED, Callback.visible(user), *span.period.within(said.reached_at)).group_by(Subject.concerned_id)
    keys = ["rated", "bad", *(key for mark in MARKS for key in (mark, f"{mark} given"))]
    for id, *found in db.session.execute(rows):
        yield from ((key, id, int(value or 0)) for key, value in zip(keys, found, strict=True))


@dataclass(frozen=True)
class Lacking:
    """A record that is not complete though its service ended, and what it lacks; `late`: since its deadline."""

    number: str
    title: str
    owner: int | None
    customer: int | None
    due: Any
    fields: list[Any]

    @property
    def overdue(self) -> bool:
        return self.due is not None and self.due < clock.now()


def lacking(user) -> list[Lacking]:
    """The records that lack something now, the longest due first, each with its gaps."""
    owed = Duty.rule == marks.COMPLETE, Duty.subject_id == Ticket.id, open_now()
    rows = select(Ticket, Duty.due_at).outerjoin(Duty, and_(*owed)).where(marks.stands(Standing.LACKING), Ticket.visible(user))
    found = db.session.execute(rows.order_by(Duty.due_at, Ticket.id).limit(MOST)).all()
    gaps = gaps_of_each([one for one, _due in found])
    return [
        Lacking(one.number, one.title, one.owner_id, one.customer_id, due, [gap.field for gap in gaps[one.id]])
        for one, due in found
    ]  # fmt: skip
