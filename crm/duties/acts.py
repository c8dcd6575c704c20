"""What the program itself owes: a duty whose owner is `program` is carried out by the sweep once its time has come.

The act is the event that keeps the duty; what is told with it the rulebook posts. One a unit of work, under the subject's
lock, and only while the duty is open: a missed day is caught up, and of two who sweep at once one does it."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select, tuple_

from crm.db import db, unit_of_work
from crm.duties import editions
from crm.duties.locks import lock, locked
from crm.duties.models import Duty, Event, Subject, open_now
from crm.duties.record import record
from crm.duties.rulebook import PROGRAM

log = logging.getLogger(__name__)
BATCH = 200
T = TypeVar("T")


def carry_out_due(as_of: datetime) -> int:
    """A sweep's step: every act of the program whose time has come, the longest due first. One that cannot be done, or
    fails, is passed over and tried again by the next sweep."""
    done, after = 0, None
    while rows := _due(as_of, after):
        told = _told({subject_id for *_key, subject_id, _kind in rows})
        for _shown, duty_id, subject_id, kind in rows:
            try:
                if subject_id in told and _hindered(duty_id, subject_id):
                    continue
                with unit_of_work():
                    done += carry_out(duty_id, locked(kind, subject_id))
            except Exception:
                log.exception("what the program owes by duty %s could not be done", duty_id)
        after = rows[-1][:2]
    return done


def each_once(wanted: Iterable[T], make: Callable[[T], object], known: Callable[[T], bool]) -> int:
    """What a sweep makes once for each of these, such as a month's report, a unit of work each; how many it made. Of one that
    another process made meanwhile nothing is said; one that fails is logged, and tried again by the next sweep."""
    done = 0
    for one in wanted:
        try:
            with unit_of_work():
                make(one)
            done += 1
        except Exception:
            with unit_of_work(read_only=True):
                there = known(one)
            if not there:
                log.exception("what is due for %s could not be made", one)
    return done


def _due(as_of: datetime, after: tuple[datetime, int] | None) -> Sequence[tuple[datetime, int, int, str]]:
    """The next of them, in the order of their index."""
    key = tuple_(Duty.show_from, Duty.id)
    due = select(Duty.show_from, Duty.id, Duty.subject_id, Subject.kind).join(Subject, Subject.id == Duty.subject_id)
    due = due.where(Duty.pool == PROGRAM, open_now(), Duty.show_from <= as_of)
    if after:
        due = due.where(key > after)
    with unit_of_work(read_only=True):
        return [tuple(row) for row in db.session.execute(due.order_by(Duty.show_from, Duty.id).limit(BATCH))]


def _told(subject_ids: set[int]) -> set[int]:
    """Those that have told before why the program could not act."""
    kinds = {kind for one in Subject.__mapper__.self_and_descendants for kind in one.class_.HINDRANCES}
    told = select(Event.subject_id).where(Event.subject_id.in_(subject_ids), Event.kind.in_(kinds))
    with unit_of_work(read_only=True):
        return set(db.session.scalars(told))


def _hindered(duty_id: int, subject_id: int) -> bool:
    """Whether what was in the way still is, and has been said: found out by reading alone, sweep after sweep."""
    with unit_of_work(read_only=True):
        duty, subject = db.session.get_one(Duty, duty_id), db.session.get_one(Subject, subject_id)
        hindrance = subject.hindrance(editions.book(duty.edition_id).rules[duty.rule])
        return bool(hindrance) and _said(subject, hindrance, duty)


def carry_out(duty_id: int, subject: Subject) -> bool:
    """Do what the program owes, if it is still owed; False if something is in the way, which the subject says once."""
    lock(subject)
    duty = db.session.get_one(Duty, duty_id, populate_existing=True)
    if not duty.open:
        return False
    rule = editions.book(duty.edition_id).rules[duty.rule]
    facts = {"act": rule.key, **subject.act_facts(rule)}
    if hindrance := subject.hindrance(rule):
        if not _said(subject, hindrance, duty):
            record(hindrance, subject, **facts)
        return False
    record(rule.keeps[0], subject, **facts)
    return True


def _said(subject: Subject, hindrance: str, duty: Duty) -> bool:
    """Whether somebody is being asked already to take it out of the way; where the rulebook asks nobody, whether it was said
    since this is owed."""
    asked = [one.key for one in (editions.book_of(subject) or editions.todays()).rules.values() if hindrance in one.opens]
    if not asked:
        told = select(Event.facts).where(Event.subject_id == subject.id, Event.kind == hindrance, Event.id > duty.opened_by_id)
        return any(facts.get("act") == duty.rule for facts in db.session.scalars(told))
    owed = select(Duty.id).where(Duty.subject_id == subject.id, Duty.rule.in_(asked), open_now())
    return db.session.scalar(owed.limit(1)) is not None
