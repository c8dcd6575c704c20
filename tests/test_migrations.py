"""The migrations make the tables of the models, keep events append-only, and may run twice with data in them."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, func, select, text
from sqlalchemy.exc import DBAPIError

from crm.customers.models import Customer
from crm.db import db, transactions, unit_of_work
from crm.desk.search import catch_up, find
from crm.durable import backup, checks, restore
from crm.duties import seals  # noqa: F401  a table of its own, which only the worker knows
from crm.duties.models import Event
from crm.files import store
from crm.migrating import behind, migrate
from tests import make
from tests.oldest import ROWS

FIRST = "0001"
CHANGES = ["UPDATE events SET kind = 'x'", "DELETE FROM events"]


def revisions() -> list[str]:
    """From the first to the newest."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def differences() -> list:
    options = {
        "compare_type": True,
        "include_name": lambda name, kind, _parent: not (kind == "table" and name.startswith("search_grams")),
    }
    with transactions(read_only=True), db.engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata)


def held() -> dict[str, list[dict]]:
    """Every row of every table there is, as the database itself knows them."""
    here = MetaData()
    with transactions(read_only=True), db.engine.connect() as connection:
        here.reflect(connection)
        tables = [table for table in here.tables.values() if not table.name.startswith("search_grams")]
        return {table.name: sorted((dict(row._mapping) for row in connection.execute(select(table))), key=repr)
                for table in tables}  # fmt: skip


@pytest.fixture
def oldest(empty_place, frozen):
    """A place of the first version with rows in every table, which the program of that version left."""
    place = empty_place()
    folder = Path(place.config["INSTANCE"])
    folder.mkdir(parents=True)
    with place.app_context():
        migrate(FIRST)
        store.put(b"abc")
        here = MetaData()
        with transactions(read_only=False), db.engine.begin() as connection:
            here.reflect(connection)
            for table in here.sorted_tables:
                if table.name in ROWS:
                    connection.execute(table.insert(), ROWS[table.name])
            if connection.dialect.name == "postgresql":
                numbered = [
                    table.name for table in here.tables.values() if "id" in table.c and not table.c.id.foreign_keys
                ]
                for name in numbered:
                    connection.execute(text("SELECT setval(pg_get_serial_sequence(:name, 'id'), 1000)"), {"name": name})
        yield place


def bad() -> list[str]:
    return [str(result) for result in checks.run() if result.mark in (checks.BAD, checks.FAILED)]


def test_the_migrated_tables_are_those_of_the_models(app):
    assert differences() == []


@pytest.mark.parametrize("statement", CHANGES)
def test_events_can_neither_be_changed_nor_deleted(app, statement):
    with pytest.raises(DBAPIError, match="append-only"), unit_of_work():
        db.session.execute(text(statement))
    assert db.session.query(Event).count() > 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE"])
def test_no_event_is_replaced_by_another_of_its_id(app, verb):
    with pytest.raises(DBAPIError, match="append-only"), unit_of_work():
        db.session.execute(text(f"{verb} INTO events SELECT * FROM events WHERE id = 1"))


def test_migrating_again_with_data_in_it_changes_nothing(app):
    with unit_of_work():
        make.ticket()
    before = held()
    db.session.rollback()
    migrate()
    assert held() == before
    assert behind() == ""


def test_every_table_of_the_first_version_holds_rows_to_lose(oldest):
    assert {name for name, rows in held().items() if not rows} == set()


def test_nothing_is_lost_on_the_way_from_the_first_version_and_a_second_time_changes_nothing(oldest):
    before = held()
    migrate()
    after = held()
    for name, rows in before.items():
        if name != "alembic_version":
            assert [{key: row[key] for key in old} for old, row in zip(rows, after[name], strict=True)] == rows, name
    assert behind() == "" and differences() == []
    catch_up()
    assert bad() == []
    once = held()
    migrate()
    assert catch_up() == 0 and held() == once and bad() == []


def test_events_stay_append_only_after_every_migration(oldest):
    for revision in revisions():
        migrate(revision)
        for statement in CHANGES:
            with (
                pytest.raises(DBAPIError, match="append-only"),
                transactions(read_only=False),
                db.engine.begin() as connection,
            ):
                connection.execute(text(statement))
        with transactions(read_only=True), db.engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM events")) == len(ROWS["events"]), revision


def test_the_program_works_on_what_the_first_version_left(oldest):
    migrate()
    catch_up()
    with unit_of_work():
        make.tickets.note(db.session.query(make.Ticket).filter_by(number="T2611-0002").one(), by=make.who("specialist"),
                          words="weiter")  # fmt: skip
        assert make.ticket(db.session.query(Customer).one()).number == "T2611-0005"
    assert {hit.title for hit in find(make.who("manager"), "宏远机械").first} >= {"宏远机械"}
    assert bad() == []


def test_a_backup_of_the_first_version_is_restored_and_brought_to_this_one(oldest, empty_place, tmp_path):
    made = backup.make(tmp_path / "old.backup")
    assert made.revision == FIRST and made.counts["tickets"] == 4 and len(made.files) == 1
    with empty_place().app_context():
        restore.restore(tmp_path / "old.backup")
        assert behind() == "" and differences() == [] and bad() == []
        told = select(func.count()).select_from(Event).where(Event.kind != "settings.restored")
        assert db.session.scalar(told) == len(ROWS["events"])


def test_a_migrations_file_begins_with_its_revision():
    files = sorted((Path(__file__).parents[1] / "migrations" / "versions").glob("[0-9]*.py"))
    assert [path.name[:4] for path in files] == revisions()


def test_a_web_worker_loads_nothing_that_only_migrates():
    said = "import sys, crm.desk.views; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said], check=False).returncode == 0
