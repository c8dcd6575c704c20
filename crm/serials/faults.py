"""What does not fit (5.6.3): a serial number that outlives its period, a period without one, more users than licensed."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, exists, func, or_, select

from crm import clock
from crm.db import db
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.serials.models import Installation, Serial, ServicePeriod, Standing, UseState
from crm.serials.using import used_on

MOST = 200


class Fault(Labelled):
    OUTLIVES = "outlives", N_("The serial number outlives the service period")
    MISSING = "missing", N_("No valid serial number in the service period")
    USERS = "users", N_("More users than the serial number allows")


@dataclass(frozen=True)
class Faulty:
    installation: Installation
    fault: Fault
    day: date | None  # until when the period, or the serial number, lasts


def listing(user, today: date | None = None) -> list[Faulty]:
    """Every fault of the installations a reader sees, kind by kind; to two hundred of each."""
    today = today or clock.today()
    kinds = ((Fault.MISSING, _missing), (Fault.OUTLIVES, _outliving), (Fault.USERS, _too_many))
    seen = Installation.visible(user)
    return [Faulty(row[0], fault, row[1]) for fault, ask in kinds
            for row in db.session.execute(ask(today).where(seen).order_by(Subject.id).limit(MOST))]  # fmt: skip


def _last():
    return and_(Serial.installation_id == Installation.id, Serial.replaced_by_id.is_(None))


def _last_day():
    served = ServicePeriod.standing != Standing.WITHHELD
    mine = ServicePeriod.installation_id == Installation.id
    return select(func.max(ServicePeriod.ends_on)).where(mine, served).correlate(Installation).scalar_subquery()


def _missing(today: date):
    """Served today, by software in use, and no serial number in use that holds today."""
    period = select(func.max(ServicePeriod.ends_on)).where(
        ServicePeriod.installation_id == Installation.id, ServicePeriod.starts_on <= today, ServicePeriod.ends_on >= today,
        ServicePeriod.standing == Standing.SETTLED,
    ).correlate(Installation).scalar_subquery()  # fmt: skip
    mine = Serial.installation_id == Installation.id
    valid = exists().where(mine, Serial.ends_on >= today, used_on(today)).correlate(Installation)
    return select(Installation, period).where(period.is_not(None), ~valid, Subject.state != UseState.STOPPED)


def _outliving(today: date):
    last = _last_day()
    rows = select(Installation, last).join(Serial, _last())
    return rows.where(Serial.ends_on >= today, or_(last.is_(None), Serial.ends_on > last))


def _too_many(today: date):
    return select(Installation, Serial.ends_on).join(Serial, Serial.installation_id == Installation.id).where(
        Serial.ends_on >= today, Serial.users.is_not(None), Installation.users > Serial.users, used_on(today)
    )
