"""A spreadsheet's bytes become rows of text, each with its number as people see it. What it is, its content says."""

import csv
import io
import json
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crm.errors import Invalid
from crm.labels import N_
from crm.sheets import workbook

MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 100_000, 200, 2_000  # a longer cell comes cut to one letter more than this
UNPACKED, MEMBERS = 100 * 1024 * 1024, 2_000  # of an .xlsx, which is a zip: bytes, files in it
DENSE, RATIO = 20 * 1024 * 1024, 100  # no honest workbook larger than this packs so well
PATIENCE = 30  # seconds for the child, processor time or not
QUEUE = 10  # seconds to wait for another file that is being read
_one = threading.BoundedSemaphore()  # a process reads one at a time: the others' pages come first

OLD, ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK"
# What a password leaves to see, of an .xlsx (which then comes in the old container) and of an .xls: the library says
# no more than that it cannot read them.
LOCKED = re.compile(
    re.escape("EncryptedPackage".encode("utf-16-le"))
    + rb"|\x09\x08\x10\x00\x00\x06\x05\x00.{12}(?:\x86\x00\x00\x00)?\x2f\x00", re.DOTALL
)  # fmt: skip
MARKS = {b"\xef\xbb\xbf": ("utf-8-sig",), b"\xff\xfe": ("utf-16",), b"\xfe\xff": ("utf-16",)}
WEB_PAGE = re.compile(r"\s*<(?:!doctype|\?xml|html|head|meta|style|body|table)\b", re.IGNORECASE)
BROKEN = N_("%(name)s cannot be read as a spreadsheet: it is broken, or something else under this name.")

Row = tuple[int, list[str]]


@dataclass(frozen=True)
class Table:
    """One sheet's rows that hold anything; `name` is empty for a text file."""

    name: str
    rows: list[Row]


def read(content: bytes, name: str, wanted: Callable[[Table], bool] = lambda table: True) -> Table:
    """The first sheet that is `wanted`, else the first that holds anything. Invalid, and no other, for a bad file."""
    first = None
    for table in _tables(content, name):
        if not table.rows:
            continue
        if wanted(table):
            return _bounded(table, name)
        first = first or table
    if first is None:
        raise Invalid(N_("%(name)s holds no rows."), name=name)
    return _bounded(first, name)


def _bounded(table: Table, name: str) -> Table:
    if len(table.rows) > MOST_ROWS:
        raise Invalid(N_("%(name)s has more than %(most)s rows: divide it."), name=name, most=f"{MOST_ROWS:,}")
    if any(len(cells) > MOST_COLUMNS for _, cells in table.rows):
        raise Invalid(N_("%(name)s has more than %(most)s columns."), name=name, most=MOST_COLUMNS)
    return table


def _tables(content: bytes, name: str) -> Iterator[Table]:
    if not content.strip():
        raise Invalid(N_("%(name)s is empty."), name=name)
    if content.startswith(OLD):
        return _sheets(content, name)
    if content.startswith(ZIP):
        _check_zip(content, name)
        return _sheets(content, name)
    return iter([Table("", _csv_rows(_text(content, name), name))])


def _check_zip(content: bytes, name: str) -> None:
    """Look at what the zip says of itself before anything in it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except Exception as error:  # whatever there is to find fault with in a made-up zip
        raise Invalid(BROKEN, name=name) from error
    if any(member.flag_bits & 1 for member in members):
        raise _encrypted(name)
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if len(members) > MEMBERS or unpacked > UNPACKED or unpacked > max(DENSE, RATIO * packed):
        raise Invalid(N_("%(name)s would unpack to far more than a spreadsheet holds."), name=name)


TOO_LARGE = N_("%(name)s is too large to read: copy the rows that count into a new file.")


def _encrypted(name: str) -> Invalid:
    return Invalid(N_("%(name)s is locked with a password: save it without one and send it again."), name=name)


def _sheets(content: bytes, name: str) -> Iterator[Table]:
    command = [sys.executable, "-I", workbook.__file__, *map(str, (MOST_ROWS, MOST_COLUMNS, LONGEST_CELL))]
    if not _one.acquire(timeout=QUEUE):
        raise Invalid(N_("Another file is being read just now: send %(name)s again in a minute."), name=name)
    try:
        child = subprocess.run(command, input=content, capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise Invalid(N_("%(name)s takes too long to read: save it as .csv and send that."), name=name) from error
    finally:
        _one.release()
    if child.returncode and LOCKED.search(content):
        raise _encrypted(name)
    if child.returncode < 0 or child.returncode == workbook.TOO_LARGE:  # it met its bounds
        raise Invalid(TOO_LARGE, name=name)
    if child.returncode:
        raise Invalid(BROKEN, name=name)
    table = None
    for line in map(json.loads, child.stdout.splitlines()):
        if not isinstance(line, str):
            table.rows.append((line[0], line[1]))
            continue
        if table:
            yield table
        table = Table(line, [])
    if table:
        yield table


def _text(content: bytes, name: str) -> str:
    """UTF-8, with or without its mark, else GB18030, which has all of GBK; a mark, of UTF-16 too, is believed."""
    encodings = next((only for mark, only in MARKS.items() if content.startswith(mark)), ("utf-8", "gb18030"))
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if WEB_PAGE.match(text):
            raise Invalid(N_("%(name)s is a web page, not a spreadsheet: open it and save it as .xlsx."), name=name)
        if text.startswith("%PDF") or "\0" in text:
            raise Invalid(BROKEN, name=name)
        return text
    raise Invalid(N_("%(name)s is neither UTF-8 nor GBK text, nor an Excel file."), name=name)


def _csv_rows(text: str, name: str) -> list[Row]:
    rows: list[Row] = []
    if text.count(_delimiter(text)) > 2 * workbook.CELLS:  # before a row of them is made
        raise Invalid(TOO_LARGE, name=name)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    number = cells = 0
    try:
        for number, row in enumerate(reader, 1):
            while row and not row[-1].strip():
                row.pop()
            cells += len(row)
            if cells > workbook.CELLS:
                raise Invalid(TOO_LARGE, name=name)
            if row:
                rows.append((number, [cell[: LONGEST_CELL + 1] for cell in row[: MOST_COLUMNS + 1]]))
            if len(rows) > MOST_ROWS:
                break
    except csv.Error as error:  # else the rest of the file would silently become one cell
        fault = N_("%(name)s: the quotation marks in row %(row)s do not match.")
        raise Invalid(fault, name=name, row=number + 1) from error
    return rows


def _delimiter(text: str) -> str:
    """Commas, unless the first lines say otherwise."""
    lines = [line for line in text[:50_000].splitlines() if line.strip()][:20]
    if sum("\t" in line for line in lines) * 2 > len(lines):
        return "\t"
    head = "\n".join(lines)
    return ";" if head.count(";") > head.count(",") else ","
