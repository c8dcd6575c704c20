from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.duties.models import Duty, open_now
from crm.duties.queries import mine


def waiting(user) -> int:
    """How many of one's duties press now: overdue, or due before the day is over; counted up to a hundred."""
    press = select(Duty.id).where(mine(user), open_now(), Duty.due_at <= clock.end_of(clock.today())).limit(100)
    return db.session.scalar(select(func.count()).select_from(press.subquery())) or 0
