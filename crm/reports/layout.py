"""What stands in a report, as data: its numbers, and its tables with their columns. Page, plot, workbook and PDF read the same.

A kind's figures are plain values under these keys, so that they can be kept as they were submitted: `{"number": {…}, "at": {…},
<table>: [{<column>: …, "at": {<column>: address}}, …]}`; `at` leads from a number to its rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _

from crm.duties import editions
from crm.labels import Labelled, said
from crm.money import yuan


class As(Labelled):
    """What a value is, and so how it is shown."""

    WORDS = "words"
    COUNT = "count"
    FEN = "fen"
    MARK = "mark"
    HOURS = "hours"
    SHARE = "share"  # in hundredths
    DAY = "day"
    LABEL = "label"  # of an enum's member
    LABELS = "labels"  # of several
    CATEGORY = "category"  # of a service record
    RULE = "rule"  # of the rulebook
    PENALTY = "penalty"  # of the rulebook


FIGURES = frozenset({As.COUNT, As.FEN, As.MARK, As.HOURS, As.SHARE})


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    kind: As = As.COUNT
    of: type[Labelled] | None = None  # whose members its values are
    empty: str = "—"  # what is said where there is nothing

    @property
    def right(self) -> bool:
        return self.kind in FIGURES

    def shown(self, value: Any) -> str:
        """As people read it."""
        if value is None or value == "" or value == []:
            return _(self.empty) if self.empty != "—" else self.empty
        return SHOWN[self.kind](self, value)

    def plain(self, value: Any) -> Any:
        """As a workbook takes it: figures stay figures."""
        if value is None or value == "" or value == []:
            return None if self.right else _(self.empty) if self.empty != "—" else ""
        if self.kind == As.FEN:
            return value / 100
        if self.right or self.kind == As.WORDS:
            return value
        return date.fromisoformat(value) if self.kind == As.DAY else self.shown(value)


def _label(column: Column, value: str) -> str:
    assert column.of
    return _(column.of(value).label) if value in set(column.of) else value


def _labels(column: Column, values: Sequence[str]) -> str:
    return _(", ").join(dict.fromkeys(_label(column, value) for value in values))


def _category(_column: Column, value: str) -> str:
    known = editions.todays().categories
    return said(known[value].title, str(get_locale())) if value in known else value


def _rule(_column: Column, value: str) -> str:
    known = editions.todays().rules
    return said(known[value].title, str(get_locale())) if value in known else value


def _penalty(_column: Column, value: str) -> str:
    known = editions.todays().penalties
    return f"{known[value].clause or value} {said(known[value].title, str(get_locale()))}" if value in known else value


SHOWN: Mapping[As, Callable[[Column, Any], str]] = {
    As.WORDS: lambda _column, value: str(value), As.COUNT: lambda _column, value: f"{value:,}",
    As.FEN: lambda _column, value: yuan(value), As.MARK: lambda _column, value: f"{value:.2f}",
    As.HOURS: lambda _column, value: f"{value:,.1f}", As.SHARE: lambda _column, value: f"{value} %",
    As.DAY: lambda _column, value: str(value), As.LABEL: _label, As.LABELS: _labels, As.CATEGORY: _category, As.RULE: _rule,
    As.PENALTY: _penalty,
}  # fmt: skip


class Plot(Labelled):
    BARS = "bars"
    TREND = "trend"


@dataclass(frozen=True)
class Table:
    """`drawn`: the columns its plot is of; `lists`: its rows are things, and none is more than another."""

    key: str
    title: str
    columns: tuple[Column, ...]
    drawn: tuple[str, ...] = ()
    plot: Plot = Plot.BARS
    lists: bool = False

    def rows(self, figures: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return figures.get(self.key, ())

    def cells(self, row: Mapping[str, Any]) -> Iterator[tuple[Column, str, str]]:
        """Of each column what is said, and where that leads."""
        at = row.get("at", {})
        for column in self.columns:
            yield column, column.shown(row.get(column.key)), at.get(column.key, "")

    @property
    def draws(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.key in self.drawn)


@dataclass(frozen=True)
class Layout:
    numbers: tuple[Column, ...]
    tables: tuple[Table, ...]

    def said(self, figures: Mapping[str, Any]) -> Iterator[tuple[Column, str, str]]:
        """Each number, and the address of what it counts."""
        known, at = figures["number"], figures.get("at", {})
        for column in self.numbers:
            yield column, column.shown(known.get(column.key)), at.get(column.key, "")

    def leading_to(self, figures: Mapping[str, Any], address: str) -> tuple[str, str] | None:
        """What the first number is called that has this address, and what it says."""
        cells = ((table, list(table.cells(row))) for table in self.tables for row in table.rows(figures))
        said = (((_(table.title), line[0][1], _(column.label)), value, at) for table, line in cells for column, value, at in line)
        numbers = (((_(column.label),), value, at) for column, value, at in self.said(figures))
        return next(((" · ".join(words), value) for words, value, at in (*numbers, *said) if at == address), None)
