from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import joinedload

from crm import lists
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.errors import NotThere
from crm.opinions.models import SINCE_HEARD, About, Kind, Opinion, State
from crm.permissions import Permission


def get(number: str, user) -> Opinion:
    """An opinion as far as `user` may see it."""
    wanted = select(Opinion).where(Opinion.number == number, Opinion.visible(user))
    found = db.session.scalar(wanted.options(joinedload(Opinion.contact)))
    if found is None:
        raise NotThere()
    return found


def whole(opinion: Any, user) -> bool:
    """Whether `user` may read who a complaint is against, what was found and what it leads to; others see what the customer
    said and was answered. `opinion`: the subject, or a list's row of it."""
    if opinion.category != Kind.COMPLAINT or opinion.concerned_id is None:
        return True
    if opinion.concerned_id == user.id:
        return opinion.state in SINCE_HEARD
    return opinion.owner_id == user.id or user.may(Permission.OPINION_INVESTIGATE)


def origin(number: str, user) -> Subject | None:
    """What an opinion came of: a call, a visit, a record, as far as `user` sees it and it is a customer's."""
    if not number:
        return None
    seen = select(Subject).where(Subject.number == number, Subject.customer_id.is_not(None), duties.visible(user))
    return db.session.scalar(seen)


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed by; empty means all. `against`: oneself, or for those who lead anybody."""

    kind: str = ""
    state: str = ""
    about: str = ""
    owner: int | None = None
    against: int | None = None
    customer: int | None = None
    since: date | None = None
    until: date | None = None

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        def who(name: str) -> int | None:
            return user.id if args.get(name) == "me" else lists.key(args, name)

        against = who("against") if user.may(Permission.OPINION_INVESTIGATE) or args.get("against") == "me" else None
        return cls(
            lists.one_of(args, "kind", Kind), lists.one_of(args, "state", ["going", *State]), lists.one_of(args, "about", About),
            who("owner"), against, lists.key(args, "customer"), lists.day(args, "since"), lists.day(args, "until"),
        )  # fmt: skip

    @property
    def any(self) -> bool:
        return self != Filter()


_OWN = Opinion.__table__.c
OVER = (State.ANSWERED, State.WITHDRAWN)


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty opinions, the newest first."""
    ids = select(Subject.id).where(Subject.kind == "opinion", Opinion.visible(user))
    named = (
        (wanted.kind, Subject.category), (wanted.state if wanted.state != "going" else "", Subject.state),
        (wanted.owner, Subject.owner_id), (wanted.against, Subject.concerned_id), (wanted.customer, Subject.customer_id),
    )  # fmt: skip
    for value, column in named:
        if value:
            ids = ids.where(column == value)
    if wanted.state == "going":
        ids = ids.where(Subject.state.not_in(OVER))
    if wanted.about or wanted.since or wanted.until:
        ids = ids.where(Subject.id.in_(_said(wanted)))
    rows, after, count = lists.page_of(ids, _loaded, before=before, size=size)
    people = (id for row in rows for id in (row.customer_id, row.owner_id, row.concerned_id if whole(row, user) else None))
    return lists.Page(rows, after, count, duties.names(people))


def _said(wanted: Filter) -> Select[tuple[int]]:
    own = select(_OWN.id)
    if wanted.about:
        own = own.where(_OWN.about == wanted.about)
    if wanted.since:
        own = own.where(_OWN.said_on >= wanted.since)
    return own.where(_OWN.said_on <= wanted.until) if wanted.until else own


def _loaded(ids: list[int]) -> list[Row[Any]]:
    shown = (
        Subject.id, Subject.number, Subject.title, Subject.state, Subject.category, Subject.customer_id, Subject.owner_id,
        Subject.concerned_id, Subject.opened_at, _OWN.said_on, _OWN.way, _OWN.about,
    )  # fmt: skip
    rows = select(*shown).join(Opinion.__table__, _OWN.id == Subject.id).where(Subject.id.in_(ids))
    return list(db.session.execute(rows.order_by(Subject.id.desc())))


