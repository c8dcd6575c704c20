"""Bringing the database to this version's tables, and asking whether it is there.

A web worker asks and never brings: what does that, Alembic with all it needs, takes 8 MB and is loaded by whoever migrates."""

import os
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from crm.db import db


def init_app(app: Flask, folder: Path) -> None:
    app.extensions["migrations"] = folder
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":  # `flask db`
        _extend(app)


def _extend(app: Flask) -> None:
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(app.extensions["migrations"]))


def _revisions() -> list[str]:
    """The revisions there are, the oldest first: a migration's file begins with its own."""
    return sorted(path.name[:4] for path in (current_app.extensions["migrations"] / "versions").glob("[0-9]*.py"))


def knows(revision: str) -> bool:
    """Whether tables of this revision can be brought to this version's."""
    return revision in _revisions()


def migrate(to: str = "head") -> None:
    """To the newest tables, or to those of a revision; doing it again does nothing."""
    from flask_migrate import upgrade

    _extend(current_app._get_current_object())  # type: ignore[attr-defined]
    upgrade(revision=to)


def behind() -> str:
    """Why the database cannot be used as it is, or nothing."""
    try:
        present = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError:
        db.session.rollback()
        return "the database does not answer" if not _answers() else "the database needs `crm migrate`"
    return "" if present == _revisions()[-1] else "the database needs `crm migrate`"


def _answers() -> bool:
    """Whether it is there at all, though it may have no tables yet."""
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        db.session.rollback()
        return False
    return True
