"""A list as a file: .xlsx, or .csv with the mark spreadsheets know UTF-8 by. No cell is ever a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import chain, islice
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from crm import clock
from crm.errors import Refused
from crm.labels import N_

MOST_IN_SHEET = 100_000  # rows; a .csv has no limit
_FORMULA = re.compile(r"""[\s"';,]*[=+\-@＝＋－＠\t\r]""")  # noqa: RUF001 (full width too)
MEMORY = 8 * 1024 * 1024  # bytes kept out of the disk


class TooLong(Refused):
    status = 422

    def __init__(self) -> None:
        super().__init__(
            N_("More than %(most)s rows: narrow the filters, or take the .csv file."), most=f"{MOST_IN_SHEET:,}"
        )


def _plain(value: Any) -> Any:
    """Instants as the department's clock shows them; nothing as an empty cell."""
    if isinstance(value, datetime):
        return clock.local(value).replace(tzinfo=None, microsecond=0)
    return "" if value is None else value


def guarded(value: Any) -> str:
    """A cell of a .csv: a text some spreadsheet would calculate begins with an apostrophe."""
    plain = _plain(value)
    if isinstance(plain, str):
        return f"'{plain}" if _FORMULA.match(plain) else plain
    return plain.isoformat(" ") if isinstance(plain, datetime) else str(plain)


def as_csv(headers: list[str], rows: Iterable[list[Any]]) -> IO[bytes]:
    file: IO[bytes] = SpooledTemporaryFile(MEMORY)  # type: ignore[assignment]  # noqa: SIM115 (the answer closes it)
    for line in _lines(headers, rows):
        file.write(line)
    file.seek(0)
    return file


def _lines(headers: list[str], rows: Iterable[list[Any]]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headers)
    yield b"\xef\xbb\xbf"
    for row in rows:
        writer.writerow([guarded(value) for value in row])
        if text.tell() > 100_000:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def as_xlsx(title: str, headers: list[str], rows: Iterable[list[Any]]) -> IO[bytes]:
    return as_book([(title, headers, rows)])


def as_book(sheets: Iterable[tuple[str, list[str], Iterable[list[Any]]]]) -> IO[bytes]:
    """A workbook: of each sheet its title, headers and rows."""
    book = Workbook(write_only=True)
    for title, headers, rows in sheets:
        _fill(book, title, headers, rows)
    file: IO[bytes] = SpooledTemporaryFile(MEMORY)  # type: ignore[assignment]  # noqa: SIM115 (the answer closes it)
    book.save(file)
    file.seek(0)
    return file


def _fill(book: Workbook, title: str, headers: list[str], rows: Iterable[list[Any]]) -> None:
    sheet = book.create_sheet(re.sub(r"[\[\]*?:/\\]", " ", title)[:31])
    sheet.freeze_panes = "A2"
    rows = iter(rows)
    first = list(islice(rows, 100))
    for at, header in enumerate(headers):
        widest = max(_wide(value) for value in (header, *(row[at] for row in first)))
        sheet.column_dimensions[get_column_letter(at + 1)].width = max(10, min(widest + 2, 50))
    sheet.append([_cell(sheet, header, Font(bold=True)) for header in headers])
    for count, row in enumerate(chain(first, rows)):
        if count >= MOST_IN_SHEET:
            sheet.close()
            raise TooLong()
        sheet.append([_cell(sheet, value) for value in row])


def _wide(value: Any) -> int:
    """How many letters wide a cell is; a Chinese one is two."""
    if isinstance(value, datetime):
        return 17
    text = str("" if value is None else value)
    return sum(2 if ord(one) > 0x2E80 else 1 for one in text[:60])


def _cell(sheet, value: Any, font: Font | None = None) -> Any:
    """Text stays text: what begins with = is no formula, what looks like a number keeps its zeros."""
    plain = _plain(value)
    if isinstance(plain, str):
        plain = ILLEGAL_CHARACTERS_RE.sub("\ufffd", plain)
    cell = WriteOnlyCell(sheet, value=plain)
    if isinstance(plain, str) and plain:
        cell.data_type = "s"
    if isinstance(plain, datetime | date):
        cell.number_format = "yyyy-mm-dd hh:mm" if isinstance(plain, datetime) else "yyyy-mm-dd"
    if font:
        cell.font = font
    return cell
