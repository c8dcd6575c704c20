"""What an import will do with a file, before any of it is done: its columns, its rows, and which are refused."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from string import ascii_uppercase
from typing import Any, ClassVar, Self

from crm.errors import Invalid
from crm.labels import N_
from crm.sheets import reading
from crm.sheets.columns import Columns, folded, plain, shown

BATCH = 200  # rows of one unit of work
HEADER_WITHIN = 20  # rows above the header may hold titles, but not more


@dataclass(frozen=True)
class Column:
    at: int  # counted from 0
    header: str
    field: str  # "" if it is left out
    mapped: bool = False
    sample: str = ""  # the first words below the header


@dataclass(frozen=True)
class Line:
    """One row: what it says of each field it says anything of, or why it is refused."""

    number: int
    values: Mapping[str, str]
    refusal: Invalid | None = None

    def whole(self) -> Self:
        """With what follows from its own words; Invalid if they are not enough."""
        return self


@dataclass(frozen=True)
class Plan:
    """`sheet` is empty for a text file, `header` the number of the header's row. Nothing here asks the database. A kind of
    list says its own in a class of its own: its columns, those of which one must be there, and how rows are compared."""

    name: str
    sheet: str
    header: int
    columns: list[Column]
    lines: list = field(repr=False)

    COLUMNS: ClassVar[Columns]
    NEEDS: ClassVar[Mapping[frozenset[str], str]]  # some of these fields, and what is said where none is there
    HOW: ClassVar[str]  # to map a column, for instance
    LINE: ClassVar[type[Line]] = Line

    @classmethod
    def read(cls, content: bytes, name: str, mapping: Mapping[str, str] | None = None) -> Self:
        """Invalid for a file that is no table, and for a mapping of what is not there."""
        return cls.of(cls.table_of(content, name, mapping), name, mapping or {})

    @classmethod
    def of(cls, table: reading.Table, name: str, mapping: Mapping[str, str]) -> Self:
        """The plan of a table that has been read already."""
        wanted = cls.COLUMNS.mapping_of(mapping)
        at = cls._header(table, wanted)
        number, head = table.rows[at]
        below = [row for row in table.rows[at + 1 :] if row[1] != head]  # some lists repeat it on every page
        plan = cls(name, table.name, number, cls._columns(head, below, wanted), [])
        there = {folded(column.header) for column in plan.columns}
        if missing := [header for header in mapping if folded(header) not in there]:
            raise plan._without(N_("There is no column %(column)s."), column=shown(missing[0]))
        plan.lines.extend(cls.compared(list(cls._lines(plan.columns, below)), plan.called))
        return plan

    @classmethod
    def table_of(cls, content: bytes, name: str, mapping: Mapping[str, str] | None = None) -> reading.Table:
        """The sheet of a file that has the columns needed, else its first."""
        wanted = cls.COLUMNS.mapping_of(mapping or {})
        return reading.read(content, name, lambda table: cls._fits(table, wanted))

    @classmethod
    def compared(cls, lines: list, called: Callable[[Iterable[str]], str]) -> Iterator:
        """The rows, those refused that contradict others; `called` names fields by their columns' headers."""
        yield from lines

    def called(self, fields: Iterable[str]) -> str:
        """Fields as the file calls them; a day that is none of its own comes of the term."""
        headers = {column.field: shown(column.header) for column in self.columns if column.field}
        return ", ".join(dict.fromkeys(headers.get(name) or headers.get("term", name) for name in fields))

    @property
    def fields(self) -> set[str]:
        return {column.field for column in self.columns if column.field}

    @property
    def lacks(self) -> str:
        """What is said of the column that is needed and not there."""
        return next((said for some, said in self.NEEDS.items() if not some & self.fields), "")

    @property
    def left_out(self) -> list[Column]:
        return [column for column in self.columns if not column.field]

    def check(self) -> None:
        """Invalid unless the columns are there that are needed."""
        if self.lacks:
            raise self._without(self.lacks)

    def _without(self, what: str, **params: str) -> Invalid:
        """A refusal that says which columns there are and how to map one."""
        headers = [shown(column.header) for column in self.columns]
        return Invalid(what, {"columns": Invalid(self.HOW, columns=", ".join(headers), column=headers[0])}, **params)

    def batches(self) -> Iterator[list]:
        for start in range(0, len(self.lines), BATCH):
            yield self.lines[start : start + BATCH]

    @classmethod
    def _known(cls, head: list[str], wanted: Mapping[str, str]) -> list[str]:
        return [field for field, _mapped in cls.COLUMNS.assigned(head, wanted) if field]

    @classmethod
    def _fits(cls, table: reading.Table, wanted: Mapping[str, str]) -> bool:
        _number, head = table.rows[cls._header(table, wanted)]
        return all(some & set(cls._known(head, wanted)) for some in cls.NEEDS)

    @classmethod
    def _header(cls, table: reading.Table, wanted: Mapping[str, str]) -> int:
        """The row that knows the most columns, of equal ones the widest, of those the first."""
        heads = [cells for _, cells in islice(table.rows, HEADER_WITHIN)]
        ranks = [(len(cls._known(head, wanted)), sum(1 for cell in head if cell.strip())) for head in heads]
        return max(range(len(ranks)), key=lambda at: (ranks[at], -at))

    @classmethod
    def _columns(cls, head: list[str], below: list[reading.Row], wanted: Mapping[str, str]) -> list[Column]:
        """The columns that have a header or hold anything; one without a header goes by its letter."""
        width = max([len(head), *(len(cells) for _, cells in below)])
        headers = [plain(cell) for cell in head] + [""] * (width - len(head))
        samples: dict[int, str] = {}
        for _, cells in below:
            for at, cell in enumerate(cells):
                if at not in samples and (words := cls.COLUMNS.meaning("", cell)):
                    samples[at] = shown(words)
        headers = [header or (_letters(at) if at in samples else "") for at, header in enumerate(headers)]
        found = cls.COLUMNS.assigned(headers, wanted)
        return [Column(at, headers[at], *found[at], samples.get(at, "")) for at in range(width) if headers[at]]

    @classmethod
    def _lines(cls, columns: list[Column], below: list[reading.Row]) -> Iterator[Line]:
        """Each row that says anything, checked by itself."""
        taken = [column for column in columns if column.field]
        for number, cells in below:
            if not any(cls.COLUMNS.meaning("", cell) for cell in cells):
                continue
            words = {column: cls.COLUMNS.meaning(column.field, cells[column.at]) for column in taken if column.at < len(cells)}
            line = cls.LINE(number, {column.field: text for column, text in words.items() if text})
            try:
                values = {column.field: cls.COLUMNS.checked(column.field, text, shown(column.header))
                          for column, text in words.items() if text}  # fmt: skip
                yield replace(line, values=values).whole()
            except Invalid as refusal:
                yield replace(line, refusal=refusal)


def _letters(at: int) -> str:
    """What a spreadsheet calls its column."""
    before, last = divmod(at, 26)
    return (_letters(before - 1) if before else "") + ascii_uppercase[last]


@dataclass(frozen=True)
class Contradiction:
    """Two rows, and the fields of which they say different things."""

    one: int
    other: int
    fields: list[str]


def contradicted(lines: Iterable[Any], key: Callable[[Any], Hashable], fields: Collection[str]) -> dict[Hashable, Contradiction]:
    """For each key of which rows say different things the first two such rows."""
    told: dict[tuple[Hashable, str], tuple[str, int]] = {}
    wrong: dict[Hashable, Contradiction] = {}
    for line in lines:
        for name in [name for name in line.values if name in fields]:
            theirs, number = told.setdefault((key(line), name), (line.values[name], line.number))
            if theirs != line.values[name]:
                found = wrong.setdefault(key(line), Contradiction(number, line.number, []))
                if found.other == line.number:
                    found.fields.append(name)
    return wrong
