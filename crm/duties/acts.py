"""What the program itself owes: a duty whose owner is `program` is carried out by the sweep once its time has come.

The act is the event that keeps the duty; what is told with it the rulebook posts. One a unit of work, under the subject's
lock, and only while the duty is open: a missed day is caught up, and of two who sweep at once one does it."""

import logging
from datetime import datetime

from sqlalchemy import select

from crm.db import db, unit_of_work
from crm.duties import editions
from crm.duties.models import Duty, Subject, open_now
from crm.duties.record import lock, record
from crm.duties.rulebook import PROGRAM

log = logging.getLogger(__name__)
BATCH = 200


def carry_out_due(as_of: datetime) -> int:
    """A sweep's step: every act of the program whose time has come, the longest due first. One that cannot be done, or
    fails, is passed over and tried again by the next sweep."""
    done, passed = 0, set()
    while True:
        with unit_of_work(read_only=True):
            due = select(Duty.id, Duty.subject_id).where(Duty.pool == PROGRAM, open_now(), Duty.show_from <= as_of)
            rows = db.session.execute(due.where(Duty.id.not_in(passed)).order_by(Duty.due_at, Duty.id).limit(BATCH)).all()
        if not rows:
            return done
        for duty_id, subject_id in rows:
            try:
                with unit_of_work():
                    acted = carry_out(db.session.get_one(Duty, duty_id), db.session.get_one(Subject, subject_id))
            except Exception:
                log.exception("what the program owes by duty %s could not be done", duty_id)
                acted = False
            done += acted
            if not acted:
                passed.add(duty_id)


def carry_out(duty: Duty, subject: Subject) -> bool:
    """Do what the program owes, if it is still owed; False if something is in the way, which the subject says once."""
    lock(subject)
    db.session.refresh(duty)
    if not duty.open:
        return False
    rule = editions.book(duty.edition_id).rules[duty.rule]
    facts = {"act": rule.key, **subject.act_facts(rule)}
    if hindrance := subject.hindrance(rule):
        if not _said(subject, hindrance, rule.key):
            record(hindrance, subject, **facts)
        return False
    record(rule.keeps[0], subject, **facts)
    return True


def _said(subject: Subject, hindrance: str, rule: str) -> bool:
    """Whether somebody is being asked already to take it out of the way."""
    asked = [one.key for one in (editions.book_of(subject) or editions.todays()).rules.values() if hindrance in one.opens]
    owed = select(Duty.id).where(Duty.subject_id == subject.id, Duty.rule.in_(asked), open_now())
    return db.session.scalar(owed.limit(1)) is not None
