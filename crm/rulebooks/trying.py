"""Trying a draft takes its time: it is asked for by a page and carried on by the sweep, some hundred subjects at a time.

Each piece reads in one transaction and is written down in another that only counts if nobody was faster: so two workers make one
result, and a trial that was stopped goes on where it was."""

import logging
import time
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from crm import clock
from crm.db import db, rows_of, unit_of_work
from crm.duties.locks import lock
from crm.duties.models import Subject
from crm.duties.record import record
from crm.errors import Forbidden, Invalid, WrongState
from crm.labels import N_
from crm.permissions import Permission
from crm.rulebooks.models import Draft, DraftEvent, DraftState, TrialRow, TrialRun, TrialState
from crm.rulebooks.trial import Row, Tally, Trial

log = logging.getLogger(__name__)
SIZE = 500  # subjects of one piece
LONGEST = 60.0  # seconds after which a sweep leaves the rest to the next: what else falls due waits for it
GOING = (TrialState.WAITING, TrialState.RUNNING)


def ask(draft: Draft, *, by, since: date, until: date) -> TrialRun:
    """Have a draft tried, as it is now, on what fell due between two days; what was asked for before is not gone on with."""
    lock(draft)
    if not by.may(Permission.RULEBOOK_DRAFTS):
        raise Forbidden()
    if draft.state != DraftState.DRAFT:
        raise WrongState()
    if until < since:
        raise Invalid(fields={"until": N_("This lies before the first day.")})
    if since > clock.today():
        raise Invalid(fields={"since": N_("This lies in the future.")})
    stop = update(TrialRun).where(TrialRun.draft_id == draft.id, TrialRun.state.in_(GOING))
    db.session.execute(stop.values(state=TrialState.STOPPED, ended_at=clock.now()).execution_options(synchronize_session=False))
    run = TrialRun(draft_id=draft.id, draft_version=draft.version, body=draft.body, since=since, until=until, asked_by_id=by.id,
                   asked_at=clock.now())  # fmt: skip
    db.session.add(run)
    db.session.flush()
    record(DraftEvent.TRIED, draft, by=by, since=since, until=until)
    return run


def try_due(as_of: datetime) -> int:
    """A sweep's step: carry on what is being tried, for a minute at most; one that cannot be tried is told, and stops no other.
    How many came to their end."""
    began, done = time.monotonic(), 0
    while time.monotonic() - began < LONGEST and (run_id := _next()) is not None:
        try:
            done += _carry_on(run_id, lambda: time.monotonic() - began < LONGEST)
        except Exception:
            log.exception("the trial %s could not be carried on", run_id)
            with unit_of_work():
                _end(run_id, TrialState.FAILED)
    return done


def _next() -> int | None:
    with unit_of_work(read_only=True):
        return db.session.scalar(select(TrialRun.id).where(TrialRun.state.in_(GOING)).order_by(TrialRun.id).limit(1))


def _carry_on(run_id: int, more) -> int:
    """Piece by piece, while there is time; 1 if that was the last."""
    with unit_of_work(read_only=True):
        run = db.session.get_one(TrialRun, run_id)
        trial, position, found, total = _trial(run), run.position, run.found, _total(run)
    while more():
        tally = Tally.of(found)
        with unit_of_work(read_only=True):
            rows, last = trial.go_on(position, SIZE, clock.now(), tally)
        ended = last == position
        with unit_of_work():
            if not _write(run_id, position, {"position": last, "found": vars(tally), "total": total}, rows, ended):
                return 0  # another worker was faster, or it was asked for anew
        if ended:
            return 1
        position, found = last, vars(tally)
    return 0


def at_once(run: TrialRun) -> None:
    """All of it in the unit of work that is open: for the demo department, before anybody waits for it."""
    trial, tally, total, position, ended = _trial(run), Tally(), _total(run), 0, False
    while not ended:
        rows, last = trial.go_on(position, SIZE, clock.now(), tally)
        ended = last == position
        _write(run.id, position, {"position": last, "found": vars(tally), "total": total}, rows, ended)
        position = last


def _until(run: TrialRun) -> datetime:
    return clock.moment(run.until + timedelta(days=1))


def _trial(run: TrialRun) -> Trial:
    return Trial.of(run.body, clock.moment(run.since), _until(run))


def _total(run: TrialRun) -> int:
    """How many subjects there are to be looked at."""
    judged = Subject.edition_id.is_not(None), Subject.opened_at < _until(run)
    return db.session.scalar(select(func.count(Subject.id)).where(*judged)) or 0


def _write(run_id: int, position: int, values: dict[str, Any], rows: Iterable[Row], ended: bool) -> bool:
    mine = TrialRun.id == run_id, TrialRun.position == position, TrialRun.state.in_(GOING)
    state = {"state": TrialState.RUNNING} | values
    if not rows_of(db.session.execute(update(TrialRun).where(*mine).values(state).execution_options(synchronize_session=False))):
        return False
    if made := [{"trial_id": run_id, **vars(row)} for row in rows]:
        db.session.execute(insert(TrialRow), made)
    if ended:
        _end(run_id, TrialState.DONE)
    return True


def _end(run_id: int, state: TrialState) -> None:
    """Its result stands; those of the same draft before it are no longer kept."""
    ended = update(TrialRun).where(TrialRun.id == run_id, TrialRun.state.in_(GOING)).values(state=state, ended_at=clock.now())
    db.session.execute(ended.execution_options(synchronize_session=False))
    if state == TrialState.DONE:
        draft = select(TrialRun.draft_id).where(TrialRun.id == run_id).scalar_subquery()
        older = select(TrialRun.id).where(TrialRun.draft_id == draft, TrialRun.id < run_id)
        for table, column in ((TrialRow, TrialRow.trial_id), (TrialRun, TrialRun.id)):
            db.session.execute(delete(table).where(column.in_(older)).execution_options(synchronize_session=False))
