"""What stands on a printed form: a head, then blocks of four kinds. How they look is `templates/print/sheet.typ`'s."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from flask import current_app, request
from flask_babel import gettext as _

from crm import clock
from crm.letters.company import company

Block = dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """`address` stands in the QR code; `note` small at the end of the form."""

    title: str
    number: str
    address: str = ""
    blocks: Sequence[Block] = field(default_factory=list)
    note: str = ""
    department: str = ""
    contact: str = ""
    day: str = ""
    labels: dict[str, str] = field(default_factory=dict)


def sheet(title: str, number: str, kind: str, blocks: Iterable[Block], note: str = "") -> Sheet:
    """A form of the department's whose code leads to its paper (5.7): to the subject `number`, the paper's `kind`."""
    return _headed(title, number, f"/papers/find/{kind}/{number}", _("Scan it to enter the paper"), blocks, note)


def account(title: str, number: str, path: str, blocks: Iterable[Block], note: str = "") -> Sheet:
    """Figures on paper, whose code leads to the page they come from."""
    return _headed(title, number, path, _("Scan it to open the page"), blocks, note)


def _headed(title: str, number: str, path: str, scan: str, blocks: Iterable[Block], note: str) -> Sheet:
    labels = {"number": _("No."), "day": _("Printed on"), "missing": _("In no font, to be written in by hand"), "scan": scan}
    ours = company()
    return Sheet(title, number, f"{_site()}{path}", list(blocks), note,
                 _("%(company)s, Service Department", company=ours.name), ours.contact, f"{clock.today():%Y-%m-%d}", labels)


def _site() -> str:
    return (current_app.config["CRM_URL"] or request.host_url).rstrip("/")


def facts(*rows: tuple[str, str], wide: bool = False) -> Block:
    """Labels and values: two pairs a row, or one where the values are `wide`."""
    return {"kind": "facts", "rows": [[label, value or ""] for label, value in rows], "wide": wide}


def table(
    head: Sequence[str], widths: Sequence[float], rows: Iterable[Sequence[str]], blank: int = 0, height: int = 9, title: str = ""
) -> Block:
    """A table with room: `blank` empty rows below what is known, none lower than `height` mm."""
    lines = [list(row) for row in rows] + [[""] * len(head)] * blank
    return {"kind": "table", "head": list(head), "widths": list(widths), "rows": lines, "height": height, "title": title}


def bars(label: str, marks: Sequence[str], rows: Iterable[tuple[str, Sequence[tuple[float, str]]]], most: float) -> Block:
    """A plot: for each name a bar for each of the `marks`, so long as its value is a part of `most`, with what is said beside
    it."""
    lines = [[name, [[max(value, 0) / (most or 1), said] for value, said in values]] for name, values in rows]
    return {"kind": "bars", "label": label, "marks": list(marks), "rows": lines}


def words(label: str, text: str = "", height: int = 20) -> Block:
    """A box to be written in, with what is known already; at least `height` mm high."""
    return {"kind": "words", "label": label, "text": text, "height": height}


def ticks(labels: Sequence[str], *options: str) -> Block:
    """For each label a row of boxes, one of which is ticked."""
    return {"kind": "ticks", "labels": list(labels), "options": list(options)}


def signatures(*boxes: tuple[str, str], height: int = 26, drawn: str = "") -> Block:
    """Boxes side by side: what is signed or stamped there, and what stands in it already; in the first one a drawing (SVG)."""
    return {"kind": "signatures", "boxes": [list(box) for box in boxes], "height": height, "drawn": drawn}


def moment(instant: datetime | None) -> str:
    """`2026-11-23 14:05` where the department is; midnight is the 24:00 of the day it ends."""
    if instant is None:
        return ""
    local = clock.local(instant)
    return f"{local:%Y-%m-%d %H:%M}" if local.time() != time() else f"{clock.day_ended(instant)} 24:00"
