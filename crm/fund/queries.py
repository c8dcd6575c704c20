from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row, func, select

from crm import lists
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Event
from crm.errors import NotThere
from crm.fund.models import FundEntry, Month

MOST = 200


def get(number: str, user) -> Month:
    found = db.session.scalar(select(Month).where(Month.number == number, Month.visible(user)))
    if found is None:
        raise NotThere()
    return found


def read_whole(month: Month, user) -> bool:
    """Whether `user` reads everybody's part of it."""
    return db.session.scalar(select(Month.id).where(Month.id == month.id, Month.whole(user))) is not None


def whole_of(months: Iterable[Month], user) -> set[int]:
    """Of which of these `user` reads everybody's part."""
    ids = [month.id for month in months]
    return set(db.session.scalars(select(Month.id).where(Month.id.in_(ids), Month.whole(user))))


def every(user) -> list[Month]:
    """All months, the latest first."""
    return list(db.session.scalars(select(Month).where(Month.visible(user)).order_by(Month.month.desc()).limit(MOST)))


@dataclass(frozen=True)
class Ledger:
    rows: list[Row]
    next: int | None
    names: dict


def ledger(before: int | None = None, size: int = lists.SIZE) -> Ledger:
    """The fund's lines, the latest first, each with what was there after it, who entered it and whether it was taken back."""
    back = FundEntry.__table__.alias("back")
    after = func.sum(FundEntry.fen).over(order_by=FundEntry.id).label("after")
    lines = select(FundEntry.id, after).subquery()
    rows = (
        select(FundEntry, lines.c.after, Event.actor_id, Month.number, back.c.id.label("taken_back"))
        .join(lines, lines.c.id == FundEntry.id).join(Event, Event.id == FundEntry.event_id)
        .join(Month, Month.id == FundEntry.month_id).outerjoin(back, back.c.reverses_id == FundEntry.id)
    )  # fmt: skip
    if before:
        rows = rows.where(FundEntry.id < before)
    found, further = lists.cut(list(db.session.execute(rows.order_by(FundEntry.id.desc()).limit(size + 1))),
                               lambda row: row.FundEntry.id, size)  # fmt: skip
    return Ledger(list(found), further, duties.names(row.actor_id for row in found))


def entry(entry_id: int) -> FundEntry:
    found = db.session.get(FundEntry, entry_id)
    if found is None:
        raise NotThere()
    return found


def entries(since: date, until: date) -> list[FundEntry]:
    """The ledger's lines of these days, in their order."""
    rows = select(FundEntry).where(FundEntry.on >= since, FundEntry.on <= until)
    return list(db.session.scalars(rows.order_by(FundEntry.on, FundEntry.id)))


def balance_on(day: date) -> int:
    """What was in the fund at the end of a day."""
    return db.session.scalar(select(func.coalesce(func.sum(FundEntry.fen), 0)).where(FundEntry.on <= day)) or 0
