"""A sweep's step: leaves begin on their first day, what falls to who is away goes to the stand-in, and leaves end."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import select

from crm import clock
from crm.absences import handing, workflow
from crm.absences.models import AHEAD, Absence, State
from crm.db import db, unit_of_work
from crm.duties.locks import locked
from crm.duties.models import Subject

log = logging.getLogger(__name__)


def go_on(_as_of: datetime) -> int:
    """Each a unit of work of its own; what fails is logged, and tried again by the next sweep."""
    begun = _each(workflow.begin, AHEAD, Absence.starts_on <= clock.today())
    handed = sum(map(_hand_on, _found({State.AWAY}, Absence.accepted_at.is_not(None), Absence.ends_on >= clock.today())))
    return begun + handed + _each(workflow.end, AHEAD | {State.AWAY}, Absence.ends_on < clock.today())


def _found(states: Iterable[State], *where) -> list[int]:
    ids = select(Subject.id).join(Absence.__table__, Absence.__table__.c.id == Subject.id)
    ids = ids.where(Subject.kind == "absence", Subject.state.in_(states), *where)
    with unit_of_work(read_only=True):
        return list(db.session.scalars(ids.order_by(Subject.id)))


def _each(act: Callable[[Absence], bool], states: Iterable[State], *where) -> int:
    done = 0
    for absence_id in _found(states, *where):
        try:
            with unit_of_work():
                done += act(locked("absence", absence_id))  # type: ignore[arg-type]
        except Exception:
            log.exception("the leave %s could not go on", absence_id)
    return done


def _hand_on(absence_id: int) -> int:
    """What newly fell to who is away, and at first all that is open: a unit of work a matter."""
    with unit_of_work(read_only=True):
        matters = [one.id for one in handing.waiting(db.session.get_one(Absence, absence_id))]
    done = Counter[str]()
    for id in matters:
        try:
            with unit_of_work():
                done += handing.hand(db.session.get_one(Absence, absence_id), db.session.get_one(Subject, id))
        except Exception:
            log.exception("what is owed on %s could not be handed over", id)
    if done:
        with unit_of_work():
            handing.note(db.session.get_one(Absence, absence_id), done)
    return done.total()
