"""Fixtures: each test gets a database of its own, copied from one that holds the cast, on SQLite and on PostgreSQL."""

import contextvars
import functools
import gc
import os
import re
import shutil
import threading
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import has_app_context
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from markupsafe import Markup
from sqlalchemy import Select, String, cast, create_engine, event, select, text, union_all
from sqlalchemy.exc import OperationalError
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from crm import Crm, clock, create_app
from crm.catalogue import drawn, drawn_rows
from crm.db import db, hold, next_number, unit_of_work
from crm.durable import checks
from crm.duties import anchors
from crm.duties.models import Subject
from crm.importing import LOCK
from crm.migrating import migrate
from crm.search import SearchRow
from crm.staff import entrance, passwords
from crm.staff.models import User
from tests import make
from tests.postgres import Cluster, Server, available
from tests.reading import FormReader

REQUIRED = set(os.environ.get("CRM_TEST_REQUIRE", "").replace(",", " ").split())
DATABASES = ["sqlite", "postgresql"]
ALL = os.environ.get("CRM_NETS") == "all"  # `make nets`
TURNS = not ALL and os.environ.get("CRM_TURNS") != "none"  # `make mutants` looks at one database, at every case
os.environ.setdefault("CRM_DAY", str(date.today().toordinal()))  # which share; the same in every process of a run
DAY, WHOLE, DAYS = int(os.environ["CRM_DAY"]), 2000, 6  # of so many days each takes another share of what takes long
SHARED_NETS = {"test_moves.py", "test_matrix.py", "test_once.py"}
BOTH = {"nets", "duties", "durable", "browser", "test_once.py", "test_search.py", "test_migrations.py", "test_languages.py"}
# for whole files of real data, which take long: PostgreSQL's turn is in `make nets`, where small ones go through both always
LARGE = DATABASES if ALL else DATABASES[:1]


def by_turns(n: int):
    """For a long test of which both databases are in `make nets`: here the n-th takes one, its neighbour the other."""
    return pytest.mark.parametrize("database", DATABASES if ALL else [DATABASES[n % 2]], indirect=True)


passwords.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
gc.set_threshold(20_000, 10, 10)  # an app for each test is much garbage: looking for it often took a seventh of the time
_left_out: set[str] = set()
_whole_run = False


