"""The anchors: now and then the newest seal, a line in a file outside of the database. Whoever can only write the database
cannot change what stands here; copy the file to where the machine's keeper cannot write either."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app

NAME, PLAIN = "anchors.log", "plain"
LINE = re.compile(r"(\d{4}-\d\d-\d\d) ([0-9]{1,18}) ([0-9a-f]{64})(?: ([0-9a-f]{16}|plain))?", re.ASCII)


@dataclass(frozen=True)
class Anchor:
    """Seal `seq` had this hash on `day`. `key`: who made it; `plain` on the one line that says where keys begin; nothing
    on the lines of the time before."""

    day: str
    seq: int
    hash: str
    key: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.day, str(self.seq), self.hash, self.key)))


@dataclass
class Anchors:
    """Every line of the file, and what is wrong with it by itself."""

    lines: list[Anchor] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def last(self) -> Anchor | None:
        return self.lines[-1] if self.lines else None

    @property
    def keyed(self) -> bool:
        """Whether seals have a key from some place on."""
        return any(one.key for one in self.lines)

    @property
    def plain(self) -> Anchor | None:
        """Up to here seals need no key."""
        return next((one for one in self.lines if one.key == PLAIN), None)


def path() -> Path:
    return Path(current_app.config["INSTANCE"]) / NAME


def begin() -> None:
    """The file comes with the tables: where there are events and no file, it was lost."""
    path().touch()


def read() -> Anchors:
    found = Anchors()
    if not path().exists():
        return found
    for number, line in enumerate(path().read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if parts := LINE.fullmatch(line):
            day, seq, hash, key = parts.groups(default="")
            found.lines.append(Anchor(day, int(seq), hash, key))
        else:
            found.faults.append(f"{NAME}, line {number} is no anchor: {line[:40]!r}")
    found.faults += _contradictions(found.lines)
    return found


def _contradictions(lines: list[Anchor]) -> Iterator[str]:
    first: dict[int, Anchor] = {}
    for one in lines:
        known = first.setdefault(one.seq, one)
        if known.hash != one.hash:
            yield f"{NAME} names two hashes of seal {one.seq}, on {known.day} and on {one.day}"
    if len({one for one in lines if one.key == PLAIN}) > 1:
        yield f"{NAME} says twice where keys begin"


def write(anchor: Anchor) -> None:
    """Add a line, safe on the disk; one that was torn before is ended first, so that nothing is glued to it."""
    with path().open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            torn = file.read(1) != b"\n"
        else:
            torn = False
        file.write((b"\n" if torn else b"") + f"{anchor}\n".encode())
        file.flush()
        os.fsync(file.fileno())
