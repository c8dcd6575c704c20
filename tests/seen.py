"""What came of it: what is owed on a subject, and what happened to it."""

from crm.db import db
from crm.duties.models import Duty, Event


def owed(subject) -> dict[str, Duty]:
    """Rule → what is open of it."""
    return {duty.rule: duty for duty in db.session.query(Duty).filter_by(subject_id=subject.id).order_by(Duty.id) if duty.open}


def kinds(subject) -> list[str]:
    """What happened, in order."""
    return [kind for (kind,) in db.session.query(Event.kind).filter_by(subject_id=subject.id).order_by(Event.id)]
