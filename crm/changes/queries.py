from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import Row, Select, false, func, or_, select
from sqlalchemy.orm import selectinload

from crm import clock, lists
from crm.changes import marks
from crm.changes.models import FORM, OVER, ChangeEvent, ChangeRequest, Kind, State
from crm.customers import queries as customers
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Event, Subject
from crm.errors import NotThere
from crm.files.models import File
from crm.permissions import Permission
from crm.serials import queries as serials
from crm.serials.models import Installation
from crm.tickets.models import State as RecordState


def get(number: str, user) -> ChangeRequest:
    """A change request as far as `user` may see it."""
    wanted = select(ChangeRequest).where(ChangeRequest.number == number, ChangeRequest.visible(user))
    found = db.session.scalar(wanted.options(selectinload(ChangeRequest.promises)))
    if found is None:
        raise NotThere()
    return found


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed by; empty means all. `closed` and `closed_until` are days, `marked`: closed with a mark, or
    with a bad one."""

    owner: int | None = None
    state: str = ""
    kind: str = ""
    until: date | None = None  # promised until this day, and not over
    developer: int | None = None
    closed: date | None = None
    closed_until: date | None = None
    product: str = ""
    marked: str = ""
    customer: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        def who(name: str) -> int | None:
            return user.id if args.get(name) == "me" else lists.key(args, name)

        return cls(
            who("owner"), lists.one_of(args, "state", ["going", *State]), lists.one_of(args, "kind", Kind),
            lists.day(args, "until"), who("developer"), lists.day(args, "closed"), lists.day(args, "closed_until"),
            serials.product_asked(args), lists.one_of(args, "marked", lists.MARKED), lists.words(args, "customer"),
        )  # fmt: skip

    @property
    def any(self) -> bool:
        return self != Filter()


def ids(user, wanted: Filter) -> Select:
    """The keys of all change requests that fit."""
    ids = select(Subject.id).where(Subject.kind == "change", ChangeRequest.visible(user))
    named = (
        (wanted.owner, Subject.owner_id), (wanted.developer, Subject.concerned_id), (wanted.kind, Subject.category),
        (wanted.state if wanted.state != "going" else "", Subject.state),
    )  # fmt: skip
    for value, column in named:
        if value:
            ids = ids.where(column == value)
    if wanted.state == "going" or wanted.until:
        ids = ids.where(Subject.state.not_in(sorted(OVER)))
    if wanted.until:
        own = ChangeRequest.__table__.c
        ids = ids.where(Subject.id.in_(select(own.id).where(own.expected_on <= wanted.until)))
    if wanted.closed or wanted.closed_until or wanted.marked:
        ids = ids.where(Subject.id.in_(_closed(wanted)))
    if wanted.customer:
        ids = ids.where(customers.of_meant(wanted.customer, user))
    if wanted.product:
        ids = ids.where(Subject.id.in_(_about(wanted.product)))
    return ids


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty change requests, the newest first."""
    rows, after, count = lists.page_of(ids(user, wanted), _loaded, before=before, size=size)
    people = (id for row in rows for id in (row.customer_id, row.owner_id, row.concerned_id))
    return lists.Page(rows, after, count, duties.names(people))


def _closed(wanted: Filter) -> Select:
    """Which were closed in those days, by the customer's mark."""
    rows = marks.closed(marks.SAID.id)
    if wanted.closed:
        rows = rows.where(marks.SAID.closed_at >= clock.moment(wanted.closed))
    if wanted.closed_until:
        rows = rows.where(marks.SAID.closed_at < clock.end_of(wanted.closed_until))
    if wanted.marked:
        rows = rows.where(marks.bad() if wanted.marked == lists.BAD else marks.MARKED)
    return rows


def _about(product: str) -> Select:
    rows = select(_OWN.id).outerjoin(Installation.__table__, Installation.__table__.c.id == _OWN.installation_id)
    return rows.where(serials.of_product(product))


