"""How Alembic reaches the database. It takes the address and the tables from the running app, and no code of crm."""

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, event

target = current_app.extensions["migrate"].db.metadata


def plain_type(kind, item, _autogen):
    """A migration names the database's types, never the program's."""
    if kind == "type" and type(item).__name__ == "Instant":
        return "sa.DateTime(timezone=True)"
    return False


def in_the_models(name, kind, _parent) -> bool:
    """The search's index is each database's own; its tables are written by hand."""
    return not (kind == "table" and name.startswith("search_grams"))


def migrate() -> None:
    """On an engine of its own: on SQLite a table that is rebuilt must not take its children with it."""
    url = current_app.config["SQLALCHEMY_DATABASE_URI"]
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def no_cascades(connection, _record) -> None:
            connection.isolation_level = None
            for pragma in ("busy_timeout=60000", "foreign_keys=OFF", "journal_mode=WAL", "synchronous=FULL"):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def whole(connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # all the tables or none, and one process at a time

    with engine.begin() as connection:
        context.configure(
            connection=connection, target_metadata=target, render_as_batch=True, compare_type=True,
            transactional_ddl=True, render_item=plain_type, include_name=in_the_models,
        )  # fmt: skip
        with context.begin_transaction():
            context.run_migrations()
        if engine.dialect.name == "sqlite" and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
            raise RuntimeError(f"rows without their parents: {lost[:5]}")
    engine.dispose()


migrate()
