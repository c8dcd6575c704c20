"""What is searched: rows of words beside the subjects, found by pairs of letters, alike on both databases.

A text is folded (full and half width, upper and lower case are one; dashes and dots inside a code are nothing), then cut
into every pair of neighbouring letters. A row that holds all pairs of a word is a candidate; it is a hit if its folded
text holds the word. Names are indexed once more under a mark of their own, letter by letter too: one letter finds them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Integer,
    Row,
    UniqueConstraint,
    bindparam,
    column,
    delete,
    select,
    table,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import db, insert
from crm.words import fold, name_pieces, pieces

SLOT = 16  # bits of a row's id that tell the rows of one subject apart; above them stands the subject's id
LAST = (1 << SLOT) - 1
GRAMS = table("search_grams", column("rowid"), column("row_id"), column("grams"))  # FTS5, or a tsvector with GIN


@dataclass(frozen=True)
class Entry:
    """What one row of the search says: numbers and codes found exactly, a name, and further words.

    `ref` tells rows of one subject apart, such as the contacts of a customer (0: the subject itself)."""

    kind: str
    keys: tuple[str, ...] = ()
    name: str = ""
    words: str = ""
    ref: int = 0

    @property
    def text(self) -> str:
        return "\n".join(part for part in (self.name, *self.keys, self.words) if part)


def lite() -> bool:
    return db.engine.dialect.name == "sqlite"


class SearchRow(db.Model):
    """Its id begins with its subject's: so rows are in the order of their subjects, whenever they were written."""

    __tablename__ = "search_rows"
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    kind: Mapped[str]
    ref: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(default="")
    text: Mapped[str]
    folded: Mapped[str]

    __table_args__ = (UniqueConstraint("subject_id", "kind", "ref"),)


class SearchKey(db.Model):
    """A number or code, folded: what is found by saying it exactly."""

    __tablename__ = "search_keys"
    key: Mapped[str] = mapped_column(primary_key=True)
    row_id: Mapped[int] = mapped_column(ForeignKey("search_rows.id"), primary_key=True, index=True)


def row_id(subject_id: int, slot: int = 0) -> int:
    if slot > LAST:
        raise OverflowError(f"subject {subject_id} has more than {LAST} rows of search")
    return subject_id << SLOT | slot


def put(subject_id: int, entries: Iterable[Entry], *, new: bool = False) -> None:
    put_all({subject_id: entries}, new=new)


def put_all(wanted: Mapping[int, Iterable[Entry]], *, new: bool = False) -> None:
    """Make these each subject's rows: what is new is added, what differs replaced, what is no longer said removed. What is
    asked and written is so of all of them at once, as plain columns: a unit may have thousands of contacts. `new`: nothing
    was said of any of them yet."""
    known = {} if new else {(row.subject_id, row.kind, row.ref): row for row in _rows_of(wanted)}
    last: dict[int, int] = {}  # the highest slot taken so far of each subject
    for row in known.values():
        last[row.subject_id] = max(row.id & LAST, last.get(row.subject_id, 0))
    said: list[tuple[int, int, Entry]] = []
    gone: list[Row] = []
    for subject_id, entry in ((id, entry) for id, entries in wanted.items() for entry in entries):
        row = known.pop((subject_id, entry.kind, entry.ref), None)
        if row is not None and (row.name, row.text) == (entry.name, entry.text):
            continue
        if row is not None:
            gone.append(row)
        said.append((row.id if row is not None else _new_id(subject_id, entry, last), subject_id, entry))
    _forget([*gone, *known.values()])
    _say(said)


def _rows_of(subjects: Iterable[int]) -> Iterable[Row]:
    asked = (SearchRow.id, SearchRow.subject_id, SearchRow.kind, SearchRow.ref, SearchRow.name, SearchRow.text)
    return db.session.execute(select(*asked, SearchRow.folded).where(SearchRow.subject_id.in_(subjects)))


def _new_id(subject_id: int, entry: Entry, last: dict[int, int]) -> int:
    if not entry.ref:
        return row_id(subject_id)
    last[subject_id] = last.get(subject_id, 0) + 1
    return row_id(subject_id, last[subject_id])


def _say(said: Sequence[tuple[int, int, Entry]]) -> None:
    if not said:
        return
    rows = [
        {"id": id, "subject_id": subject_id, "kind": one.kind, "ref": one.ref, "name": one.name, "text": one.text,
         "folded": (folded := fold(one.text)), "grams": _grams_of(folded, one.name),
         "keys": sorted({key for key in map(_key, one.keys) if key})}
        for id, subject_id, one in said
    ]  # fmt: skip
    if not lite():
        db.session.execute(_AT_ONCE, rows)
        return
    db.session.execute(insert(SearchRow.__table__), rows)
    db.session.execute(text("INSERT INTO search_grams (rowid, grams) VALUES (:id, :grams)"), rows)
    if keys := [{"key": key, "row_id": row["id"]} for row in rows for key in row["keys"]]:
        db.session.execute(insert(SearchKey.__table__), keys)


# one way to PostgreSQL and back: whoever opens a record holds its month's counter meanwhile
_AT_ONCE = text("""
WITH said AS (INSERT INTO search_rows (id, subject_id, kind, ref, name, text, folded)
              VALUES (:id, :subject_id, :kind, :ref, :name, :text, :folded)),
     held AS (INSERT INTO search_grams (row_id, grams) VALUES (:id, array_to_tsvector(CAST(:grams AS text[]))))
INSERT INTO search_keys (key, row_id) SELECT key, :id FROM unnest(CAST(:keys AS text[])) AS key""")


def _key(code: str) -> str:
    return fold(code).replace(" ", "")


def grams_of(folded: str, name: str = "") -> list[str]:
    """What the index holds of a row: the pairs of its text, and its name's under a mark of their own."""
    return sorted({*pieces(folded), *(name_pieces(name) if name else ())})


def _grams_of(folded: str, name: str) -> list[str] | str:
    """The same as each database takes it."""
    return " ".join(grams_of(folded, name)) if lite() else grams_of(folded, name)


def _forget(rows: Sequence[Row]) -> None:
    """Take rows away and out of the index; FTS5 wants to be told what was in it."""
    if not rows:
        return
    ids = [{"gone": row.id} for row in rows]
    if lite():
        statement = text("INSERT INTO search_grams (search_grams, rowid, grams) VALUES ('delete', :id, :grams)")
        db.session.execute(statement, [{"id": row.id, "grams": _grams_of(row.folded, row.name)} for row in rows])
    else:
        db.session.execute(text("DELETE FROM search_grams WHERE row_id = :gone"), ids)
    keys, own = SearchKey.__table__, SearchRow.__table__
    db.session.execute(delete(keys).where(keys.c.row_id == bindparam("gone")), ids)
    db.session.execute(delete(own).where(own.c.id == bindparam("gone")), ids)


def clear() -> None:
    """Forget everything; `put` fills it anew."""
    everything = "INSERT INTO search_grams (search_grams) VALUES ('delete-all')"
    db.session.execute(text(everything if lite() else "DELETE FROM search_grams"))
    db.session.execute(delete(SearchKey))
    db.session.execute(delete(SearchRow))
