"""Is the database itself whole: its pages and indexes, what refers to what, and the triggers that keep events."""

from collections.abc import Iterable, Iterator
from functools import cache

from sqlalchemy import ForeignKeyConstraint, Select, column, func, inspect, literal, select, table, text
from sqlalchemy.exc import DBAPIError

from crm.db import db


class LeftOut(Exception):
    """This cannot be looked at here; says why."""


def checks() -> Iterator[tuple[str, object]]:
    lite = db.engine.dialect.name == "sqlite"
    yield "the database is whole", pages if lite else indexes
    yield "what is referred to is there", keys if lite else references
    yield "events can neither be changed nor deleted, and nothing else acts by itself", triggers
    yield "all tables of this version are there, with their indexes", tables
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
    for name, lost in _lost():
        if count := db.session.scalar(lost):
            yield f"{count} in {name}"


@cache
def _lost() -> list[tuple[str, Select]]:
    """Each key, and the statement that counts the rows whose other end is not there."""
    keys = [key for child in db.metadata.sorted_tables for key in child.foreign_key_constraints]
    return [(str(key.name), _lost_by(key)) for key in sorted(keys, key=lambda key: str(key.name))]


def _lost_by(key: ForeignKeyConstraint) -> Select:
    parent = key.referred_table.alias()
    pairs = [(element.parent, parent.c[element.column.name]) for element in key.elements]
    there = select(literal(1)).where(*(here == other for here, other in pairs)).exists()
    return select(func.count()).select_from(key.table).where(*(here.is_not(None) for here, _ in pairs), ~there)


def triggers() -> list[str]:
    """What keeps events is there as the migrations made it, and nothing else acts by itself."""
    wanted, there = _wanted(), _acting()
    names = {name for name, _said in there}
    return [f"{name} is gone" for name in sorted(wanted) if name not in names] + strange_triggers()


def strange_triggers() -> list[str]:
    """What acts by itself in the database and is not of ours, or not as we made it."""
    wanted, there = _wanted(), _acting()
    strange = sorted(there - wanted.items())
    changed = {name for name, _said in strange if name in wanted and (name, wanted[name]) not in there}
    return [f"{name} is not {'as it was made' if name in changed else 'of this program'}" for name, _said in strange]


# Word for word as the migrations make them and the database gives them back; a test compares.
REFUSED = "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
LITE = {
    "events_no_update": f"CREATE TRIGGER events_no_update BEFORE UPDATE ON events {REFUSED}",
    "events_no_delete": f"CREATE TRIGGER events_no_delete BEFORE DELETE ON events {REFUSED}",
    "events_no_replace": "CREATE TRIGGER events_no_replace BEFORE INSERT ON events "
    f"WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id) {REFUSED}",
}
FULL = {
    "events_append_only": "O CREATE TRIGGER events_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON events "
    "FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()",
    "events_append_only()": "plpgsql  BEGIN RAISE EXCEPTION 'events are append-only'; END ",
}


def _wanted() -> dict[str, str]:
    return LITE if db.engine.dialect.name == "sqlite" else FULL


def _acting() -> set[tuple[str, str]]:
    """Everything in the database that acts by itself, with its definition: triggers, and PostgreSQL's functions and rules."""
    if db.engine.dialect.name == "sqlite":
        parts = ["SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"]
    else:
        parts = [
            # `O` (as it is made) or `A` (always): it acts
            "SELECT tgname, CASE tgenabled WHEN 'A' THEN 'O' ELSE tgenabled::text END || ' ' || pg_get_triggerdef(t.oid, true) "
            "FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid "
            "WHERE NOT tgisinternal AND c.relnamespace = current_schema()::regnamespace",
            "SELECT proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', lanname || ' ' || prosrc FROM pg_proc p "
            "JOIN pg_language l ON l.oid = prolang WHERE pronamespace = current_schema()::regnamespace AND NOT EXISTS "
            "(SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",  # of an extension
            "SELECT rulename, definition FROM pg_rules WHERE schemaname = current_schema()",
        ]
    return {(name, said) for part in parts for name, said in db.session.execute(text(part)).all()}


def tables() -> Iterator[str]:
    lite = db.engine.dialect.name == "sqlite"
    there = set(inspect(db.session.connection()).get_table_names())
    yield from sorted(set(db.metadata.tables) - there)
    named = "SELECT name FROM sqlite_master WHERE type = 'index'" if lite else (
        "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()")  # fmt: skip
    ours = (index.name for name, table in db.metadata.tables.items() if name in there for index in table.indexes)
    yield from sorted(set(ours) - set(db.session.scalars(text(named))))


def letters() -> Iterator[str]:
    lite = db.engine.dialect.name == "sqlite"
    grams = table("search_grams_docsize", column("id")) if lite else table("search_grams", column("row_id"))
    known, rows = next(iter(grams.c)), db.metadata.tables["search_rows"].c.id
    yield from (f"row {one}" for one in db.session.scalars(select(rows).where(rows.not_in(select(known)))))
    yield from (f"letters of {one}" for one in db.session.scalars(select(known).where(known.not_in(select(rows)))))
