"""Which of an installation's serial numbers is in use: of those that have begun the last one issued. One issued for the
period to come leaves that in force until its own first day; one that was typed wrongly was never in use."""

from datetime import date

from sqlalchemy import ColumnElement, and_, case, exists, or_, tuple_
from sqlalchemy.orm import aliased

from crm.labels import N_, Labelled
from crm.serials.models import IN_ORDER, Serial


class Use(Labelled):
    NOW = "now", N_("in use")
    NEXT = "next", N_("for the next period")
    PAST = "past", N_("replaced")
    VOID = "void", N_("void")


def voided() -> ColumnElement[bool]:
    """Nothing replaces it but itself."""
    return Serial.replaced_by_id == Serial.id


def counts() -> ColumnElement[bool]:
    return Serial.replaced_by_id.is_(None) | (Serial.replaced_by_id != Serial.id)


def used_on(day: date) -> ColumnElement[bool]:
    """Whether it is the one that is used on a day, though it may have run out by then."""
    newer = aliased(Serial)
    after = tuple_(*(getattr(newer, one.key) for one in IN_ORDER)) > tuple_(*IN_ORDER)
    stands = newer.replaced_by_id.is_(None) | (newer.replaced_by_id != newer.id)
    later = or_(newer.replaced_by_id.is_(None), after)  # the last one was issued last, whatever its days
    followed = exists().where(newer.installation_id == Serial.installation_id, newer.starts_on <= day, stands, later)
    last = Serial.replaced_by_id.is_(None)
    return and_(Serial.starts_on <= day, or_(last, and_(counts(), ~followed.correlate(Serial))))


def use_on(day: date) -> ColumnElement[str]:
    """Its Use on a day, as a column."""
    coming = and_(Serial.replaced_by_id.is_(None), Serial.starts_on > day)
    return case((voided(), Use.VOID.value), (used_on(day), Use.NOW.value), (coming, Use.NEXT.value), else_=Use.PAST.value)
