"""Workbooks as they are written: row by row, with no cell a formula."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from itertools import chain, islice
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from crm import cells
from crm.cells import Sheet, TooLong, plain


def filled(sheets: Iterable[Sheet]) -> Workbook:
    """TooLong if one has more rows than a sheet may hold."""
    book = Workbook(write_only=True)
    for title, headers, rows in sheets:
        _fill(book, title, headers, rows)
    return book


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
        if count >= cells.MOST_IN_SHEET:
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
    shown = plain(value)
    if isinstance(shown, str):
        shown = ILLEGAL_CHARACTERS_RE.sub("\ufffd", shown)
    cell = WriteOnlyCell(sheet, value=shown)
    if isinstance(shown, str) and shown:
        cell.data_type = "s"
    if isinstance(shown, datetime | date):
        cell.number_format = "yyyy-mm-dd hh:mm" if isinstance(shown, datetime) else "yyyy-mm-dd"
    if font:
        cell.font = font
    return cell
