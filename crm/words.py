"""How words are compared: folded, cut into pairs of letters, and marked where they were found."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

# What no text may hold: control characters but for tabs and line ends, halves of a pair, and what turns text about.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
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


def _plain(shown: str) -> str:
    """All letters of a text as they are compared, with nothing between them."""
    return shown.translate(_FOLDED).replace(" ", "")


def _letters(shown: str) -> list[int]:
    """Where in `shown` each letter of `_plain(shown)` comes from."""
    folded = shown.translate(_FOLDED)
    if len(folded) == len(shown):  # each became one, as nearly always
        return [at for at, one in enumerate(folded) if one != " "]
    return [at for at, one in enumerate(shown) for letter in _FOLDED[ord(one)] if letter != " "]


def _spans(shown: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """From where to where `shown` is what was searched for, in rising order, none touching another."""
    plain = _plain(shown)
    if not any(word in plain for word in words):
        return []
    letters = _letters(shown)
    found = sorted(
        (letters[match.start()], letters[match.end() - 1] + 1)
        for word in words for match in re.finditer(re.escape(word), plain)
    )  # fmt: skip
    spans: list[tuple[int, int]] = []
    for start, end in found:
        if spans and start <= spans[-1][1]:
            start, end = spans[-1][0], max(end, spans.pop()[1])
        spans.append((start, end))
    return spans


def marked(shown: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """`shown` cut into parts, each with whether it is one of the (folded) words."""
    parts, at = [], 0
    for start, end in _spans(shown, words):
        parts += [(shown[at:start], False), (shown[start:end], True)]
        at = end
    return [part for part in [*parts, (shown[at:], False)] if part[0]]


def excerpt(text: str, words: Sequence[str], *, around: int = 40) -> str:
    """The first line of a text that says any of the words, cut to its surroundings."""
    for line in text.split("\n"):
        if spans := _spans(line, words):
            start = spans[0][0]
            first, last = max(0, start - around), start + around * 2
            return ("…" if first else "") + line[first:last] + ("…" if last < len(line) else "")
    return ""
