"""A service desk's event log as it lies in a file: rows read one by one, each checked by itself, a record's together."""

import csv
import gzip
import re
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, Any

from crm import clock
from crm.errors import Invalid
from crm.labels import N_, Priority
from crm.tickets.models import State
from crm.words import CONTROL

PACKED = b"\x1f\x8b"
LONGEST_LINE, LONGEST_CELL = 100_000, 2_000  # letters
QUOTED_LINES = 20  # a quoted cell that runs on for longer is a quote too many
MOST_ROWS = 2_000  # of one record
NOTHING = "?"
STATES = {
    "New": State.NEW, "Active": State.WORKING, "In Progress": State.WORKING, "On Hold": State.WAITING,
    "Awaiting User Info": State.WAITING, "Awaiting Problem": State.WAITING, "Awaiting Vendor": State.WAITING,
    "Awaiting Evidence": State.WAITING, "Resolved": State.ENDED, "Closed": State.COMPLETE,
    "Canceled": State.CANCELLED, "Cancelled": State.CANCELLED,
}  # fmt: skip
PRIORITIES = {
    "1 - Critical": Priority.URGENT, "2 - High": Priority.HIGH, "3 - Moderate": Priority.NORMAL,
    "4 - Low": Priority.LOW,
}  # fmt: skip
COLUMNS = (
    "number", "incident_state", "sys_mod_count", "sys_updated_by", "sys_updated_at", "opened_at", "caller_id", "location",
    "category", "priority", "reassignment_count", "reopen_count", "assigned_to", "resolved_by",
)  # fmt: skip
_CONTROL = re.compile(rf"{CONTROL.pattern}|[\t\n\r]")
_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) ([0-9]{1,2}):([0-9]{2})")
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)

Remark = tuple[int, Invalid]  # a row's number, and what is to be said of it


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the log; an empty cell and `?` are both empty words."""

    number: int  # of its first line in the file
    cells: dict[str, str]
    at: datetime
    opened_at: datetime
    state: State
    priority: Priority
    revision: int
    reassigned: int  # how often so far, as the log itself counts; reopened likewise
    reopened: int

    @property
    def ref(self) -> str:
        return self.cells["number"]


def read(path: Path) -> Iterator[Row | Remark]:
    """The rows of a .csv or .csv.gz one after the other, and in place of a bad one why. Invalid if it is no such log."""
    with path.open("rb") as file:
        packed = file.peek(2)[:2] == PACKED
        with gzip.open(file) if packed else file as raw:
            lines = _Lines(raw)
            head = next(_table(lines, 0), (1, []))[1]
            names = [name.strip() for name in head]
            if not any(names):
                raise Invalid(N_("%(name)s is empty."), name=path.name)
            if missing := [name for name in COLUMNS if name not in names]:
                fault = N_("%(name)s is no log of incidents: it lacks the column %(column)s.")
                raise Invalid(fault, name=path.name, column=", ".join(missing))
            for number, cells in _table(lines, len(names)):
                yield _checked(number, cells, names)
            if lines.broken:
                yield lines.number, Invalid(N_("The file breaks off here: the rest of it cannot be unpacked."))


def _checked(number: int, cells: list[str], names: list[str]) -> Row | Remark:
    try:
        return _row(number, cells, names)
    except Invalid as refusal:
        return number, refusal


class _Lines:
    """Physical lines with their numbers; some may be given back, to be read once more."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self._back, self.number, self.broken = raw, deque[str](), 0, False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        return line

    def _read(self) -> str:
        try:
            line = self._raw.readline(LONGEST_LINE)
        except (EOFError, OSError, zlib.error):
            self.broken = True
            return ""
        return line.removeprefix(b"\xef\xbb\xbf" if not self.number else b"").decode("utf-8", "surrogateescape")

    def give_back(self, lines: list[str]) -> None:
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)


