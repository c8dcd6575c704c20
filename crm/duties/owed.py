"""All that was due, and how it fared: kept in time, kept late, not kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import joinedload

from crm import clock, lists
from crm.db import db
from crm.duties import queries
from crm.duties.models import Duty
from crm.labels import N_, Labelled
from crm.permissions import Permission

ANY = "any"  # clause that costs something


class Fared(Labelled):
    KEPT = "kept", N_("Kept in time")
    LATE = "late", N_("Kept late")
    MISSED = "missed", N_("Not kept")


def fared(how: str) -> ColumnElement[bool]:
    late, kept = Duty.breached_by_id.is_not(None), Duty.kept_by_id.is_not(None)
    return {Fared.KEPT: and_(~late, kept), Fared.LATE: and_(late, kept), Fared.MISSED: and_(late, ~kept)}[Fared(how)]


def how(duty: Duty) -> Fared | None:
    """None of what fell away before it was due, or was put off."""
    if duty.breached_by_id is None:
        return Fared.KEPT if duty.kept_by_id else None
    return Fared.LATE if duty.kept_by_id else Fared.MISSED


def by(duty: Duty) -> int | None:
    """Who owed it when its deadline passed."""
    return duty.breached_owner_id or duty.owner_id


def was_due(since: date | None, until: date | None, fine: str = "") -> Iterator[ColumnElement[bool]]:
    """Duties of which the deadline has passed, in some days; `fine`: those of which a miss costs something, by one penalty of the
    rulebook or by `any`."""
    yield Duty.due_at <= clock.now()
    yield from queries.fell_due(since, until)
    if fine:
        yield Duty.fine_clause.is_not(None) if fine == ANY else Duty.fine_clause == fine


@dataclass(frozen=True)
class Owed:
    """Whose, under which penalty, due on which days, how it fared: anybody's for those who watch over others, else one's own."""

    person: int | None = None
    fine: str = ""
    since: date | None = None
    until: date | None = None
    fared: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        person = lists.key(args, "person") if user.may(Permission.WATCH) and args.get("person") != "me" else user.id
        return cls(person, lists.words(args, "fine"), lists.day(args, "since"), lists.day(args, "until"),
                   lists.one_of(args, "fared", Fared))  # fmt: skip

    def narrow(self) -> Iterator[ColumnElement[bool]]:
        yield from was_due(self.since, self.until, self.fine)
        if self.person:
            yield func.coalesce(Duty.breached_owner_id, Duty.owner_id) == self.person
        if self.fared:
            yield fared(self.fared)


def ids(user, wanted: Owed) -> Select:
    """The keys of all that was due and fits."""
    return select(Duty.id).where(queries.seen(user, *wanted.narrow()))


def listing(user, wanted: Owed, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty of them, what arose last first."""
    rows, after, count = lists.page_of(ids(user, wanted), _loaded, before=before, size=size)
    people = (id for duty in rows for id in (duty.breached_owner_id, duty.owner_id, duty.subject.customer_id))
    return lists.Page(rows, after, count, queries.names([*people, wanted.person]))


def _loaded(ids: list[int]) -> list[Duty]:
    found = select(Duty).where(Duty.id.in_(ids)).order_by(Duty.id.desc())
    return list(db.session.scalars(found.options(joinedload(Duty.subject), joinedload(Duty.kept_by))))
