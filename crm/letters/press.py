"""The press: typst in a process of its own, which this file is when it is run; nothing imports it, and it imports nothing
of ours. Each line of its input is an order, each line of its output an answer.

A letter that no font has is named by typst's own check (PDF/A-2b): `〔U+20BB7〕` is printed in its place, so that nobody
gets an empty box. The process ends with its input, that is with whoever started it, or when it had nothing to do."""

import base64
import json
import os
import re
import sys
import threading

import typst

IDLE = 300.0  # seconds
MOST_MISSING = 30  # letters looked for one by one; of a text with more than that all rare ones are taken out
_MISSING = re.compile(r"text `\"(.+)\"` could not be displayed", re.DOTALL)
_CODE = re.compile(r"\\u\{([0-9a-f]+)\}")


def missing_in(wrong: Exception) -> list[str]:
    """The letters of which typst says that no font has them."""
    found = _MISSING.search(str(wrong))
    text = _CODE.sub(lambda code: chr(int(code[1], 16)), found[1]) if found else ""
    return [letter for letter in text if not letter.isascii()]


def code_of(letter: str) -> str:
    return f"U+{ord(letter):04X}"


def set_in_type(fonts, order: dict) -> dict:
    """The PDF, and the codes of the letters that are not in it."""
    data, gone = order["data"], []
    while True:
        inputs = {"data": data, "lang": order["lang"], "missing": ", ".join(map(code_of, gone))}
        try:
            pdf = typst.compile(order["template"], font_paths=fonts, ignore_system_fonts=True, sys_inputs=inputs,
                                format="pdf", pdf_standards=["a-2b"])  # fmt: skip
            return {"pdf": base64.b64encode(pdf).decode(), "missing": [code_of(letter) for letter in gone]}
        except typst.TypstError as wrong:
            letters = [letter for letter in missing_in(wrong) if letter in data]
            if not letters:
                raise
            if len(gone) > MOST_MISSING:
                letters += [letter for letter in data if ord(letter) > 0xFFFF]
            for letter in dict.fromkeys(letters):
                gone.append(letter)
                data = data.replace(letter, f"〔{code_of(letter)}〕")


def main(folder: str) -> None:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    while True:
        bored = threading.Timer(IDLE, lambda: os._exit(0))
        bored.daemon = True
        bored.start()
        line = sys.stdin.buffer.readline()
        bored.cancel()
        if not line:
            return
        try:
            answer = set_in_type(fonts, json.loads(line))
        except Exception as wrong:
            answer = {"wrong": str(wrong)[:2000]}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
