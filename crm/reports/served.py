"""The services of some days: the records opened in them, with what happened to each, and the visits that came back. Read in a
few statements however many there are; each sum knows the list it counts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, case, func, or_, select

from crm import clock, lists
from crm.db import db
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.models import Event, Subject
from crm.reports.periods import Period
from crm.tickets import marks
from crm.tickets.marks import Standing
from crm.tickets.models import State, Ticket, TicketEvent
from crm.tickets.moves import OPEN
from crm.visits.models import Kind as VisitKind
from crm.visits.models import Visit

RECORDS, VISITS = "/tickets", "/visits"
SUBJECTS = Subject.__table__
TOLD = {TicketEvent.REOPENED: "reopened", TicketEvent.ASSIGNED: "reassigned", TicketEvent.ESCALATED: "escalated",
        TicketEvent.UNCOVERED: "uncovered"}  # fmt: skip
# what is counted of records: which, and by what their list is narrowed
COUNTED: Mapping[str, tuple[Callable[[Row], bool], Mapping[str, Any]]] = {
    "records": (lambda row: True, {}),
    "complete": (lambda row: row.state == State.COMPLETE, {"state": State.COMPLETE}),
    "in_time": (lambda row: row.judged and row.state == State.COMPLETE and not row.missed, {"standing": Standing.IN_TIME}),
    "late": (lambda row: row.judged and row.state == State.COMPLETE and row.missed, {"standing": Standing.LATE}),
    "lacking": (lambda row: row.judged and row.state == State.ENDED, {"standing": Standing.LACKING}),
    "open": (lambda row: row.state in OPEN, {"state": "open"}),
    "cancelled": (lambda row: row.state == State.CANCELLED, {"state": State.CANCELLED}),
}


@dataclass(frozen=True)
class Served:
    """`told`: what happened to a record, by its id, and how often."""

    period: Period
    person: int | None
    records: Sequence[Row]
    told: Mapping[int, Counter[str]]
    visits: Sequence[Row]

    def to_records(self, **asked: Any) -> str:
        return lists.at(RECORDS, **{**self.period.named(), "owner": self.person, **asked})

    def to_visits(self, **asked: Any) -> str:
        return lists.at(VISITS, **{**self.period.named("returned", "returned_until"), "owner": self.person, **asked})

    def numbers(self) -> dict[str, Any]:
        """Its sums, and where each leads."""
        counts, at = self._sums(self.records), {key: self.to_records(**asked) for key, (_is, asked) in COUNTED.items()}
        declared = editions.todays().declared
        counts["declared"] = sum(row.category in declared for row in self.records)
        at["declared"] = self.to_records(category=marks.DECLARED)
        for key in TOLD.values():
            counts[key], at[key] = sum(bool(told[key]) for told in self.told.values()), self.to_records(**{key: True})
        counts["reopenings"] = sum(told["reopened"] for told in self.told.values())
        counts["reassignments"] = sum(told["reassigned"] for told in self.told.values())
        counts |= {"visits": len(self.visits), "trips": sum(row.category == VisitKind.TRIP for row in self.visits)}
        counts["hours"] = hours(self.records, "started_at", "ended_at")
        counts["away"] = hours(self.visits, "departed_at", "returned_at")
        at |= {"visits": self.to_visits(), "trips": self.to_visits(kind=VisitKind.TRIP), "away": self.to_visits()}
        same = {"hours": "records", "reopenings": "reopened", "reassignments": "reassigned"}  # sums of what these count
        return {"number": counts, "at": at | {key: at[of] for key, of in same.items()}}

    def _sums(self, rows: Iterable[Row]) -> dict[str, Any]:
        return {key: sum(1 for row in rows if counts(row)) for key, (counts, _asked) in COUNTED.items()}

    def by(self, name: str, none: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The records by a column, the most first; `none` narrows the list to those that have nothing there."""
        found: dict[Any, list[Row]] = {}
        for row in self.records:
            found.setdefault(getattr(row, name), []).append(row)
        return [self._line(value, some, {name: value} if value or none is None else none)
                for value, some in sorted(found.items(), key=lambda pair: (-len(pair[1]), str(pair[0])))]  # fmt: skip

    def _line(self, value: Any, rows: Sequence[Row], asked: Mapping[str, Any]) -> dict[str, Any]:
        at = {key: self.to_records(**{**asked, **also}) for key, (_is, also) in COUNTED.items()}
        at["hours"] = at["records"]
        return {"name": value, **self._sums(rows), "hours": hours(rows, "started_at", "ended_at"), "at": at}

    def by_person(self) -> list[dict[str, Any]]:
        """Whose records and visits: by name, nobody's last."""
        lines = {line["name"]: line for line in self.by("owner", {"unowned": True})}
        away: dict[int | None, list[Row]] = {}
        for row in self.visits:
            away.setdefault(row.owner, []).append(row)
        for id in away.keys() - lines.keys():
            lines[id] = self._line(id, (), {"owner": id})
        names = duties.names(lines)
        for id, line in lines.items():
            line |= {"person": id, "name": names[id].title if id in names else "", "visits": len(away.get(id, ()))}
            line["away"] = hours(away.get(id, ()), "departed_at", "returned_at")
            line["at"]["visits"] = line["at"]["away"] = self.to_visits(owner=id) if id else ""
        return sorted(lines.values(), key=lambda line: (not line["name"], line["name"]))


