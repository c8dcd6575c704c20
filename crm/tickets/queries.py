from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

from sqlalchemy import FromClause, Row, Select, and_, bindparam, func, select
from sqlalchemy.orm import aliased, joinedload

from crm import clock, finding, lists, search
from crm.customers import queries as customers
from crm.db import db
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.models import Duty, Event, Subject, open_now
from crm.duties.pressing import Deadline
from crm.errors import NotThere
from crm.labels import Priority
from crm.permissions import by_reader
from crm.tickets import marks
from crm.tickets.marks import DECLARED, HAPPENED, NONE
from crm.tickets.models import BulkRun, Channel, State, Ticket, TicketEvent
from crm.tickets.moves import OPEN

_BY_NUMBER = select(Ticket).where(Ticket.number == bindparam("number")).options(joinedload(Ticket.contact))


@by_reader
def _seen_by_number(user) -> Select:
    return _BY_NUMBER.where(Ticket.visible(user))


def get(number: str, user) -> Ticket:
    """A record as far as `user` may see it."""
    found = db.session.scalar(_seen_by_number(user), {"number": number})
    if found is None:
        raise NotThere()
    return found


@dataclass(frozen=True)
class Filter:
    """What the list of records is narrowed by; empty means all. `state` may be `open`: not yet ended; `category` may be
    `declared`; `ended` and `ended_until` are the days the service ended on, `owes` is a rule by which something is owed on it."""

    owner: int | None = None
    state: str = ""
    category: str = ""
    customer: str = ""
    since: date | None = None
    until: date | None = None
    overdue: bool = False
    q: str = ""
    channel: str = ""
    priority: str = ""
    standing: str = ""
    ended: date | None = None
    ended_until: date | None = None
    owes: str = ""
    reopened: bool = False
    reassigned: bool = False
    escalated: bool = False
    uncovered: bool = False
    unowned: bool = False

    @classmethod
    def of(cls, args, user) -> Self:
        owner = user.id if args.get("owner") == "me" else lists.key(args, "owner")
        rules = editions.todays().rules
        return cls(
            owner, lists.one_of(args, "state", ["open", *State]), args.get("category", "")[:100],
            lists.words(args, "customer"), lists.day(args, "since"), lists.day(args, "until"),
            args.get("overdue") == "1", lists.words(args), lists.one_of(args, "channel", [*Channel, NONE]),
            lists.one_of(args, "priority", Priority), lists.one_of(args, "standing", marks.Standing),
            lists.day(args, "ended"), lists.day(args, "ended_until"), lists.one_of(args, "owes", rules),
            *(args.get(name) == "1" for name in HAPPENED), args.get("unowned") == "1",
        )  # fmt: skip

    @property
    def any(self) -> bool:
        return self != Filter()

    @property
    def further(self) -> bool:
        """Whether it is narrowed by what few ask for."""
        return any(getattr(self, name) for name in FURTHER)

    def narrow(self, rows: Select, user) -> Select:
        if self.owner:
            rows = rows.where(Subject.owner_id == self.owner)
        if self.unowned:
            rows = rows.where(Subject.owner_id.is_(None))
        if self.state:
            rows = rows.where(Subject.state.in_(sorted(OPEN)) if self.state == "open" else Subject.state == self.state)
        if self.category:
            declared = Subject.category.in_(editions.todays().declared)
            rows = rows.where(declared if self.category == DECLARED else Subject.category == self.category)
        if self.priority:
            rows = rows.where(Subject.priority == self.priority)
        if self.customer:
            rows = rows.where(customers.of_meant(self.customer, user))
        if self.since:
            rows = rows.where(Subject.opened_at >= clock.moment(self.since))
        if self.until:
            rows = rows.where(Subject.opened_at < clock.moment(self.until + timedelta(days=1)))
        if self.overdue:
            late = select(Duty.subject_id).where(open_now(), Duty.due_at < clock.now(), Duty.held_by_id.is_(None))
            rows = rows.where(Subject.id.in_(select(finding.apart(late, None).c.subject_id)))  # few, and found first
        if self.owes:
            rows = rows.where(duties.owing(self.owes))
        rows = rows.where(*(HAPPENED[name]() for name in HAPPENED if getattr(self, name)))
        return self._of_its_own(rows)

    def _of_its_own(self, rows: Select) -> Select:
        """What does not stand on `subjects`."""
        wanted = [marks.OWN.channel == ("" if self.channel == NONE else self.channel)] if self.channel else []
        if self.ended:
            wanted.append(marks.OWN.ended_at >= clock.moment(self.ended))
        if self.ended_until:
            wanted.append(marks.OWN.ended_at < clock.end_of(self.ended_until))
        if self.standing:
            rows = rows.where(marks.stands(self.standing))
        return rows.where(Subject.id.in_(select(marks.OWN.id).where(*wanted))) if wanted else rows


FURTHER = (*HAPPENED, "channel", "priority", "standing", "ended", "ended_until", "owes", "unowned")
SHOWN = (Subject.id, Subject.number, Subject.title, Subject.state, Subject.category, Subject.priority,
         Subject.customer_id, Subject.owner_id, Subject.opened_at)  # fmt: skip
POINTS = ("customer_id", "owner_id")


def _every(user, wanted: Filter) -> Select:
    return wanted.narrow(select(*SHOWN).where(Subject.kind == "ticket", Ticket.visible(user)), user)


