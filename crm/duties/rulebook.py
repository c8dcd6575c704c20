"""The rulebook as data: read from TOML, checked, and asked. It names what; code knows how."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from functools import cached_property
from importlib.resources import files
from typing import Any

from crm import clock
from crm.labels import Bilingual
from crm.permissions import Role
from crm.workdays import SHIPPED_HOURS, Calendar, Span

Where = Mapping[str, Any]


class RulebookError(ValueError):
    """Why a rulebook cannot be used: every fault found, one a line."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


def holds(where: Where, facts: Mapping[str, Any]) -> bool:
    """A condition: each named fact equals the value, or is one of the list."""
    return all(facts.get(k) in v if isinstance(v, list) else facts.get(k) == v for k, v in where.items())


@dataclass(frozen=True)
class Chapter:
    key: str
    title: Bilingual


@dataclass(frozen=True)
class Clause:
    key: str
    title: Bilingual
    text: Bilingual
    ours: Bilingual | None = None  # a default of ours: never told as the manual's word

    @property
    def chapter(self) -> str:
        """`5.1.4.2` stands in chapter 5.1, `4.manager.7` in 4, `D1` in D."""
        parts = self.key.split(".")
        if self.key[0] == "D":
            return "D"
        return ".".join(parts[:2]) if parts[0] == "5" else parts[0]


@dataclass(frozen=True)
class Field:
    """One thing a record may have to hold. `column`: it stands on the record's own columns; `file`: a scan."""

    key: str
    title: Bilingual
    kind: str = "text"  # line | text | file | contact | column
    clause: str = ""
    help: Bilingual | None = None
    where: Where = field(default_factory=dict)


@dataclass(frozen=True)
class Category:
    key: str
    title: Bilingual
    clause: str
    declared: bool = False  # one of the five of 5.1.4
    ours: bool = False
    before_work: tuple[str, ...] = ()
    before_complete: tuple[str, ...] = ()


@dataclass(frozen=True)
class Penalty:
    key: str
    kind: str
    title: Bilingual
    clause: str = ""
    fen: int | None = None
    from_fen: int | None = None
    to_fen: int | None = None
    per: Bilingual | None = None


_DUE = re.compile(r"(?:(?P<fact>[a-z_]+) (?P<sign>[+-]) )?(?P<span>.+)")


@dataclass(frozen=True)
class Due:
    """A deadline as the rulebook writes it: a span from the event, or a date fact plus or minus a span."""

    span: Span
    fact: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Due":
        match = _DUE.fullmatch(text)
        assert match
        span = Span.parse(match["span"])
        return cls(-span if match["sign"] == "-" else span, match["fact"])

    def after(self, at: datetime, facts: Mapping[str, Any], calendar: Calendar, *, notice: bool = False) -> datetime:
        start = at
        if self.fact:
            start = facts[self.fact]
            if isinstance(start, date) and not isinstance(start, datetime):
                start = clock.moment(start)
        return self.span.from_instant(start, calendar, notice=notice)


@dataclass(frozen=True)
class Rule:
    """A duty's rule: which event opens it for whom until when, which keeps it, which drops it, what a miss costs."""

    key: str
    clause: str
    title: Bilingual
    opens: tuple[str, ...]
    keeps: tuple[str, ...]
    due: Due
    drops: tuple[str, ...] = ()
    where: Where = field(default_factory=dict)
    warn: Span = Span(2, "working hour")
    owner: str = "owner"  # owner | actor | program | pool:<role>
    fine: tuple[Mapping[str, Any], ...] = ()
    slot: str = ""  # the fact that tells several open duties of one subject apart
    of: str = ""  # "origin": the event keeps the duty of the subject it came from, too
    move: str = ""  # the one button that settles it
    notice: bool = False
    ours: bool = False

    def fine_clause(self, facts: Mapping[str, Any]) -> str | None:
        return next((fine["clause"] for fine in self.fine if holds(fine.get("where", {}), facts)), None)

    def slot_of(self, facts: Mapping[str, Any]) -> str:
        return str(facts[self.slot]) if self.slot else ""


@dataclass(frozen=True)
class Gap:
    """Something a record still needs, and before what."""

    field: Field
    stage: str  # work | complete
    clause: str


