"""record(): the one verb. Something happened; the rulebook says what that opens, keeps and drops."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, update

from crm import clock, search
from crm.db import db, rows_of
from crm.duties import rows
from crm.duties.carrying import BREACHED, REPRICED, Met, carry_out, missed, own_rule, rule_from_below, warning
from crm.duties.editions import book, edition_id, ruling, todays_id
from crm.duties.events import DutyEvent
from crm.duties.locks import lock, opened_here
from crm.duties.models import Duty, Subject, pending_now
from crm.duties.posting import post
from crm.duties.rows import Recorded
from crm.duties.rulebook import Rule, Rulebook
from crm.errors import Untimely
from crm.workdays import Calendar, calendar

via: ContextVar[tuple[str, str]] = ContextVar("via", default=("cli", ""))  # (page | import | cli | tick, address)

_quietly: ContextVar[bool] = ContextVar("quietly", default=False)  # by another event, all at once


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
    token = _quietly.set(True)
    try:
        yield
    finally:
        _quietly.reset(token)


def record(kind: str, subject: Subject, *, by=None, at: datetime | None = None, **facts: Any) -> Recorded:
    """Write down that `kind` happened to `subject`, and carry out the rulebook.

    Locks the subject; breaches what has fallen due first, so that no fine depends on when the sweep ran; adds the
    event; then keeps, drops and opens duties, and renews what the search says of the subject. `at` (aware,
    opened_at ≤ at ≤ now) is when it happened, `facts` what there is to say of it. A subject without an edition
    (imported history) owes nothing. Untimely for any other `at`.
    """
    at = at or clock.now()
    lock(subject)
    if not subject.opened_at <= at <= clock.now():
        raise Untimely()
    here = opened_here()
    if first := here.get(subject.id) is False:
        here[subject.id] = True
    if kind != BREACHED and not first:
        settle(subject, clock.now())
    own = subject.facts()
    event = _add(kind, subject, by, at, facts, known_then(subject, own))
    known = {**own, **facts}
    met = Met(event.id, kind, at, subject, by.id if by else None, known, first)
    for edition, rule in rules_of(subject, kind, at, first):
        if own_rule(rule, subject.kind):
            carry_out(_Rows, rule, edition, met)
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
    DutyEvent.MORE_TIME_GRANTED: "asked_by",
    DutyEvent.MORE_TIME_REFUSED: "asked_by",
}  # on any subject


def concerned(subject: Subject, kind: str) -> str | None:
    return subject.NOTICES.get(kind) or CONCERNS.get(kind)


def _notify(event: Recorded, subject: Subject, by, facts: Mapping[str, Any]) -> None:
    """Tell whom it concerns, unless they did it themselves."""
    whom = concerned(subject, event.kind)
    if not whom or _quietly.get():
        return
    told = (subject.owner_id if one == "owner" and one not in facts else facts.get(one) for one in whom.split())
    people = {id for one in told for id in (one if isinstance(one, list) else [one])}
    rows.notified(event.id, sorted(people - {None, by.id if by else None}))


def _add(
    kind: str, subject: Subject, by, at: datetime, facts: Mapping[str, Any], known: Mapping[str, Any] | None = None
) -> Recorded:
    return rows.happened(event_row(kind, subject, by.id if by else None, at, facts, known))


def event_row(
    kind: str, subject: Subject, by_id: int | None, at: datetime, facts: Mapping[str, Any], known: Mapping[str, Any] | None
) -> dict[str, Any]:
    """An event as it is written down."""
    way, address = via.get()
    return {
        "kind": str(kind), "subject_id": subject.id, "at": at, "recorded_at": clock.now(), "actor_id": by_id, "via": way,
        "address": address, "facts": {key: plain(value) for key, value in facts.items()}, "known": known,
    }  # fmt: skip


def known_then(subject: Subject, facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """What conditions, dates and owners could rest on when an event was recorded: of its subject, and of what that came of
    where that counts what happens to it. So the past can be judged by another rulebook."""
    told = _told(subject, facts) if subject.edition_id else {}
    if subject.origin_id:
        origin = db.session.get_one(Subject, subject.origin_id)
        if origin.edition_id and subject.kind in book(origin.edition_id).counted:
            told["origin"] = _told(origin, origin.facts())
    return told or None


def _told(subject: Subject, facts: Mapping[str, Any]) -> dict[str, Any]:
    whose = {"owner_id": subject.owner_id, "concerned_id": subject.concerned_id}
    return {name: plain(value) for name, value in {**facts, **whose}.items() if value is not None}


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


def _carry_up(event: Recorded, subject: Subject, by, facts: Mapping[str, Any]) -> None:
    """What happened to a subject, for those rules of the one it came of that count such (`of`): all, or the one the event
    names as its `rule`."""
    origin = db.session.get_one(Subject, subject.origin_id)
    rules = [
        (edition, rule) for edition, rule in rules_of(origin, event.kind, event.at)
        if rule_from_below(rule, subject.kind, facts)
    ]  # fmt: skip
    if not rules:
        return
    lock(origin)
    settle(origin, clock.now())
    met = Met(event.id, event.kind, event.at, origin, by.id if by else None, {**origin.facts(), **facts})
    for edition, rule in rules:
        carry_out(_Rows, rule, edition, met)


class _Rows:
    """The duties of the database, as carrying out knows them."""

    standing = staticmethod(lambda met, rule, slot: rows.standing(met.subject.id, rule, slot))
    price = staticmethod(lambda old, clause, fen: rows.price(old.id, clause, fen))
    rulebook = staticmethod(book)

    @staticmethod
    def days(edition: int) -> Calendar:
        return days_of(book(edition))

    @staticmethod
    def latest(met: Met) -> int:
        return ruling(met.subject, met.at)[-1]

    @staticmethod
    def end(met: Met, rule: str, edition: int, slot: str, stamp: str) -> None:
        rows.end(met.subject.id, rule, edition, slot, stamp, met.id)

    @staticmethod
    def add(met: Met, rule: Rule, owed: dict[str, Any], late: bool) -> None:
        due, days = owed["due_at"], days_of(book(owed["edition_id"]))
        shown = warning(rule.show, due, met.at, days) if rule.show and not late else met.at
        rows.add(owed | {"show_from": shown, "warn_at": warning(rule.warn, due, met.at, days)})

    @staticmethod
    def price_missed(met: Met, old: Row, clause: str, fen: int | None) -> None:
        """A missed duty whose subject turns out to be one that is fined: the fine follows; none is taken back here."""
        rows.price(old.id, clause, fen)
        facts = {"duty": old.id, "rule": old.rule, "owner": old.breached_owner_id, "fine_clause": clause, "fine_fen": fen}
        _add(REPRICED, met.subject, None, met.at, facts)


def days_of(edition: Rulebook) -> Calendar:
    """The department's calendar with the working hours of an edition."""
    return dataclasses.replace(calendar(), hours=edition.hours)


