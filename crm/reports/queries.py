from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import Row, Select, select

from crm import lists
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Duty, Subject, open_now
from crm.errors import NotThere
from crm.reports.models import Kind, Report, Returned, State


def get(number: str, user) -> Report:
    """A report as far as `user` may see it."""
    found = db.session.scalar(select(Report).where(Report.number == number, Report.visible(user)))
    if found is None:
        raise NotThere()
    return found


def returned(report: Report) -> Sequence[Returned]:
    """As it was submitted before, the latest last."""
    return db.session.scalars(select(Returned).where(Returned.report_id == report.id).order_by(Returned.id)).all()


@dataclass(frozen=True)
class Filter:
    """What the list of reports is narrowed by; empty means all. `since` and `until`: days within what they are
    about; `owes`: what the reader is to submit, receive or verify."""

    kind: str = ""
    state: str = ""
    person: int | None = None
    since: date | None = None
    until: date | None = None
    owes: bool = False

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        mine = user.id if args.get("person") == "me" else lists.key(args, "person")
        return cls(lists.one_of(args, "kind", Kind), lists.one_of(args, "state", State), mine, lists.day(args, "since"),
                   lists.day(args, "until"), args.get("owes") == "me")  # fmt: skip

    @property
    def any(self) -> bool:
        return self != Filter()


_OWN = Report.__table__.c


def ids(user, wanted: Filter) -> Select:
    """The keys of all reports that fit."""
    ids = select(Subject.id).where(Subject.kind == "report", Report.visible(user))
    for value, column in ((wanted.kind, Subject.category), (wanted.state, Subject.state), (wanted.person, Subject.owner_id)):
        if value:
            ids = ids.where(column == value)
    if wanted.since or wanted.until:
        own = select(_OWN.id)
        own = own.where(_OWN.until >= wanted.since) if wanted.since else own
        ids = ids.where(Subject.id.in_(own.where(_OWN.since <= wanted.until) if wanted.until else own))
    return ids.where(Subject.id.in_(select(Duty.subject_id).where(open_now(), duties.mine(user)))) if wanted.owes else ids


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty reports, the newest first."""
    rows, after, count = lists.page_of(ids(user, wanted), _loaded, before=before, size=size)
    return lists.Page(rows, after, count, duties.names(row.owner_id for row in rows))


def _loaded(ids: list[int]) -> list[Row[Any]]:
    shown = (Subject.id, Subject.number, Subject.title, Subject.state, Subject.category, Subject.owner_id, Subject.opened_at,
             _OWN.since, _OWN.until, _OWN.submitted_at)  # fmt: skip
    rows = select(*shown).join(Report.__table__, _OWN.id == Subject.id).where(Subject.id.in_(ids))
    return list(db.session.execute(rows.order_by(Subject.id.desc())))
