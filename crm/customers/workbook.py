"""Reads one workbook in a process of its own: its bytes come in, lines of JSON go out: a sheet's name, then its rows.

The library lays a sheet out as a full rectangle, so that twelve kilobytes with a cell in the last corner ask for 500 GB
and abort whoever reads them. Hence a child with bounded memory and time; it imports nothing of ours, to start quickly.
"""

import io
import json
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice

MEMORY, SECONDS = 1 << 30, 60  # bytes; of processor time
ENCRYPTED = 3  # the exit status that says so


def _bound() -> None:
    try:
        import resource
    except ImportError:  # Windows: the child still dies alone, and the parent's patience still ends
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def text_of(value) -> str:
    """A cell as its author meant it: 13800000000.0 is a telephone number, a date without a time is a day."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == value.min.time() else value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    return str(value)


def rows_of(sheet, most: int, widest: int, longest: int):
    """The rows that hold anything, each with its number; one more, and one cell and letter more, than is allowed."""
    if sheet.start is None:
        return
    left = [""] * min(sheet.start[1], widest)
    rows = ((number, row) for number, row in enumerate(sheet.iter_rows(), 1) if any(cell != "" for cell in row))
    for number, row in islice(rows, most + 1):
        last = max(at for at, cell in enumerate(row) if cell != "")
        cells = [text_of(cell)[: longest + 1] for cell in row[: min(last, widest) + 1]]
        yield number, left + cells


def main(most: int, widest: int, longest: int) -> None:
    from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    except PasswordError:
        sys.exit(ENCRYPTED)
    for sheet in book.sheets_metadata:
        if (sheet.typ, sheet.visible) == (SheetTypeEnum.WorkSheet, SheetVisibleEnum.Visible):
            print(json.dumps(sheet.name))
            for row in rows_of(book.get_sheet_by_name(sheet.name), most, widest, longest):
                print(json.dumps(row))


if __name__ == "__main__":
    _bound()
    main(*map(int, sys.argv[1:]))
