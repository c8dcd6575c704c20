"""Bringing the database to this version's tables, and asking whether it is there."""

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from flask_migrate import upgrade
from sqlalchemy.exc import SQLAlchemyError

from crm.db import db


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", current_app.extensions["migrate"].directory)
    return ScriptDirectory.from_config(config)


def _head() -> str | None:
    return _scripts().get_current_head()


def knows(revision: str) -> bool:
    """Whether tables of this revision can be brought to this version's."""
    return revision in {one.revision for one in _scripts().walk_revisions()}


def migrate() -> None:
    """To the newest tables; doing it again does nothing."""
    upgrade()


def behind() -> str:
    """Why the database cannot be used as it is, or nothing."""
    try:
        present = MigrationContext.configure(db.session.connection()).get_current_revision()
    except SQLAlchemyError:
        db.session.rollback()
        return "the database does not answer"
    return "" if present == _head() else "the database needs `crm migrate`"
