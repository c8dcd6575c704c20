"""Which reports are due: of each kind the rulebook asks for, each month or week that is over, once."""

from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import select

from crm import clock
from crm.db import db, unit_of_work
from crm.duties import editions
from crm.duties.acts import each_once
from crm.duties.models import Edition, Event
from crm.duties.rulebook import Rulebook, holds
from crm.permissions import Role
from crm.reports.kinds import SORTS
from crm.reports.models import Kind, Report, ReportEvent
from crm.reports.periods import Period
from crm.reports.workflow import prepare
from crm.staff.models import User, UserEvent, UserRole, UserState

Wanted = tuple[Kind, Period, int | None]  # the last: whose, where each has their own


def open_due(as_of: datetime) -> int:
    """A sweep's step: a sweep that comes late catches up."""
    with unit_of_work(read_only=True):
        known = _known()
        missing = [one for one in wanted(clock.local(as_of).date()) if one not in known]
    return each_once(missing, lambda one: _prepare(*one), lambda one: one in _known())


def _prepare(kind: Kind, period: Period, person: int | None) -> Report:
    return prepare(kind, period, db.session.get_one(User, person) if person else None)


def _known() -> set[Wanted]:
    rows = db.session.execute(select(Report.category, Report.since, Report.until, Report.owner_id))
    return {
        (Kind(row.category), Period(row.since, row.until), row.owner_id if SORTS[row.category].personal else None) for row in rows
    }  # fmt: skip


def wanted(today: date) -> Iterator[Wanted]:
    """All that are due by a day, the first to be reported on first."""
    for kind, sort in SORTS.items():
        if (began := asked_since(kind)) is None:
            continue
        period, people = sort.period(began), _people() if sort.personal else {}
        while period.until < today:
            if sort.personal:
                yield from ((Kind(kind), period, id) for id, since in people.items() if since <= period.until)
            elif sort.ready(period):
                yield Kind(kind), period, None
            period = period.after


def asks(book: Rulebook, kind: str) -> bool:
    """Whether somebody owes reports of a kind by an edition of the rulebook."""
    return any(ReportEvent.OPENED in rule.opens and holds(rule.where, {"category": kind}) for rule in book.rules.values())


def asked_since(kind: str) -> date | None:
    """From when on today's rulebook, and every edition before it back to then, asks for such reports; none if it does not. The
    period of that day is the first."""
    since = None
    editions_since = select(Edition.id, Edition.opened_at, Edition.holds_from).where(Edition.holds_from <= clock.now())
    for edition, opened, holds_from in db.session.execute(editions_since.order_by(Edition.holds_from.desc())):
        if not asks(editions.book(edition), kind):
            break
        since = clock.local(max(opened, holds_from)).date()
    return since


def _people() -> dict[int, date]:
    """The specialists, each with the day since which they are: nobody owes a report of months before."""
    holds_role = select(UserRole.user_id).where(UserRole.role == Role.SPECIALIST)
    here = select(User.id, User.opened_at).where(User.state == UserState.ACTIVE, User.id.in_(holds_role)).order_by(User.id)
    since = {row.id: clock.local(row.opened_at).date() for row in db.session.execute(here)}
    edited = select(Event.subject_id, Event.at, Event.facts).where(Event.kind == UserEvent.EDITED, Event.subject_id.in_(since))
    for id, at, facts in db.session.execute(edited.order_by(Event.id)):
        before, after = facts.get("changes", {}).get("roles", [(), ()])
        if Role.SPECIALIST in after and Role.SPECIALIST not in before:
            since[id] = clock.local(at).date()
    return since
