"""Search over everything the reader may see: exact numbers and codes first, then names, then the newest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, func, select

from crm import finding, search
from crm.db import db, unit_of_work
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.permissions import Permission
from crm.search import SearchRow
from crm.words import excerpt, words_in

SIZE, NAMED = 30, 20
WORDS = 6  # of a query, each of which may be in a customer's name: every one is asked for
FEW, THEIRS = 5, 10  # a name that more customers bear means none of them; so many of what is theirs are shown
BATCH = 500  # subjects in one unit of work

_SHOWN = (
    *(SearchRow.id, SearchRow.kind, SearchRow.name, SearchRow.text, SearchRow.subject_id),
    *(Subject.number, Subject.title, Subject.state, Subject.customer_id, Subject.opened_at),
    Subject.kind.label("subject_kind"),
)


@dataclass(frozen=True)
class Hit:
    """One row found: what it is called, the words around what was searched for, and the subject it leads to."""

    kind: str
    subject: duties.Name
    title: str
    excerpt: str
    state: str
    customer_id: int | None
    row_id: int
    at: datetime


@dataclass(frozen=True)
class Found:
    """`first` what was found by number, code or name, `theirs` what belongs to the customers of that name, `newest` what was
    found by words. `before` is the key to go on after."""

    first: list[Hit] = field(default_factory=list)
    theirs: list[Hit] = field(default_factory=list)
    newest: list[Hit] = field(default_factory=list)
    before: int | None = None
    names: dict[int, duties.Name] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    @property
    def any(self) -> bool:
        return bool(self.first or self.theirs or self.newest)


def _hit(row: Any, words: list[str]) -> Hit:
    subject = duties.Name(row.subject_id, row.subject_kind, row.number, row.title)
    shown = row.name or row.title
    rest = "\n".join(line for line in row.text.split("\n") if line not in (shown, row.number))
    return Hit(row.kind, subject, shown, excerpt(rest, words), row.state, row.customer_id, row.id, row.opened_at)


def _rows(found: FromClause, seen: ColumnElement[bool]) -> Select:
    rows = select(*_SHOWN).select_from(found).join(SearchRow, SearchRow.id == found.c.id)
    return rows.join(Subject, Subject.id == SearchRow.subject_id).where(seen)


def _first(query: str, seen: ColumnElement[bool]) -> list[Any]:
    exact = _rows(finding.apart(finding.exactly(query)), seen).order_by(SearchRow.id.desc()).limit(NAMED)
    rows = list(db.session.execute(exact))
    if (by_name := finding.named(query)) is not None:
        length = func.length(SearchRow.name)
        named = _rows(finding.apart(by_name), seen).order_by(length, SearchRow.id).limit(NAMED)
        rows += list(db.session.execute(named))
    return list({row.id: row for row in rows}.values())


def _newest(query: str, seen: ColumnElement[bool], passed: Iterable[int], before: int | None) -> Sequence[Any]:
    """A page of rows and one more, the newest first."""
    passed = list(passed)

    def ask(found: FromClause) -> Sequence[Any]:
        wanted = _rows(found, seen & SearchRow.id.not_in(passed))
        return db.session.execute(wanted.order_by(found.c.id.desc()).limit(SIZE + 1)).all()

    return finding.newest(query, ask, size=SIZE, before=before)[0]


def _units(query: str) -> list[int]:
    """The customers of a name, whoever may see their pages: what is found of theirs names them. None where it is a common one."""
    named = finding.named(query)
    if named is None:
        return []
    found = finding.apart(named)
    rows = select(SearchRow.subject_id).join(found, SearchRow.id == found.c.id).where(SearchRow.kind == "customer")
    ids = list(db.session.scalars(rows.limit(FEW + 1)))
    return ids if len(ids) <= FEW else []


def _theirs(units: list[int], seen: ColumnElement[bool], passed: Iterable[int]) -> Sequence[Any]:
    """The newest of what belongs to these customers."""
    rows = select(*_SHOWN).join(Subject, Subject.id == SearchRow.subject_id)
    rows = rows.where(Subject.customer_id.in_(units), SearchRow.ref == 0, seen, SearchRow.id.not_in(list(passed)))
    return db.session.execute(rows.order_by(Subject.id.desc()).limit(THEIRS)).all()


def _of_units(words: list[str], seen: ColumnElement[bool], before: int | None) -> Sequence[Any]:
    """What holds some of the words and belongs to a customer whose name holds the others."""
    names = [word for word in words if _units(word)]
    rest = [word for word in words if word not in names]
    units = _units(" ".join(names)) if names and rest else []
    return _newest(" ".join(rest), seen & Subject.customer_id.in_(units), (), before) if units else []


def find(user, query: str, *, before: int | None = None) -> Found:
    """What `user` may read of what holds every word of the query; if nothing does, of what belongs to a customer whose name
    holds some of them and itself holds the others."""
    words = words_in(query)
    if not words:
        return Found()
    seen = duties.whole(user)  # a hit shows the words it was found by
    if not user.may(Permission.SERIAL_READ):
        seen &= SearchRow.kind != "serial"  # C7: others find no serial number
    known = finding.first(query)
    first = _first(query, seen) if known else []
    newest = _newest(query, seen, (row.id for row in first), before)
    units = _units(query) if known and not before else []
    theirs = _theirs(units, seen, (row.id for row in [*first, *newest])) if units else []
    if 1 < len(words) <= WORDS and not (first or theirs or newest):
        newest = _of_units(words, seen, before)
    more = newest[SIZE - 1].id if len(newest) > SIZE else None
    heads, beside, hits = ([_hit(row, words) for row in rows] for rows in ([] if before else first, theirs, newest[:SIZE]))
    return Found(heads, beside, hits, more, duties.names(hit.customer_id for hit in heads + beside + hits), words)


def lacking(kind: type[Subject]) -> ColumnElement[bool]:
    """Which subjects of a kind that is searched have no row of their own."""
    return ~select(SearchRow.id).where(SearchRow.subject_id == kind.id, SearchRow.ref == 0).exists()


def catch_up() -> int:
    """Fill in the subjects the search does not know yet, in batches; how many they were."""
    done = 0
    for kind in (kind for kind in Subject.__subclasses__() if kind.SEARCHED):
        last = 0
        while True:
            with unit_of_work():
                some = select(kind).where(kind.id > last, lacking(kind)).order_by(kind.id).limit(BATCH)
                some = some.with_for_update(of=Subject, key_share=True)  # nobody puts the same rows meanwhile
                subjects: list[Any] = list(db.session.scalars(some))
                for subject in subjects:
                    search.put(subject.id, subject.searched())
                last = subjects[-1].id if subjects else last
            done += len(subjects)
            if len(subjects) < BATCH:
                break
    return done


def rebuild() -> int:
    """Fill the search anew from the subjects themselves, in batches; how many there are."""
    with unit_of_work():
        search.clear()
    return catch_up()