class Compiled(BytecodeCache):
    """Templates as they were compiled for the first app of this process: each test has an app of its own."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], object] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.code


Crm.jinja_options = {"bytecode_cache": Compiled()}


def _once(compile_rule):
    """The same for routes: what each address is made of is worked out for the first app of this process."""
    known: dict[tuple, tuple] = {}

    def compiled(rule: Rule) -> None:
        key = rule.rule, rule.host, rule.subdomain, rule.merge_slashes, repr(rule.defaults)
        if key not in known:
            compile_rule(rule)
            builders = rule._build.__func__, rule._build_unknown.__func__
            known[key] = rule._parts, rule._trace, rule._converters, rule.arguments, builders
        rule._parts, rule._trace, rule._converters, rule.arguments, (build, build_unknown) = known[key]
        rule._build, rule._build_unknown = build.__get__(rule), build_unknown.__get__(rule)

    return compiled


Rule.compile = _once(Rule.compile)
_dialects: dict[str, tuple] = {}


def _shared() -> None:
    """And for statements: every database of a kind is asked in the same words, so each is compiled once in this process."""
    for engine in db.engines.values():
        with engine.connect():  # a dialect knows its database from the first connection on
            engine.dialect, engine._compiled_cache = _dialects.setdefault(
                engine.dialect.name, (engine.dialect, LRUCache(2_000))
            )


def leave_out(what: str, why: str) -> None:
    """Skip, unless the machine is required to have it."""
    if what in REQUIRED:
        pytest.fail(f"{what} is required here: {why}")
    _left_out.add(f"{what}: {why}")
    pytest.skip(f"{what}: {why}")


def pytest_collection_modifyitems(config, items: list[pytest.Item]) -> None:
    """A test of many cases goes through them on the two databases in turns; `make nets` takes each case on both."""
    if not TURNS:
        return
    cases: dict[str, dict[tuple, int]] = {}  # a test → its cases but for the database, each with its place
    kept, left = [], []
    for item in items:
        given = getattr(getattr(item, "callspec", None), "indices", {})
        case = tuple(sorted((name, at) for name, at in given.items() if name != "database"))
        known = cases.setdefault(item.nodeid.partition("[")[0], {})
        turn = known.setdefault(case, len(known)).bit_count() % 2  # so that of two values crossed each meets both
        both = "database" not in given or not case or "nets" in item.path.parts
        (kept if both or given["database"] == turn else left).append(item)
    if len(items) > WHOLE:
        global _whole_run
        _whole_run = True
        kept, rest = _share(kept)
        left += rest
    items[:] = kept
    config.hook.pytest_deselected(items=left)


def shared_out() -> bool:
    return _whole_run


def todays(name: str) -> bool:
    """Whether this day takes what the days take in turns. Only a whole run is shared out."""
    return not _whole_run or (zlib.crc32(name.encode()) + DAY) % DAYS == 0


def this_time(name: str) -> bool:
    """The same of what is left out every other time that its test's day comes."""
    return not _whole_run or (zlib.crc32(name.encode()) + DAY // DAYS) % 2 == 0


def _share(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Of a whole run what is this day's: one database for each test (SQLite on two days of three), a third of many cases, a sixth
    of the nets' long rows and of what takes long, by turns, so that no day has all of it. Six days' runs (twelve of the matrix),
    or one of `make nets`, are all; a part that is asked for by name is not shared out."""
    kept, left, met = [], [], Counter()
    many = Counter(map(name_of, items))
    for item in items:
        given = getattr(getattr(item, "callspec", None), "indices", {})
        name, net = item.path.name, "nets" in item.path.parts
        if (net and name in SHARED_NETS) or "takes_long" in item.keywords:
            row = name if net else "takes_long"
            met[row] += 1
            mine = (met[row] + DAY) % DAYS == 0
        elif set(given) == {"database"} and (name == "test_fuzz.py" or not {name, *item.path.parts} & BOTH):
            mine = ((zlib.crc32(name_of(item).encode()) + DAY) % 3 == 0) == given["database"]
        elif "database" in item.fixturenames and many[name_of(item)] >= 6:
            met[name_of(item)] += 1
            mine = (met[name_of(item)] + DAY) % 3 == 0
        else:
            mine = True
        (kept if mine else left).append(item)
    return kept, left


def name_of(item: pytest.Item) -> str:
    """A test without its case."""
    return item.nodeid.partition("[")[0]


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
        _shared()
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


def apart(act, *args, **kwargs):
    """Outside of the test's own app context, whose `g` a request would share: each request is alone, as in a server."""
    answer = contextvars.Context().run(act, *args, **kwargs)
    if has_app_context():
        db.session.rollback()  # the test looks at what is there now
    return answer


class Browser:
    """A client that fills in a form as a person does: with the page's token, its version and a fresh request id."""

    def __init__(self, app, login: str | None = None, language: str = "en") -> None:
        self.client = app.test_client()
        self.headers = {"Accept-Language": language}
        if login:
            apart(self.enter, login)

    def enter(self, login: str) -> None:
        """In as whoever gave the right password: the door has tests of its own, and a log-in takes three requests' time."""
        app = self.client.application
        with app.test_request_context("/login", headers=self.headers), unit_of_work():
            user = db.session.scalars(select(User).where(User.login == login)).one()
            _session, token = entrance._begin(entrance.account_of(user), "", entrance.Visitor())
        with self.client.session_transaction() as cookie:
            cookie.permanent = True
            cookie |= {"token": token, "seen": int(clock.now().timestamp())}

    def log_in(self, login: str, password: str = make.PASSWORD):
        return self.send("/login", login=login, password=password)

    def get(self, path: str, **kwargs):
        return apart(self.client.get, path, headers=self.headers, **kwargs)

    def forms(self, page: str) -> list[dict]:
        """The forms of a page as a browser would send them: `action`, and the fields with what stands in them."""
        reader = FormReader(page)
        reader.feed(self.get(page, follow_redirects=True).text)
        return reader.forms

    def token(self, page: str) -> str:
        return next((f["fields"]["csrf_token"] for f in self.forms(page) if "csrf_token" in f["fields"]), "")

    def send(self, path: str, *, page: str | None = None, files: dict | None = None, **fields):
        """POST the form of `page` that leads to `path`, its hidden fields as they stand there, with what was typed.

        Where the page shows no such form (another's record, a state without the button) it is sent all the same."""
        page = page or re.sub(r"(/[A-Z][0-9-]+)/(?!edit$)[a-z]+$", r"\1", path)
        forms = self.forms(page)
        if not any(f["method"] == "post" and path in f["actions"] for f in forms):
            forms += self.forms("/account")  # whoever is shown no such form has a token there
        form = next((f for f in forms if f["method"] == "post" and path in f["actions"]), None)
        known = next((f["fields"]["version"] for f in forms if "version" in f["fields"]), None)
        token = next((f["fields"]["csrf_token"] for f in forms if "csrf_token" in f["fields"]), "")
        data = {"csrf_token": token, "request_id": uuid.uuid4().hex}
        data |= {"version": known} if known else {}
        data |= (form["fields"] if form else {}) | fields | (files or {})
        return self.post(path, data, multipart=bool(files))

    def post(self, path: str, data: dict, *, multipart: bool = False):
        """Exactly this, as an attacker would."""
        kind = "multipart/form-data" if multipart else None
        return apart(self.client.post, path, data=data, headers=self.headers, content_type=kind)


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


def together(count: int, act) -> list:
    """Run `act(i)` in `count` threads at once; what each gave back."""
    given: list = [None] * count
    gate = threading.Barrier(count)

    def run(i: int) -> None:
        gate.wait()
        given[i] = act(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given
