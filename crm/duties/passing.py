"""What somebody owes becomes another's: with the matter, or alone."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import update

from crm import clock
from crm.db import db
from crm.duties import editions
from crm.duties.carrying import of_roles
from crm.duties.events import DutyEvent
from crm.duties.models import Duty, Subject, open_now
from crm.duties.record import record
from crm.permissions import Role


def pass_on(subject: Subject, kind: str, *, by, to, column: str = "owner_id", but: Collection[int] = (), **said: Any) -> None:
    """What `column` names is another's from now on, with what is owed here; `but` those duties that stay."""
    before = getattr(subject, column)
    setattr(subject, column, to.id)
    db.session.flush()
    record(kind, subject, by=by, **{"from": before, "to": to.id}, **({"but": sorted(but)} if but else {}), **said)
    hand_over(subject, before, to.id, but=but)


def hand_over(subject: Subject, owner_id: int | None, to_id: int | None, *, but: Collection[int] = ()) -> None:
    """Another, or nobody and so the managers, now owes what `owner_id` owed on this subject. A breach already dated keeps
    its name, and so does a deadline that passed while more time was being decided. What nobody owned waits with the
    managers and is taken too; what falls to a role stays with it, and with whoever took it on."""
    pools = of_roles(editions.book(one) for one in editions.ruling(subject, clock.now()))
    whose = Duty.owner_id == owner_id if owner_id else Duty.owner_id.is_(None)
    mine = (Duty.subject_id == subject.id, whose, Duty.rule.not_in(pools), Duty.id.not_in(but), open_now())
    passed = (*mine, Duty.held_by_id.is_not(None), Duty.due_at < clock.now(), Duty.liable_id.is_(None))
    db.session.execute(update(Duty).where(*passed).values(liable_id=Duty.owner_id))
    after = {"owner_id": to_id, "pool": None if to_id else Role.MANAGER}
    db.session.execute(update(Duty).where(*mine).values(**after))


def pass_duty(duty: Duty, to: Subject | None, *, by=None, **said: Any) -> None:
    """A duty alone goes to somebody, or to its role again. One that passed while more time was being decided keeps its name."""
    whose, kind = duty.owner_id, DutyEvent.HANDED_OVER if to else DutyEvent.RELEASED
    record(kind, duty.subject, by=by, duty=duty.id, rule=duty.rule, **{"from": whose}, **({"to": to.id} if to else {}), **said)
    db.session.refresh(duty)
    if duty.held_by_id and duty.due_at < clock.now() and duty.liable_id is None:
        duty.liable_id = whose
    duty.owner_id = to.id if to else None
    db.session.flush()
