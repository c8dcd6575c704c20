"""A draft tried on the past: what would have been missed under it, beside what was missed under the rules of the day.

Both sides are replayed by the same code. Where the replay by the rules of its day does not give what was recorded, or what
conditions rest on is not known, a subject is left out of both, and counted: nothing is guessed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from sqlalchemy import select

from crm.absences.excuses import Away, excuses, leaves
from crm.db import db
from crm.duties import editions, reading
from crm.duties.models import Edition
from crm.duties.rulebook import Rulebook
from crm.labels import N_, Labelled
from crm.rulebooks.memory import DRAFT, Books, Days, Owed, Replay
from crm.rulebooks.past import Archive
from crm.rulebooks.refusals import prove
from crm.rulebooks.story import Fell, Past, Story
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

    def count(self, owed: Owed, side: int, fen: int) -> None:
        who = str(owed.breached_owner_id or f"pool:{owed.pool}")
        for sums, key in ((self.rules, owed.rule), (self.people, who)):
            row = sums.setdefault(key, [0, 0, 0, 0])
            row[side] += 1
            row[side + 1] += fen

    @property
    def total(self) -> list[int]:
        """Missed and its price, by the rules of the day and under the draft."""
        return [sum(row[at] for row in self.rules.values()) for at in range(4)]


Leaves = Mapping[int, Sequence[Away]]  # of each person
HELD, TRIED = 0, 2  # the places of a side in a row of sums


class Trial:
    """A draft on one side, the editions on the other; `since` and `until` bound what is counted, never what is replayed."""

    def __init__(self, draft: Books, held: Books, since: datetime, until: datetime, leaves: Leaves) -> None:
        self.draft, self.held, self.since, self.until, self.leaves = draft, held, since, until, leaves
        self.archive = Archive([*held.books.values(), *draft.books.values()])
        self.book: Rulebook = draft.books[DRAFT]
        self.theirs = {rule.key for book in (*held.books.values(), self.book) for rule in book.rules.values() if rule.theirs}
        self.gone = {key for book in held.books.values() for key in book.categories} - self.book.categories.keys()

    @classmethod
    def of(cls, text: str, since: datetime, until: datetime) -> Self:
        """A draft's text against the editions there are."""
        overrides, own = calendar().overrides, Edition.__table__.c
        rows = db.session.execute(select(own.id, own.holds_from)).all()  # of those taken back too: each is its own subject
        books = {row.id: editions.book(row.id) for row in rows}
        days = {id: Days(overrides, book.hours) for id, book in books.items()}
        held = Books(books, days, sorted((row.holds_from, row.id) for row in rows if row.holds_from))
        return cls(Books.of_draft(reading.read(text), overrides), held, since, until, leaves())

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
        if self.gone and any(_categories(story, event) & self.gone for event in story.events):
            return Why.GONE
        if not held.missed and not story.fell:
            return None
        return None if Counter(map(fell, held.missed)) == story.fell else Why.DIFFERS

    def _compared(self, story: Story, held: list[Owed], draft: Replay, tally: Tally) -> Iterator[Row]:
        """What fell due on either side in the time that is looked at: a deadline moved over its edge is still the same one."""
        before, after = self._by_key(held), self._by_key(draft.missed)
        looked_at = {key for side in (before, after) for key, owed in side.items() if self.since < owed.due_at <= self.until}
        for key in [key for key in {**before, **after} if key in looked_at]:
            then, now = before.get(key), after.get(key)
            if then:
                tally.count(then, HELD, self._fen(then))
            if now:
                tally.count(now, TRIED, self._fen(now))
            if now is None and then:
                yield self._row(What.FEWER, then, held=then)
            elif then is None and now:
                yield self._row(What.MORE, now, draft=now)
            elif then and now and (now.breached_owner_id, self._fen(now)) != (then.breached_owner_id, self._fen(then)):
                yield self._row(What.OTHERWISE, now, held=then, draft=now)
        for event, lacking in draft.refused:
            if self.since <= event.at < self.until:
                tally.lacks.update(lacking)
                yield Row(What.REFUSED, story.id, due_at=event.at, owner_id=event.by_id, why=" ".join([event.kind, *lacking]))

    def _by_key(self, missed: list[Owed]) -> dict[Any, Owed]:
        """But what the customer did not do in time."""
        return {owed.key: owed for owed in missed if owed.rule not in self.theirs}

    def _fen(self, owed: Owed) -> int:
        """What it would cost: nothing where it was nobody's by name, or leave excuses it (2)."""
        if not owed.fine_fen or owed.breached_owner_id is None:
            return 0
        away = self.leaves.get(owed.breached_owner_id, ())
        excused = any(excuses(one, opened=owed.opened_at, due=owed.due_at) for one in away)
        return 0 if excused else owed.fine_fen

    def _row(self, what: What, owed: Owed, held: Owed | None = None, draft: Owed | None = None) -> Row:
        fens = [one and self._fen(one) or 0 for one in (held, draft)]
        return Row(what, owed.subject_id, owed.rule, owed.due_at, owed.breached_owner_id, owed.pool, *fens)


def _categories(story: Story, event: Past) -> set[str]:
    """Of which categories its record was then: a record's own, and that which a visit was written up as."""
    own = event.known["category"] if story.kind == "ticket" and event.known else None
    return {own, event.facts.get("has", {}).get("category")} - {None}


def fell(owed: Owed) -> Fell:
    return Fell(owed.rule, owed.slot, owed.breached_owner_id, owed.due_at, owed.fine_clause, owed.fine_fen)
