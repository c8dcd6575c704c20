"""What of the search's rows is found: exactly, by name, and by words, the newest first; alike on both databases."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    cast,
    column,
    false,
    func,
    literal_column,
    or_,
    select,
    table,
    true,
    union,
)

from crm.db import db
from crm.search import GRAMS, LAST, SLOT, SearchKey, SearchRow, lite, row_id
from crm.words import NAME, pieces, words_in

FEW = 4000  # rows whose ids are carried from one statement to the next
SEEN = 3  # times a page: so many of the newest are looked at before the others, for not all may be the reader's
WINDOWS = (1_000, 10_000, 100_000)  # newest subjects that are looked at before all: a common word fills the page from them
MANY = 200_000  # subjects from which on asking the index for all that hold a common word takes long
SPOTS, WIDTH = 12, 25  # at so many spots so many subjects are looked at to tell such a word from a rare one
T = TypeVar("T")
_subjects = table("subjects", column("id"), column("kind"))


def _all_of(wanted: list[str], walk: bool = False) -> ColumnElement[bool]:
    """`walk`: asked of each row in hand, never of the index, which would gather all rows of a common word first."""
    if lite():
        return literal_column("search_grams").op("MATCH")(" AND ".join(f'"{piece}"' for piece in wanted))
    held = _held(GRAMS.c.grams, wanted)
    return held.is_(true()) if walk else held


def _held(grams: ColumnElement, wanted: Iterable[str]) -> ColumnElement[bool]:
    every = " & ".join(f"'{piece}'" for piece in wanted)
    return grams.op("@@", is_comparison=True)(bindparam(None, every).op("::")(literal_column("tsquery")))


def _pieces(query: str) -> list[str]:
    return sorted({piece for word in words_in(query) for piece in pieces(word)})


def _id() -> ColumnElement[int]:
    return GRAMS.c.rowid if lite() else GRAMS.c.row_id


def _holds(words: Iterable[str]) -> list[ColumnElement[bool]]:
    """A single piece is its own proof; of a longer word the pieces may stand apart."""
    find = func.instr if lite() else func.strpos
    return [find(SearchRow.folded, word) > 0 for word in words if len(word) > 2]


def _candidates(wanted: list[str], words: list[str], walk: bool = False) -> Select:
    subject = _id().bitwise_rshift(SLOT).label("subject_id")
    rows = select(_id().label("id"), subject).where(_all_of(wanted, walk))
    checks = _holds(words)
    return rows.join(SearchRow, SearchRow.id == _id()).where(*checks) if checks else rows


def _containing(query: str, walk: bool = False) -> Select | None:
    """The rows that hold every word of the query; None for a query of nothing."""
    wanted = _pieces(query)
    return _candidates(wanted, words_in(query), walk) if wanted else None


def named(query: str) -> Select | None:
    """The rows whose name holds every word of the query, however short."""
    words = words_in(query)
    wanted = sorted({NAME + piece for word in words for piece in pieces(word)})
    return _candidates(wanted, words) if wanted else None


def first(query: str) -> bool:
    """Whether anything is named so, or has just this number or code; whose it is to see is not asked."""
    found = [select(apart(one, f"found_{n}").c.id.label("id")).limit(1) for n, one in enumerate((exactly(query), named(query)))
             if one is not None]  # fmt: skip
    return db.session.scalar(select(or_(*(one.exists() for one in found)))) or False


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
    query: str, ask: Callable[[FromClause], Sequence[T]], *, size: int, before: int | None = None, kind: str = ""
) -> tuple[Sequence[T], bool]:
    """A page of what holds every word of the query, the newest first, and whether older rows were left unlooked at.

    `ask` is given the rows found, as columns `id` and `subject_id`, and returns at most `size` + 1 in falling order of the
    id; of subjects of one `kind` alone, if it says so. `before` is a row's id. SQLite walks its index backwards until the
    page is full. PostgreSQL's knows no order: it is asked of the newest rows, and of all only if those do not fill the page."""
    found = _containing(query)
    if found is None:
        return [], False
    where = [_id() < before] if before else []
    if lite():
        return ask(found.where(*where).subquery("found")), bool(before)
    top = before or row_id(db.session.scalar(_last(kind)) or 0, LAST)
    looked, rows = 0, []  # at how many of the newest, and what they gave
    for window in WINDOWS:
        since = top - (window << SLOT)
        if since <= 0 or (looked and not _fills(rows, window / looked, size, query, top)):
            break
        some = _containing(query, walk=window == WINDOWS[0])
        assert some is not None
        within = some.where(*where, _id() >= since)
        ids = _ids(within)
        rows = _of(within, ids, ask, size) if len(ids) > size else ids  # too few: nobody need ask whose they are to see
        if len(rows) > size:
            return rows, True
        looked = window
    every = found.where(*where)
    return _of(every, _ids(every), ask, size), bool(before)


def _last(kind: str) -> Select:
    """The newest subject's id: after a large import the newest of one kind may lie far below that of all."""
    return select(func.max(_subjects.c.id)).where(*([_subjects.c.kind == kind] if kind else []))


def _fills(rows: Sequence, times: float, size: int, query: str, top: int) -> bool:
    """Whether so many times as many subjects may fill a page. Few among the newest say little of a word, for those may be
    of one import; where there are many, it is looked for at a few spots, wherever they lie."""
    if len(rows) * times > size or top >> SLOT < MANY:
        return len(rows) * times > size
    every = (top >> SLOT) // SPOTS
    begins = [(spot * every + every // 2) << SLOT for spot in range(SPOTS)]  # always the same: they stay in memory
    there = or_(*(GRAMS.c.row_id.between(one, one + (WIDTH << SLOT)) for one in begins))
    held = _held(GRAMS.c.grams, _pieces(query)).is_(true())  # asked of these rows alone, never of the index
    found = db.session.scalar(select(func.count()).select_from(GRAMS).where(there, held)) or 0
    return found * (top >> SLOT) / (SPOTS * WIDTH) > FEW


def apart(found: Select, name: str | None = "found") -> FromClause:
    """Found out by itself: PostgreSQL would otherwise walk all subjects for the order's sake."""
    return found.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")


def _ids(found: Select) -> list[int]:
    """Of the rows found, the newest first; one more than FEW where there are more."""
    some = select(apart(found).c.id).limit(FEW + 1)  # a LIMIT inside would avoid the index
    return sorted(db.session.scalars(some), reverse=True)


def _of(found: Select, ids: list[int], ask: Callable[[FromClause], Sequence[T]], size: int) -> Sequence[T]:
    """What is asked of all rows found; of few, by their ids, the newest alone if those fill the page: PostgreSQL always
    expects thousands, and would read the tables."""
    if len(ids) > FEW:
        return ask(apart(found))
    if len(ids) > SEEN * size:
        rows = ask(_known(ids[: SEEN * size]))
        if len(rows) > size:
            return rows
    return ask(_known(ids))


def _known(ids: list[int]) -> FromClause:
    known = func.unnest(cast(ids, ARRAY(BigInteger))).table_valued("id").render_derived()
    return select(known.c.id, known.c.id.bitwise_rshift(SLOT).label("subject_id")).subquery("found")
