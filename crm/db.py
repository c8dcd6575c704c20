"""The database: column types, transactions and the small tables beside the matter. The only commits stand here."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from functools import cache, cached_property

import psycopg
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import (
    JSON,
    ColumnElement,
    CursorResult,
    DateTime,
    Engine,
    MetaData,
    TextClause,
    TypeDecorator,
    bindparam,
    event,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

log = logging.getLogger(__name__)


class Instant(TypeDecorator):
    """An aware instant: stored as UTC, given back aware on both databases; a naive one is a mistake."""

    impl, cache_ok = DateTime(timezone=True), True

    def process_bind_param(self, value: datetime | None, dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def only(where: str) -> dict[str, TextClause]:
    """An index over these rows alone."""
    return {"sqlite_where": text(where), "postgresql_where": text(where)}


class Base(DeclarativeBase):
    registry = registry(
        type_annotation_map={datetime: Instant, dict: JSON},
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
    )


_writing: ContextVar[bool] = ContextVar("writing", default=False)  # outside of a unit, one only reads
_singly: ContextVar[bool] = ContextVar("singly", default=False)
READING = "reading"


class Routed(Session):
    """Asks the engine whose statements stand alone for a page that only reads, where the database has one."""

    def get_bind(self, *args, bind=None, **kwargs):
        engines = self._db.engines
        plain = bind or engines[None]
        return engines.get(READING, plain) if bind is None and _singly.get() and not _writing.get() else plain


db = SQLAlchemy(model_class=Base, session_options={"class_": Routed})

_open: ContextVar[bool] = ContextVar("open", default=False)  # a unit of work is
_asides: ContextVar[list[Callable[[], None]] | None] = ContextVar("asides", default=None)


@contextmanager
def transactions(*, read_only: bool, singly: bool = False) -> Iterator[None]:
    """Whatever begins inside is a reading or a writing transaction, said to the database itself. `singly`: what is only
    read may be asked statement by statement: at PostgreSQL's READ COMMITTED that sees the same, without BEGIN and COMMIT."""
    token, alone = _writing.set(not read_only), _singly.set(singly or _singly.get())
    try:
        yield
    finally:
        _writing.reset(token)
        _singly.reset(alone)


@contextmanager
def unit_of_work(*, read_only: bool = False) -> Iterator[None]:
    """All or nothing: commits at the end, rolls back on any exception. One within another would commit what the outer
    one has only half done, so there is none."""
    if _open.get():
        raise RuntimeError("a unit of work is open already")
    if not read_only and not _writing.get():
        db.session.rollback()  # what was read before began a transaction that cannot write
    token = _open.set(True)
    with transactions(read_only=read_only):
        try:
            yield
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise
        finally:
            _open.reset(token)


@contextmanager
def asides() -> Iterator[None]:
    """Run what `aside()` was given inside, each in a short unit of its own, once the block has ended."""
    waiting: list[Callable[[], None]] = []
    token = _asides.set(waiting)
    try:
        yield
    finally:
        _asides.reset(token)
        for act in waiting:
            try:
                with unit_of_work():
                    act()
            except Exception:  # the answer is given already; what was beside it must not change it
                log.exception("an act aside failed")


def aside(act: Callable[[], None]) -> None:
    """What must outlive a refusal: `act` runs after the present unit of work, whether that commits or rolls back."""
    waiting = _asides.get()
    if waiting is None:
        raise RuntimeError("aside() outside of a request")
    waiting.append(act)


