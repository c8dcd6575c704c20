"""The press: typst in a process of its own, which this file is when it is run; nothing imports it, and it imports nothing
of ours. Each line of its input is an order, each line of its output an answer.

For a letter that no font has `〔U+20BB7〕` is printed, so that nobody gets an empty box: the fonts say which those are, and
typst's own check (PDF/A-2b) what remains, such as marks that stand nowhere. The process ends with its input, that is with
whoever started it, or when it had nothing to do."""

import base64
import json
import os
import re
import sys
import tempfile
import threading
import unicodedata
from pathlib import Path

import typst
from fontTools.ttLib import TTFont

IDLE = 300.0  # seconds
TRIES = 4  # after so many, whatever no font has is taken out
NAMED = 30  # letters told of at the foot of the sheet
_MISSING = re.compile(r"text `\"(.+)\"` could not be displayed", re.DOTALL)
_PAGE = re.compile(rb"/Type\s*/Page\b")
_CODE = re.compile(r"\\u\{([0-9a-f]+)\}")


def missing_in(wrong: Exception) -> list[str]:
    """The letters of which typst says that no font has them."""
    found = _MISSING.search(str(wrong))
    text = _CODE.sub(lambda code: chr(int(code[1], 16)), found[1]) if found else ""
    return [letter for letter in text if not letter.isascii()]


def code_of(letter: str) -> str:
    return f"U+{ord(letter):04X}"


def letters_of(folder: str) -> frozenset[int]:
    """The codes of all letters that one of the fonts has."""
    known: set[int] = set()
    for file in Path(folder).glob("*.otf"):
        with TTFont(file, lazy=True) as font:
            known.update(font.getBestCmap())
    return frozenset(known)


def marks_in(data: str) -> list[str]:
    """What stands upon another sign, or only steers."""
    return [letter for letter in dict.fromkeys(data) if not letter.isascii() and unicodedata.category(letter)[0] in "MC"]


def _drawn(letter: str) -> bool:
    """Not a mark, nor what only steers: of these typst knows best."""
    return unicodedata.category(letter)[0] in "LNPS" or unicodedata.category(letter) in ("Co", "Cn")


def set_in_type(fonts, known: frozenset[int], order: dict) -> dict:
    """The PDF, and the codes of the letters that are not in it."""
    data, gone = order["data"], []
    lacking = [letter for letter in dict.fromkeys(data) if ord(letter) not in known]
    letters = [letter for letter in lacking if _drawn(letter)]
    for tried in range(TRIES + 1):
        gone += letters
        data = data.translate({ord(letter): f"〔{code_of(letter)}〕" for letter in letters})
        named = [code_of(letter) for letter in gone[:NAMED]] + ["…"] * (len(gone) > NAMED)
        inputs = {"data": data, "lang": order["lang"], "missing": ", ".join(named)}
        try:
            pdf = typst.compile(order["template"], font_paths=fonts, ignore_system_fonts=True, sys_inputs=inputs,
                                format="pdf", pdf_standards=["a-2b"])  # fmt: skip
            return {"pdf": base64.b64encode(pdf).decode(), "missing": [code_of(letter) for letter in gone]}
        except typst.TypstError as wrong:
            left = lacking if tried == TRIES - 1 else missing_in(wrong)
            letters = [letter for letter in dict.fromkeys(left) if letter in data and not letter.isascii()]
            letters = letters or marks_in(data)  # of a sign and the marks upon it typst names the sign
            if not letters or tried == TRIES:
                raise
    raise AssertionError("the last try returns or raises")


def bound(order: dict) -> dict:
    """Sheets that were printed before, one after the other, in the order they come."""
    with tempfile.TemporaryDirectory() as folder:
        told = []
        for at, sheet in enumerate(order["sheets"]):
            pdf = base64.b64decode(sheet)
            (Path(folder) / f"{at}.pdf").write_bytes(pdf)
            told.append({"file": f"{at}.pdf", "pages": max(1, len(_PAGE.findall(pdf)))})
        main = Path(folder) / "bound.typ"
        main.write_bytes(Path(order["template"]).read_bytes())
        pdf = typst.compile(str(main), ignore_system_fonts=True, sys_inputs={"data": json.dumps(told)}, format="pdf")
    return {"pdf": base64.b64encode(pdf).decode(), "missing": []}


def main(folder: str) -> None:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    known = letters_of(folder)
    while True:
        bored = threading.Timer(IDLE, lambda: os._exit(0))
        bored.daemon = True
        bored.start()
        line = sys.stdin.buffer.readline()
        bored.cancel()
        if not line:
            return
        try:
            order = json.loads(line)
            answer = bound(order) if "sheets" in order else set_in_type(fonts, known, order)
        except Exception as wrong:
            answer = {"wrong": str(wrong)[:2000]}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
