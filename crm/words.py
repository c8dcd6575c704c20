"""How words are compared: folded, cut into pairs of letters, and marked where they were found."""

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 100  # letters of a query that are looked at
NAME = "ʘ"  # before each piece of a name; no keyboard has it
_JOINED = frozenset("-_./\\'’·‐‑–—#:")  # nothing between the letters beside them


class _Folded(dict[int, str]):
    """Each letter as it is compared; filled as letters are met."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKC", chr(code)).casefold()
        self[code] = "".join("" if one in _JOINED else one if one.isalnum() else " " for one in plain)
        return self[code]


_FOLDED = _Folded()


_THOUSANDS = re.compile(r"(?<=\d)[,，](?=\d{3}(?!\d))")  # noqa: RUF001 (full width too)


def fold(words: str) -> str:
    """`8,600` is 8600 to whoever searches."""
    return " ".join(_THOUSANDS.sub("", words).translate(_FOLDED).split())


def pieces(folded: str) -> Iterator[str]:
    for run in folded.split():
        if len(run) == 1:
            yield run
        for at in range(len(run) - 1):
            yield run[at : at + 2]


def name_pieces(name: str) -> Iterator[str]:
    folded = fold(name)
    yield from (NAME + piece for piece in {*pieces(folded), *folded.replace(" ", "")})


def words_in(query: str) -> list[str]:
    """The folded words of a query; each must be found."""
    return fold(query[:LONGEST]).split()


def marked(shown: str, query: str) -> list[tuple[str, bool]]:
    """`shown` cut into parts, each with whether it is what was searched for."""
    letters = [(at, folded) for at, one in enumerate(shown) for folded in one.translate(_FOLDED) if folded != " "]
    plain, hit = "".join(folded for _at, folded in letters), [False] * len(shown)
    for word in words_in(query):
        start = plain.find(word)
        while start >= 0:
            for at in range(letters[start][0], letters[start + len(word) - 1][0] + 1):
                hit[at] = True
            start = plain.find(word, start + len(word))
    parts: list[tuple[str, bool]] = []
    for one, on in zip(shown, hit, strict=True):
        parts.append((parts.pop()[0] + one, on) if parts and parts[-1][1] == on else (one, on))
    return parts


def excerpt(words: str, query: str, *, around: int = 40) -> str:
    """The line of a text that says most of what was searched for, cut to its surroundings."""
    lines = [line for line in words.split("\n") if any(on for _part, on in marked(line, query))]
    if not lines:
        return ""
    parts = marked(lines[0], query)
    start = len(parts[0][0]) if not parts[0][1] else 0
    first, last = max(0, start - around), start + around * 2
    return ("…" if first else "") + lines[0][first:last] + ("…" if last < len(lines[0]) else "")
