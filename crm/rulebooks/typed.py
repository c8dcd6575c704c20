"""How the values of a rulebook are typed, read and said: a field of a draft's page is one of these."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _

from crm.duties.rulebook import Due
from crm.labels import N_, Bilingual
from crm.labels import said as in_language
from crm.money import MOST_FEN, fen_of, yuan
from crm.rulebooks import spans
from crm.workdays import Span

Pairs = Sequence[tuple[str, str]]


def reader(text: Bilingual | None) -> str:
    """Words that stand in both languages, in the reader's."""
    return in_language(text, str(get_locale() or "zh")) if text else ""


def chinese() -> bool:
    return not str(get_locale() or "zh").startswith("en")


SAME_DAY = Span(0, "working day")


@dataclass(frozen=True)
class Typed:
    """`read` gives what stands in the rulebook afterwards, by the keys of the entry's table that it is made of; ValueError, in
    words for whoever typed it, if it cannot. An empty field takes the value away."""

    key: str  # in its table
    least: bool = False  # it may be left empty
    unsaid: str = ""  # what holds then

    def shown(self, table: Mapping[str, Any]) -> Any:
        return table.get(self.key, "")

    def read(self, typed: Any, table: Mapping[str, Any]) -> dict[str, Any]:
        if not typed and not self.least:
            raise ValueError(N_("This is needed."))
        return {self.key: self._read(typed, table) if typed else None}

    def _read(self, typed: Any, table: Mapping[str, Any]) -> Any:
        return typed

    def said(self, table: Mapping[str, Any]) -> str:
        """Said back where that helps."""
        return ""


def shown_span(span: Span) -> str:
    """As somebody would type it."""
    if span == SAME_DAY:
        return _("same day")
    return spans.said(span) if chinese() else spans.written(span)


@dataclass(frozen=True)
class SpanTyped(Typed):
    """Before a deadline: from when on it is shown, or warned of."""

    def shown(self, table: Mapping[str, Any]) -> str:
        return shown_span(Span.parse(table[self.key])) if self.key in table else ""

    def _read(self, typed: str, table: Mapping[str, Any]) -> str:
        return spans.written(spans.parse(typed))

    def said(self, table: Mapping[str, Any]) -> str:
        return _("%(span)s before", span=spans.said(Span.parse(table[self.key]))) if self.key in table else ""


@dataclass(frozen=True)
class DueTyped(Typed):
    """A deadline. The date it is counted from, and to which side, stays as it is."""

    def shown(self, table: Mapping[str, Any]) -> str:
        span = Due.parse(table[self.key]).span
        return shown_span(-span if span.count < 0 else span)

    def _read(self, typed: str, table: Mapping[str, Any]) -> str:
        span, now = spans.parse(typed), Due.parse(table[self.key])
        sign = "-" if re.match(r"[a-z_]+ -", table[self.key]) else "+"
        return f"{now.fact} {sign} {spans.written(span)}" if now.fact else spans.written(span)

    def said(self, table: Mapping[str, Any]) -> str:
        due = Due.parse(table[self.key])
        return spans.deadline(due.span, due.fact, notice=bool(table.get("notice")))


@dataclass(frozen=True)
class AmountTyped(Typed):
    """`50`, or from and to: `20-50`. What is fined has an amount, nothing else has."""

    def shown(self, table: Mapping[str, Any]) -> str:
        fens = [table[key] for key in ("fen", "from_fen", "to_fen") if key in table]
        return "–".join(yuan(fen).removeprefix("¥").replace(",", "") for fen in fens)  # noqa: RUF001 (as a range is written)

    def read(self, typed: str, table: Mapping[str, Any]) -> dict[str, Any]:
        fined = table.get("kind") == "fine"
        if bool(typed) != fined:
            raise ValueError(N_("A fine needs its amount.") if fined else N_("Only a fine has an amount."))
        if not typed:
            return dict.fromkeys(("fen", "from_fen", "to_fen"))
        fens = [self._fen(part) for part in re.split(r"\s*[-–—~～至到]\s*", typed)]  # noqa: RUF001 (full width too)
        if len(fens) > 2 or fens != sorted(set(fens)):
            raise ValueError(N_("One amount, or the least and the most, such as 20-50."))
        return dict(zip(("fen", "from_fen", "to_fen"), (fens[0], None, None) if len(fens) == 1 else (None, *fens), strict=True))

    @staticmethod
    def _fen(text: str) -> int:
        fen = fen_of(text.removesuffix("元").strip())
        if fen is None or not 0 < fen <= MOST_FEN:
            raise ValueError(N_("An amount in yuan, such as 50, or from 20 to 50: 20-50."))
        return fen

    def said(self, table: Mapping[str, Any]) -> str:
        return amount(table)


