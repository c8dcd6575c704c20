from collections.abc import Sequence

from sqlalchemy import select

from crm.db import db
from crm.errors import NotThere
from crm.plans.models import Plan, PlanLine

MOST = 60  # months


def get(number: str, user) -> Plan:
    """A plan as far as `user` may see it."""
    found = db.session.scalar(select(Plan).where(Plan.number == number, Plan.visible(user)))
    if found is None:
        raise NotThere()
    return found


def every(user) -> Sequence[Plan]:
    """All there are, the latest month first."""
    return db.session.scalars(select(Plan).where(Plan.visible(user)).order_by(Plan.month.desc()).limit(MOST)).all()


def lines_of(plan: Plan) -> Sequence[PlanLine]:
    of = select(PlanLine).where(PlanLine.plan_id == plan.id)
    return db.session.scalars(of.order_by(PlanLine.kind.desc(), PlanLine.due_on, PlanLine.id)).all()
