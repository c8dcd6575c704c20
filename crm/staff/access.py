"""The access log: every log-in and every denial, kept half a year."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from crm import clock, lists
from crm.db import db, rows_of, unit_of_work
from crm.staff.models import Access, AccessKind, User

KEPT = timedelta(days=180)


def note(kind: AccessKind, *, user_id: int | None = None, login: str = "", address: str = "", agent: str = "",
         path: str = "") -> None:  # fmt: skip
    row = Access(at=clock.now(), kind=kind, user_id=user_id, login=login[:100], address=address[:100])
    row.agent, row.path = agent[:200], path[:200]
    db.session.add(row)


def listing(
    *, kind: str = "", user_id: int | None = None, before: int | None = None, size: int = lists.SIZE
) -> lists.Page:
    """Fifty entries, the latest first, each with its person if there is one."""
    rows = select(Access, User.title).outerjoin(User, User.id == Access.user_id)
    if kind:
        rows = rows.where(Access.kind == kind)
    if user_id:
        rows = rows.where(Access.user_id == user_id)
    if before:
        rows = rows.where(Access.id < before)
    found = list(db.session.execute(rows.order_by(Access.id.desc()).limit(size + 1)))
    return lists.Page(*lists.cut(found, lambda row: row[0].id, size))


def forget(as_of: datetime) -> int:
    """A sweep's step."""
    with unit_of_work():
        return rows_of(db.session.execute(delete(Access).where(Access.at < as_of - KEPT)))