_OWN = ChangeRequest.__table__.c
_SHOWN = (
    Subject.id, Subject.number, Subject.title, Subject.state, Subject.category, Subject.customer_id, Subject.owner_id,
    Subject.concerned_id, Subject.opened_at, _OWN.expected_on, _OWN.updated_on, _OWN.tests, _OWN.mark,
)  # fmt: skip


def _loaded(ids: list[int]) -> list[Row[Any]]:
    rows = select(*_SHOWN).join(ChangeRequest.__table__, _OWN.id == Subject.id).where(Subject.id.in_(ids))
    return list(db.session.execute(rows.order_by(Subject.id.desc())))


def going(user, *, mine: bool = False) -> list[Row[Any]]:
    """What is under way, for the board: by the date that is promised, what has none yet first. `mine`: what one reported or
    builds, and what waits for somebody to build it, for those who do."""
    rows = select(*_SHOWN).join(ChangeRequest.__table__, _OWN.id == Subject.id)
    rows = rows.where(Subject.kind == "change", Subject.state.not_in(sorted(OVER)), ChangeRequest.visible(user))
    if mine:
        waits = (Subject.state == State.APPROVED) if user.may(Permission.CHANGE_BUILD) else false()
        rows = rows.where(or_(Subject.owner_id == user.id, Subject.concerned_id == user.id, waits))
    return list(db.session.execute(rows.order_by(_OWN.expected_on.is_not(None), _OWN.expected_on, Subject.id).limit(duties.MOST)))


def steps(change: ChangeRequest) -> list[Event]:
    """The events by which it went from state to state."""
    rows = select(Event).where(Event.subject_id == change.id, Event.kind.in_(ENTERS)).order_by(Event.id)
    return list(db.session.scalars(rows))


def form_of(change: ChangeRequest) -> File | None:
    """The latest scan of the customer's stamped form."""
    scan = File.subject_id == change.id, File.purpose == FORM, File.removed_at.is_(None)
    return db.session.scalar(select(File).where(*scan).order_by(File.id.desc()).limit(1))


def builders(change: ChangeRequest) -> set[int | None]:
    """Whoever builds it or ever delivered it."""
    rows = select(Event.actor_id).where(Event.subject_id == change.id, Event.kind == ChangeEvent.DELIVERED).distinct()
    return {change.concerned_id, *db.session.scalars(rows)} - {None}


def passed_on(change: ChangeRequest) -> date | None:
    rows = select(func.max(Event.at)).where(Event.subject_id == change.id, Event.kind == ChangeEvent.PASSED)
    at = db.session.scalar(rows)
    return clock.local(at).date() if at else None


def completes(change: ChangeRequest) -> bool:
    """Whether the record it came of is complete, and has no other request."""
    record = db.session.get(Subject, change.origin_id) if change.origin_id else None
    if record is None or record.kind != "ticket" or record.state != RecordState.COMPLETE:
        return False
    others = Subject.origin_id == record.id, Subject.kind == "change", Subject.state != State.WITHDRAWN, Subject.id != change.id
    return db.session.scalar(select(Subject.id).where(*others, Subject.category == record.category).limit(1)) is None


_BY = ChangeEvent
ENTERS: dict[str, State] = {  # by which event each state is entered
    _BY.OPENED: State.DRAFT, _BY.REWORKED: State.DRAFT, _BY.VOIDED: State.DRAFT, _BY.SUBMITTED: State.SUBMITTED,
    _BY.APPROVED: State.APPROVED, _BY.REJECTED: State.REJECTED, _BY.TAKEN: State.BUILDING, _BY.FAILED: State.BUILDING,
    _BY.DELIVERED: State.TESTING, _BY.PASSED: State.PASSED, _BY.UPDATED: State.UPDATED, _BY.CLOSED: State.CLOSED,
    _BY.WITHDRAWN: State.WITHDRAWN,
}  # fmt: skip
