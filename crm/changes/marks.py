"""Closed change requests by what the customer said of them (5.4.7)."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select

from crm.changes.models import ChangeRequest
from crm.duties import editions
from crm.duties.models import Subject
from crm.serials.models import Installation

SAID = ChangeRequest.__table__.c
MARKED = SAID.mark.is_not(None)


def closed(*asked: Any) -> Select:
    """A statement about those that are closed, with the installation if one is named."""
    own, installed = ChangeRequest.__table__, Installation.__table__
    rows = select(*asked).select_from(Subject.__table__).join(own, SAID.id == Subject.id)
    rows = rows.outerjoin(installed, installed.c.id == SAID.installation_id)
    return rows.where(Subject.kind == "change", SAID.closed_at.is_not(None))


def bad() -> ColumnElement[bool]:
    """A mark as low as the rulebook of its day calls bad (ours.bad_mark)."""
    return SAID.mark <= editions.setting_of_each("bad_mark")
