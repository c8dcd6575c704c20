from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import joinedload

from crm import lists
from crm.customers import queries as customers
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.errors import NotThere
from crm.opinions.models import About, Kind, Opinion, State
from crm.permissions import Permission


def get(number: str, user) -> Opinion:
    """An opinion as far as `user` may see it."""
    wanted = select(Opinion).where(Opinion.number == number, Opinion.visible(user))
    found = db.session.scalar(wanted.options(joinedload(Opinion.contact)))
    if found is None:
        raise NotThere()
    return found


def seen(opinion: Opinion, user, *, whole: bool = False) -> bool:
    """Whether `user` sees it at all; `whole`: also whom a complaint is about, what was found and what it leads to."""
    may = Opinion.whole(user) if whole else Opinion.visible(user)
    return db.session.scalar(select(Opinion.id).where(Opinion.id == opinion.id, may)) is not None


def origin(number: str, user) -> Subject | None:
    """What an opinion came of: a call, a visit, a record, as far as `user` sees it and it is a customer's."""
    if not number:
        return None
    seen = select(Subject).where(Subject.number == number, Subject.customer_id.is_not(None), duties.visible(user))
    return db.session.scalar(seen)


DECIDED = (State.CONFIRMED, State.DISMISSED)


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed by; empty means all. `against`: oneself, or for those who lead anybody; `decided`: how a
    complaint was, for those alone."""

    kind: str = ""
    state: str = ""
    about: str = ""
    owner: int | None = None
    against: int | None = None
    customer: str = ""
    since: date | None = None
    until: date | None = None
    decided: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        def who(name: str) -> int | None:
            return user.id if args.get(name) == "me" else lists.key(args, name)

        leads = user.may(Permission.OPINION_INVESTIGATE)
        against = who("against") if leads or args.get("against") == "me" else None
        return cls(
            lists.one_of(args, "kind", Kind), lists.one_of(args, "state", ["going", *State]), lists.one_of(args, "about", About),
            who("owner"), against, lists.words(args, "customer"), lists.day(args, "since"), lists.day(args, "until"),
            lists.one_of(args, "decided", DECIDED) if leads else "",
        )  # fmt: skip

    @property
    def any(self) -> bool:
        return self != Filter()


_OWN = Opinion.__table__.c
OVER = (State.ANSWERED, State.WITHDRAWN)


def ids(user, wanted: Filter) -> Select:
    """The keys of all opinions that fit."""
    ids = select(Subject.id).where(Subject.kind == "opinion", Opinion.visible(user))
    named = (
        (wanted.kind, Subject.category), (wanted.state if wanted.state != "going" else "", Subject.state),
        (wanted.owner, Subject.owner_id), (wanted.against, Subject.concerned_id),
    )  # fmt: skip
    for value, column in named:
        if value:
            ids = ids.where(column == value)
    if wanted.customer:
        ids = ids.where(customers.of_meant(wanted.customer, user))
    if wanted.state == "going":
        ids = ids.where(Subject.state.not_in(OVER))
    if wanted.decided:
        ids = ids.where(Subject.category == Kind.COMPLAINT, Subject.state.in_([*DECIDED, State.ANSWERED]))
    if wanted.about or wanted.since or wanted.until or wanted.decided:
        ids = ids.where(Subject.id.in_(_said(wanted)))
    return ids


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty opinions, the newest first."""
    rows, after, count = lists.page_of(ids(user, wanted), lambda ids: _loaded(ids, user), before=before, size=size)
    people = (id for row in rows for id in (row.customer_id, row.owner_id, row.concerned_id if row.whole else None))
    return lists.Page(rows, after, count, duties.names(people))


def _said(wanted: Filter) -> Select[tuple[int]]:
    own = select(_OWN.id)
    if wanted.about:
        own = own.where(_OWN.about == wanted.about)
    if wanted.decided:
        own = own.where(_OWN.confirmed_at.is_not(None) if wanted.decided == State.CONFIRMED else _OWN.confirmed_at.is_(None))
    if wanted.since:
        own = own.where(_OWN.said_on >= wanted.since)
    return own.where(_OWN.said_on <= wanted.until) if wanted.until else own


def _loaded(ids: list[int], user) -> list[Row[Any]]:
    shown = (
        Subject.id, Subject.number, Subject.title, Subject.state, Subject.category, Subject.customer_id, Subject.owner_id,
        Subject.concerned_id, Subject.opened_at, _OWN.said_on, _OWN.way, _OWN.about, _OWN.confirmed_at,
        Opinion.whole(user).label("whole"),
    )  # fmt: skip
    rows = select(*shown).join(Opinion.__table__, _OWN.id == Subject.id).where(Subject.id.in_(ids))
    return list(db.session.execute(rows.order_by(Subject.id.desc())))


