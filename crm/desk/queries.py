from sqlalchemy import and_, func, or_, select

from crm import clock
from crm.db import db
from crm.duties.models import Duty, open_now


def waiting(user) -> int:
    """How many of one's duties press now: overdue, or due before the day is over; counted up to a hundred."""
    mine = or_(Duty.owner_id == user.id, and_(Duty.owner_id.is_(None), Duty.pool.in_(sorted(user.roles))))
    press = select(Duty.id).where(mine, open_now(), Duty.due_at <= clock.end_of(clock.today())).limit(100)
    return db.session.scalar(select(func.count()).select_from(press.subquery())) or 0