@dataclass(frozen=True)
class Rulebook:
    """One edition, read and checked."""

    title: Bilingual
    chapters: Mapping[str, Chapter]
    clauses: Mapping[str, Clause]
    fields: Mapping[str, Field]
    categories: Mapping[str, Category]
    rules: Mapping[str, Rule]
    penalties: Mapping[str, Penalty]
    every_record: tuple[str, ...]
    hours: tuple[tuple[time, time], ...]
    calling: Mapping[str, Any]  # further settings the director owns, each with its clause

    @cached_property
    def by_event(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules an event kind concerns, in the order they are written."""
        found: dict[str, list[Rule]] = {}
        for rule in self.rules.values():
            for kind in dict.fromkeys((*rule.opens, *rule.keeps, *rule.drops)):
                found.setdefault(kind, []).append(rule)
        return {kind: tuple(rules) for kind, rules in found.items()}

    def fields_of(self, category: str) -> list[Field]:
        """The fields a record of `category` shows, its record's own columns left out."""
        one = self.categories.get(category)
        keys = dict.fromkeys((*one.before_work, *one.before_complete)) if one else ()
        return [self.fields[key] for key in keys if self.fields[key].kind != "column"]

    def missing(self, category: str, have: Mapping[str, Any], *, upto: str = "complete") -> list[Gap]:
        """The one validator (5.1.2, 5.1.4): all that `have` lacks before the work, or up to `complete`, at once.

        `have` maps field keys to what there is: words, a file, a column's value; nothing, or blanks, is a gap.
        """
        one = self.categories[category]
        stages = [("work", one.before_work, one.clause)]
        if upto == "complete":
            stages = [("complete", self.every_record, ""), *stages, ("complete", one.before_complete, one.clause)]
        wanted = {key: (stage, clause) for stage, keys, clause in reversed(stages) for key in keys}
        order = [key for _, keys, _ in stages for key in keys]
        return [
            Gap(self.fields[key], wanted[key][0], self.fields[key].clause or wanted[key][1])
            for key in dict.fromkeys(order)
            if holds(self.fields[key].where, have) and not _given(have.get(key))
        ]


def _given(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None and value is not False and value != []


def shipped() -> str:
    """The rulebook that comes with the program: the first edition."""
    return (files(__package__) / "rulebook.toml").read_text(encoding="utf-8")


class _Reader:
    """Turns TOML tables into the dataclasses above and remembers every fault on the way."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data, self.faults = data, []

    def table(self, name: str, cls: type, prepare=lambda entry: entry) -> dict[str, Any]:
        known, made = {f.name for f in fields(cls)} - {"key"}, {}
        for key, entry in self.data.pop(name, {}).items():
            try:
                unknown = sorted(set(entry) - known)
                if unknown:
                    raise ValueError(f"unknown key {', '.join(unknown)}")
                made[key] = cls(key=key, **prepare(dict(entry)))
            except (TypeError, ValueError, KeyError, AttributeError) as wrong:
                self.faults.append(f"[{name}.{key}]: {str(wrong).replace('__init__() ', '')}")
        return made

    def hours(self) -> tuple[tuple[time, time], ...]:
        spells = self.data.pop("hours", {}).get("open")
        if spells is None:
            return SHIPPED_HOURS
        try:
            read = tuple(tuple(time.fromisoformat(end) for end in spell.split("-")) for spell in spells)
            flat = [end for spell in read for end in spell]
            if not flat or any(len(spell) != 2 for spell in read) or flat != sorted(set(flat)):
                raise ValueError("spells must follow one another")
            return read  # type: ignore[return-value]
        except (ValueError, AttributeError, TypeError) as wrong:
            self.faults.append(f"[hours]: {wrong}")
            return SHIPPED_HOURS


def _tuples(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        value = entry.get(name, ())
        entry[name] = (value,) if isinstance(value, str) else tuple(value)
    return entry


def _rule(entry: dict[str, Any]) -> dict[str, Any]:
    entry = _tuples(entry, "opens", "keeps", "drops", "fine")
    entry["due"] = Due.parse(entry["due"])
    if "warn" in entry:
        entry["warn"] = Span.parse(entry["warn"])
    return entry


def read(text: str) -> Rulebook:
    """Parse and check one edition's text; RulebookError lists every fault."""
    try:
        reader = _Reader(tomllib.loads(text))
    except tomllib.TOMLDecodeError as wrong:
        raise RulebookError([str(wrong)]) from wrong
    book = Rulebook(
        title=reader.data.pop("title", {}),
        chapters=reader.table("chapter", Chapter),
        clauses=reader.table("clause", Clause),
        fields=reader.table("field", Field),
        categories=reader.table("category", Category, lambda e: _tuples(e, "before_work", "before_complete")),
        rules=reader.table("duty", Rule, _rule),
        penalties=reader.table("penalty", Penalty),
        every_record=tuple(reader.data.pop("record", {}).get("needs", ())),
        hours=reader.hours(),
        calling=reader.data.pop("settings", {}),
    )
    faults = reader.faults + [f"[{name}]: unknown table" for name in reader.data] + list(_cross_faults(book))
    if faults:
        raise RulebookError(faults)
    return book


def _cross_faults(book: Rulebook) -> Iterable[str]:
    """What one table says of another that is not there."""
    texts = [("", book.title), *((f"[clause.{c.key}] text", c.text) for c in book.clauses.values())]
    for name in ("chapters", "clauses", "fields", "categories", "rules", "penalties"):
        texts += [(f"{name} {entry.key} title", entry.title) for entry in getattr(book, name).values()]
    for where, said in texts:
        if not isinstance(said, Mapping) or not {"zh", "en"} <= set(said):
            yield f"{where}: needs both zh and en"
    for clause in book.clauses.values():
        if clause.chapter not in book.chapters:
            yield f"[clause.{clause.key}]: no chapter {clause.chapter}"
    for category in book.categories.values():
        for key in (*category.before_work, *category.before_complete):
            if key not in book.fields:
                yield f"[category.{category.key}]: no field {key}"
    for key in book.every_record:
        if key not in book.fields:
            yield f"[record]: no field {key}"
    for rule in book.rules.values():
        yield from _rule_faults(rule, book)


def _rule_faults(rule: Rule, book: Rulebook) -> Iterable[str]:
    name = f"[duty.{rule.key}]"
    if rule.clause not in book.clauses:
        yield f"{name}: no clause {rule.clause}"
    for fine in rule.fine:
        penalty = book.penalties.get(fine.get("clause", ""))
        if penalty is None or penalty.fen is None:
            yield f"{name}: no fixed fine under {fine.get('clause')}"
    kind, _, role = rule.owner.partition(":")
    if rule.owner not in ("owner", "actor", "program") and (kind != "pool" or role not in set(Role)):
        yield f"{name}: owner {rule.owner!r} is nobody"
    if not rule.opens or not rule.keeps:
        yield f"{name}: needs an event that opens it and one that keeps it"


def unknown_kinds(book: Rulebook, kinds: set[str]) -> list[str]:
    """Event kinds the rulebook names that no package has."""
    return [f"[duty.{rule.key}]: no event {kind}" for rule in book.rules.values()
            for kind in (*rule.opens, *rule.keeps, *rule.drops) if kind not in kinds]  # fmt: skip
