"""Callbacks by what the customer said: the product that was about, the marks, and which of those are bad."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from crm import clock
from crm.callbacks.models import MARKS, Callback, CallbackEvent
from crm.duties import editions
from crm.duties.models import Event, Subject
from crm.serials.models import Installation
from crm.tickets.models import Ticket
from crm.visits.models import Visit

OVER = (CallbackEvent.REACHED, CallbackEvent.UNREACHED)
SAID = Callback.__table__.c
MARKED = and_(Subject.concerned_id.is_not(None), or_(*(SAID[mark].is_not(None) for mark in MARKS)))


def with_product(*asked: Any) -> Select:
    """A statement about callbacks, with the installation that the visit or record they are about names, if it does."""
    visit, ticket, installed = Visit.__table__, Ticket.__table__, Installation.__table__
    rows = select(*asked).select_from(Subject.__table__).join(Callback.__table__, SAID.id == Subject.id)
    rows = rows.outerjoin(visit, visit.c.id == Subject.origin_id).outerjoin(ticket, ticket.c.id == Subject.origin_id)
    about = func.coalesce(visit.c.installation_id, ticket.c.installation_id)
    return rows.outerjoin(installed, installed.c.id == about)


def concluded(since: date | None, until: date | None) -> Select:
    """Which were concluded between two days: somebody was spoken with, or nobody could be reached."""
    rows = select(Event.subject_id).where(Event.kind.in_(OVER))
    if since:
        rows = rows.where(Event.at >= clock.moment(since))
    return rows.where(Event.at < clock.end_of(until)) if until else rows


def unrecorded() -> ColumnElement[bool]:
    """They found a service that has no record."""
    found = select(Event.id).where(Event.subject_id == Subject.id, Event.kind == CallbackEvent.UNRECORDED)
    return found.correlate(Subject).exists()


def bad() -> ColumnElement[bool]:
    """A mark as low as goes to the manager (ours.bad_mark), by the rulebook of each callback's day."""
    least = editions.setting_of_each("bad_mark")
    return or_(*(SAID[mark] <= least for mark in MARKS))
