"""What is searched: rows of words beside the subjects, found by pairs of letters, alike on both databases.

A text is folded (full and half width, upper and lower case are one; dashes and dots inside a code are nothing), then cut
into every pair of neighbouring letters. A row that holds all pairs of a word is a candidate; it is a hit if its folded
text holds the word. Names are indexed once more under a mark of their own, letter by letter too: one letter finds them.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import (
    CTE,
    ColumnElement,
    ForeignKey,
    Select,
    UniqueConstraint,
    bindparam,
    column,
    delete,
    false,
    func,
    literal_column,
    select,
    table,
    text,
    true,
    union,
)
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import db

LONGEST = 100  # letters of a query that are looked at
FEW = 4000  # rows whose ids are carried from one statement to the next
_NAME = "ʘ"  # before each piece of a name; no keyboard has it
_JOINED = frozenset("-_./\\'’·‐‑–—#:")  # nothing between the letters beside them
_grams = table("search_grams", column("rowid"), column("row_id"), column("grams"))  # FTS5, or a tsvector with GIN


class _Folded(dict[int, str]):
    """Each letter as it is compared; filled as letters are met."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKC", chr(code)).casefold()
        self[code] = "".join("" if one in _JOINED else one if one.isalnum() else " " for one in plain)
        return self[code]


_FOLDED = _Folded()


def fold(words: str) -> str:
    return " ".join(words.translate(_FOLDED).split())


def _pieces(folded: str) -> Iterator[str]:
    for run in folded.split():
        if len(run) == 1:
            yield run
        for at in range(len(run) - 1):
            yield run[at : at + 2]


def _name_pieces(name: str) -> Iterator[str]:
    folded = fold(name)
    yield from (_NAME + piece for piece in {*_pieces(folded), *folded.replace(" ", "")})


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


class SearchRow(db.Model):
    __tablename__ = "search_rows"
    id: Mapped[int] = mapped_column(primary_key=True)
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


def put(subject_id: int, entries: Iterable[Entry]) -> None:
    """Make these the subject's rows: what is new is added, what differs replaced, what is no longer said removed."""
    rows = select(SearchRow).where(SearchRow.subject_id == subject_id).execution_options(populate_existing=True)
    known = {(row.kind, row.ref): row for row in db.session.scalars(rows)}
    said: list[tuple[SearchRow, Entry]] = []
    for entry in entries:
        row = known.pop((entry.kind, entry.ref), None)
        if row is not None and (row.name, row.text) == (entry.name, entry.text):
            continue
        if row is not None:
            _forget(row)
        row = row or SearchRow(subject_id=subject_id, kind=entry.kind, ref=entry.ref)
        said.append((row, entry))
    _say(said)
    for row in known.values():
        _forget(row)
        db.session.delete(row)
    db.session.flush()


def add_all(new: Iterable[tuple[int, Entry]]) -> None:
    """Rows that are not there yet, of any number of subjects: each statement is sent once for all of them."""
    said = [(SearchRow(subject_id=id, kind=entry.kind, ref=entry.ref), entry) for id, entry in new]
    _say(said)


def _say(said: list[tuple[SearchRow, Entry]]) -> None:
    for row, entry in said:
        row.name, row.text, row.folded = entry.name, entry.text, fold(entry.text)
    db.session.add_all(row for row, _entry in said)
    db.session.flush()
    _index(said)


def _words_of(row: SearchRow) -> list[str]:
    return sorted({*_pieces(row.folded), *(_name_pieces(row.name) if row.name else ())})


def _index(rows: list[tuple[SearchRow, Entry]]) -> None:
    if not rows:
        return
    if db.engine.dialect.name == "sqlite":
        statement = text("INSERT INTO search_grams (rowid, grams) VALUES (:id, :grams)")
        grams = [{"id": row.id, "grams": " ".join(_words_of(row))} for row, _entry in rows]
    else:
        statement = text("INSERT INTO search_grams (row_id, grams) VALUES (:id, array_to_tsvector(:grams))")
        grams = [{"id": row.id, "grams": _words_of(row)} for row, _entry in rows]
    db.session.execute(statement, grams)
    for row, entry in rows:
        keys = {fold(key).replace(" ", "") for key in entry.keys}
        db.session.add_all(SearchKey(key=key, row_id=row.id) for key in keys if key)


def _forget(row: SearchRow) -> None:
    """Take a row out of the index; FTS5 wants to be told what was in it."""
    if db.engine.dialect.name == "sqlite":
        statement = text("INSERT INTO search_grams (search_grams, rowid, grams) VALUES ('delete', :id, :grams)")
        db.session.execute(statement, {"id": row.id, "grams": " ".join(_words_of(row))})
    else:
        db.session.execute(text("DELETE FROM search_grams WHERE row_id = :id"), {"id": row.id})
    db.session.execute(delete(SearchKey).where(SearchKey.row_id == row.id))


def clear() -> None:
    """Forget everything; `put` fills it anew."""
    everything = "INSERT INTO search_grams (search_grams) VALUES ('delete-all')"
    db.session.execute(text(everything if db.engine.dialect.name == "sqlite" else "DELETE FROM search_grams"))
    db.session.execute(delete(SearchKey))
    db.session.execute(delete(SearchRow))


def words_in(query: str) -> list[str]:
    """The folded words of a query; each must be found."""
    return fold(query[:LONGEST]).split()


