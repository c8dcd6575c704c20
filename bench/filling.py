"""Filling a place with very many records fast: COPY on PostgreSQL, executemany on SQLite, indexes made afterwards."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import func, select, text

from bench.places import Place
from bench.story import COLUMNS, Rows, Story
from crm import clock
from crm.contracts.adoption import adopt_all
from crm.customers.models import Contact, Customer
from crm.db import db, unit_of_work
from crm.duties import workflow as duties
from crm.duties.models import Duty, Edition, Event, Subject
from crm.permissions import Role
from crm.staff import workflow as staff
from crm.staff.models import User
from crm.staff.passwords import hashed
from tests import make

PEOPLE = 24
PASSWORD = "a password of the bench"
TABLES = ("subjects", "tickets", "events", "seals", "duties", "search_rows", "search_keys")


def fill(place: Place, size: int, told: type[Story] = Story) -> None:
    began = time.monotonic()
    with place.app() as app, app.app_context():
        with unit_of_work():
            people = _department(size)
        while adopt_all(clock.now()):
            pass
        with unit_of_work():
            story = _story(size, people, told)
        connection = db.engine.raw_connection()
        load = _copy if db.engine.dialect.name == "postgresql" else _insert
        with _bare(connection.cursor()):
            for batch in story.batches():
                load(connection.cursor(), batch)
                connection.commit()
        _settle(connection, story)
        connection.close()
    print(f"filled {size:,} records in {time.monotonic() - began:.0f} s", file=sys.stderr)


def _department(size: int) -> list[int]:
    """The specialists, everybody else, and customers with a contact and a running service each: one for two hundred records."""
    duties.issue_shipped()
    boss = staff.add_user("manager", "刘强", [Role.MANAGER], hashed(PASSWORD), must_change=False)
    people = [staff.add_user(f"s{i}", f"专员{i}", [Role.SPECIALIST], hashed(PASSWORD), must_change=False)
              for i in range(PEOPLE)]  # fmt: skip
    staff.add_user("specialist", "建档", [Role.SPECIALIST], hashed(PASSWORD), must_change=False)
    db.session.execute(text("UPDATE duties SET dropped_by_id = opened_by_id"))  # the rulebook is read
    for i in range(max(200, size // 200)):
        unit = make.customer(f"客户{i:05d}号", by=boss, full_name=f"第{i}客户单位有限公司")
        make.contact(unit)
        make.installation(unit, ends_in=400)
    db.session.flush()
    return [one.id for one in people if isinstance(one, User)]


def _story(size: int, people: list[int], told: type[Story]) -> Story:
    edition = db.session.scalars(select(Edition.id)).one()
    pairs = [tuple(row) for row in db.session.execute(select(Customer.id, Contact.id).join(Contact.customer))]
    top = {"subjects": Subject.id, "events": Event.id, "duties": Duty.id}
    start = {name: (db.session.scalar(select(func.max(column))) or 0) + 1 for name, column in top.items()}
    return told(size, clock.now(), edition, people, pairs, start)


@contextmanager
def _bare(cursor) -> Iterator[None]:
    """Without the indexes that no constraint stands for, and without looking at foreign keys, while rows come in."""
    postgresql = db.engine.dialect.name == "postgresql"
    if postgresql:
        known = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE '%ix\\_%'"
        cursor.execute("SET session_replication_role = replica; SET timezone = 'UTC'")
    else:
        known = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND name LIKE 'ix_%'"
        for pragma in ("query_only = OFF", "foreign_keys = OFF", "synchronous = OFF"):
            cursor.execute(f"PRAGMA {pragma}")
    cursor.execute(known)
    indexes = list(cursor.fetchall())
    for name, _made in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _name, made in indexes:
        cursor.execute(made)
    if postgresql:
        cursor.execute("RESET session_replication_role")


def _escaped(value) -> str:
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return "\\N" if value is None else str(value)


def _copy(cursor, batch: Rows) -> None:
    def put(table: str, columns: str, rows: Iterable[tuple]) -> None:
        with cursor.copy(f"COPY {table} ({', '.join(columns.split())}) FROM STDIN") as copy:
            copy.write("".join("\t".join(map(_escaped, row)) + "\n" for row in rows))

    for table in TABLES:
        put(table, COLUMNS[table], batch[table])
    grams = ((id, " ".join(f"'{piece}'" for piece in pieces)) for id, pieces in batch["search_grams"])
    put("search_grams", "row_id grams", grams)


def _insert(cursor, batch: Rows) -> None:
    cursor.execute("BEGIN")
    for table in TABLES:
        columns = COLUMNS[table].split()
        marks = ", ".join("?" * len(columns))
        cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", batch[table])
    grams = [(id, " ".join(pieces)) for id, pieces in batch["search_grams"]]
    cursor.executemany("INSERT INTO search_grams (rowid, grams) VALUES (?, ?)", grams)


def _settle(connection, story: Story) -> None:
    """Counters go on after what is there, and the planner learns what there is."""
    cursor = connection.cursor()
    for prefix, last in story.numbers.items():
        cursor.execute(f"INSERT INTO counters (prefix, last) VALUES ('{prefix}', {last})")
    if db.engine.dialect.name == "postgresql":
        for table in ("subjects", "events", "duties"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        if cursor.execute("SELECT pg_get_serial_sequence('seals', 'seq')").fetchone()[0]:
            cursor.execute("SELECT setval(pg_get_serial_sequence('seals', 'seq'), (SELECT max(seq) FROM seals))")
    connection.commit()
    if db.engine.dialect.name == "postgresql":
        connection.driver_connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
        connection.driver_connection.autocommit = False
    else:
        cursor.execute("ANALYZE")
