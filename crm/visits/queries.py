from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import joinedload

from crm import clock, lists
from crm.db import db
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.models import Duty, Subject, open_now
from crm.errors import NotThere
from crm.visits.models import Kind, State, Visit


def get(number: str, user) -> Visit:
    """A visit as far as `user` may see it."""
    found = db.session.scalar(
        select(Visit).where(Visit.number == number, Visit.visible(user)).options(joinedload(Visit.contact))
    )
    if found is None:
        raise NotThere()
    return found


@dataclass(frozen=True)
class Filter:
    """What the list of visits is narrowed by; empty means all. `returned` and `returned_until` are the days they came back on,
    `owes` is a rule by which something is owed on them."""

    owner: int | None = None
    state: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None
    returned: date | None = None
    returned_until: date | None = None
    owes: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        mine = user.id if args.get("owner") == "me" else None
        return cls(
            owner=mine or lists.key(args, "owner"), state=lists.one_of(args, "state", State),
            kind=lists.one_of(args, "kind", Kind), since=lists.day(args, "since"), until=lists.day(args, "until"),
            returned=lists.day(args, "returned"), returned_until=lists.day(args, "returned_until"),
            owes=lists.one_of(args, "owes", editions.todays().rules),
        )  # fmt: skip

    @property
    def any(self) -> bool:
        return self != Filter()


def ids(user, wanted: Filter) -> Select:
    """The keys of all visits that fit."""
    ids = select(Subject.id).where(Subject.kind == "visit", Visit.visible(user))
    if wanted.owner:
        ids = ids.where(Subject.owner_id == wanted.owner)
    if wanted.state:
        ids = ids.where(Subject.state == wanted.state)
    if wanted.kind:
        ids = ids.where(Subject.category == wanted.kind)
    if wanted.since:
        ids = ids.where(Subject.opened_at >= clock.moment(wanted.since))
    if wanted.until:
        ids = ids.where(Subject.opened_at < clock.moment(wanted.until + timedelta(days=1)))
    if wanted.owes:
        ids = ids.where(duties.owing(wanted.owes))
    if wanted.returned or wanted.returned_until:
        ids = ids.where(Subject.id.in_(_returned(wanted)))
    return ids


def _returned(wanted: Filter) -> Select:
    back = Visit.__table__.c.returned_at
    rows = select(Visit.__table__.c.id).where(back.is_not(None))
    if wanted.returned:
        rows = rows.where(back >= clock.moment(wanted.returned))
    return rows.where(back < clock.end_of(wanted.returned_until)) if wanted.returned_until else rows


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty visits, the newest first."""
    rows, after, count = lists.page_of(ids(user, wanted), _loaded, before=before, size=size)
    names = duties.names(id for row in rows for id in (row.customer_id, row.owner_id))
    return lists.Page(rows, after, count, names)


def _loaded(ids: list[int]) -> list[Row[Any]]:
    table, at = Subject.__table__.c, Visit.__table__.c
    shown = (table.id, table.number, table.title, table.state, table.category, table.customer_id, table.owner_id,
             table.opened_at, at.arrive_at, at.ends_at, at.place)  # fmt: skip
    rows = select(*shown).join(Visit.__table__, at.id == table.id).where(table.id.in_(ids))
    return list(db.session.execute(rows.order_by(table.id.desc())))


def decided_by(visit: Visit) -> datetime:
    """By when the manager owes the decision on a request just filed (5.3.3)."""
    owed = Duty.subject_id == visit.id, Duty.rule == "visit.decide", open_now()
    return db.session.scalar(select(Duty.due_at).where(*owed)) or visit.opened_at


def beside(visit: Visit) -> list[Any]:
    """Other visits of the same person that overlap in time, not over and not called off (the same hour twice)."""
    rows = (
        select(Visit.number, Visit.title, Visit.arrive_at, Visit.ends_at)
        .where(Visit.kind == "visit", Visit.owner_id == visit.owner_id, Visit.id != visit.id)
        .where(Visit.state.in_([State.REQUESTED, State.APPROVED, State.DEPARTED, State.ARRIVED]))
        .where(Visit.arrive_at < visit.ends_at, Visit.ends_at > visit.arrive_at)
    )
    return list(db.session.execute(rows.order_by(Visit.arrive_at).limit(5)))
