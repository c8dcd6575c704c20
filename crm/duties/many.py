"""Many things that happened, written down at once: what nobody owes or is told anything for. All else is record()'s."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm import clock, search
from crm.db import db
from crm.duties import rows
from crm.duties.locks import lock_all
from crm.duties.models import Subject
from crm.duties.record import concerned, event_row, rules_of


@dataclass(frozen=True)
class Happened:
    """One event of many that are recorded at once."""

    kind: str
    subject: Subject
    at: datetime
    by_id: int | None
    facts: Mapping[str, Any]


def record_all(happened: Iterable[Happened]) -> None:
    """Write down, in one statement, what nobody owes or is told anything for: imported history, and what its subjects'
    editions leave alone. Locks those that have an edition, as record() does, and renews the search of all. ValueError for
    what is record()'s to carry out, and for an `at` that it would refuse."""
    happened = list(happened)
    subjects = {one.subject.id: one.subject for one in happened}
    _lock_judged(subjects)
    now, written = clock.now(), []
    for one in happened:
        if one.subject.edition_id and (rules_of(one.subject, one.kind, one.at) or concerned(one.subject, one.kind)):
            raise ValueError(f"{one.kind} of {one.subject.number} is ruled, or somebody is told of it: record() it")
        if not one.subject.opened_at <= one.at <= now:
            raise ValueError(f"{one.kind} at {one.at}: in the future, or before {one.subject.number} was opened")
        written.append(event_row(one.kind, one.subject, one.by_id, one.at, one.facts, None))
    if written:
        rows.happened_all(written)
        _search_again(subjects.values())


def _lock_judged(subjects: Mapping[int, Subject]) -> None:
    """What was read of them before is read again."""
    db.session.flush()
    judged: dict[type[Subject], list[int]] = {}
    for id, one in subjects.items():
        if one.edition_id:
            judged.setdefault(one.__class__, []).append(id)
    if judged:
        lock_all(Subject.id.in_([id for ids in judged.values() for id in ids]))
    for kind, ids in judged.items():
        db.session.scalars(select(kind).where(kind.id.in_(ids)).execution_options(populate_existing=True)).all()


def _search_again(subjects: Iterable[Subject]) -> None:
    """Imported history may say new words by any event, so every subject of a kind that is searched is looked at."""
    kinds: dict[type[Subject], list[Subject]] = {}
    for one in subjects:
        if one.SEARCHED:
            kinds.setdefault(one.__class__, []).append(one)
    for kind, some in kinds.items():
        said: dict[int, list[search.Entry]] = {one.id: [] for one in some}
        for id, entry in kind.searched_all(some):
            said[id].append(entry)
        search.put_all(said)


def open_all(subjects: Sequence[Subject]) -> None:
    """Put many new subjects, imported as history, under no edition at once; each says when it was opened."""
    for subject in subjects:
        subject.edition_id = None
    db.session.add_all(subjects)
    db.session.flush()
