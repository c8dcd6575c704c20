from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select

from crm import clock
from crm.db import Step, db
from crm.duties.models import Duty, Notice, Subject, open_now
from crm.duties.queries import of_whom
from crm.visits.models import Visit

MOST = 100  # counted up to here


def _counted(rows: Select) -> Any:
    return select(func.count()).select_from(rows.limit(MOST).subquery()).scalar_subquery()


_MINE = of_whom(bindparam("user"), bindparam("roles", expanding=True))
_PRESS = select(Duty.id).where(_MINE, open_now(), Duty.due_at <= bindparam("end"))
_UNSEEN = select(Notice.id).where(Notice.user_id == bindparam("user"), Notice.seen_at.is_(None))
_COUNTS = select(_counted(_PRESS).label("waiting"), _counted(_UNSEEN).label("unseen"))


def counts(user) -> dict[str, int]:
    """What every page says beside its rail, in one statement: `waiting`, one's duties that press now (overdue, or due
    before the day is over), and `unseen`, one's notices."""
    given = {"user": user.id, "roles": sorted(user.roles), "end": clock.end_of(clock.today())}
    row = db.session.execute(_COUNTS, given).one()
    return {"waiting": row.waiting, "unseen": row.unseen}


_VISITS = (
    select(Subject.number, Subject.title, Subject.state, Subject.opened_at)
    .where(Subject.kind == "visit", Subject.customer_id == bindparam("customer")).order_by(Subject.id.desc()).limit(5)
)  # fmt: skip


def visits_of(customer_id: int, user) -> Sequence[Row]:
    """A customer's latest visits."""
    return db.session.execute(_VISITS.where(Visit.visible(user)), {"customer": customer_id}).all()


def swept() -> dict[str, Any]:
    """When the worker last came by, and which steps of its sweep failed then."""
    at = db.session.scalar(select(func.max(Step.tried_at)))
    failing = db.session.scalars(select(Step.name).where(Step.failing()).order_by(Step.name))
    return {"swept": at and at.isoformat(), "failing": list(failing)}
