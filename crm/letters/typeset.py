"""A sheet becomes a PDF. typst needs more memory than a web worker has to spare, so it works in a process of its own
(`press.py`): started at first use, kept for many sheets, ended when idle or with its parent."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import segno
from flask import current_app
from flask_babel import get_locale

from crm.errors import Refused
from crm.labels import N_
from crm.letters.sheet import Sheet

PATIENCE = 10.0  # seconds for one sheet, the start of the press among them


class NotPrinted(Refused):
    """The press did not answer."""

    status = 503

    def __init__(self) -> None:
        super().__init__(N_("The form could not be printed just now. Try again in a moment; nothing was lost."))


@dataclass(frozen=True)
class Printed:
    pdf: bytes
    missing: tuple[str, ...]  # codes of letters that no font has, as they stand on the sheet


class Press:
    """The process and its turn: one sheet at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._child: subprocess.Popen | None = None
        self._parent = 0

    def order(self, **order: Any) -> dict:
        """What the press answers; one that ended meanwhile is started anew, once. What takes too long is not tried again,
        and nobody waits longer than that for their turn."""
        line = json.dumps(order).encode() + b"\n"
        if not self._turn.acquire(timeout=PATIENCE):
            raise NotPrinted()
        try:
            for _attempt in range(2):
                answer, late = self._ask(line)
                if answer is not None:
                    return answer
                self.end()
                if late:
                    break
        finally:
            self._turn.release()
        raise NotPrinted()

    def _ask(self, line: bytes) -> tuple[dict | None, bool]:
        """The answer, and whether it was waited for in vain."""
        child, late = self._running(), threading.Event()

        def give_up() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(PATIENCE, give_up)
        timer.start()
        try:
            assert child.stdin and child.stdout
            child.stdin.write(line)
            child.stdin.flush()
            return json.loads(child.stdout.readline()), False
        except (OSError, ValueError):  # it has ended, or says something that is no answer
            return None, late.is_set()
        finally:
            timer.cancel()

    def _running(self) -> subprocess.Popen:
        if self._child is None or self._child.poll() is not None or self._parent != os.getpid():
            self._parent = os.getpid()
            program = str(files(__package__) / "press.py")
            self._child = subprocess.Popen(
                [sys.executable, "-I", program, str(files("pylopdf_fonts_zh_cn"))], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        return self._child

    @property
    def process(self) -> int | None:
        """The id of the process that runs now."""
        return self._child.pid if self._child and self._child.poll() is None else None

    def end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


PRESS = Press()


def typeset(sheet: Any, by: str = "sheet.typ") -> Printed:
    """The sheet, or another page with a template of its own, in the reader's language. NotPrinted if the press fails."""
    english = str(get_locale()).startswith("en")
    data = asdict(sheet)
    if isinstance(sheet, Sheet):
        data["qr"] = segno.make(sheet.address, error="m").svg_inline(border=0) if sheet.address else ""
    return _printed(by, lang="en" if english else "zh", data=json.dumps(data, ensure_ascii=False))


def bound(sheets: Iterable[bytes]) -> bytes:
    """Sheets that were printed before as one file, one after the other. NotPrinted if the press fails."""
    return _printed("bound.typ", sheets=[base64.b64encode(one).decode() for one in sheets]).pdf


def _printed(by: str, **order: Any) -> Printed:
    template = Path(current_app.jinja_loader.searchpath[0]) / "print" / by  # type: ignore[union-attr]
    answer = PRESS.order(template=str(template), **order)
    if "pdf" not in answer:
        current_app.logger.error("the press: %s", answer.get("wrong"))
        raise NotPrinted()
    return Printed(base64.b64decode(answer["pdf"]), tuple(answer["missing"]))
