"""What the database holds, so that a test can say that nothing, or all of it, has changed."""

from crm.db import db

# what a refusal may write: the log of denials, the counts at the door, the ids of forms
BESIDE = frozenset({"access", "attempts", "submissions"})
# a file that came with a refused form stays its owner's draft, on purpose
ONLY = {"files": "WHERE subject_id IS NOT NULL"}


def digest() -> dict[str, object]:
    """Each table's rows as one hash, good within this process; tables that are beside the matter are left out. What is not
    written stays where it lies, so the rows are taken as they come."""
    names = [table.name for table in db.metadata.sorted_tables if table.name not in BESIDE]
    with db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        if db.engine.dialect.name == "sqlite":
            return {name: hash(tuple(cursor.execute(f'SELECT * FROM "{name}" {ONLY.get(name, "")}'))) for name in names}
        each = (f"SELECT '{name}', md5(string_agg(t::text, chr(10))) FROM \"{name}\" t {ONLY.get(name, '')}" for name in names)
        return dict(cursor.execute(" UNION ALL ".join(each)).fetchall())


def changed(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """The tables that differ."""
    return [name for name in before if before[name] != after.get(name)]


def status(answer) -> int:
    """An answer's status; a page that is shown this once is what a redirect is elsewhere: the form was taken."""
    return 303 if answer.status_code == 200 and "Content-Location" in answer.headers else answer.status_code
