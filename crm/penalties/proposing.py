"""The sweep's part: what costs something is proposed, once each, and what has lost its ground is void."""

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from crm import clock
from crm.absences.excuses import excuse_of
from crm.db import db, next_number, unit_of_work
from crm.duties.acts import each_once
from crm.duties.editions import book
from crm.duties.locks import lock
from crm.duties.models import Duty, Subject
from crm.duties.record import open_subject, record
from crm.penalties import grounds
from crm.penalties.grounds import Ground
from crm.penalties.models import Penalty, PenaltyEvent, Sanction, State

log = logging.getLogger(__name__)


def propose_due(_as_of: datetime) -> int:
    """A sweep's step: what is void, then what is new, a unit of work each; how many."""
    with unit_of_work(read_only=True):
        gone, back = grounds.gone(), grounds.back_again()
    done = sum(_settled(_void, id) for id in gone) + sum(_settled(_revive, id) for id in back)
    with unit_of_work(read_only=True):
        new = list(grounds.all_new())
    return done + each_once(new, propose, _known)


def _settled(step: Callable[[int], bool], penalty_id: int) -> bool:
    """One that cannot be settled stops none of the others, and is tried again by the next sweep."""
    try:
        return step(penalty_id)
    except Exception:
        log.exception("whether the ground of penalty %s is there could not be settled", penalty_id)
        return False


def _known(ground: Ground) -> bool:
    refs = select(Penalty.id).where(Penalty.external_ref == ground.ref)
    return db.session.scalar(refs.limit(1)) is not None


def propose(ground: Ground) -> Penalty:
    """One penalty, which a manager issues or waives. `external_ref` is unique: of two sweeps at once one proposes it."""
    entry = book(ground.edition_id).penalties[ground.key]
    origin = db.session.get_one(Subject, ground.origin_id)
    penalty = Penalty(
        number=next_number("F", clock.today()), title=_title(origin), state=State.PROPOSED,
        category=ground.key, concerned_id=ground.person_id, origin_id=origin.id, external_ref=ground.ref,
        clause=entry.clause or ground.key, sanction=entry.kind, happened_at=ground.at, cause_id=ground.cause_id,
        duty_id=ground.duty_id, entered_by_id=ground.entered_by_id, facts_said=ground.said,
        fen=ground.fen if entry.kind in (Sanction.FINE, Sanction.COMPENSATION) else None,
        evidence={"edition": ground.edition_id, **ground.evidence},
    )  # fmt: skip
    open_subject(penalty)
    record(PenaltyEvent.PROPOSED, penalty, key=penalty.category, fine_fen=penalty.fen)
    return penalty


def _title(origin: Subject) -> str:
    """Of another penalty its number alone: who reads this one need not read that."""
    return origin.number if origin.kind == "penalty" else f"{origin.number} {origin.title}".strip()


def _void(penalty_id: int) -> bool:
    """What has lost its ground is void, signed or not (see `grounds.gone`); what was deducted is given back."""
    with unit_of_work():
        penalty = db.session.get_one(Penalty, penalty_id)
        lock(penalty)
        why = grounds.gone(penalty_id).get(penalty_id)
        if why is None:
            return False
        penalty.state, penalty.reduced_fen = State.VOIDED, None
        penalty.version += 1
        db.session.flush()
        record(PenaltyEvent.VOIDED, penalty, to=penalty.concerned_id, name=_because(penalty, why))
        return True


def _because(penalty: Penalty, why: str) -> str:
    """The number of what took its ground away."""
    leave = excuse_of(db.session.get_one(Duty, penalty.duty_id)) if why == "absence" else None
    return (leave or db.session.get_one(Subject, penalty.origin_id)).number


def _revive(penalty_id: int) -> bool:
    """What leave had excused and excuses no longer is proposed again, from the beginning: what was issued and signed before is
    told by its events alone."""
    with unit_of_work():
        penalty = db.session.get_one(Penalty, penalty_id)
        lock(penalty)
        if penalty_id not in grounds.back_again(penalty_id):
            return False
        entry = book(penalty.evidence["edition"]).penalties[penalty.category]  # the duty may have been priced anew since
        penalty.state, penalty.fen, penalty.owner_id = State.PROPOSED, entry.fen, None
        penalty.issued_by_id = penalty.issued_at = penalty.held_at = penalty.appeal_until = None
        penalty.first_witness_id = penalty.second_witness_id = None
        penalty.witnessed, penalty.ill_mannered = [], False
        penalty.appeal = penalty.answer = penalty.decision = ""
        penalty.version += 1
        db.session.flush()
        record(PenaltyEvent.REVIVED, penalty, to=penalty.concerned_id)
        return True
