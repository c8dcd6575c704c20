"""What is searched: rows of words beside the subjects, found by pairs of letters, alike on both databases.

A text is folded (full and half width, upper and lower case are one; dashes and dots inside a code are nothing), then cut
into every pair of neighbouring letters. A row that holds all pairs of a word is a candidate; it is a hit if its folded
text holds the word. Names are indexed once more under a mark of their own, letter by letter too: one letter finds them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    ForeignKey,
    FromClause,
    Integer,
    Row,
    Select,
    UniqueConstraint,
    bindparam,
    cast,
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

from crm.db import db, insert
from crm.words import NAME, fold, name_pieces, pieces, words_in

FEW = 4000  # rows whose ids are carried from one statement to the next
WINDOWS = (1_000, 10_000)  # newest subjects that are looked at before all: a common word fills the page from them
SLOT = 16  # bits of a row's id that tell the rows of one subject apart; above them stands the subject's id
LAST = (1 << SLOT) - 1
T = TypeVar("T")
_grams = table("search_grams", column("rowid"), column("row_id"), column("grams"))  # FTS5, or a tsvector with GIN


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


def _lite() -> bool:
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
         "folded": fold(one.text)}
        for id, subject_id, one in said
    ]  # fmt: skip
    db.session.execute(insert(SearchRow.__table__), rows)
    if _lite():
        statement = text("INSERT INTO search_grams (rowid, grams) VALUES (:id, :grams)")
    else:
        statement = text("INSERT INTO search_grams (row_id, grams) VALUES (:id, array_to_tsvector(:grams))")
    db.session.execute(statement, [{"id": row["id"], "grams": _grams_of(row["folded"], row["name"])} for row in rows])
    keys = [{"key": key, "row_id": id} for id, _subject, one in said for key in {_key(key) for key in one.keys} if key]
    if keys:
        db.session.execute(insert(SearchKey.__table__), keys)


def _key(code: str) -> str:
    return fold(code).replace(" ", "")


def grams_of(folded: str, name: str = "") -> list[str]:
    """What the index holds of a row: the pairs of its text, and its name's under a mark of their own."""
    return sorted({*pieces(folded), *(name_pieces(name) if name else ())})


def _grams_of(folded: str, name: str) -> list[str] | str:
    """The same as each database takes it."""
    return " ".join(grams_of(folded, name)) if _lite() else grams_of(folded, name)


def _forget(rows: Sequence[Row]) -> None:
    """Take rows away and out of the index; FTS5 wants to be told what was in it."""
    if not rows:
        return
    ids = [{"gone": row.id} for row in rows]
    if _lite():
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
    db.session.execute(text(everything if _lite() else "DELETE FROM search_grams"))
    db.session.execute(delete(SearchKey))
    db.session.execute(delete(SearchRow))


def _all_of(wanted: list[str], walk: bool = False) -> ColumnElement[bool]:
    """`walk`: asked of each row in hand, never of the index, which would gather all rows of a common word first."""
    if _lite():
        return literal_column("search_grams").op("MATCH")(" AND ".join(f'"{piece}"' for piece in wanted))
    every = " & ".join(f"'{piece}'" for piece in wanted)
    held = _grams.c.grams.op("@@", is_comparison=True)(bindparam(None, every).op("::")(literal_column("tsquery")))
    return held.is_(true()) if walk else held


def _id() -> ColumnElement[int]:
    return _grams.c.rowid if _lite() else _grams.c.row_id


def _holds(words: Iterable[str]) -> list[ColumnElement[bool]]:
    """A single piece is its own proof; of a longer word the pieces may stand apart."""
    find = func.instr if _lite() else func.strpos
    return [find(SearchRow.folded, word) > 0 for word in words if len(word) > 2]


def _candidates(wanted: list[str], words: list[str], walk: bool = False) -> Select:
    subject = _id().bitwise_rshift(SLOT).label("subject_id")
    rows = select(_id().label("id"), subject).where(_all_of(wanted, walk))
    checks = _holds(words)
    return rows.join(SearchRow, SearchRow.id == _id()).where(*checks) if checks else rows


def _containing(query: str, walk: bool = False) -> Select | None:
    """The rows that hold every word of the query; None for a query of nothing."""
    words = words_in(query)
    wanted = sorted({piece for word in words for piece in pieces(word)})
    return _candidates(wanted, words, walk) if wanted else None


def named(query: str) -> Select | None:
    """The rows whose name holds every word of the query, however short."""
    words = words_in(query)
    wanted = sorted({NAME + piece for word in words for piece in pieces(word)})
    return _candidates(wanted, words) if wanted else None


def exactly(query: str) -> Select:
    """Ids of the rows one of whose numbers or codes is just this."""
    return select(SearchKey.row_id.label("id")).where(SearchKey.key == "".join(words_in(query)))


def matching(query: str) -> Select:
    """Ids of the subjects that hold the words themselves, or are named so: for a list's filter."""
    found = [one for one in (_containing(query), named(query)) if one is not None]
    if not found:
        return select(SearchRow.subject_id).where(false())
    rows = union(*found).subquery()
    return select(rows.c.subject_id).where(rows.c.id.bitwise_and(LAST) == 0)


def newest(
    query: str, ask: Callable[[FromClause], Sequence[T]], *, size: int, before: int | None = None
) -> tuple[Sequence[T], bool]:
    """A page of what holds every word of the query, the newest first, and whether older rows were left unlooked at.

    `ask` is given the rows found, as columns `id` and `subject_id`, and returns at most `size` + 1 in falling order of the
    id. `before` is a row's id. SQLite walks its index backwards until the page is
    full. PostgreSQL's knows no order: it is asked of the newest rows, and of all only if those do not fill the page."""
    found = _containing(query)
    if found is None:
        return [], False
    where = [_id() < before] if before else []
    if _lite():
        return ask(found.where(*where).subquery("found")), bool(before)
    top = before or row_id((db.session.scalar(select(func.max(_id()))) or 0) + 1 >> SLOT, LAST)
    looked, rows = 0, []  # at how many of the newest, and what they gave
    for window in WINDOWS:
        since = top - (window << SLOT)
        if since <= 0 or (looked and len(rows) * window // looked <= size):  # too rare to fill a page from here
            break
        some = _containing(query, walk=window == WINDOWS[0])
        assert some is not None
        rows = ask(apart(some.where(*where, _id() >= since)))
        if len(rows) > size:
            return rows, True
        looked = window
    return ask(_settled(found.where(*where))), bool(before)


def apart(found: Select, name: str = "found") -> FromClause:
    """Found out by itself: PostgreSQL would otherwise walk all subjects for the order's sake."""
    return found.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")


def _settled(found: Select) -> FromClause:
    """The same rows, found out now if they are few: PostgreSQL always expects thousands, and would read the tables."""
    ids = list(db.session.scalars(select(apart(found).c.id).limit(FEW + 1)))  # a LIMIT inside would avoid the index
    if len(ids) > FEW:
        return apart(found)
    known = func.unnest(cast(ids, ARRAY(BigInteger))).table_valued("id").render_derived()
    return select(known.c.id, known.c.id.bitwise_rshift(SLOT).label("subject_id")).subquery("found")
