"""Who is told of which report, and on which day: set by the director, carried out by the sweep through the outbox.

What goes out is a link. Figures name people, an e-mail address is whatever stands on an account, and what was sent cannot be
taken back: so a report is read by whoever logs in, and may read it then (SECURITY C6)."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import String, cast, delete, func, select
from sqlalchemy.orm import selectinload

from crm import clock
from crm.catalogue import locale_of
from crm.db import db, unit_of_work
from crm.duties.acts import each_once
from crm.duties.editions import book
from crm.duties.locks import lock
from crm.duties.message import Message
from crm.duties.models import Event
from crm.duties.record import record
from crm.errors import Forbidden, Invalid
from crm.labels import N_
from crm.letters.company import company
from crm.letters.delivery import is_address
from crm.letters.letter import About
from crm.permissions import Permission as P
from crm.reports.models import FROZEN, OF_FOLLOWUP, Kind, Reader, Report, ReportEvent
from crm.staff import workflow as staff
from crm.staff.models import DepartmentEvent, User, UserState

RULE = "report.posted"  # the rulebook's entry
USUAL = 10  # days after the period's end
LATEST = 28


def may_be_told(user: User, kind: str) -> bool:
    """Whether somebody reads every report of a kind; nobody is told of one that is not theirs to read."""
    if not user.is_active:
        return False
    return user.may(P.REPORT_RECEIVE) or (kind in OF_FOLLOWUP and user.may(P.REPORT_READ))


def candidates() -> list[User]:
    """Whom reports may be sent to, by name."""
    active = select(User).where(User.state == UserState.ACTIVE).order_by(User.title)
    users = db.session.scalars(active.options(selectinload(User.held)))
    return [one for one in users if any(may_be_told(one, kind) for kind in Kind)]


def readers() -> dict[str, list[Reader]]:
    """Of each kind, who is told."""
    found: dict[str, list[Reader]] = {kind: [] for kind in Kind}
    for one in db.session.scalars(select(Reader).order_by(Reader.kind, Reader.user_id)):
        found.setdefault(one.kind, []).append(one)
    return found


def name_readers(wanted: Mapping[str, tuple[Iterable[int], int]], *, by) -> None:
    """Who is told of each kind, and how many days after its period ended. Somebody named now is told from now on."""
    if not by.may(P.REPORT_SEND):
        raise Forbidden()
    ours = staff.department()
    lock(ours)
    known, people = readers(), {user.id: user for user in candidates()}
    for kind, (ids, days) in wanted.items():
        chosen = sorted(set(ids))
        if any(id not in people or not may_be_told(people[id], kind) for id in chosen):
            raise Invalid(fields={f"to_{kind}": N_("Somebody chosen here does not read such reports.")})
        before = {one.user_id: one for one in known[kind]}
        if (sorted(before), {one.days for one in before.values()}) == (chosen, {days} if chosen else set()):
            continue
        _name(kind, chosen, days, before)
        said = {"report": kind, "before": _called(before), "after": [people[id].name for id in chosen], "days": days}
        ours.version += 1
        db.session.flush()
        record(DepartmentEvent.READERS_CHANGED, ours, by=by, **said)


def _called(before: Iterable[int]) -> list[str]:
    return list(db.session.scalars(select(User.title).where(User.id.in_(list(before))).order_by(User.id)))


def _name(kind: str, chosen: Iterable[int], days: int, before: Mapping[int, Reader]) -> None:
    since = {id: before[id].named_on if id in before else clock.today() for id in chosen}
    db.session.execute(delete(Reader).where(Reader.kind == kind))
    db.session.expire_all()
    db.session.add_all(Reader(kind=kind, user_id=id, days=days, named_on=day) for id, day in since.items())
    db.session.flush()


def tell_due(as_of: datetime) -> int:
    """A sweep's step: whoever is to be told of a report that was submitted, and whose day has come, once."""
    with unit_of_work(read_only=True):
        due = [(report_id, user_id) for report_id, user_id, day in _untold() if day <= clock.local(as_of).date()]
    return each_once(due, lambda one: _tell(*one), lambda one: False)


def _untold() -> Iterable[tuple[int, int, date]]:
    """Each report with somebody who is to be told of it and was not, and the day on which they are."""
    first = db.session.scalar(select(func.min(Reader.named_on)))
    if first is None:
        return
    told = Message.subject_id == Report.id, Message.rule == RULE, Message.slot == cast(Reader.user_id, String)
    own = Report.id, Report.category, Report.until, Report.submitted_at, Report.edition_id
    rows = select(*own, Reader.user_id, Reader.days, Reader.named_on).join(Reader, Reader.kind == Report.category)
    rows = rows.where(Report.state.in_(FROZEN), ~select(Message.id).where(*told).exists())
    rows = rows.where(Report.submitted_at >= clock.moment(first - timedelta(days=LATEST)))  # nobody is told what was over before
    for row in db.session.execute(rows.order_by(Report.id, Reader.user_id)):
        day = max(row.until + timedelta(days=row.days), clock.local(row.submitted_at).date())
        if day >= row.named_on and RULE in book(row.edition_id).posts and _reachable(row.user_id, row.category):
            yield row.id, row.user_id, day


def _reachable(user_id: int, kind: str) -> bool:
    user = db.session.get_one(User, user_id)
    return may_be_told(user, kind) and is_address(user.email)


def _tell(report_id: int, user_id: int) -> None:
    report, user = db.session.get_one(Report, report_id), db.session.get_one(User, user_id)
    lock(report)
    told = Message.subject_id == report.id, Message.rule == RULE, Message.slot == str(user_id)
    if report.state in FROZEN and db.session.scalar(select(Message.id).where(*told)) is None:
        record(ReportEvent.POSTED, report, reader=str(user_id), name=user.name)


def about(report: Report, slot: str) -> About:
    """What the letter to a reader says; it reaches nobody who may not read the report by then."""
    found = slot.partition("#")[0]
    user = db.session.get(User, int(found)) if found.isdigit() else None
    language = "en" if user is not None and user.language == "en" else "zh"
    by = db.session.get(User, report.submitted_by_id) if report.submitted_by_id else None
    with force_locale(locale_of(language)):
        called, ours = f"{_(Kind(report.category).label)} {report.title}", company()
    site = current_app.config["CRM_URL"].rstrip("/")
    values = {
        "report": called, "person": by.name if by else "", "link": f"{site}{report.path}", "number": report.number,
        "today": f"{clock.today()}", "company": ours.name, "phone": ours.phone,
    }  # fmt: skip
    reads = user is not None and may_be_told(user, report.category)
    return About(values=values, language=language, to=user.name if user else "", email=user.email if reads else "")


Report.letter_about = about  # type: ignore[method-assign]


def story() -> list[Event]:
    """Who was named, the latest first."""
    told = select(Event).where(Event.kind == DepartmentEvent.READERS_CHANGED).order_by(Event.id.desc()).limit(20)
    return list(db.session.scalars(told))
