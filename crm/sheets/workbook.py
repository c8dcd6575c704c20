"""Reads one workbook in a process of its own: its bytes come in, lines of JSON go out: a sheet's name, then its rows.

The library lays a sheet out as a full rectangle, so that twelve kilobytes with a cell in the last corner ask for 500 GB
and abort whoever reads them. Hence a child with bounded memory and time; it imports nothing of ours, to start quickly.
"""

import io
import json
import posixpath
import re
import sys
import zipfile
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from xml.etree import ElementTree

try:
    import resource
except ImportError:  # Windows: the child still dies alone, and the parent's patience still ends
    resource = None

MEMORY, SECONDS = 1 << 30, 10  # bytes; of processor time
LETTERS, CELLS = 20_000_000, 2_000_000  # of one workbook; a small file may name one long text many times
TOO_LARGE = 9  # exit code


def _bound() -> None:
    if resource is None:
        return
    for name, most in (("RLIMIT_AS", MEMORY), ("RLIMIT_CPU", SECONDS), ("RLIMIT_CORE", 0)):
        with suppress(AttributeError, OSError, ValueError):  # not every system knows or takes each
            resource.setrlimit(getattr(resource, name), (most, most))


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


def _own(tag: str) -> str:
    return tag.rpartition("}")[2]


def padded(content: bytes, name: str) -> dict[str, int]:
    """The cells of an .xlsx sheet whose number is shown with zeros in front, and how wide: 1 as `000001`, at `B7`."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        styles = ElementTree.fromstring(archive.read("xl/styles.xml"))
        formats = {one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter() if _own(one.tag) == "numFmt"}
        used = [one.get("numFmtId") for group in styles if _own(group.tag) == "cellXfs" for one in group]
        zeros = {id: len(code) for id, code in formats.items() if re.fullmatch("0{2,30}", code)}
        widths = {str(at): zeros[id] for at, id in enumerate(used) if id in zeros}
        if not widths:
            return {}
        sheets = ElementTree.fromstring(archive.read("xl/workbook.xml")).iter()
        ids = [value for one in sheets if _own(one.tag) == "sheet" and one.get("name") == name
               for key, value in one.items() if _own(key) == "id"]  # fmt: skip
        links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        path = next(link.get("Target", "") for link in links if link.get("Id") in ids)
        with archive.open(posixpath.normpath(posixpath.join("/xl", path))[1:]) as sheet:
            cells = {}
            for _end, one in ElementTree.iterparse(sheet):
                if _own(one.tag) == "c" and one.get("s") in widths:
                    cells[one.get("r", "")] = widths[one.get("s")]
                one.clear()
            return cells


def _letters(at: int) -> str:
    before, last = divmod(at, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)


def rows_of(sheet, widths: dict[str, int], most: int, widest: int, longest: int):
    """The rows that hold anything, each with its number; one more, and one cell and letter more, than is allowed."""
    if sheet.start is None:
        return
    first = min(sheet.start[1], widest)
    rows = ((number, row) for number, row in enumerate(sheet.iter_rows(), 1) if any(cell != "" for cell in row))
    for number, row in islice(rows, most + 1):
        last = max(at for at, cell in enumerate(row) if cell != "")
        cells = [text_of(cell)[: longest + 1] for cell in row[: min(last, widest) + 1]]
        for at, value in enumerate(row[: len(cells)] if widths else ()):
            if isinstance(value, float):
                cells[at] = cells[at].zfill(widths.get(f"{_letters(first + at)}{number}", 0))
        yield number, [""] * first + cells


def main(most: int, widest: int, longest: int) -> None:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum  # the child's alone

    content = sys.stdin.buffer.read()
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    letters = count = 0
    for sheet in book.sheets_metadata:
        if (sheet.typ, sheet.visible) == (SheetTypeEnum.WorkSheet, SheetVisibleEnum.Visible):
            widths: dict[str, int] = {}
            with suppress(Exception):  # without them the numbers still stand there
                widths = padded(content, sheet.name)
            print(json.dumps(sheet.name))
            for number, cells in rows_of(book.get_sheet_by_name(sheet.name), widths, most, widest, longest):
                letters, count = letters + sum(map(len, cells)), count + len(cells)
                if letters > LETTERS or count > CELLS:
                    raise SystemExit(TOO_LARGE)
                print(json.dumps([number, cells]))


if __name__ == "__main__":
    _bound()
    main(*map(int, sys.argv[1:]))
