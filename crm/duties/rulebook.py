"""The rulebook as data: what its entries are, and what it is asked. It names what; code knows how."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from typing import Any

from crm import clock
from crm.labels import Bilingual
from crm.workdays import Calendar, Span

Where = Mapping[str, Any]


class RulebookError(ValueError):
    """Why a rulebook cannot be used: every fault found, one a line."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


def holds(where: Where, facts: Mapping[str, Any]) -> bool:
    """A condition: each named fact equals the value, or is one of the list."""
    for key, wanted in where.items():
        known = facts.get(key)
        if known not in wanted if isinstance(wanted, list) else known != wanted:
            return False
    return True


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
    """One thing a record may have to hold. `column`: it stands on the record's own columns; `file`: a scan; `subject`: one of
    the kind `of` that was opened from the record."""

    key: str
    title: Bilingual
    kind: str = "text"  # line | text | file | contact | column | subject
    of: str = ""
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
    paper: str = ""  # the form the customer applies on


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
    unrecorded: bool = False  # what a service without a record may break


@dataclass(frozen=True)
class PaperKind:
    """A kind of paper form, and where it goes in the end (5.7)."""

    key: str
    title: Bilingual
    clause: str
    to: str = "archive"  # archive | relations


_DUE = re.compile(r"(?:(?P<fact>[a-z_]+) (?P<sign>[+-]) )?(?P<span>.+)")


@dataclass(frozen=True)
class Due:
    """A deadline as the rulebook writes it: a span from the event, or a date fact plus or minus a span."""

    span: Span
    fact: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Due":
        match = _DUE.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is no span of time, such as '2 working days'")
        span = Span.parse(match["span"])
        return cls(-span if match["sign"] == "-" else span, match["fact"])

    def after(self, at: datetime, facts: Mapping[str, Any], calendar: Calendar, *, notice: bool = False) -> datetime:
        start = at
        if self.fact:
            start = facts.get(self.fact) or at
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
    show: Span | None = None  # from when before the deadline it is shown; None: at once
    owner: str = "owner"  # owner | actor | concerned | program | pool:<role>
    fine: tuple[Mapping[str, Any], ...] = ()
    slot: str = ""  # the fact that tells several open duties of one subject apart
    move: str = ""  # the one button that settles it
    of: str = ""  # a kind of subject: what happens to one that came of this one opens, keeps and drops it as well
    others: bool = False  # never for whoever served the customer (5.5.1)
    marks: bool = True  # a call that is not reached without marks (5.5.1)
    paper: str = ""  # the paper form whose coming back keeps it (5.7)
    lost: str = ""  # the fine's clause should that paper be lost
    notice: bool = False
    theirs: bool = False  # the customer's to do, whoever watches it: nobody of the department misses it
    ours: bool = False

    def fine_clause(self, facts: Mapping[str, Any]) -> str | None:
        for fine in self.fine:
            if "where" not in fine or holds(fine["where"], facts):
                return fine["clause"]
        return None

    def slot_of(self, facts: Mapping[str, Any]) -> str:
        return str(facts.get(self.slot, "")) if self.slot else ""


PROGRAM = "program"  # who owes what nobody need press a button for


@dataclass(frozen=True)
class Post:
    """A letter: which event posts it, by which template, and what it is for (`slot`: posted once for each)."""

    key: str
    clause: str
    title: Bilingual
    on: tuple[str, ...]
    template: str
    where: Where = field(default_factory=dict)
    slot: str = ""
    ours: bool = False


@dataclass(frozen=True)
class Gap:
    """Something a record still needs, and before what."""

    field: Field
    stage: str  # work | complete
    clause: str


