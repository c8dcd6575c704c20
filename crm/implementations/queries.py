from sqlalchemy import select

from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.errors import NotThere
from crm.implementations.models import Implementation, State


def get(number: str, user) -> Implementation:
    found = db.session.scalar(select(Implementation).where(Implementation.number == number, Implementation.visible(user)))
    if found is None:
        raise NotThere()
    return found


def every(user) -> list[Implementation]:
    """Those under way first, then the newest."""
    rows = select(Implementation).where(Implementation.visible(user))
    return list(db.session.scalars(rows.order_by(Subject.state != State.RUNNING, Subject.id.desc()).limit(duties.MOST)))
