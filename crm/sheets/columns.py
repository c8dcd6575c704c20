"""Which columns a kind of list may have, and how a header and a cell are read."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from crm.errors import Invalid
from crm.forms import clean
from crm.labels import N_
from crm.words import CONTROL

_NOTHING = re.compile(r"[-‐-―−－ー\s]*")  # dashes alone say that there is nothing


def _as_it_is(text: str, _column: str) -> str:
    return text


@dataclass(frozen=True)
class Field:
    """Where a column's words go: its label, the most letters it takes, the headers it is known by, the best first.
    `kept` is what of a cell is kept, given its column's name; Invalid if that is nothing."""

    label: str
    most: int
    words: str
    kept: Callable[[str, str], str] = _as_it_is
    lines: bool = False  # may hold several


@dataclass(frozen=True)
class Columns:
    """`vague`: headers that mean the first field of `either`, or the second where another column is the first."""

    fields: Mapping[str, Field]
    vague: str = ""
    either: tuple[str, str] = ("", "")

    @cached_property
    def words(self) -> dict[str, tuple[str, int]]:
        """Each header that is known, folded: its field, and how well it says so."""
        known = {folded(word): ("", rank) for rank, word in enumerate(self.vague.split())}
        for key, field in self.fields.items():
            names = (key, field.label, *field.words.split())
            known |= {folded(word): (key, rank) for rank, word in enumerate(names)}
        return known

    def mapping_of(self, given: Mapping[str, str]) -> dict[str, str]:
        """Headers people mapped, folded, each to its field. Invalid for a field there is not, and for one given twice."""
        mapping: dict[str, str] = {}
        for header, field in given.items():
            field = field.strip()
            if field not in self.fields:
                fault = N_("%(column)s cannot become %(field)s. The fields are: %(known)s.")
                raise Invalid(fault, column=shown(header), field=shown(field), known=", ".join(self.fields))
            if field in mapping.values():
                raise Invalid(N_("Two columns cannot both become %(field)s."), field=field)
            mapping[folded(header)] = field
        return mapping

    def assigned(self, headers: Iterable[str], mapping: Mapping[str, str]) -> list[tuple[str, bool]]:
        """For each header its field ("" if unknown) and whether it was mapped. A field is taken once: by the column that
        was mapped to it, else by the one whose header says it best, of equal ones the first."""
        keys = [folded(header) for header in headers]
        mapped = {key: field for key, field in mapping.items() if key in keys}
        known = {key: self.words[key] for key in keys if key in self.words and key not in mapped}
        first, second = self.either
        taken = first in {*mapped.values(), *(field for field, _rank in known.values())}
        best: dict[str, tuple[int, int]] = {}
        for key, (field, rank) in known.items():
            field = field or (second if taken else first)
            if field not in mapped.values():
                best[field] = min(best.get(field, (rank, keys.index(key))), (rank, keys.index(key)))
        found = {at: (field, False) for field, (_rank, at) in best.items()}
        found |= {keys.index(key): (field, True) for key, field in mapped.items()}
        return [found.get(at, ("", False)) for at in range(len(keys))]

    def meaning(self, field: str, text: str) -> str:
        """A cell's words as they are kept: composed and trimmed, on one line unless the field takes several; dashes alone
        are nothing."""
        kept = clean(text)
        if field not in self.fields or not self.fields[field].lines:
            kept = " ".join(kept.split("\n"))
        return "" if _NOTHING.fullmatch(kept) else kept

    def checked(self, field: str, text: str, column: str) -> str:
        """What may be stored of a cell that holds something. Invalid names its column and what is wrong with it."""
        if CONTROL.search(text):
            raise Invalid(N_("%(column)s holds a character that cannot be stored."), column=column)
        known = self.fields[field]
        if len(text) > known.most:
            raise Invalid(N_("%(column)s is longer than %(most)s characters."), column=column, most=f"{known.most:,}")
        return known.kept(text, column)


def folded(header: str) -> str:
    """A header as it is compared: `Ｂ股 简 称*：` is `b股简称`, `E-mail` is `email`."""
    plain = unicodedata.normalize("NFKC", header)
    plain = re.sub(r"\((?:必填|选填|required|optional)\)", "", plain, flags=re.IGNORECASE)
    return re.sub(r"[\s_*:'’\-]", "", plain).casefold()


def plain(text: str) -> str:
    """On one line, with nothing in it that cannot be stored or shown."""
    return " ".join(CONTROL.sub("\ufffd", text).split())


def shown(text: str) -> str:
    """Somebody else's words inside a message: not endless either."""
    line = plain(text)
    return line if len(line) <= 40 else f"{line[:40]}…"
