"""tick(): all that falls due by itself, an ordered list of steps; and the worker's loop that calls it."""

import logging
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime

from flask import Flask
from sqlalchemy import delete, func, select

from crm import clock
from crm.absences.days import go_on
from crm.contracts.adoption import adopt_all
from crm.contracts.notices import find_addresses
from crm.db import Step, db, insert, unit_of_work
from crm.desk import presence
from crm.duties.acts import carry_out_due
from crm.duties.models import Duty, Subject, pending_now
from crm.duties.record import breach, via
from crm.duties.seals import anchor, seal_events
from crm.duties.workflow import forget_notices
from crm.files.workflow import forget_drafts
from crm.fund.workflow import open_due as open_months
from crm.labels import N_
from crm.letters.outbox import send_due
from crm.penalties.proposing import propose_due as propose_penalties
from crm.plans.workflow import propose_due
from crm.reports.opening import open_due
from crm.reports.sending import tell_due
from crm.rulebooks.trying import try_due
from crm.sheets import runs
from crm.staff import access, throttle
from crm.submissions import forget_submissions

log = logging.getLogger(__name__)
BATCH = 200
PAUSE = 30  # seconds between two sweeps of a worker


def breach_overdue(as_of: datetime) -> int:
    """Mark what was missed, each dated when it fell due, a unit of work a row; again until nothing is due, for a breach
    may open what is overdue too. A row that fails is logged and passed over."""
    done, failed = 0, set()
    while True:
        with unit_of_work(read_only=True):
            due = select(Duty.id, Duty.subject_id).where(pending_now(), Duty.due_at < as_of, Duty.id.not_in(failed))
            rows = db.session.execute(due.order_by(Duty.due_at, Duty.id).limit(BATCH)).all()
        if not rows:
            return done
        for duty_id, subject_id in rows:
            try:
                with unit_of_work():
                    done += breach(db.session.get_one(Duty, duty_id), db.session.get_one(Subject, subject_id))
            except Exception:
                log.exception("duty %s could not be settled", duty_id)
                failed.add(duty_id)


STEPS: dict[str, Callable[[datetime], int]] = {
    N_("leave begun, handed over and ended"): go_on,  # before anything is marked as missed
    N_("service periods taken into contracts"): adopt_all,
    N_("what the program owes done"): carry_out_due,
    N_("addresses found that were looked for"): find_addresses,
    N_("duties marked as missed"): breach_overdue,
    N_("penalties proposed"): propose_penalties,
    N_("reports prepared"): open_due,
    N_("readers told of reports"): tell_due,
    N_("letters sent"): send_due,
    N_("contract plans proposed"): propose_due,
    N_("monthly statements opened"): open_months,
    N_("events sealed"): seal_events,
    N_("seals anchored outside"): anchor,
    N_("file drafts removed"): forget_drafts,
    N_("tables read for an import removed"): runs.forget,
    N_("old form numbers removed"): forget_submissions,
    N_("log-in counts removed"): throttle.forget,
    N_("old notices removed"): forget_notices,
    N_("drafts of the rulebook tried"): try_due,
    N_("presences removed"): presence.forget,
    N_("old access entries removed"): access.forget,
}


class Swept(dict[str, int]):
    """What a step is called → how many it did; and the steps that failed."""

    failed: tuple[str, ...] = ()


def tick(as_of: datetime | None = None) -> Swept:
    """Every step once; one that fails is logged, and the others go on. May run twice, late, or in two processes at once.

    `as_of` sets the clock for the whole sweep; without it, it is now.
    """
    token, began, done = via.set(("tick", "")), clock.now(), Swept()
    try:
        with clock.frozen(as_of) if as_of else nullcontext():
            for name, step in STEPS.items():
                try:
                    done[name] = step(clock.now())
                except Exception:
                    db.session.rollback()
                    log.exception("a step of the sweep failed: %s", name)
                    done.failed += (name,)
        _note(done, began)
    finally:
        via.reset(token)
    return done


def _note(done: Swept, at: datetime) -> None:
    """Keep when each step was last tried and last succeeded, for `crm check` and `/readyz`."""
    rows = [{"name": name, "tried_at": at, "done_at": None if name in done.failed else at} for name in STEPS]
    row = insert(Step)
    kept = {"tried_at": row.excluded.tried_at, "done_at": func.coalesce(row.excluded.done_at, Step.done_at)}
    with unit_of_work():
        db.session.execute(delete(Step).where(Step.name.not_in(STEPS)))
        db.session.execute(row.on_conflict_do_update(index_elements=["name"], set_=kept), rows)


def work(app: Flask, stop: threading.Event, pause: float = PAUSE) -> None:
    """Sweep until told to stop; what goes wrong is logged, and tried again the next time."""
    while not stop.is_set():
        try:
            with app.app_context():
                tick()
        except Exception:
            log.exception("the sweep failed; it is tried again in %s seconds", pause)
        stop.wait(pause)