def _all_of(pieces: list[str], walk: bool = False) -> ColumnElement[bool]:
    """`walk`: asked of each row in hand, never of the index, which would gather all rows of a common word first."""
    if db.engine.dialect.name == "sqlite":
        return literal_column("search_grams").op("MATCH")(" AND ".join(f'"{piece}"' for piece in pieces))
    wanted = " & ".join(f"'{piece}'" for piece in pieces)
    held = _grams.c.grams.op("@@", is_comparison=True)(bindparam(None, wanted).op("::")(literal_column("tsquery")))
    return held.is_(true()) if walk else held


def _id() -> ColumnElement[int]:
    return _grams.c.rowid if db.engine.dialect.name == "sqlite" else _grams.c.row_id


def _holds(words: Iterable[str]) -> list[ColumnElement[bool]]:
    """A single piece is its own proof; of a longer word the pieces may stand apart."""
    find = func.instr if db.engine.dialect.name == "sqlite" else func.strpos
    return [find(SearchRow.folded, word) > 0 for word in words if len(word) > 2]


def _candidates(pieces: list[str], words: list[str], walk: bool = False) -> Select:
    rows = select(_id().label("id")).where(_all_of(pieces, walk))
    checks = _holds(words)
    return rows.join(SearchRow, SearchRow.id == _id()).where(*checks) if checks else rows


def containing(query: str, *, since: int = 0, before: int | None = None, walk: bool = False) -> Select | None:
    """Ids of the rows that hold every word of the query, `since` < id < `before`; None for a query of nothing."""
    words = words_in(query)
    pieces = sorted({piece for word in words for piece in _pieces(word)})
    if not pieces:
        return None
    rows = _candidates(pieces, words, walk)
    if since:
        rows = rows.where(_id() > since)
    return rows if before is None else rows.where(_id() < before)


def named(query: str) -> Select | None:
    """Ids of the rows whose name holds every word of the query, however short."""
    words = words_in(query)
    pieces = sorted({_NAME + piece for word in words for piece in _pieces(word)})
    return _candidates(pieces, words) if pieces else None


def exactly(query: str) -> Select:
    """Ids of the rows one of whose numbers or codes is just this."""
    return select(SearchKey.row_id.label("id")).where(SearchKey.key == "".join(words_in(query)))


def matching(query: str) -> Select:
    """Ids of the subjects that hold the words themselves, or are named so: for a list's filter."""
    found = [one for one in (containing(query), named(query)) if one is not None]
    rows = select(SearchRow.subject_id).where(SearchRow.ref == 0)
    return rows.where(SearchRow.id.in_(union(*found))) if found else rows.where(false())


def settled(found: Select) -> Select:
    """The same rows, found out now if they are few: PostgreSQL always expects thousands, and would read the tables."""
    every = found.cte("every").prefix_with("MATERIALIZED", dialect="postgresql")  # a LIMIT inside would avoid the index
    ids = list(db.session.scalars(select(every.c.id).limit(FEW + 1)))
    return select(SearchRow.id.label("id")).where(SearchRow.id.in_(ids)) if len(ids) <= FEW else found


def speaking(query: str, *, since: int, before: int, walk: bool) -> CTE | list[int] | None:
    """The same without names, of the subjects `since` < id < `before` only: their ids, to be joined, or found already."""
    there = (SearchRow.ref == 0, SearchRow.subject_id > since, SearchRow.subject_id < before)
    row = SearchRow.id + 0  # the bare id would send PostgreSQL through all ids from the first on
    ends = select(func.min(row).label("first"), func.max(row).label("last")).where(*there).cte("ends")
    found = containing(query, walk=walk)
    if found is None:
        return None
    if since:  # rows are made in the order of their subjects, or nearly so: where to look is known
        first, last = select(ends.c.first).scalar_subquery(), select(ends.c.last).scalar_subquery()
        found = found.where(_id() >= first, _id() <= last)
    else:
        found = settled(found)
    ids = found.cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
    rows = select(SearchRow.subject_id.label("id")).join(ids, ids.c.id == SearchRow.id).where(*there)
    if not since:
        return list(db.session.scalars(rows))
    return rows.cte("spoken").prefix_with("MATERIALIZED", dialect="postgresql")


def newest_id() -> int:
    return db.session.scalar(select(func.max(SearchRow.id))) or 0


def marked(shown: str, query: str) -> list[tuple[str, bool]]:
    """`shown` cut into parts, each with whether it is what was searched for."""
    letters = [(at, folded) for at, one in enumerate(shown) for folded in one.translate(_FOLDED) if folded != " "]
    plain, hit = "".join(folded for _at, folded in letters), [False] * len(shown)
    for word in words_in(query):
        start = plain.find(word)
        while start >= 0:
            for at in range(letters[start][0], letters[start + len(word) - 1][0] + 1):
                hit[at] = True
            start = plain.find(word, start + len(word))
    parts: list[tuple[str, bool]] = []
    for one, on in zip(shown, hit, strict=True):
        parts.append((parts.pop()[0] + one, on) if parts and parts[-1][1] == on else (one, on))
    return parts


def excerpt(words: str, query: str, *, around: int = 40) -> str:
    """The line of a text that says most of what was searched for, cut to its surroundings."""
    lines = [line for line in words.split("\n") if any(on for _part, on in marked(line, query))]
    if not lines:
        return ""
    parts = marked(lines[0], query)
    start = len(parts[0][0]) if not parts[0][1] else 0
    first, last = max(0, start - around), start + around * 2
    return ("…" if first else "") + lines[0][first:last] + ("…" if last < len(lines[0]) else "")
