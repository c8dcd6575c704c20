"""The databases that tests begin with."""

import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from crm import clock, create_app
from crm.db import db
from crm.duties import anchors
from crm.migrating import migrate
from tests import make
from tests.postgres import Server


def settings(url: str, folder: Path) -> dict:
    return {"TESTING": True, "SECRET_KEY": "of the tests, and of nothing else at all", "SQLALCHEMY_DATABASE_URI": url, "INSTANCE": str(folder),
            "PROPAGATE": True, "CRM_URL": ""}  # fmt: skip


def _cast() -> None:
    migrate()
    make.department()


def _model(url: str, folder: Path, maker: Callable[[], None] = _cast) -> None:
    app = create_app(settings(url, folder))
    with app.app_context(), clock.frozen(make.MONDAY):
        anchors.begin()
        maker()
        db.session.remove()
        db.engine.dispose()


class Models:
    """The databases that tests begin with, each made once in this process and copied: by who makes them, from the one that holds
    the cast. With each goes the folder of its files."""

    def __init__(self, request, folders) -> None:
        self.request, self.folders, self.known = request, folders, {}

    def of(self, database: str, maker: Callable[[], None] | None) -> tuple[str, Path]:
        """A database's name or file, and its folder."""
        if (database, maker) not in self.known:
            folder = self.folders.mktemp("model")
            base = self.of(database, None) if maker else None
            make_it = self.sqlite if database == "sqlite" else self.postgres
            self.known[database, maker] = make_it(folder, base and base[0], maker or _cast), folder
        return self.known[database, maker]

    def sqlite(self, folder: Path, base: str | None, maker: Callable[[], None]) -> str:
        if base:
            shutil.copy(base, folder / "crm.db")
        _model(f"sqlite:///{folder}/crm.db", folder, maker)
        engine = create_engine(f"sqlite:///{folder}/crm.db")
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return str(folder / "crm.db")

    def postgres(self, folder: Path, base: str | None, maker: Callable[[], None]) -> str:
        name = f"model_{uuid.uuid4().hex[:8]}"
        server = self.request.getfixturevalue("postgres")
        _model(server.create(name, base) if base else server.create(name), folder, maker)
        self.request.addfinalizer(lambda: self.dropped(server, name))
        return name

    def dropped(self, server: Server, name: str) -> None:
        with suppress(OperationalError):  # a cluster of the tests' own is gone by now, and all that was in it
            server.drop(name)
