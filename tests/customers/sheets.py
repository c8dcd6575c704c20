"""Tables as people bring them in."""

import io
from pathlib import Path

import openpyxl
import pytest

DATA = Path(__file__).parents[2].parent / "shared" / "data"
shared = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not beside this checkout")


def text(*rows: str) -> bytes:
    return "\n".join(rows).encode()


def xlsx(*rows, name: str = "Sheet1") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = name
    for row in rows:
        book.active.append(list(row))
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
