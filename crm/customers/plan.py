"""What an import will do with a file, before any of it is done: its columns, its rows, and which are refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from string import ascii_uppercase

from crm.customers import columns as known
from crm.customers import sheets
from crm.errors import Invalid
from crm.labels import N_

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

    @property
    def code(self) -> str:
        return self.values.get("code", "")

    @property
    def full_name(self) -> str:
        """A missing full name takes the short one."""
        return self.values.get("full_name") or self.values.get("short_name", "")


@dataclass(frozen=True)
class Plan:
    """`sheet` is empty for a text file, `header` the number of the header's row. Nothing here asks the database."""

    name: str
    sheet: str
    header: int
    columns: list[Column]
    lines: list[Line] = field(repr=False)

    @classmethod
    def read(cls, content: bytes, name: str, mapping: Mapping[str, str] | None = None) -> "Plan":
        """Invalid for a file that is no table, and for a mapping of what is not there."""
        return cls.of(table_of(content, name, mapping), name, mapping or {})

    @classmethod
    def of(cls, table: sheets.Table, name: str, mapping: Mapping[str, str]) -> "Plan":
        """The plan of a table that has been read already."""
        wanted = known.mapping_of(mapping)
        at = _header(table, wanted)
        number, head = table.rows[at]
        below = [row for row in table.rows[at + 1 :] if row[1] != head]  # some lists repeat it on every page
        plan = cls(name, table.name, number, _columns(head, below, wanted), [])
        there = {known.folded(column.header) for column in plan.columns}
        if missing := [header for header in mapping if known.folded(header) not in there]:
            raise plan._without(N_("There is no column %(column)s."), column=known.shown(missing[0]))
        plan.lines.extend(_compared(list(_lines(plan.columns, below))))
        return plan

    @property
    def fields(self) -> set[str]:
        return {column.field for column in self.columns if column.field}

    @property
    def named(self) -> bool:
        """Whether some column names the customer."""
        return bool(self.fields & {"short_name", "full_name"})

    @property
    def left_out(self) -> list[Column]:
        return [column for column in self.columns if not column.field]

    def check(self) -> None:
        """Invalid unless some column names the customer."""
        if not self.named:
            raise self._without(N_("No column is known as the customer's short or full name."))

    def _without(self, what: str, **params: str) -> Invalid:
        """A refusal that says which columns there are and how to map one."""
        headers = [known.shown(column.header) for column in self.columns]
        how = N_("The columns are: %(columns)s. Say what one of them is, for instance: --map %(column)s=short_name")
        return Invalid(what, {"columns": Invalid(how, columns=", ".join(headers), column=headers[0])}, **params)

    def batches(self) -> Iterator[list[Line]]:
        for start in range(0, len(self.lines), BATCH):
            yield self.lines[start : start + BATCH]


def table_of(content: bytes, name: str, mapping: Mapping[str, str] | None = None) -> sheets.Table:
    """The sheet of a file that names customers, else its first."""
    wanted = known.mapping_of(mapping or {})
    return sheets.read(content, name, lambda table: _has_name(table, wanted))


def _known(head: list[str], wanted: Mapping[str, str]) -> list[str]:
    return [field for field, _mapped in known.assigned(head, wanted) if field]


def _has_name(table: sheets.Table, wanted: Mapping[str, str]) -> bool:
    _number, head = table.rows[_header(table, wanted)]
    return bool({"short_name", "full_name"} & set(_known(head, wanted)))


def _header(table: sheets.Table, wanted: Mapping[str, str]) -> int:
    """The row that knows the most columns, of equal ones the widest, of those the first."""
    heads = [cells for _, cells in islice(table.rows, HEADER_WITHIN)]
    ranks = [(len(_known(head, wanted)), sum(1 for cell in head if cell.strip())) for head in heads]
    return max(range(len(ranks)), key=lambda at: (ranks[at], -at))


def _letters(at: int) -> str:
    """What a spreadsheet calls its column."""
    before, last = divmod(at, 26)
    return (_letters(before - 1) if before else "") + ascii_uppercase[last]


def _columns(head: list[str], below: list[sheets.Row], wanted: Mapping[str, str]) -> list[Column]:
    """The columns that have a header or hold anything; one without a header goes by its letter."""
    width = max([len(head), *(len(cells) for _, cells in below)])
    headers = [known.plain(cell) for cell in head] + [""] * (width - len(head))
    samples: dict[int, str] = {}
    for _, cells in below:
        for at, cell in enumerate(cells):
            if at not in samples and (words := known.meaning("", cell)):
                samples[at] = known.shown(words)
    headers = [header or (_letters(at) if at in samples else "") for at, header in enumerate(headers)]
    found = known.assigned(headers, wanted)
    return [Column(at, headers[at], *found[at], samples.get(at, "")) for at in range(width) if headers[at]]


def _lines(columns: list[Column], below: list[sheets.Row]) -> Iterator[Line]:
    """Each row that says anything, checked by itself."""
    taken = [column for column in columns if column.field]
    for number, cells in below:
        if not any(known.meaning("", cell) for cell in cells):
            continue
        words = {column: known.meaning(column.field, cells[column.at]) for column in taken if column.at < len(cells)}
        line = Line(number, {column.field: text for column, text in words.items() if text})
        try:
            values = {column.field: known.checked(column.field, text, known.shown(column.header))
                      for column, text in words.items() if text}  # fmt: skip
            yield _whole(replace(line, values=values))
        except Invalid as refusal:
            yield replace(line, refusal=refusal)


def _whole(line: Line) -> Line:
    if not line.full_name:
        raise Invalid(N_("It has neither a short nor a full name."))
    if not line.values.get("short_name") and len(line.full_name) > known.FIELDS["short_name"].most:
        raise Invalid(N_("Its full name is too long to stand for the short one: give it a short name."))
    if not line.values.get("contact_name") and any(name.startswith("contact_") for name in line.values):
        raise Invalid(N_("The contact has no name."))
    return line


def _compared(lines: list[Line]) -> Iterator[Line]:
    """Refuse what contradicts an earlier row on the same unit: else each import would change it to and fro."""
    codes: dict[str, set[str]] = {}
    for line in lines:
        if line.code and not line.refusal:
            codes.setdefault(line.full_name, set()).add(line.code)
    told: dict[tuple[str, str], dict[tuple[str, str], tuple[str, int]]] = {}
    for line in lines:
        try:
            if not line.refusal:
                _tell(line, told.setdefault(_unit(line, codes.get(line.full_name, set())), {}))
            yield line
        except Invalid as refusal:
            yield replace(line, refusal=refusal)


def _unit(line: Line, codes: set[str]) -> tuple[str, str]:
    """Which unit a row is about, as far as the file says: known by its code, else by its full name."""
    if line.code:
        return "code", line.code
    if len(codes) > 1:
        raise Invalid(N_("It has no code, and several units in this file have its full name."))
    return ("code", *codes) if codes else ("name", line.full_name)  # type: ignore[return-value]


def _tell(line: Line, told: dict[tuple[str, str], tuple[str, int]]) -> None:
    person = line.values.get("contact_name", "")  # a unit may have several contacts, a row each
    new = {(person if name.startswith("contact_") else "", name): text for name, text in line.values.items()}
    for key, text in new.items():
        theirs, number = told.get(key, (text, 0))
        if theirs != text:
            fault = N_("Row %(row)s says something else of the same unit: %(theirs)s, not %(value)s.")
            raise Invalid(fault, row=number, theirs=known.shown(theirs), value=known.shown(text))
    told |= {key: told.get(key, (text, line.number)) for key, text in new.items()}
