"""A place that is spoilt, and what the check says of it."""

from sqlalchemy import text

from crm.db import db, transactions
from crm.durable import checks

LEFT_OUT = {"postgresql": {"the database is whole"}, "sqlite": set()}  # without the server's extension


def found() -> set[str]:
    return {result.what for result in checks.run() if result.mark != checks.OK}


def spoil(*statements: str) -> None:
    """As somebody with the database's own tools might; keys are not held meanwhile."""
    db.session.rollback()
    with transactions(read_only=False), db.engine.connect() as connection:
        lite = connection.dialect.name == "sqlite"
        if lite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            if not lite:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                connection.execute(text(statement))
        if lite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")
