"""A draft tried on the past: what would have been missed under it, beside what was missed under the rules of the day.

Both sides are replayed by the same code. Where the replay by the rules of its day does not give what was recorded, or what
conditions rest on is not known, a subject is left out of both, and counted: nothing is guessed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from sqlalchemy import select

from crm.db import db
from crm.duties import editions, reading
from crm.duties.models import Edition
from crm.duties.rulebook import Rulebook
from crm.labels import N_, Labelled
from crm.rulebooks.memory import DRAFT, Books, Days, Owed, Replay
from crm.rulebooks.past import Archive
from crm.rulebooks.refusals import prove
from crm.rulebooks.story import Fell, Story
from crm.workdays import calendar


class What(Labelled):
    """What a row of a trial tells."""

    FEWER = "fewer", N_("Not missed under the draft")
    MORE = "more", N_("Missed under the draft")
    OTHERWISE = "otherwise", N_("Missed by somebody else, or at another price")
    REFUSED = "refused", N_("The draft would have refused it")
    LEFT_OUT = "left_out", N_("Left out")


class Why(Labelled):
    """Why a subject is left out."""

    UNKNOWN = "unknown", N_("what the rules ask of it was not yet kept when it happened")
    DIFFERS = "differs", N_("replayed by the rules of its day it gives something else than was recorded")
    GONE = "gone", N_("its category is not in the draft")


@dataclass(frozen=True)
class Row:
    """What is behind the numbers: a deadline and whose it is on each side, or a subject that is left out, and why."""

    what: What
    subject_id: int
    rule: str = ""
    due_at: datetime | None = None
    owner_id: int | None = None
    pool: str | None = None
    fen_held: int = 0
    fen_draft: int = 0
    why: str = ""


@dataclass
class Tally:
    """Sums: of each rule, and of each person (`pool:…` where nobody had taken it on), how many were missed and what that may
    cost, by the rules of the day and under the draft."""

    seen: int = 0
    rules: dict[str, list[int]] = field(default_factory=dict)
    people: dict[str, list[int]] = field(default_factory=dict)
    what: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    lacks: Counter[str] = field(default_factory=Counter)  # field → records the draft would have refused without it

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        made = cls(**kept) if kept else cls()
        made.what, made.why, made.lacks = Counter(made.what), Counter(made.why), Counter(made.lacks)
        return made

    def count(self, owed: Owed, side: int) -> None:
        who = str(owed.breached_owner_id or f"pool:{owed.pool}")
        for sums, key in ((self.rules, owed.rule), (self.people, who)):
            row = sums.setdefault(key, [0, 0, 0, 0])
            row[side] += 1
            row[side + 1] += owed.fine_fen or 0

    @property
    def total(self) -> list[int]:
        """Missed and its price, by the rules of the day and under the draft."""
        return [sum(row[at] for row in self.rules.values()) for at in range(4)]


HELD, TRIED = 0, 2  # the places of a side in a row of sums


class Trial:
    """A draft on one side, the editions on the other; `since` and `until` bound what is counted, never what is replayed."""

    def __init__(self, draft: Books, held: Books, since: datetime, until: datetime) -> None:
        self.draft, self.held, self.since, self.until = draft, held, since, until
        self.archive = Archive([*held.books.values(), *draft.books.values()])
        self.book: Rulebook = draft.books[DRAFT]
        self.theirs = {rule.key for book in (*held.books.values(), self.book) for rule in book.rules.values() if rule.theirs}
        self.gone = {key for book in held.books.values() for key in book.categories} - self.book.categories.keys()

    @classmethod
    def of(cls, text: str, since: datetime, until: datetime) -> Self:
        """A draft's text against the editions there are."""
        overrides, own = calendar().overrides, Edition.__table__.c
        rows = db.session.execute(select(own.id, own.holds_from).where(own.holds_from.is_not(None))).all()
        books = {row.id: editions.book(row.id) for row in rows}
        days = {id: Days(overrides, book.hours) for id, book in books.items()}
        held = Books(books, days, sorted((row.holds_from, row.id) for row in rows))
        return cls(Books.of_draft(reading.read(text), overrides), held, since, until)

    def go_on(self, after: int, size: int, now: datetime, tally: Tally) -> tuple[list[Row], int]:
        """The next subjects: their rows, and the id to go on after."""
        stories, last = self.archive.stories(after, size, self.until, now)
        prove(stories, self.book, self.held.books)
        rows = [row for story in stories for row in self.judge(story, now, tally)]
        tally.seen += len(stories)
        return rows, last

    def judge(self, story: Story, now: datetime, tally: Tally) -> Iterable[Row]:
        """Both sides of one story; what is told of it is added up."""
        held = Replay(self.held, story).run(now)
        if why := self._left_out(story, held):
            rows: Iterable[Row] = [Row(What.LEFT_OUT, story.id, why=why)]
            tally.why[why] += 1
        else:
            draft = Replay(self.draft, story).run(now)
            rows = list(self._compared(story, held.missed, draft, tally))
        for row in rows:
            tally.what[row.what] += 1
        return rows

    def _left_out(self, story: Story, held: Replay) -> Why | None:
        if story.unknown:
            return Why.UNKNOWN
        if self.gone and story.kind == "ticket" and any(event.known["category"] in self.gone for event in story.events):
            return Why.GONE
        if not held.missed and not story.fell:
            return None
        return None if Counter(map(fell, held.missed)) == story.fell else Why.DIFFERS

    def _compared(self, story: Story, held: list[Owed], draft: Replay, tally: Tally) -> Iterator[Row]:
        before, after = self._counted(held, HELD, tally), self._counted(draft.missed, TRIED, tally)
        for key, owed in before.items():
            other = after.get(key)
            if other is None:
                yield _row(What.FEWER, owed, held=owed)
            elif (other.breached_owner_id, other.fine_fen) != (owed.breached_owner_id, owed.fine_fen):
                yield _row(What.OTHERWISE, other, held=owed, draft=other)
        yield from (_row(What.MORE, owed, draft=owed) for key, owed in after.items() if key not in before)
        for event, lacking in draft.refused:
            if self.since <= event.at < self.until:
                tally.lacks.update(lacking)
                yield Row(What.REFUSED, story.id, due_at=event.at, owner_id=event.by_id, why=" ".join([event.kind, *lacking]))

    def _counted(self, missed: list[Owed], side: int, tally: Tally) -> dict[Any, Owed]:
        """Those whose deadline fell into the time that is looked at; 24:00 belongs to the day that ends."""
        mine = (owed for owed in missed if owed.rule not in self.theirs)
        found = {owed.key: owed for owed in mine if self.since < owed.due_at <= self.until}
        for owed in found.values():
            tally.count(owed, side)
        return found


def fell(owed: Owed) -> Fell:
    return Fell(owed.rule, owed.slot, owed.breached_owner_id, owed.due_at, owed.fine_clause, owed.fine_fen)


def _row(what: What, owed: Owed, held: Owed | None = None, draft: Owed | None = None) -> Row:
    fens = [(one and one.fine_fen) or 0 for one in (held, draft)]
    return Row(what, owed.subject_id, owed.rule, owed.due_at, owed.breached_owner_id, owed.pool, *fens)