def wire(engine: Engine) -> None:
    """Settings each connection and each transaction needs; called once per engine."""
    if engine.dialect.name != "sqlite":
        db.engines[READING] = engine.execution_options(isolation_level="AUTOCOMMIT")

        @event.listens_for(engine, "connect")
        def reads(connection, _record) -> None:
            connection.cursor_factory = Cursor
            connection.autocommit = True
            connection.execute("SET default_transaction_read_only = on")  # what writes says so with its BEGIN
            connection.autocommit = False

        @event.listens_for(engine, "begin")
        def read_only(connection) -> None:
            connection.connection.dbapi_connection.read_only = not _writing.get()  # said with the BEGIN to come, if one does

        return

    @event.listens_for(engine, "connect")
    def pragmas(connection, _record) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN itself, below
        for pragma in ("busy_timeout=15000", "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection) -> None:
        # A deferred transaction that reads and then writes fails at once when another wrote between: writers queue here.
        if _writing.get():
            connection.exec_driver_sql("PRAGMA query_only=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:  # this waits for nobody, so it needs none of SQLAlchemy's care
            plain = connection.connection.dbapi_connection
            plain.execute("PRAGMA query_only=ON")
            plain.execute("BEGIN")


class Columns(Sequence):
    """An answer's columns, made when somebody looks at them: SQLAlchemy, which knows a statement's from its first answer,
    only asks whether there are any."""

    def __init__(self, cursor: psycopg.Cursor, count: int) -> None:
        self.cursor, self.count = cursor, count

    @cached_property
    def made(self) -> list[psycopg.Column]:
        return [psycopg.Column(self.cursor, index) for index in range(self.count)]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index):
        return self.made[index]


class Cursor(psycopg.Cursor):
    @property
    def description(self):
        answer = self.pgresult
        return Columns(self, answer.nfields) if answer and answer.nfields else super().description


def insert(table):
    """The dialect's INSERT, which knows ON CONFLICT."""
    return (postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert)(table)


def doubled(error: IntegrityError) -> bool:
    """Whether a row was refused because there is one of its key. Their codes say so: PostgreSQL speaks its server's language."""
    codes = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID")
    return isinstance(error.orig, psycopg.errors.UniqueViolation) or getattr(error.orig, "sqlite_errorname", "") in codes


def rows_of(result) -> int:
    """How many rows an UPDATE or DELETE touched; an INSERT's count is not to be relied on."""
    assert isinstance(result, CursorResult) and result.rowcount >= 0
    return result.rowcount


class Counter(db.Model):
    """The last number given out under a prefix."""

    __tablename__ = "counters"
    prefix: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=1)


def next_number(letter: str, day: date | None = None) -> str:
    """`T2611-0007`, or `K0001` without a day. Its counter row stays locked until the commit: take it last."""
    return next_numbers(letter, 1, day)[0]


def next_numbers(letter: str, count: int, day: date | None = None) -> list[str]:
    """As many at once, in order."""
    prefix = f"{letter}{day:%y%m}-" if day else letter
    last = db.session.scalar(_counting(db.engine.dialect.name), {"of": prefix, "more": count})
    return [f"{prefix}{number:04d}" for number in range(last - count + 1, last + 1)]


# what each form that is sent asks is made once: making a statement takes as long as asking it


@cache
def _counting(_dialect: str):
    counters = Counter.__table__
    first = insert(counters).values(prefix=bindparam("of"), last=bindparam("more"))
    more = first.on_conflict_do_update(index_elements=["prefix"], set_={"last": counters.c.last + bindparam("more")})
    return more.returning(counters.c.last)


def hold(what: str) -> None:
    """Whoever else holds `what` waits until this transaction ends."""
    db.session.execute(insert(Counter).values(prefix=what, last=0).on_conflict_do_nothing())
    db.session.execute(select(Counter.last).where(Counter.prefix == what).with_for_update())


class Step(db.Model):
    """A step of the sweep: when it was last tried, and when it last did its work."""

    __tablename__ = "steps"
    name: Mapped[str] = mapped_column(primary_key=True)
    tried_at: Mapped[datetime]
    done_at: Mapped[datetime | None]

    @classmethod
    def failing(cls) -> ColumnElement[bool]:
        """Which failed when they were last tried."""
        return cls.done_at.is_(None) | (cls.done_at < cls.tried_at)
