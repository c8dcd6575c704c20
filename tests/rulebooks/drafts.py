"""Drafts as tests need them."""

from crm.db import db
from crm.duties.models import Edition, Event
from crm.rulebooks import workflow
from crm.rulebooks.models import Draft
from crm.rulebooks.text import Change
from tests import make


def begun(title: str = "明年的制度") -> Draft:
    return workflow.begin(by=make.who("director"), title=title, base=db.session.query(Edition).order_by(Edition.id).first())


def changed(*changes: Change) -> Draft:
    draft = begun()
    workflow.change(draft, changes, by=make.who("director"))
    return draft


def events(kind: str) -> list[Event]:
    return db.session.query(Event).filter_by(kind=kind).order_by(Event.id).all()
