from sqlalchemy import select

from crm.db import db
from crm.errors import NotThere
from crm.reports.models import Report

MOST = 200


def get(number: str, user) -> Report:
    """A report as far as `user` may see it."""
    found = db.session.scalar(select(Report).where(Report.number == number, Report.visible(user)))
    if found is None:
        raise NotThere()
    return found


def every(user) -> list[Report]:
    """All there are, the latest month first."""
    rows = select(Report).where(Report.visible(user)).order_by(Report.month.desc(), Report.id).limit(MOST)
    return list(db.session.scalars(rows))
