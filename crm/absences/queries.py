from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import Row, Select, select

from crm import clock, lists
from crm.absences.models import LIVE, Absence, Kind, State
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.errors import NotThere
from crm.permissions import Permission, Role
from crm.staff import queries as staff
from crm.staff.models import User

_OWN = Absence.__table__.c


def get(number: str, user) -> Absence:
    """A leave as far as `user` may see it."""
    found = db.session.scalar(select(Absence).where(Absence.number == number, Absence.visible(user)))
    if found is None:
        raise NotThere()
    return found


def clashing(person_id: int | None, starts_on: date, ends_on: date, *, approved: bool = False) -> str | None:
    """The number of a leave of theirs on any of these days; with `approved`, of one that is more than asked for."""
    states = LIVE - {State.ASKED} if approved else LIVE
    same = select(Absence.number).where(Absence.owner_id == person_id, Absence.state.in_(states))
    return db.session.scalar(same.where(Absence.starts_on <= ends_on, Absence.ends_on >= starts_on).limit(1))


def held_alone(absence: Absence) -> list[Role]:
    """The roles that nobody else holds: what falls to one of them waits. For those who lead there are others (ours.standin)."""
    if absence.state not in LIVE:
        return []
    person = db.session.get_one(User, absence.owner_id)
    mine = set(person.roles) - {Role.MANAGER, Role.DIRECTOR, Role.ADMIN}
    others = {role for one in staff.with_role(mine) if one.id != person.id for role in one.roles}
    return sorted(Role(role) for role in mine - others)


def may_stand_in(person) -> tuple[str, ...]:
    """The roles of which whoever stands in has one: theirs, or one that leads."""
    return tuple({*person.roles, Role.MANAGER, Role.DIRECTOR})


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed by; empty means all. `now`: who is away, or is to be soon, or waits for a decision."""

    state: str = ""
    kind: str = ""
    person: int | None = None
    stand_in: int | None = None
    since: date | None = None
    until: date | None = None

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        def who(name: str) -> int | None:
            return user.id if args.get(name) == "me" else lists.key(args, name)

        return cls(
            lists.one_of(args, "state", ["going", *State]), lists.one_of(args, "kind", Kind), who("person"), who("stand_in"),
            lists.day(args, "since"), lists.day(args, "until"),
        )  # fmt: skip

    @property
    def any(self) -> bool:
        return self != Filter()


def ids(user, wanted: Filter) -> Select:
    """The keys of all that fit."""
    ids = select(Subject.id).where(Subject.kind == "absence", Absence.visible(user))
    named = (
        (wanted.kind, Subject.category), (wanted.state if wanted.state != "going" else "", Subject.state),
        (wanted.person, Subject.owner_id), (wanted.stand_in, Subject.concerned_id),
    )  # fmt: skip
    for value, column in named:
        if value:
            ids = ids.where(column == value)
    if wanted.state == "going":
        ids = ids.where(Subject.state.in_(LIVE))
    if wanted.since or wanted.until:
        days = select(_OWN.id)
        days = days.where(_OWN.ends_on >= wanted.since) if wanted.since else days
        ids = ids.where(Subject.id.in_(days.where(_OWN.starts_on <= wanted.until) if wanted.until else days))
    return ids


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty leaves, the newest first."""
    rows, after, count = lists.page_of(ids(user, wanted), _loaded, before=before, size=size)
    return lists.Page(rows, after, count, duties.names(id for row in rows for id in (row.owner_id, row.concerned_id)))


def _loaded(ids: list[int]) -> list[Row[Any]]:
    shown = (
        Subject.id, Subject.number, Subject.state, Subject.category, Subject.owner_id, Subject.concerned_id, Subject.opened_at,
        _OWN.starts_on, _OWN.ends_on, _OWN.accepted_at, _OWN.words,
    )  # fmt: skip
    rows = select(*shown).join(Absence.__table__, _OWN.id == Subject.id).where(Subject.id.in_(ids))
    return list(db.session.execute(rows.order_by(Subject.id.desc())))


@dataclass(frozen=True)
class Gone:
    """Somebody who is away: until when, and who stands in. Not why: that is for few."""

    person: str
    until: date
    stand_in: str
    path: str  # for those who may open it
    mine: bool  # whether the reader stands in


_GONE = (
    select(Subject.number, Subject.owner_id, Subject.concerned_id, _OWN.ends_on, _OWN.accepted_at)
    .join(Absence.__table__, _OWN.id == Subject.id)
    .where(Subject.kind == "absence", Subject.state == State.AWAY)
    .order_by(_OWN.ends_on, Subject.id)
)  # fmt: skip


def gone_today(user) -> list[Gone]:
    """Who is away today, for everybody who works with customers or papers; whoever only keeps accounts sees none but their own
    stand-in's matters."""
    works = bool(user.roles - {Role.ADMIN})
    rows = [row for row in db.session.execute(_GONE) if row.ends_on >= clock.today()]
    rows = [row for row in rows if works or user.id in (row.owner_id, row.concerned_id)]
    names = duties.names(id for row in rows for id in (row.owner_id, row.concerned_id))

    def one(row: Row[Any]) -> Gone:
        accepted = row.concerned_id in names and row.accepted_at is not None
        opens = user.may(Permission.ABSENCE_DECIDE) or user.id in (row.owner_id, row.concerned_id)
        return Gone(
            names[row.owner_id].title, row.ends_on, names[row.concerned_id].title if accepted else "",
            f"/{Absence.noun}/{row.number}" if opens else "", accepted and row.concerned_id == user.id,
        )  # fmt: skip

    return [one(row) for row in rows]
