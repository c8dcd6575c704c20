"""The database as it stood at one moment, as a file; and such a file made a database again."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Connection, MetaData, Table, create_engine, func, inspect, select, text

from crm.db import db, transactions
from crm.durable.manifest import NotDone

ACTS = re.compile(r"^\d+; \d+ \d+ (TRIGGER|EVENT TRIGGER|FUNCTION|PROCEDURE|AGGREGATE|RULE|POLICY) ")


def kind() -> str:
    return db.engine.dialect.name


@contextmanager
def taken(path: Path) -> Iterator[Connection]:
    """Write the database to `path`; the connection reads just what was written, whatever others write meanwhile."""
    if kind() == "sqlite":
        source = sqlite3.connect(str(db.engine.url.database), timeout=60)
        try:
            source.execute("VACUUM INTO ?", (str(path),))  # never a copy of the file: it would miss what the -wal holds
        finally:
            source.close()
        engine = create_engine(URL.create("sqlite", database=str(path)))
        with engine.connect() as connection:
            yield connection
        engine.dispose()
        return
    with transactions(read_only=True), db.engine.connect() as plain:
        connection = plain.execution_options(isolation_level="REPEATABLE READ")
        name = connection.scalar(text("SELECT pg_export_snapshot()"))
        _program("pg_dump", "--format=custom", f"--snapshot={name}", f"--file={path}")
        yield connection


def counts(connection: Connection) -> dict[str, int]:
    """How many rows each of the program's tables holds, of those that are there."""
    there = set(inspect(connection).get_table_names())
    tables = [table for name, table in sorted(db.metadata.tables.items()) if name in there]
    return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def count_now() -> dict[str, int]:
    with transactions(read_only=True), db.engine.connect() as connection:
        return counts(connection)


def present() -> bool:
    """Whether the database holds any table."""
    if kind() == "sqlite" and not Path(str(db.engine.url.database)).exists():
        return False  # asking would make the file
    with transactions(read_only=True), db.engine.connect() as connection:
        there = bool(inspect(connection).get_table_names())
    db.engine.dispose()
    return there


def load(path: Path) -> None:
    """Make `path` the database, which is empty."""
    if kind() == "sqlite":
        _whole(path)
        db.engine.dispose()
        _remove_files()
        os.replace(path, str(db.engine.url.database))
        return
    listed = _program("pg_restore", "--list", str(path), connect=False).splitlines()
    if strange := [line for line in listed if ACTS.search(line) and " events_append_only" not in line]:
        raise NotDone(f"Not restored: the backup holds what acts by itself and is not of this program ({strange[0][:200]})")
    chosen = path.with_suffix(".list")  # what belongs to the server is there already, or is its owner's to add
    chosen.write_text("\n".join(line for line in listed if " EXTENSION " not in line and " SCHEMA " not in line))
    _program("pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
             f"--use-list={chosen}", str(path))  # fmt: skip


def _whole(path: Path) -> None:
    """ValueError unless SQLite finds nothing wrong in the file, which is then safe on the disk."""
    file = sqlite3.connect(str(path))
    try:
        found = [row[0] for row in file.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as broken:
        raise ValueError(f"its database is damaged: {broken}") from broken
    finally:
        file.close()
    if found != ["ok"]:
        raise ValueError(f"its database is damaged: {found[0]}")
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _remove_files() -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        Path(f"{db.engine.url.database}{ending}").unlink(missing_ok=True)


def empty() -> None:
    """Take away all tables: a restore that failed leaves the place as it found it."""
    db.session.remove()
    db.engine.dispose()
    if kind() == "sqlite":
        _remove_files()
        return
    with transactions(read_only=False), db.engine.begin() as connection:
        here = MetaData()
        here.reflect(connection)
        here.drop_all(connection)
        connection.execute(text("DROP FUNCTION IF EXISTS events_append_only"))


def revision(connection: Connection) -> str:
    versions = Table("alembic_version", MetaData(), autoload_with=connection)
    return connection.scalar(select(versions.c.version_num)) or ""


def _program(name: str, *words: str, connect: bool = True) -> str:
    """Run one of PostgreSQL's own programs on the database; the password stays off its command line."""
    program = shutil.which(name)
    if program is None:
        raise NotDone(f"{name} is not installed here: a backup of PostgreSQL needs it (Debian: postgresql-client)")
    known = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    if connect:
        _, asked = db.engine.dialect.create_connect_args(db.engine.url)
        known["PGPASSWORD"] = str(asked.pop("password", None) or os.environ.get("PGPASSWORD", ""))
        asked.pop("context", None)
        words = (f"--dbname={make_conninfo(**asked)}", *words)
    done = subprocess.run([program, *words], env=known, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip() or "no reason given").splitlines()[0]
        raise NotDone(f"{name}: {said.removeprefix(f'{name}: ')}")
    return done.stdout
