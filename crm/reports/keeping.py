"""The rows behind each number of a report. From its submission on a number leads to those it counted then, whatever becomes of
them; until then to the list as it is now."""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, chain, count, pairwise, repeat
from typing import Any

from sqlalchemy import func, select

from crm import lists
from crm.db import db
from crm.duties import owed
from crm.duties import queries as duties
from crm.duties import table as tables
from crm.duties.models import Duty, Event, Subject
from crm.duties.seeing import named
from crm.errors import NotThere
from crm.reports.layout import Layout
from crm.reports.models import Counted, Report
from crm.reports.reader import LISTS, PROGRAM

Rows = Mapping[str, bytes]  # by the address of their list


def behind(figures: Mapping[str, Any], layout: Layout) -> Rows:
    """What every number that is shown counts now. One of nothing counts no rows, nor does what leads to no list, such as a
    customer's page or another report's rows."""
    numbers = zip(layout.numbers, repeat(figures["number"]), repeat(figures.get("at", {})))
    rows = ((one, row) for table in layout.tables for row in table.rows(figures) for one in table.columns)
    cells = ((one, row, row.get("at", {})) for one, row in rows)
    shown = ((said.get(one.key), at.get(one.key, "")) for one, said, at in chain(numbers, cells))
    asked = dict.fromkeys(address for value, address in shown if value and _path(address) in LISTS)
    return {address: packed(db.session.scalars(lists.ids_at(address, LISTS, PROGRAM))) for address in asked}


def kept(report: Report, figures: dict[str, Any], rows: Rows) -> dict[str, Any]:
    """The figures with each number leading to its rows, which are kept; one of nothing leads nowhere."""
    figures = deepcopy(figures)  # the company's hold another report's own
    first = 1 + (db.session.scalar(select(func.max(Counted.place)).where(Counted.report_id == report.id)) or 0)
    places = dict(zip(rows, count(first), strict=False))
    db.session.add_all(Counted(report_id=report.id, place=places[at], address=at, rows=some) for at, some in rows.items())
    for at in _addresses(figures):
        for key, address in at.items():
            if _path(address) in LISTS:
                at[key] = path_of(report, places[address]) if address in places else ""
    return figures


def _addresses(figures: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Those of the numbers, then those of each row."""
    yield figures.get("at", {})
    for table in figures.values():
        if isinstance(table, list):
            yield from (row.get("at", {}) for row in table)


def _path(address: str) -> str:
    return address.partition("?")[0]


def path_of(report: Report, place: int | str) -> str:
    return f"{report.path}/rows/{place}"


def packed(ids: Iterable[int]) -> bytes:
    """Rows' ids: sorted, each as the step from the one before, for most lie close together."""
    known = sorted(ids)
    return zlib.compress(json.dumps([after - before for before, after in pairwise([0, *known])]).encode())


def unpacked(rows: bytes) -> list[int]:
    return list(accumulate(json.loads(zlib.decompress(rows))))


def holds(report: Report, figures: Mapping[str, Any]) -> bool:
    """Whether rows are kept behind these figures: none are behind those that can still change."""
    return any(at.startswith(path_of(report, "")) for some in _addresses(figures) for at in some.values())


def get(report: Report, place: int) -> Counted:
    found = db.session.scalar(select(Counted).where(Counted.report_id == report.id, Counted.place == place))
    if found is None:
        raise NotThere()
    return found


@dataclass(frozen=True)
class Row:
    """A row behind a number, as it is now. Of a duty also by which rule, and when it fell due."""

    subject: Subject
    owner: int | None
    rule: str = ""
    due: datetime | None = None


def page(counted: Counted, user, before: int | None = None, size: int = lists.SIZE) -> tuple[lists.Page, int]:
    """Fifty of the rows, the newest first, and how many of the fifty `user` may not read."""
    every = unpacked(counted.rows)[::-1]
    ids, after = lists.cut([id for id in every if before is None or id < before][: size + 1], lambda id: id, size)
    known = READ.get(_path(counted.address), _subjects)(ids, user)
    rows = [known[id] for id in ids if id in known]
    people = (id for row in rows for id in (row.subject.customer_id, row.owner))
    return lists.Page(rows, after, len(every), duties.names(people)), len(ids) - len(rows)


def _subjects(ids: Sequence[int], user) -> dict[int, Row]:
    rows = db.session.scalars(select(Subject).where(Subject.id.in_(ids), named(user)))
    return {one.id: Row(one, one.owner_id) for one in rows}


def _missed(ids: Sequence[int], user) -> dict[int, Row]:
    """By the events that their deadlines passed: who owed it then."""
    rows = select(Event, Subject).join(Subject, Subject.id == Event.subject_id).where(Event.id.in_(ids), named(user))
    found = db.session.execute(rows)
    return {event.id: Row(one, event.facts.get("owner"), event.facts["rule"], event.at) for event, one in found}


def _due(ids: Sequence[int], user) -> dict[int, Row]:
    rows = select(Duty, Subject).join(Subject, Subject.id == Duty.subject_id).where(Duty.id.in_(ids), named(user))
    return {duty.id: Row(one, owed.by(duty), duty.rule, duty.due_at) for duty, one in db.session.execute(rows)}


READ = {tables.TABLE.path: _missed, tables.OWED.path: _due}
