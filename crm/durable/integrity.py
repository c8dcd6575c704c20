"""Is the database itself whole: its pages and indexes, what refers to what, and the triggers that keep events."""

from collections.abc import Iterable, Iterator

from sqlalchemy import ForeignKeyConstraint, and_, column, func, inspect, literal, select, table, text
from sqlalchemy.exc import DBAPIError

from crm.db import db


class LeftOut(Exception):
    """This cannot be looked at here; says why."""


def checks() -> Iterator[tuple[str, object]]:
    lite = db.engine.dialect.name == "sqlite"
    yield "the database is whole", pages if lite else indexes
    yield "what is referred to is there", keys if lite else references
    yield "events can neither be changed nor deleted", triggers
    yield "all tables of this version are there", tables
    yield "every row of the search has its letters", letters


def pages() -> Iterable[str]:
    return [one for one in db.session.scalars(text("PRAGMA integrity_check(100)")) if one != "ok"]


def keys() -> Iterable[str]:
    rows = db.session.execute(text("PRAGMA foreign_key_check")).all()
    return [f"{row[0]} {row[1]} → {row[2]}" for row in rows]


def indexes() -> Iterable[str]:
    """By the server's own extension, where its owner has added it: every index against the rows of its table."""
    if not db.session.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'amcheck'")):
        raise LeftOut("PostgreSQL's extension amcheck is not there (CREATE EXTENSION amcheck, by its superuser)")
    trees = text(
        "SELECT c.relname, c.oid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam "
        "WHERE a.amname = 'btree' AND c.relnamespace = current_schema()::regnamespace AND i.indisvalid"
    )
    wrong = list(db.session.scalars(text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")))
    for name, oid in db.session.execute(trees).all():
        try:
            with db.session.begin_nested():
                db.session.execute(text("SELECT bt_index_check(CAST(:index AS regclass), true)"), {"index": oid})
        except DBAPIError as damage:
            if getattr(damage.orig, "sqlstate", "") == "42501":  # insufficient_privilege
                raise LeftOut("the database's account may not use amcheck") from damage
            wrong.append(f"{name}: {str(damage).splitlines()[0]}")
    return wrong


def references() -> Iterator[str]:
    """Every key of every table, looked up; and constraints the server was told not to hold."""
    yield from db.session.scalars(text("SELECT conname FROM pg_constraint WHERE NOT convalidated"))
    for child in db.metadata.sorted_tables:
        for key in child.constraints:
            if not isinstance(key, ForeignKeyConstraint):
                continue
            parent = key.referred_table.alias()
            pairs = [(element.parent, parent.c[element.column.name]) for element in key.elements]
            there = select(literal(1)).where(*(here == other for here, other in pairs)).exists()
            lost = (
                select(func.count()).select_from(child).where(and_(*(here.is_not(None) for here, _ in pairs)), ~there)
            )
            if count := db.session.scalar(lost):
                yield f"{count} in {key.name}"


def triggers() -> list[str]:
    """The names of those that should be there and are not."""
    if db.engine.dialect.name == "sqlite":
        wanted = {"events_no_update", "events_no_delete"}
        there = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'events'")
    else:
        wanted = {"events_append_only"}
        there = text("SELECT tgname FROM pg_trigger WHERE tgrelid = 'events'::regclass AND tgenabled IN ('O', 'A')")
    return sorted(wanted - set(db.session.scalars(there)))


def tables() -> list[str]:
    return sorted(set(db.metadata.tables) - set(inspect(db.session.connection()).get_table_names()))


def letters() -> Iterator[str]:
    lite = db.engine.dialect.name == "sqlite"
    grams = table("search_grams_docsize", column("id")) if lite else table("search_grams", column("row_id"))
    known, rows = next(iter(grams.c)), db.metadata.tables["search_rows"].c.id
    yield from (f"row {one}" for one in db.session.scalars(select(rows).where(rows.not_in(select(known)))))
    yield from (f"letters of {one}" for one in db.session.scalars(select(known).where(known.not_in(select(rows)))))
