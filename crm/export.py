"""A list as a file: .xlsx, or .csv with the mark spreadsheets know UTF-8 by. No cell is ever a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from crm.cells import Sheet, plain

_FORMULA = re.compile(r"""[\s"';,]*[=+\-@＝＋－＠\t\r]""")  # noqa: RUF001 (full width too)
MEMORY = 8 * 1024 * 1024  # bytes kept out of the disk


def guarded(value: Any) -> str:
    """A cell of a .csv: a text some spreadsheet would calculate begins with an apostrophe."""
    shown = plain(value)
    if isinstance(shown, str):
        return f"'{shown}" if _FORMULA.match(shown) else shown
    return shown.isoformat(" ") if isinstance(shown, datetime) else str(shown)


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


def as_book(sheets: Iterable[Sheet]) -> IO[bytes]:
    """A workbook of these sheets."""
    from crm.workbooks import filled  # its library takes 5 MB: for the workers that are asked for one

    book = filled(sheets)
    file: IO[bytes] = SpooledTemporaryFile(MEMORY)  # type: ignore[assignment]  # noqa: SIM115 (the answer closes it)
    book.save(file)
    file.seek(0)
    return file
