"""record(): the one verb. Something happened; the rulebook says what that opens, keeps and drops."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, update

from crm import clock, search
from crm.db import db, insert, rows_of
from crm.duties import rows
from crm.duties.editions import book, edition_id, ruling, todays_id
from crm.duties.locks import lock, opened_here
from crm.duties.models import Duty, Event, Notice, Subject, pending_now
from crm.duties.posting import post
from crm.duties.rulebook import PROGRAM, Rule, Rulebook, holds
from crm.permissions import Role
from crm.workdays import Calendar, Span, calendar

via: ContextVar[tuple[str, str]] = ContextVar("via", default=("cli", ""))  # (page | import | cli | tick, address)

_told: ContextVar[bool] = ContextVar("told", default=False)  # by another event, all at once

BREACHED, REPRICED = "duty.breached", "duty.repriced"


def open_subject(subject: Subject, *, at: datetime | None = None, history: bool = False) -> None:
    """Put a new subject under the edition that holds when it is opened; with `history`, under none: nobody judged."""
    at = at or subject.opened_at
    subject.opened_at = at or clock.now()
    if not history:
        subject.edition_id = edition_id(at) if at else todays_id()
    db.session.add(subject)
    db.session.flush()
    opened_here()[subject.id] = False


@contextmanager
def by_import() -> Iterator[None]:
    """What is recorded inside came in with a file."""
    token = via.set(("import", via.get()[1]))
    try:
        yield
    finally:
        via.reset(token)


@contextmanager
def told_at_once() -> Iterator[None]:
    """Of what is recorded inside nobody gets a notice each: one event tells of all of it."""
    token = _told.set(True)
    try:
        yield
    finally:
        _told.reset(token)


def record(kind: str, subject: Subject, *, by=None, at: datetime | None = None, **facts: Any) -> Event:
    """Write down that `kind` happened to `subject`, and carry out the rulebook.

    Locks the subject; breaches what has fallen due first, so that no fine depends on when the sweep ran; adds the
    event; then keeps, drops and opens duties, and renews what the search says of the subject. `at` (aware,
    opened_at ≤ at ≤ now) is when it happened, `facts` what there is to say of it. A subject without an edition
    (imported history) owes nothing. ValueError for any other `at`.
    """
    at = at or clock.now()
    lock(subject)
    if not subject.opened_at <= at <= clock.now():
        raise ValueError(f"{kind} at {at}: in the future, or before {subject.number} was opened")
    here = opened_here()
    if first := here.get(subject.id) is False:
        here[subject.id] = True
    if kind != BREACHED and not first:
        settle(subject, clock.now())
    event = _add(kind, subject, by, at, facts)
    known = {**subject.facts(), **facts}
    for edition, rule in rules_of(subject, kind, at, first):
        if rule.of != subject.kind:
            _carry_out(rule, edition, event, subject, by, known, first)
    if subject.origin_id:
        _carry_up(event, subject, by, facts)
    if subject.edition_id:
        _notify(event, subject, by, known)
        post(event, subject, known)
    if kind in subject.SEARCHED:
        search.put(subject.id, subject.searched_first() if first else subject.searched(), new=first)
    return event


CONCERNS = {
    BREACHED: "owner",
    "duty.more_time_granted": "asked_by",
    "duty.more_time_refused": "asked_by",
}  # on any subject


def concerned(subject: Subject, kind: str) -> str | None:
    return subject.NOTICES.get(kind) or CONCERNS.get(kind)


def _notify(event: Event, subject: Subject, by, facts: Mapping[str, Any]) -> None:
    """Tell whom it concerns, unless they did it themselves."""
    whom = concerned(subject, event.kind)
    if not whom or _told.get():
        return
    told = {subject.owner_id if one == "owner" and one not in facts else facts.get(one) for one in whom.split()}
    for user_id in sorted(told - {None, by.id if by else None}):
        db.session.execute(insert(Notice).values(user_id=user_id, event_id=event.id))


def _add(kind: str, subject: Subject, by, at: datetime, facts: Mapping[str, Any]) -> Event:
    way, address = via.get()
    event = Event(
        kind=kind, subject_id=subject.id, at=at, recorded_at=clock.now(), actor_id=by.id if by else None,
        via=way, address=address, facts={key: plain(value) for key, value in facts.items()},
    )  # fmt: skip
    db.session.add(event)
    db.session.flush()
    return event


def plain(value: Any) -> Any:
    """A fact as JSON keeps it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def rules_of(subject: Subject, kind: str, at: datetime, first: bool = False) -> list[tuple[int, Rule]]:
    """What an event of this kind, at `at`, meets: the rules, each with its edition. The `first` meets the one its subject
    was just opened under."""
    editions = [subject.edition_id] if first and subject.edition_id else ruling(subject, at)
    return [(edition, rule) for edition in editions for rule in book(edition).by_event.get(kind, ())]


def _carry_out(rule: Rule, edition: int, event: Event, subject: Subject, by, facts: Mapping[str, Any], first: bool) -> None:
    """An event that both opens and drops, drops where the rule's condition does not hold."""
    opens = event.kind in rule.opens and holds(rule.where, facts)
    if event.kind in rule.keeps and (rule.owner != PROGRAM or facts.get("act", rule.key) == rule.key):
        rows.end(subject.id, rule.key, edition, rule.slot_of(facts), "kept_by_id", event.id)
    elif event.kind in rule.drops and not opens:
        rows.end(subject.id, rule.key, edition, rule.slot_of(facts), "dropped_by_id", event.id)
    if opens:
        _open(rule, edition, event, subject, by, facts, first)


