"""A person's visits for the calendar of their phone, behind a secret link that its owner makes and ends."""

import secrets
from datetime import UTC, timedelta

from sqlalchemy import select, update

from crm import clock
from crm.customers.models import Customer
from crm.db import db, rows_of
from crm.duties.locks import lock
from crm.duties.record import record
from crm.errors import NotThere
from crm.permissions import Permission
from crm.staff.models import User, UserEvent, UserState
from crm.staff.workflow import hash_token
from crm.visits.calendar import between
from crm.visits.models import Feed, State

BACK, AHEAD = timedelta(days=60), timedelta(days=366)


def of(user) -> Feed | None:
    """The link that is good now."""
    good = Feed.owner_id == user.id, Feed.ended_at.is_(None), Feed.epoch == user.epoch
    return db.session.scalar(select(Feed).where(*good))


def make(user: User) -> str:
    """A new link's token, shown this once; the one before is void."""
    lock(user)  # of two at once the later one's is good
    _ended(user)
    token = secrets.token_urlsafe(24)
    db.session.add(Feed(owner_id=user.id, token_hash=hash_token(token), epoch=user.epoch, made_at=clock.now()))
    record(UserEvent.FEED_MADE, user, by=user)
    return token


def end(user: User) -> None:
    if _ended(user):
        record(UserEvent.FEED_ENDED, user, by=user)


def _ended(user: User) -> bool:
    here = update(Feed).where(Feed.owner_id == user.id, Feed.ended_at.is_(None))
    return bool(rows_of(db.session.execute(here.values(ended_at=clock.now()))))


def owner_of(token: str) -> User:
    """Whose link it is; NotThere for one that is unknown or ended, or whose owner has left or has a new password."""
    rows = select(User).join(Feed, Feed.owner_id == User.id).where(Feed.epoch == User.epoch, Feed.ended_at.is_(None))
    user = db.session.scalar(rows.where(Feed.token_hash == hash_token(token)))
    if user is None or user.state != UserState.ACTIVE or not user.may(Permission.VISIT_WORK):
        raise NotThere()
    return user


def calendar_of(user: User, *, name: str, address: str) -> bytes:
    """One's own visits from sixty days ago to a year ahead: purpose, customer and where, no more."""
    from icalendar import Calendar, Event  # 3 MB: for the workers that are asked for a feed

    visits = between(user, clock.now() - BACK, clock.now() + AHEAD, user.id)
    customers = {row.id: row for row in db.session.execute(
        select(Customer.id, Customer.title, Customer.address).where(Customer.id.in_({one.customer_id for one in visits}))
    )}  # fmt: skip
    told = Calendar()
    told.add("prodid", "-//Jinyang//Service CRM//ZH")
    told.add("version", "2.0")
    told.add("x-wr-calname", name)
    for one in visits:
        customer = customers[one.customer_id]
        event = Event()
        event.add("uid", f"{one.number}@jinyang-crm")
        event.add("sequence", one.version)
        event.add("dtstamp", clock.now().astimezone(UTC))
        event.add("dtstart", one.arrive_at.astimezone(UTC))
        event.add("dtend", one.ends_at.astimezone(UTC))
        event.add("summary", f"{customer.title} · {one.title}")
        event.add("location", " ".join(filter(None, (one.place, customer.address))))
        event.add("status", "TENTATIVE" if one.state == State.REQUESTED else "CONFIRMED")
        event.add("url", f"{address}/visits/{one.number}")
        told.add_component(event)
    return told.to_ical()