def ids(user, wanted: Filter) -> Select:
    """The keys of all records that fit, whatever words were asked for."""
    return _every(user, wanted).with_only_columns(Subject.id)


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty records, the newest first, from `subjects` alone; no child row is touched."""
    every = _every(user, wanted)
    found, least = _speaking(every, wanted.q, before, size) if wanted.q else (_page(every, before, size), False)
    rows, after = lists.cut(found, lambda row: row.id, size)
    count = rows[0].every if rows else 0
    names = duties.names(getattr(row, key) for row in rows for key in POINTS)
    return lists.Page(rows, after, count, names, {"due": next_due([row.id for row in rows])}, least, POINTS)


def _page(every: Select, before: int | None, size: int) -> Sequence[Row]:
    """A page of rows and one more, each with how many there are, up to 1,001."""
    known = every.with_only_columns(Subject.id).limit(lists.COUNTED + 1).subquery()
    count = select(func.count()).select_from(known).scalar_subquery().label("every")
    page = every.add_columns(count)
    if before:
        page = page.where(Subject.id < before)
    return db.session.execute(page.order_by(Subject.id.desc()).limit(size + 1)).all()


def _speaking(every: Select, words: str, before: int | None, size: int) -> tuple[Sequence[Row], bool]:
    """The page of those that hold the words, and whether there may be more of them than were counted."""

    def ask(found: FromClause) -> Sequence[Row]:
        held = every.join(found, found.c.subject_id == Subject.id)
        known = held.with_only_columns(found.c.id).limit(lists.COUNTED + 1).subquery()
        count = select(func.count()).select_from(known).scalar_subquery().label("every")
        return db.session.execute(held.add_columns(count).order_by(found.c.id.desc()).limit(size + 1)).all()

    return finding.newest(words, ask, size=size, before=search.row_id(before) if before else None, kind="ticket")


_DUE = (
    select(Duty.subject_id, Duty.due_at, Duty.warn_at, Duty.breached_by_id, Duty.held_by_id)
    .join(Subject, and_(Subject.id == Duty.subject_id, Subject.owner_id == Duty.owner_id))
    .where(Duty.subject_id.in_(bindparam("ids", expanding=True)), open_now())
    .order_by(Duty.due_at.desc(), Duty.id.desc())
)


def next_due(ids: list[int]) -> dict[int, Deadline]:
    """For each record whose owner owes anything on it: what is owed first."""
    return {id: Deadline(*rest) for id, *rest in db.session.execute(_DUE, {"ids": ids})}


_LINKED = (
    select(Subject.id, Subject.number, Subject.title, Subject.state)
    .where(Subject.kind == "ticket", Subject.customer_id == bindparam("customer"), Subject.id != bindparam("but"),
           Subject.state.in_([*sorted(OPEN), State.ENDED]))
    .order_by(Subject.id.desc()).limit(5)
)  # fmt: skip


@by_reader
def _seen_linked(user) -> Select:
    return _LINKED.where(Ticket.visible(user))


def linked(ticket: Ticket, user) -> list[Any]:
    """Other records of the same customer that are not over."""
    return list(db.session.execute(_seen_linked(user), {"customer": ticket.customer_id, "but": ticket.id}))


def others(ticket: Ticket, user) -> list[Any]:
    """The customer's other records that this one may be a duplicate of, the newest first."""
    rows = select(Subject.id, Subject.number, Subject.title, Subject.state, Subject.opened_at).where(
        Subject.kind == "ticket", Subject.customer_id == ticket.customer_id, Subject.id != ticket.id,
        Subject.state != State.CANCELLED, Ticket.visible(user),
    )  # fmt: skip
    return list(db.session.execute(rows.order_by(Subject.id.desc()).limit(20)))


def twins(ticket: Ticket, user, events: Sequence[Event]) -> list[Any]:
    """The record this one is a duplicate of, and those that are its duplicates; only whose events tell of any is asked."""
    told = len(events) >= duties.LONGEST or any(event.kind == TicketEvent.DUPLICATE for event in events)
    if not ticket.duplicate_of_id and not told:
        return []
    table = Ticket.__table__.c
    ids = list(db.session.scalars(select(table.id).where(table.duplicate_of_id == ticket.id).limit(20)))
    ids += [ticket.duplicate_of_id] if ticket.duplicate_of_id else []
    if not ids:
        return []
    rows = select(Subject.id, Subject.number, Subject.title, Subject.state).where(
        Subject.kind == "ticket", Subject.id.in_(ids), Ticket.visible(user)
    )
    return list(db.session.execute(rows.order_by(Subject.id)))


def picked(numbers: Iterable[str], user) -> dict[str, Row]:
    """Of each record the person may see, by its number, what it is about and whose."""
    unit = aliased(Subject)
    rows = select(Subject.number, Subject.title, unit.title.label("customer")).outerjoin(unit, unit.id == Subject.customer_id)
    seen = rows.where(Subject.kind == "ticket", Subject.number.in_(numbers), Ticket.visible(user))
    return {row.number: row for row in db.session.execute(seen)}


def bulk_run(run_id: int, user) -> BulkRun:
    """One's own; another's is not there."""
    run = db.session.get(BulkRun, run_id)
    if run is None or run.owner_id != user.id:
        raise NotThere()
    return run