def _table(lines: _Lines, width: int) -> Iterator[tuple[int, list[str]]]:
    """Cells of each row. A quote that is never closed costs its own line, not those below it."""
    for line in lines:
        number, taken = lines.number, [line]
        if line.count('"') % 2:
            for more in islice(lines, QUOTED_LINES):
                taken.append(more)
                if more.count('"') % 2:
                    break
        cells = _cells(taken)
        if len(taken) > 1 and len(cells) != width:
            lines.give_back(taken[1:])
            cells = _cells(taken[:1])
        if any(cells):
            yield number, cells


def _cells(lines: list[str]) -> list[str]:
    try:
        return next(csv.reader(lines), [])
    except csv.Error:  # a cell without end, or a line break inside one that is not quoted
        return ["".join(lines)]


def _row(number: int, cells: list[str], names: list[str]) -> Row:
    if len(cells) != len(names):
        fault = N_("It has %(have)s cells where the header has %(want)s: the line is cut off or torn.")
        raise Invalid(fault, have=len(cells), want=len(names))
    words = {name: _said(cell) for name, cell in zip(names, cells, strict=True)}
    if not words["number"]:
        raise Invalid(N_("It has no number, so nobody knows which record it belongs to."))
    whole = "".join(words.values())
    if len(whole) > LONGEST_CELL or _CONTROL.search(whole):
        _look_closer(words)
    at, opened = (_time(name, words[name]) for name in ("sys_updated_at", "opened_at"))
    return Row(
        number, words, at, opened, state=_known("incident_state", words, STATES),
        priority=_known("priority", words, PRIORITIES), revision=_count("sys_mod_count", words),
        reassigned=_count("reassignment_count", words), reopened=_count("reopen_count", words),
    )  # fmt: skip


def _look_closer(words: dict[str, str]) -> None:
    for name, cell in words.items():
        if _CONTROL.search(cell):
            raise Invalid(N_("%(column)s holds a character that cannot be stored."), column=name)
        if len(cell) > LONGEST_CELL:
            raise Invalid(N_("%(column)s is longer than %(most)s characters."), column=name, most=f"{LONGEST_CELL:,}")


def _said(cell: str) -> str:
    words = " ".join(cell.split())
    return "" if words == NOTHING else words


def _time(column: str, text: str) -> datetime:
    """The log's times name no zone: they are taken as the business zone's."""
    at = _parsed(text)
    if at is None:
        fault = N_("%(column)s: %(value)s is no time such as 31/12/2016 18:05.")
        raise Invalid(fault, column=column, value=_shown(text))
    if at > clock.now():
        raise Invalid(N_("%(column)s: %(value)s lies in the future."), column=column, value=_shown(text))
    return at


@lru_cache(maxsize=10_000)
def _parsed(text: str) -> datetime | None:
    found = _DATE.fullmatch(text)
    if not found:
        return None
    day, month, year, hour, minute = map(int, found.groups())
    try:
        at = datetime(year, month, day, hour, minute, tzinfo=clock.ZONE).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at >= EARLIEST else None


def _known(column: str, words: dict[str, str], values: dict[str, Any]) -> Any:
    if words[column] not in values:
        fault = N_("%(column)s: %(value)s is none of those that are known: %(known)s.")
        raise Invalid(fault, column=column, value=_shown(words[column]), known=", ".join(values))
    return values[words[column]]


def _count(column: str, words: dict[str, str]) -> int:
    text = words[column]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(N_("%(column)s: %(value)s is no count."), column=column, value=_shown(text))
    return int(text)


def _shown(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


def together(rows: Iterator[Row | Remark]) -> Iterator[list[Row] | Remark]:
    """The rows of each record, which stand together in the log, and all remarks."""
    ended: set[str] = set()
    group: list[Row] = []
    for row in rows:
        if not isinstance(row, Row):
            yield row
            continue
        if group and row.ref != group[0].ref:
            ended.add(group[0].ref)
            yield group
            group = []
        if row.ref in ended:
            fault = N_("%(ref)s comes again after other records: sort the file by number.")
            yield row.number, Invalid(fault, ref=row.ref)
        elif len(group) == MOST_ROWS:
            yield row.number, Invalid(N_("%(ref)s has more than %(most)s rows."), ref=row.ref, most=f"{MOST_ROWS:,}")
        else:
            group.append(row)
    if group:
        yield group