def amount(table: Mapping[str, Any]) -> str:
    fens = [table[key] for key in ("fen", "from_fen", "to_fen") if table.get(key) is not None]
    return "–".join(map(yuan, fens))  # noqa: RUF001 (as a range is written)


@dataclass(frozen=True)
class CountTyped(Typed):
    unit: str = ""

    def shown(self, table: Mapping[str, Any]) -> str:
        return str(table.get(self.key, ""))

    def _read(self, typed: str, table: Mapping[str, Any]) -> int:
        if not re.fullmatch(r"[0-9]{1,3}", typed) or not 0 < int(typed) <= 366:
            raise ValueError(N_("A whole number from 1 to 366."))
        return int(typed)


@dataclass(frozen=True)
class HoursTyped(Typed):
    def shown(self, table: Mapping[str, Any]) -> str:
        return ", ".join(table.get(self.key, ()))

    def _read(self, typed: str, table: Mapping[str, Any]) -> list[str]:
        """Spells that follow one another, `9:00-12:00, 13:00-18:00`."""
        spells, ends = [], []
        for spell in re.split(r"[,，、;；\s]+", typed.strip()):  # noqa: RUF001 (full width too)
            match = re.fullmatch(r"(\d{1,2})[:：](\d\d)[-–—~～至到](\d{1,2})[:：](\d\d)", spell)  # noqa: RUF001
            if not match:
                raise ValueError(HOURS_WRONG)
            a, b, c, d = map(int, match.groups())
            if max(a, c) > 23 or max(b, d) > 59:
                raise ValueError(HOURS_WRONG)
            spells.append(f"{a:02}:{b:02}-{c:02}:{d:02}")
            ends += [time(a, b), time(c, d)]
        if ends != sorted(set(ends)):
            raise ValueError(HOURS_WRONG)
        return spells

    def said(self, table: Mapping[str, Any]) -> str:
        return _(", ").join(table.get(self.key, ()))


HOURS_WRONG = N_("Hours that follow one another, such as 09:00-12:00, 13:00-18:00.")


@dataclass(frozen=True)
class TicksTyped(Typed):
    """Some of a list; what was there keeps its order. `within`: a table in its table."""

    offers: Callable[[], Pairs] = tuple
    within: str = ""

    def shown(self, table: Mapping[str, Any]) -> list[str]:
        found = (table.get(self.within, {}) if self.within else table).get(self.key, [])
        return [found] if isinstance(found, str) else list(found)

    def read(self, typed: list[str], table: Mapping[str, Any]) -> dict[str, Any]:
        before, picked = self.shown(table), set(typed)
        if not picked and not self.least:
            raise ValueError(N_("Tick one at least."))
        value = [one for one in before if one in picked] + [one for one, _label in self.offers() if one in picked - set(before)]
        if self.within:
            return {self.within: {**table.get(self.within, {}), self.key: value}}
        return {self.key: value or (None if self.key not in table else [])}


@dataclass(frozen=True)
class ChoiceTyped(Typed):
    offers: Callable[[], Pairs] = tuple


@dataclass(frozen=True)
class FlagTyped(Typed):
    """Whether; what is not so is left unsaid."""

    def shown(self, table: Mapping[str, Any]) -> bool:
        return bool(table.get(self.key))

    def read(self, typed: bool, table: Mapping[str, Any]) -> dict[str, Any]:
        return {self.key: True if typed else None}


@dataclass(frozen=True)
class WordsTyped(Typed):
    """In one language, `zh` or `en`."""

    within: str = "title"
    long: bool = False

    def shown(self, table: Mapping[str, Any]) -> str:
        return (table.get(self.within) or {}).get(self.key, "")

    def read(self, typed: str, table: Mapping[str, Any]) -> dict[str, Any]:
        if not typed and not self.least:
            raise ValueError(N_("This is needed."))
        words = {**dict.fromkeys(("zh", "en"), ""), **(table.get(self.within) or {}), self.key: typed}
        return {self.within: words if any(words.values()) else None}