@dataclass(frozen=True, eq=False)  # each is itself: what is made of one is kept by it
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
    settings: Mapping[str, int]
    papers: Mapping[str, PaperKind] = field(default_factory=dict)
    posts: Mapping[str, Post] = field(default_factory=dict)
    sending: tuple[tuple[time, time], ...] = ()  # when letters go out, on working days

    @cached_property
    def posts_by_event(self) -> Mapping[str, tuple[Post, ...]]:
        found: dict[str, list[Post]] = {}
        for entry in self.posts.values():
            for kind in entry.on:
                found.setdefault(kind, []).append(entry)
        return {kind: tuple(entries) for kind, entries in found.items()}

    @cached_property
    def by_event(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules an event kind concerns, in the order they are written."""
        found: dict[str, list[Rule]] = {}
        for rule in self.rules.values():
            for kind in dict.fromkeys((*rule.opens, *rule.keeps, *rule.drops)):
                found.setdefault(kind, []).append(rule)
        return {kind: tuple(rules) for kind, rules in found.items()}

    @cached_property
    def counted(self) -> frozenset[str]:
        """The kinds of subject what happens to which counts for what they came of."""
        return frozenset(rule.of for rule in self.rules.values() if rule.of)

    @cached_property
    def carried_out(self) -> frozenset[str]:
        """The clauses the program watches: those a duty, a category, a field or a form stands on."""
        entries = [*self.rules.values(), *self.categories.values(), *self.fields.values(), *self.papers.values(),
                   *self.posts.values()]  # fmt: skip
        fines = [fine["clause"] for rule in self.rules.values() for fine in rule.fine]
        return frozenset([*(entry.clause for entry in entries if entry.clause), *fines])

    def lacks(self, other: "Rulebook") -> list[tuple[str, str, Bilingual]]:
        """Of what the program carries out, that which another rulebook names and this one does not: table, key, title."""
        parts = {"duty": "rules", "category": "categories", "field": "fields", "paper": "papers", "message": "posts"}
        return [
            (table, key, entry.title) for table, part in parts.items() for key, entry in getattr(other, part).items()
            if key not in getattr(self, part)
        ]  # fmt: skip

    @cached_property
    def declared(self) -> tuple[str, ...]:
        """The categories that must be declared (5.1.4)."""
        return tuple(key for key, one in self.categories.items() if one.declared)

    def paper_rule(self, kind: str) -> Rule | None:
        """The rule by which a paper of this kind is expected."""
        return next((rule for rule in self.rules.values() if kind and rule.paper == kind), None)

    def fields_of(self, category: str) -> list[Field]:
        """The fields a record of `category` is filled in with: not its own columns, nor what is opened from it."""
        one = self.categories.get(category)
        keys = dict.fromkeys((*one.before_work, *one.before_complete)) if one else ()
        return [self.fields[key] for key in keys if self.fields[key].kind not in ("column", "subject")]

    @cached_property
    def asked(self) -> Mapping[tuple[str, str], tuple[Gap, ...]]:
        """Category and stage → all that a record of it may lack up to there."""
        found: dict[tuple[str, str], tuple[Gap, ...]] = {}
        for category, one in self.categories.items():
            work = [("work", one.before_work, one.clause)]
            complete = [("complete", self.every_record, ""), *work, ("complete", one.before_complete, one.clause)]
            for upto, stages in (("work", work), ("complete", complete)):
                wanted = {key: (stage, clause) for stage, keys, clause in reversed(stages) for key in keys}
                order = dict.fromkeys(key for _, keys, _ in stages for key in keys)
                found[category, upto] = tuple(
                    Gap(self.fields[key], wanted[key][0], self.fields[key].clause or wanted[key][1]) for key in order
                )
        return found

    def missing(self, category: str, have: Mapping[str, Any], *, upto: str = "complete") -> list[Gap]:
        """The one validator (5.1.2, 5.1.4): all that `have` lacks before the work, or up to `complete`, at once.

        `have` maps field keys to what there is: words, a file, a column's value, a number; nothing, or blanks, is a gap.
        """
        return [gap for gap in self.asked[category, upto]
                if (not gap.field.where or holds(gap.field.where, have)) and not given(have.get(gap.field.key))]  # fmt: skip


def given(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None and value is not False and value != []
