"""The migrations make the tables of the models, keep events append-only, and may run twice with data in them."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crm.db import db, unit_of_work
from crm.duties.models import Event
from crm.migrating import behind, migrate
from tests import make


def test_the_migrated_tables_are_those_of_the_models(app):
    options = {
        "compare_type": True,
        "include_name": lambda name, kind, _parent: not (kind == "table" and name.startswith("search_grams")),
    }
    context = MigrationContext.configure(db.session.connection(), opts=options)
    assert compare_metadata(context, db.metadata) == []


@pytest.mark.parametrize("statement", ["UPDATE events SET kind = 'x'", "DELETE FROM events"])
def test_events_can_neither_be_changed_nor_deleted(app, statement):
    with pytest.raises(DBAPIError, match="append-only"), unit_of_work():
        db.session.execute(text(statement))
    assert db.session.query(Event).count() > 0


def test_migrating_again_with_data_in_it_changes_nothing(app):
    with unit_of_work():
        make.ticket()
    before = db.session.query(Event).count()
    db.session.rollback()
    migrate()
    assert db.session.query(Event).count() == before
    assert behind() == ""