def settle(subject: Subject, at: datetime) -> int:
    """Breach every duty of `subject` that fell due before `at`, in due order; a breach may open what is overdue too."""
    done = 0
    while duty_id := rows.missed(subject.id, at):
        done += breach(db.session.get_one(Duty, duty_id), subject)
    return done


def settle_first(subject: Subject) -> None:
    """Before something is changed that a missed deadline speaks of: what was missing then, not what is there now."""
    lock(subject)
    settle(subject, clock.now())


def breach(duty: Duty, subject: Subject) -> bool:
    """Write down, dated when it fell due, that a duty was missed and by whom; False if another process was first."""
    lock(subject)
    db.session.refresh(duty)
    if not duty.open or duty.breached_by_id or duty.held_by_id:
        return False
    facts = missed(duty)
    if lacking := subject.lacking():  # though it costs nothing now: what it turns out to be may
        facts["missing"] = lacking
    event = record(BREACHED, subject, at=duty.due_at, **facts)
    stamp = {"breached_by_id": event.id, "breached_owner_id": facts["owner"]}
    breached = update(Duty).where(Duty.id == duty.id, pending_now()).values(stamp)
    done = rows_of(db.session.execute(breached.execution_options(synchronize_session=False)))
    assert done == 1, "the subject is locked"
    db.session.refresh(duty)
    return True