def _carry_up(event: Event, subject: Subject, by, facts: Mapping[str, Any]) -> None:
    """What happened to a subject, for those rules of the one it came of that count such (`of`): all, or the one the event
    names as its `rule`. Whoever records on both locks the later one first, as here."""
    origin = db.session.get_one(Subject, subject.origin_id)
    rules = [
        (edition, rule) for edition, rule in rules_of(origin, event.kind, event.at)
        if rule.of == subject.kind and facts.get("rule", rule.key) == rule.key
    ]  # fmt: skip
    if not rules:
        return
    lock(origin)
    settle(origin, clock.now())
    known = {**origin.facts(), **facts}
    for edition, rule in rules:
        _carry_out(rule, edition, event, origin, by, known, False)


def _open(rule: Rule, edition: int, event: Event, subject: Subject, by, facts: Mapping[str, Any], first: bool) -> None:
    """A duty's rule met its event. One that is open already is only re-priced, unless the date it is counted from has
    moved: then it is dropped and opened anew, each by its own edition. One already breached stands."""
    slot = rule.slot_of(facts)
    own = book(edition)
    days = days_of(own)
    ruled = rule.due.after(event.at, facts, days, notice=rule.notice)
    fine = rule.fine_clause(facts)
    price = {"fine_clause": fine, "fine_fen": own.penalties[fine].fen if fine else None}
    old = None if first else rows.standing(subject.id, rule.key, slot)
    if old is None and not first and edition != ruling(subject, event.at)[-1]:
        return  # what an earlier edition asked for is over
    if old:
        if old.edition_id != edition:
            return
        if old.breached_by_id:
            _price_again(old, event, subject, price)
            return
        if not rule.due.fact or ruled == old.ruled_due_at:
            rows.price(old.id, fine, price["fine_fen"])
            return
        rows.end(subject.id, rule.key, edition, slot, "dropped_by_id", event.id)
    due = max(ruled, event.at) if rule.owner != PROGRAM else _in_time(ruled, event.at, days)
    late = rule.owner == PROGRAM and due != ruled  # it is done at once, though there is time for it
    owner, pool = _whose(rule, subject, by)
    row = {
        "rule": rule.key, "slot": slot, "edition_id": edition, "clause": rule.clause, **price,
        "subject_id": subject.id, "owner_id": owner, "pool": pool, "opened_by_id": event.id,
        "show_from": warning(rule.show, due, event.at, days) if rule.show and not late else event.at,
        "warn_at": warning(rule.warn, due, event.at, days), "due_at": due, "ruled_due_at": ruled,
    }  # fmt: skip
    rows.add(row)


def _price_again(old: Row, event: Event, subject: Subject, price: Mapping[str, Any]) -> None:
    """A missed duty whose subject turns out to be one that is fined: the fine follows; none is taken back here."""
    if price["fine_clause"] and price["fine_clause"] != old.fine_clause:
        rows.price(old.id, price["fine_clause"], price["fine_fen"])
        facts = {"duty": old.id, "rule": old.rule, "owner": old.breached_owner_id, **price}
        _add(REPRICED, subject, None, event.at, facts)


def days_of(edition: Rulebook) -> Calendar:
    """The department's calendar with the working hours of an edition."""
    return dataclasses.replace(calendar(), hours=edition.hours)


def warning(before: Span, due: datetime, opened: datetime, days: Calendar) -> datetime:
    """When to warn: a span before the deadline, but not before there was anything to do."""
    return min(max(before.ahead_of(due, days), opened), due)


def _in_time(ruled: datetime, at: datetime, days: Calendar) -> datetime:
    """The program's own deadline: where it has passed, or is about to, the next sweep still acts in time."""
    return ruled if ruled - at >= timedelta(hours=1) else Span(1, "working day").from_instant(at, days)


def _whose(rule: Rule, subject: Subject, by) -> tuple[int | None, str | None]:
    if rule.owner == PROGRAM:
        return None, PROGRAM
    if rule.owner.startswith("pool:"):
        return None, rule.owner.removeprefix("pool:")
    named = {"actor": by and by.id, "concerned": subject.concerned_id}
    owner = named.get(rule.owner) or subject.owner_id
    return owner, None if owner else Role.MANAGER  # nobody's goes to the manager


def settle(subject: Subject, at: datetime) -> int:
    """Breach every duty of `subject` that fell due before `at`, in due order; a breach may open what is overdue too."""
    done = 0
    while duty_id := rows.missed(subject.id, at):
        done += breach(db.session.get_one(Duty, duty_id), subject)
    return done


def breach(duty: Duty, subject: Subject) -> bool:
    """Write down, dated when it fell due, that a duty was missed and by whom; False if another process was first."""
    lock(subject)
    db.session.refresh(duty)
    if not duty.open or duty.breached_by_id or duty.held_by_id:
        return False
    facts = {"duty": duty.id, "rule": duty.rule, "slot": duty.slot, "clause": duty.clause}
    facts["owner"] = duty.liable_id or duty.owner_id
    if duty.fine_clause:
        facts |= {"fine_clause": duty.fine_clause, "fine_fen": duty.fine_fen}
    event = record(BREACHED, subject, at=duty.due_at, **facts)
    stamp = {"breached_by_id": event.id, "breached_owner_id": facts["owner"]}
    breached = update(Duty).where(Duty.id == duty.id, pending_now()).values(stamp)
    done = rows_of(db.session.execute(breached.execution_options(synchronize_session=False)))
    assert done == 1, "the subject is locked"
    db.session.refresh(duty)
    return True