def hours(rows: Iterable[Any], begun: str, ended: str) -> float:
    """How long all of them took together, where both ends are known."""
    spans = ((getattr(row, begun), getattr(row, ended)) for row in rows)
    return round(sum((until - since).total_seconds() for since, until in spans if since and until) / 3600, 1)


def served(period: Period, person: int | None = None) -> Served:
    """What the department, or one of it, served in a period."""
    return Served(period, person, _records(period, person), _told(period, person), _visits(period, person))


def _of(period: Period, person: int | None) -> Iterable[Any]:
    yield Subject.kind == "ticket"
    yield from period.within(Subject.opened_at)
    if person:
        yield Subject.owner_id == person


def _records(period: Period, person: int | None) -> Sequence[Row]:
    own = Ticket.__table__.c
    shown = (
        Subject.id, Subject.owner_id.label("owner"), Subject.category, Subject.priority, Subject.state, own.channel,
        own.started_at, own.ended_at, Subject.edition_id.is_not(None).label("judged"),
        case((marks.missed(), True), else_=False).label("missed"),
    )  # fmt: skip
    rows = select(*shown).select_from(Subject).join(Ticket.__table__, own.id == Subject.id)
    return db.session.execute(rows.where(*_of(period, person))).all()


def _told(period: Period, person: int | None) -> dict[int, Counter[str]]:
    """How often each was taken up again, handed on, handed up; a log that was imported counts its reassignments itself."""
    counted = func.coalesce(func.max(Event.facts["reassigned"].as_integer()), func.count())
    happened = select(Event.subject_id, Event.kind, counted).join(Subject, Subject.id == Event.subject_id)
    which = Event.kind.in_(list(TOLD)), or_(Event.kind != TicketEvent.ASSIGNED, marks.handed())
    happened = happened.where(*_of(period, person), *which)
    found: dict[int, Counter[str]] = {}
    for id, kind, count in db.session.execute(happened.group_by(Event.subject_id, Event.kind)):
        found.setdefault(id, Counter())[TOLD[TicketEvent(kind)]] = count
    return found


def _visits(period: Period, person: int | None) -> Sequence[Row]:
    own = Visit.__table__.c
    rows = select(Subject.id, Subject.owner_id.label("owner"), Subject.category, own.departed_at, own.returned_at)
    rows = rows.select_from(Subject).join(Visit.__table__, own.id == Subject.id)
    rows = rows.where(Subject.kind == "visit", *period.within(own.returned_at))
    return db.session.execute(rows.where(Subject.owner_id == person) if person else rows).all()


def by_month(last: Period, months: int, **columns: tuple[str, Any, str, tuple[str, str]]) -> list[dict[str, Any]]:
    """So many months that end with this one: of each kind of subject how many fall into each, by one of its instants.
    `columns`: key → kind, instant, path of its list, and how that names the days."""
    spans = [last]
    while len(spans) < months:
        spans.insert(0, spans[0].before)
    lines: list[dict[str, Any]] = [{"name": span.title, "at": {}} for span in spans]
    for key, (kind, at, path, named) in columns.items():
        counts = _of_months(kind, at, spans)
        for i, (line, span) in enumerate(zip(lines, spans, strict=True)):
            line[key], line["at"][key] = counts.get(i, 0), lists.at(path, **span.named(*named))
    return lines


def _of_months(kind: str, at: Any, spans: Sequence[Period]) -> dict[int, int]:
    ends = [(at < clock.end_of(span.until), i) for i, span in enumerate(spans)]
    which = case(*ends, else_=len(spans)).label("which")
    rows = select(which, func.count()).select_from(SUBJECTS)
    if at.table is not SUBJECTS:
        rows = rows.join(at.table, at.table.c.id == SUBJECTS.c.id)
    within = *Period(spans[0].since, spans[-1].until).within(at), Subject.kind == kind
    return dict(db.session.execute(rows.where(*within).group_by(which)).all())  # type: ignore[arg-type]
