"""What the database holds, so that a test can say that nothing, or all of it, has changed."""

import hashlib

from crm.db import db

# what a refusal may write: the log of denials, the counts at the door, the ids of forms
BESIDE = frozenset({"access", "attempts", "submissions"})
# a file that came with a refused form stays its owner's draft, on purpose
ONLY = {"files": "WHERE subject_id IS NOT NULL"}


def digest() -> dict[str, str]:
    """Each table's rows as one hash; tables that are beside the matter are left out."""
    found = {}
    with db.engine.connect() as connection:
        for table in db.metadata.sorted_tables:
            if table.name not in BESIDE:
                rows = connection.exec_driver_sql(f'SELECT * FROM "{table.name}" {ONLY.get(table.name, "")}').all()
                said = sorted(repr(tuple(row)) for row in rows)  # a Row's own repr is slow, and leaves out much of a long text
                found[table.name] = hashlib.sha256("\n".join(said).encode()).hexdigest()
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables that differ."""
    return [name for name in before if before[name] != after.get(name)]
