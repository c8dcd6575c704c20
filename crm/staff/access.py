"""The access log: every log-in, every denial and every file taken, kept half a year."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from flask import request
from sqlalchemy import delete, select

from crm import clock, lists
from crm.answers import without_token
from crm.db import db, rows_of, unit_of_work
from crm.staff.models import Access, AccessKind, User

KEPT = timedelta(days=180)


def note_request(kind: AccessKind, user_id: int | None, *, path: str = "") -> None:
    """What came of the present request: whose it was, and where it came from."""
    path = without_token(path or f"{request.method} {request.path}")
    row = Access(at=clock.now(), kind=kind, user_id=user_id, path=path[:200])
    row.address, row.agent = (request.remote_addr or "")[:100], request.user_agent.string[:200]
    db.session.add(row)


@dataclass(frozen=True)
class Filter:
    kind: str = ""
    person: int | None = None
    since: date | None = None
    until: date | None = None

    @classmethod
    def of(cls, args: Mapping[str, str], _user) -> Self:
        days = lists.day(args, "since"), lists.day(args, "until")
        return cls(lists.one_of(args, "kind", AccessKind), lists.key(args, "person"), *days)


def listing(_user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty entries, the latest first, each with its person if there is one."""
    rows = select(Access, User.title).outerjoin(User, User.id == Access.user_id)
    if wanted.kind:
        rows = rows.where(Access.kind == wanted.kind)
    if wanted.person:
        rows = rows.where(Access.user_id == wanted.person)
    if wanted.since:
        rows = rows.where(Access.at >= clock.moment(wanted.since))
    if wanted.until:
        rows = rows.where(Access.at < clock.moment(wanted.until + timedelta(days=1)))
    if before:
        rows = rows.where(Access.id < before)
    found = list(db.session.execute(rows.order_by(Access.id.desc()).limit(size + 1)))
    return lists.Page(*lists.cut(found, lambda row: row[0].id, size))


def forget(as_of: datetime) -> int:
    """A sweep's step."""
    with unit_of_work():
        return rows_of(db.session.execute(delete(Access).where(Access.at < as_of - KEPT)))
