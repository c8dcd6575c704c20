"""Reading a rulebook from TOML, and checking it: every fault is named, none hides another."""

import tomllib
from collections.abc import Iterable
from dataclasses import fields
from datetime import date, time
from functools import lru_cache
from importlib.resources import files
from typing import Any

from crm import clock
from crm.duties.fitting import fits, misfits, unreadable
from crm.duties.rulebook import (
    PROGRAM,
    Category,
    Chapter,
    Clause,
    Due,
    Field,
    PaperKind,
    Penalty,
    Post,
    Rule,
    Rulebook,
    RulebookError,
)
from crm.labels import Bilingual
from crm.money import MOST_FEN
from crm.permissions import Role
from crm.workdays import SHIPPED_HOURS, Calendar, Span


def shipped() -> str:
    """The rulebook that comes with the program: the first edition."""
    return (files(__package__) / "rulebook.toml").read_text(encoding="utf-8")


SETTINGS = {  # and what holds unsaid
    "longest_wait_days": 30, "ends_soon_days": 31, "calls_before_giving_up": 3, "minutes_between_calls": 60, "bad_mark": 2,
    "pay_within_days": 3, "copy_within_days": 7, "status_link_days": 90, "appeal_within_days": 3,
    "reminder_after_days": 3, "complaints_many": 3, "complaints_months": 6,
}  # fmt: skip


