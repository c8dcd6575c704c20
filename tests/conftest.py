"""Fixtures: each test gets a database of its own, copied from one that holds the cast, on SQLite and on PostgreSQL."""

import functools
import os
import re
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from markupsafe import Markup
from sqlalchemy import Select, String, cast, event, select, text, union_all
from sqlalchemy.exc import OperationalError

from crm import clock, create_app
from crm.catalogue import drawn, drawn_rows
from crm.db import db, hold, next_number, unit_of_work
from crm.durable import checks
from crm.duties import anchors
from crm.duties.models import Subject
from crm.importing import LOCK
from crm.search import SearchRow
from tests import make
from tests.browsing import Browser
from tests.models import Models, settings
from tests.postgres import Cluster, Server, available
from tests.quick import shared
from tests.shares import DATABASES, DAY, DAYS, TURNS, chosen, leave_out, todays


def pytest_collection_modifyitems(config, items: list[pytest.Item]) -> None:
    items[:], left = chosen(items)
    config.hook.pytest_deselected(items=left)


def pytest_report_header() -> str:
    return f"the share of one day of {DAYS}: CRM_DAY={DAY}" if TURNS else "nothing is shared out"


def pytest_terminal_summary(terminalreporter) -> None:
    reasons = {
        str(r.longrepr[2]) for r in terminalreporter.stats.get("skipped", []) if isinstance(r.longrepr, tuple | list)
    }
    for reason in sorted(reasons):
        terminalreporter.write_line(f"left out: {reason.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield Server(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url))
    elif available():
        with Cluster() as cluster:
            yield Server(cluster.url, cluster)
    else:
        leave_out("postgresql", "no TEST_POSTGRES_URL and no programs of it are installed")


def drawn_twice(*facts, caller):
    """A part of a page that is kept says what it would say if it were drawn now: its facts are all that it shows."""
    found = drawn(*facts, caller=caller)
    assert found == caller(), f"{facts} do not name all that is shown"
    return found


def rows_drawn_twice(told, columns, *facts, draw):
    """The same of the rows of a list."""
    told = list(told)
    found = drawn_rows(told, columns, *facts, draw=draw)
    assert found == Markup("").join(draw(one[0], columns) for one in told), f"{facts} and {told[:1]} do not name all that is shown"
    return found


@pytest.fixture(scope="session")
def models(request, tmp_path_factory) -> Models:
    return Models(request, tmp_path_factory)


@pytest.fixture
def world() -> Callable[[], None] | None:
    """Who makes what is there before a test begins, besides the cast: a file says so by a fixture of this name."""
    return None


@pytest.fixture(params=DATABASES)
def database(request) -> str:
    return request.param


@pytest.fixture
def database_url(database, request, tmp_path, models, world) -> Iterator[str]:
    """A fresh copy of a model database."""
    model, folder = models.of(database, world)
    (tmp_path / anchors.NAME).touch()
    if (folder / "files").is_dir():
        shutil.copytree(folder / "files", tmp_path / "files", dirs_exist_ok=True)
    if database == "sqlite":
        shutil.copy(model, tmp_path / "crm.db")
        yield f"sqlite:///{tmp_path}/crm.db"
        return
    server, name = request.getfixturevalue("postgres"), f"t_{uuid.uuid4().hex[:12]}"
    yield server.create(name, model)
    server.drop(name)


@pytest.fixture
def frozen() -> Iterator[None]:
    """The clock stands at Monday 2026-11-23 09:00."""
    with clock.frozen(make.MONDAY):
        yield


@pytest.fixture
def served(database_url, tmp_path, frozen) -> Iterator:
    """The app without a pushed context, for tests that go through HTTP only or in several threads."""
    app = create_app(settings(database_url, tmp_path))
    app.jinja_env.globals.update(drawn=drawn_twice, drawn_rows=rows_drawn_twice)
    with app.app_context():
        shared()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def empty_place(database, request, tmp_path) -> Iterator:
    """`empty_place()`: the program on an empty database of its own and a folder that is not there yet."""
    server = request.getfixturevalue("postgres") if database == "postgresql" else None
    made = []

    def new():
        name = f"e_{uuid.uuid4().hex[:12]}"
        folder = tmp_path / "empty" / name
        url = server.create(name) if server else f"sqlite:///{folder}/crm.db"
        made.append((name, create_app(settings(url, folder))))
        return made[-1][1]

    yield new
    for name, one in made:
        with one.app_context():
            db.session.remove()
            db.engine.dispose()
        if server:
            server.drop(name)


@pytest.fixture
def elsewhere(empty_place):
    return empty_place()


@pytest.fixture
def app(served) -> Iterator:
    """The app with its context pushed: makers, workflows and queries may be called."""
    with served.app_context():
        yield served
        db.session.rollback()


AHEAD = "no event was recorded in the future"  # a test puts its clock back


@pytest.fixture
def sound(served, database, request) -> Iterator[None]:
    """Whatever the test did, the program's own check finds nothing wrong afterwards: on PostgreSQL, where asking takes as long
    as many a test, on one day of six."""
    yield
    with served.app_context():
        if todays(request.node.nodeid) or (database == "sqlite" and anything_found()):
            wrong = [one for one in checks.run() if one.mark in (checks.BAD, checks.FAILED) and one.what != AHEAD]
            assert [str(one) for one in wrong] == []
        assert said_otherwise() == [], "the search says of these what they do not"


@functools.cache
def _what_is_found():
    """All that a statement of the check finds, in one: what the schema is, and the files, are looked at by the checks' own turn."""
    asked = [check.subquery() for what, check in checks.checks() if isinstance(check, Select) and what != AHEAD]
    return union_all(*(select(cast(next(iter(one.c)), String)) for one in asked))


def anything_found() -> bool:
    with unit_of_work(read_only=True):
        return db.session.execute(_what_is_found()).first() is not None


def said_otherwise() -> list[str]:
    """The numbers of the subjects of which the search says something else than they do."""
    kept: dict[int, set] = {}
    for row in db.session.query(SearchRow):
        kept.setdefault(row.subject_id, set()).add((row.kind, row.ref, row.name, row.text))
    searched = [one for one in db.session.query(Subject) if one.SEARCHED]
    says = {one.number: {(e.kind, e.ref, e.name, e.text) for e in one.searched()} for one in searched}
    return [one.number for one in searched if says[one.number] != kept.get(one.id, set())]


@pytest.fixture
def others_write(served):
    """What an import says goes to this one, which asks each time whether somebody else may write meanwhile."""

    class Others:
        written = 0

        def __call__(self, _line: str) -> None:
            other = threading.Thread(target=self.write)
            other.start()
            other.join()

        def write(self) -> None:
            with served.app_context(), suppress(OperationalError), unit_of_work():
                if db.engine.dialect.name == "postgresql":
                    db.session.execute(text("SET LOCAL lock_timeout = 1000"))  # SQLite gives up by itself
                hold(LOCK)
                next_number("K")
                self.written += 1

    return Others()


@pytest.fixture
def browser(served):
    """`browser("specialist")` is logged in; `browser()` is a stranger at the door."""
    return lambda login=None, language="en": Browser(served, login, language)


@pytest.fixture
def statements(served) -> Iterator[list[str]]:
    """Every statement sent while it is watched: `statements.clear()`, then look."""
    seen: list[str] = []
    with served.app_context():
        engine = db.engine

    def note(_connection, _cursor, statement, *_rest) -> None:
        if statement.split(" ", 1)[0] not in ("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE", "SET"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)
