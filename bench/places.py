"""Places of a harness's own: an instance folder and a database, on SQLite or in a throw-away PostgreSQL."""

import os
import re
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from crm import create_app, keys
from crm.db import db
from crm.duties import anchors
from crm.migrating import migrate
from tests.postgres import Cluster

CRM = str(Path(sys.executable).with_name("crm"))


def asked(words: list[str]) -> tuple[int, str]:
    """How many rounds, on which database."""
    return int(words[0]) if words else 100, words[1] if len(words) > 1 else "sqlite"


def megabytes(process: str = "self") -> tuple[int, int]:
    """MB a process holds now, and held at its most; `ru_maxrss` would tell those of whoever started it, too."""
    told = Path(f"/proc/{process}/status").read_text()
    now, most = (int(re.findall(rf"^{key}:\s+(\d+)", told, re.MULTILINE)[0]) // 1024 for key in ("VmRSS", "VmHWM"))
    return now, most


@dataclass
class Place:
    folder: Path
    url: str
    drop: Callable[[], None]

    @property
    def settings(self) -> dict:
        return {"INSTANCE": str(self.folder), "SQLALCHEMY_DATABASE_URI": self.url}

    @property
    def environment(self) -> dict:
        known = {key: value for key, value in os.environ.items() if not key.startswith("CRM_")}
        return known | {"CRM_INSTANCE": str(self.folder), "CRM_DATABASE_URL": self.url}

    @contextmanager
    def app(self) -> Iterator[Flask]:
        """The program on this place, its tables made if they are not; let go of afterwards."""
        keys.make(self.folder)
        made = create_app(self.settings)
        with made.app_context():
            migrate()
            anchors.begin()
        try:
            yield made
        finally:
            with made.app_context():
                db.session.remove()
                db.engine.dispose()

    def remove(self) -> None:
        self.drop()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def places(kind: str, folder: Path) -> Iterator[Callable[[], Place]]:
    """`new()` names an empty place that nobody has used."""
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster()) if kind == "postgresql" else None

        def new() -> Place:
            name = f"p_{uuid.uuid4().hex[:12]}"
            if cluster is None:
                return Place(folder / name, f"sqlite:///{folder / name}/crm.db", lambda: None)
            return Place(folder / name, cluster.create_database(name, "template0"), lambda: cluster.drop_database(name))

        yield new