class _Reader:
    """Turns TOML tables into the dataclasses of `rulebook` and remembers every fault on the way."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data, self.faults = data, []

    def table(self, name: str, cls: type, prepare=lambda entry: entry) -> dict[str, Any]:
        known, made = {f.name for f in fields(cls)} - {"key"}, {}
        for key, entry in self._entries(name).items():
            try:
                if not key or not isinstance(entry, dict):
                    raise ValueError("it needs a name, and values of its own")
                unknown = sorted(set(entry) - known)
                if unknown:
                    raise ValueError(f"unknown key {', '.join(unknown)}")
                ready = prepare(dict(entry))
                if wrong := list(misfits(cls, ready)):
                    raise ValueError("; ".join(wrong))
                made[key] = cls(key=key, **ready)
            except (TypeError, ValueError, KeyError, AttributeError) as wrong:
                self.faults.append(f"[{name}.{key}]: {str(wrong).replace('__init__() ', '')}")
        return made

    def _entries(self, name: str) -> dict[str, Any]:
        found = self.data.pop(name, {})
        if isinstance(found, dict):
            return found
        self.faults.append(f"[{name}]: it needs a name, and values of its own")
        return {}

    def every_record(self) -> tuple[str, ...]:
        needs = self._entries("record").get("needs", ())
        if not fits(tuple(needs) if isinstance(needs, list) else needs, tuple[str, ...]):
            self.faults.append("[record]: needs must be written otherwise")
            return ()
        return tuple(needs)

    def settings(self) -> dict[str, int]:
        """Whole numbers the director owns that belong to no duty."""
        given = self._entries("settings")
        for key in SETTINGS.keys() & given:
            if not fits(given[key], int) or not 0 < given[key] <= 366:
                self.faults.append(f"[settings]: {key} must be a whole number from 1 to 366")
        self.faults += [f"[settings]: unknown key {key}" for key in given if key not in SETTINGS]
        return SETTINGS | given

    def hours(self, table: str = "hours") -> tuple[tuple[time, time], ...]:
        spells = self._entries(table).get("open")
        if spells is None:
            return SHIPPED_HOURS
        try:
            read = tuple(tuple(time.fromisoformat(end) for end in spell.split("-")) for spell in spells)
            flat = [end for spell in read for end in spell]
            if not flat or any(len(spell) != 2 for spell in read) or flat != sorted(set(flat)):
                raise ValueError("spells must follow one another")
            if sum((e.hour - b.hour) * 60 + e.minute - b.minute for b, e in read) < 60:
                raise ValueError("it must be an hour a day at least")
            return read  # type: ignore[return-value]
        except (ValueError, AttributeError, TypeError) as wrong:
            self.faults.append(f"[{table}]: {wrong}")
            return SHIPPED_HOURS


def _tuples(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        value = entry.get(name, ())
        entry[name] = (value,) if isinstance(value, str) else tuple(value)
    return entry


def _rule(entry: dict[str, Any]) -> dict[str, Any]:
    entry = _tuples(entry, "opens", "keeps", "drops", "fine")
    entry["due"] = Due.parse(entry["due"])
    for name in {"warn", "show"} & set(entry):
        entry[name] = Span.parse(entry[name])
    return entry


@lru_cache(maxsize=4)
def read(text: str) -> Rulebook:
    """Parse and check one edition's text; RulebookError lists every fault. The same text is the same book: it never changes."""
    if why := unreadable(text):
        raise RulebookError([why])
    try:
        return book_of(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as wrong:
        raise RulebookError([str(wrong)]) from wrong


def book_of(data: dict[str, Any]) -> Rulebook:
    """The same of what was parsed already, which is used up by it."""
    reader = _Reader(data)
    book = Rulebook(
        title=reader.data.pop("title", {}),
        chapters=reader.table("chapter", Chapter),
        clauses=reader.table("clause", Clause),
        fields=reader.table("field", Field),
        categories=reader.table("category", Category, lambda e: _tuples(e, "before_work", "before_complete")),
        rules=reader.table("duty", Rule, _rule),
        penalties=reader.table("penalty", Penalty),
        every_record=reader.every_record(),
        hours=reader.hours(),
        settings=reader.settings(),
        papers=reader.table("paper", PaperKind),
        posts=reader.table("message", Post, lambda e: _tuples(e, "on")),
        sending=reader.hours("sending"),
    )
    faults = reader.faults + [f"[{name}]: unknown table" for name in reader.data] + list(_cross_faults(book))
    if faults:
        raise RulebookError(faults)
    return book


TABLES = {"chapter": "chapters", "clause": "clauses", "field": "fields", "category": "categories", "duty": "rules",
          "penalty": "penalties", "paper": "papers", "message": "posts"}  # fmt: skip


def _cross_faults(book: Rulebook) -> Iterable[str]:
    """What one table says of another that is not there."""
    texts = [("", book.title), *((f"[clause.{c.key}] text", c.text) for c in book.clauses.values())]
    for table, name in TABLES.items():
        texts += [(f"[{table}.{entry.key}] title", entry.title) for entry in getattr(book, name).values()]
    for where, said in texts:
        if not fits(said, Bilingual) or not {"zh", "en"} <= set(said):
            yield f"{where}: needs both zh and en"
    for clause in book.clauses.values():
        if clause.chapter not in book.chapters:
            yield f"[clause.{clause.key}]: no chapter {clause.chapter}"
    for name, entries in (("category", book.categories), ("field", book.fields), ("penalty", book.penalties),
                          ("paper", book.papers), ("message", book.posts)):
        for entry in entries.values():
            if entry.clause and entry.clause not in book.clauses:
                yield f"[{name}.{entry.key}]: no clause {entry.clause}"
    for category in book.categories.values():
        for key in (*category.before_work, *category.before_complete):
            if key not in book.fields:
                yield f"[category.{category.key}]: no field {key}"
        if category.paper and category.paper not in book.papers:
            yield f"[category.{category.key}]: no paper {category.paper}"
    for key in book.every_record:
        if key not in book.fields:
            yield f"[record]: no field {key}"
    for penalty in book.penalties.values():
        yield from (f"[penalty.{penalty.key}]: {wrong}" for wrong in _amount_faults(penalty))
    for paper in book.papers.values():
        if paper.to not in PLACES_OF_PAPER:
            yield f"[paper.{paper.key}]: to {paper.to!r} is nowhere"
    for rule in book.rules.values():
        yield from _rule_faults(rule, book)


SANCTIONS = ("fine", "warning", "compensation", "recommendation")


def _amount_faults(penalty: Penalty) -> Iterable[str]:
    """Fixed, or from and to, or left to whoever issues it; of a warning and a recommendation there is none."""
    fixed, least, most = penalty.fen, penalty.from_fen, penalty.to_fen
    if penalty.kind not in SANCTIONS:
        yield f"no sanction {penalty.kind}"
    given = [one for one in (fixed, least, most) if one is not None]
    if given and penalty.kind not in ("fine", "compensation"):
        yield "only a fine or a compensation has an amount"
    if not all(0 < one <= MOST_FEN for one in given):
        yield f"an amount is from 1 to {MOST_FEN} fen"
    halves, both = (least is None) != (most is None), fixed is not None and least is not None
    if halves or both or (least is not None and most is not None and least >= most):
        yield "an amount is fixed, or from and to"


PLACES_OF_PAPER = ("archive", "relations")


def _rule_faults(rule: Rule, book: Rulebook) -> Iterable[str]:
    name = f"[duty.{rule.key}]"
    if rule.clause not in book.clauses:
        yield f"{name}: no clause {rule.clause}"
    for fine in rule.fine:
        penalty = book.penalties.get(fine.get("clause", ""))
        if penalty is None or penalty.fen is None:
            yield f"{name}: no fixed fine under {fine.get('clause')}"
    kind, _, role = rule.owner.partition(":")
    if rule.owner not in ("owner", "actor", "concerned", PROGRAM) and (kind != "pool" or role not in set(Role)):
        yield f"{name}: owner {rule.owner!r} is nobody"
    if rule.move == "call" and not rule.key.startswith("call."):
        yield f"{name}: what is settled by a call is named call.…"
    if rule.lost and (rule.lost not in book.penalties or not rule.paper):
        yield f"{name}: lost names no penalty, or there is no paper"
    if rule.paper and (rule.paper not in book.papers or rule.of != "paper"):
        yield f"{name}: no paper {rule.paper}, or not of = \"paper\""
    if not rule.opens or not rule.keeps:
        yield f"{name}: needs an event that opens it and one that keeps it"


KINDS_OF_FIELD = ("line", "text", "file", "contact", "column", "subject")


def unknown_words(book: Rulebook, dates: set[str], moves: set[str], subjects: set[str]) -> Iterable[str]:
    """Dates a deadline is counted from, moves, kinds of subject and of field that no package has."""
    for rule in book.rules.values():
        if rule.due.fact and rule.due.fact not in dates:
            yield f"[duty.{rule.key}]: no date {rule.due.fact}"
        if rule.of and rule.of not in subjects:
            yield f"[duty.{rule.key}]: of {rule.of!r} is no kind of subject"
        if rule.move and rule.move not in moves:
            yield f"[duty.{rule.key}]: no move {rule.move}"
    for field in book.fields.values():
        if field.kind not in KINDS_OF_FIELD:
            yield f"[field.{field.key}]: no kind {field.kind}"
        if (field.of or None) not in (subjects if field.kind == "subject" else {None}):
            yield f"[field.{field.key}]: of {field.of!r} is no kind of subject"


def unknown_facts(book: Rulebook, facts: set[str], states: set[str]) -> Iterable[str]:
    """Facts and states no package has, in conditions and slots: such a line would never, or always, hold."""
    asked = [(f"[duty.{rule.key}]", where) for rule in book.rules.values()
             for where in (rule.where, *(fine.get("where", {}) for fine in rule.fine), dict.fromkeys(filter(None, [rule.slot])))]
    asked += [(f"[field.{field.key}]", {key: one for key, one in field.where.items() if key not in book.fields})
              for field in book.fields.values()]  # fmt: skip
    asked += [(f"[message.{one.key}]", {**one.where, **dict.fromkeys(filter(None, [one.slot]))}) for one in book.posts.values()]
    for name, where in asked:
        yield from (f"{name}: no fact {key}" for key in where if key not in facts | {"state"})
        wanted = where.get("state", [])
        yield from (f"{name}: no state {one}" for one in ([wanted] if isinstance(wanted, str) else wanted) if one not in states)


MARKS = 5  # the best mark a customer gives


def unreachable(book: Rulebook) -> Iterable[str]:
    """What can be read and yet cannot be meant: a mark nobody gives, a reminder before there is anything to do."""
    if book.settings["bad_mark"] > MARKS:
        yield f"[settings]: bad_mark must be a whole number from 1 to {MARKS}"
    start, days = clock.moment(date(2026, 11, 23), time(9)), Calendar()  # a Monday morning
    for rule in book.rules.values():
        if rule.due.fact is None and rule.warn != Rule.warn:
            due = rule.due.span.from_instant(start, days)
            if rule.warn.ahead_of(due, days) < start:
                yield f"[duty.{rule.key}]: it is reminded of before there is anything to do"


def unknown_kinds(book: Rulebook, kinds: set[str]) -> list[str]:
    """Event kinds the rulebook names that no package has."""
    return [f"[duty.{rule.key}]: no event {kind}" for rule in book.rules.values()
            for kind in (*rule.opens, *rule.keeps, *rule.drops) if kind not in kinds] + [
        f"[message.{post.key}]: no event {kind}" for post in book.posts.values() for kind in post.on if kind not in kinds
    ]  # fmt: skip
