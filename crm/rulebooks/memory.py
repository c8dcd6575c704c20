"""A story under a rulebook, in memory: what `record()` and the sweep would have written down, by the code they use.

It is as if the sweep came by at every instant. What a trial cannot know it leaves as it happened: a verb that the draft would
have refused is none (see `refusals`), whatever came after it is taken as it was. docs/decisions/24-rulebook-in-hand.md."""

import bisect
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from crm import clock
from crm.duties import carrying
from crm.duties.carrying import BREACHED, Met, carry_out, in_reach, of_roles, own_rule, rule_from_below
from crm.duties.events import DutyEvent
from crm.duties.models import Subject
from crm.duties.rows import DECIDE_MORE_TIME
from crm.duties.rulebook import PROGRAM, Rule, Rulebook
from crm.permissions import Role
from crm.rulebooks.refusals import WITH_IT, lacks, unwritten
from crm.rulebooks.story import Past, Stood, Story
from crm.workdays import Calendar

DRAFT = 0  # in the place of an edition's id


@dataclass(slots=True, eq=False)
class Owed:
    """A duty in memory; `id` is that of the recorded one, once more time was asked for it."""

    rule: str
    slot: str
    edition_id: int
    clause: str
    fine_clause: str | None
    fine_fen: int | None
    subject_id: int
    owner_id: int | None
    pool: str | None
    opened_by_id: Any
    due_at: datetime
    ruled_due_at: datetime
    opened_at: datetime
    id: int | None = None
    held: bool = False
    breached_by_id: Any = None
    breached_owner_id: int | None = None
    liable_id: int | None = None

    @property
    def key(self) -> tuple[str, str, Any]:
        """By which the same one is known under another rulebook."""
        return self.rule, self.slot, self.opened_by_id


@dataclass(frozen=True)
class Days(Calendar):
    """The calendar with a memory: a trial asks for the same days very often."""

    known: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def works(self, day: date) -> bool:
        if day not in self.known:
            self.known[day] = super().works(day)
        return self.known[day]

    def add_days(self, day: date, count: int) -> date:
        key = day, count
        if key not in self.known:
            self.known[key] = super().add_days(day, count)
        return self.known[key]

    def closing(self, day: date) -> datetime:
        key = "closing", day
        if key not in self.known:
            self.known[key] = super().closing(day)
        return self.known[key]


@dataclass(frozen=True)
class Books:
    """The rulebooks of one side of a trial: the editions, each with the instant from which it holds, or the draft alone."""

    books: Mapping[int, Rulebook]
    days: Mapping[int, Calendar]
    since: Sequence[tuple[datetime, int]] = ()
    draft: Rulebook | None = None  # alone: it judges all, and can refuse what happened
    met: dict[tuple[int, str, str, str], tuple[tuple[Rule, bool], ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of_draft(cls, book: Rulebook, overrides: Mapping[date, bool]) -> "Books":
        return cls({DRAFT: book}, {DRAFT: Days(overrides, book.hours)}, draft=book)

    def latest(self, story: Story, at: datetime) -> int:
        """The edition a subject opens duties under at an instant."""
        if self.draft:
            return DRAFT
        if not story.lasting:
            return story.edition_id
        return self.since[bisect.bisect_right(self.since, at, key=lambda one: one[0]) - 1][1]

    def rules(self, edition: int, kind: str, subject: str, of: str) -> tuple[tuple[Rule, bool], ...]:
        """Those an event meets, in the order they are written, and whether it may open them; not those the program carries out
        by itself."""
        key = edition, kind, subject, of
        if key not in self.met:
            met = (rule for rule in self.books[edition].by_event.get(kind, ()) if rule.owner != PROGRAM)
            mine = (rule for rule in met if (rule.of == of if of else own_rule(rule, subject)))
            self.met[key] = tuple((rule, kind in rule.opens) for rule in mine)
        return self.met[key]


@functools.cache
def handed(kind: str) -> frozenset[str]:
    """The events of a kind of subject by which another owes what somebody owed."""
    return Subject.__mapper__.polymorphic_map[kind].class_.HANDED


class Replay:
    """One story under one side's rulebooks: the ledger that `carry_out` writes to."""

    def __init__(self, side: Books, story: Story) -> None:
        self.side, self.story = side, story
        self.open: dict[tuple[str, str], Owed] = {}
        self.missed: list[Owed] = []
        self.refused: list[tuple[Past, tuple[str, ...]]] = []  # and what was lacking
        self.known: Mapping[str, Any] = {}
        self.stood = Stood(story.id, None, None)

    def run(self, until: datetime) -> "Replay":
        draft = self.side.draft
        for event in self.story.events:
            self.settle(event.recorded_at)
            self.known, self.stood = event.known or {}, event.stood
            if draft and "has" in event.facts and (lacking := lacks(draft, event)):
                if event.kind not in WITH_IT:
                    self.refused.append((event, lacking))
                if unwritten(event):  # what was written in one go would not be there at all
                    self.open.clear()
                    self.missed.clear()
                    return self
                continue
            act = Replay._happen if event.of else ACTS.get(event.kind, Replay._happen)
            act(self, event)
        self.settle(until)
        return self

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _happen(self, event: Past) -> None:
        self._carry(event)
        if not event.of and event.kind in handed(self.story.kind):
            stay = {self.story.duties.get(id) for id in event.facts.get("but", ())}
            self._hand_over(event.facts.get("from"), event.facts.get("to"), event.recorded_at, stay)

    def _carry(self, event: Past) -> None:
        met = owed = None
        for edition in self._ruling(event.at):
            for rule, opens in self.side.rules(edition, event.kind, self.story.kind, event.of):
                if owed is None:
                    owed = {key for key, _slot in self.open}
                if not (opens or rule.key in owed) or (event.of and not rule_from_below(rule, event.of, event.facts)):
                    continue
                met = met or Met(event.id, event.kind, event.at, event.stood, event.by_id, {**self.known, **event.facts})
                carry_out(self, rule, edition, met)

    def _ruling(self, at: datetime) -> list[int]:
        last = self.side.latest(self.story, at)
        if not self.story.lasting or self.side.draft:
            return [last]
        return [*{owed.edition_id for owed in self.open.values() if owed.edition_id != last}, last]

    def _named(self, event: Past) -> Owed | None:
        """The duty an event names."""
        key = self.story.duties.get(event.facts.get("duty", 0))
        return self.open.get(key) if key else None

    def _ask(self, event: Past) -> None:
        """More time, where it could still be asked for (3.8)."""
        owed, wanted = self._named(event), clock.parse(event.facts["wanted"])
        free = owed is not None and not owed.held and not owed.breached_by_id and event.recorded_at <= owed.due_at
        if owed is None or not free or not in_reach(wanted, owed, owed.due_at):
            self.refused.append((event, ()))
            return
        self._carry(event)
        owed.held, owed.id = True, event.facts["duty"]

    def _decide(self, event: Past) -> None:
        owed, until = self._named(event), event.facts.get("until")
        until = until and clock.parse(until)
        if owed is None or not owed.held or (until and not in_reach(until, owed, event.recorded_at)):
            self.refused.append((event, ()))
            return
        self._carry(event)
        if until:
            owed.due_at, owed.liable_id = until, None
        owed.held = False
        self.settle(event.recorded_at)

    def _claim(self, event: Past) -> None:
        self._carry(event)
        if (owed := self._named(event)) is not None and owed.owner_id is None:
            owed.owner_id = event.by_id

    def _release(self, event: Past) -> None:
        self._carry(event)
        if (owed := self._named(event)) is not None and owed.pool in set(Role):
            owed.owner_id = None

    def _pass(self, event: Past) -> None:
        """A duty alone becomes another's."""
        self._carry(event)
        if (owed := self._named(event)) is not None:
            if owed.held and owed.due_at < event.recorded_at and owed.liable_id is None:
                owed.liable_id = event.facts["from"]
            owed.owner_id = event.facts["to"]

    def _hand_over(self, owner_id: int | None, to_id: int | None, now: datetime, stay: Collection[Any]) -> None:
        roles = of_roles(self.side.books[edition] for edition in self._ruling(now))
        for owed in self.open.values():
            if owed.owner_id != owner_id or owed.rule in roles or (owed.rule, owed.slot) in stay:
                continue
            if owed.held and owed.due_at < now and owed.liable_id is None:
                owed.liable_id = owed.owner_id
            owed.owner_id, owed.pool = to_id, None if to_id else Role.MANAGER

    def settle(self, before: datetime) -> None:
        """Miss what fell due, the longest overdue first; that may open what is overdue too."""
        while self.open and (owed := self._due(before)):
            event, facts = ("missed", owed.key), carrying.missed(owed)
            for edition in self._ruling(owed.due_at):
                for rule, _opens in self.side.rules(edition, BREACHED, self.story.kind, ""):
                    carry_out(self, rule, edition, Met(event, BREACHED, owed.due_at, self.stood, None, {**self.known, **facts}))
            owed.breached_by_id, owed.breached_owner_id = event, facts["owner"]
            self.missed.append(owed)

    def _due(self, before: datetime) -> Owed | None:
        first = None
        for one in self.open.values():
            pending = one.due_at < before and not one.held and one.breached_by_id is None
            if pending and (first is None or one.due_at < first.due_at):
                first = one
        return first

    # ── the ledger ───────────────────────────────────────────────────────────────────────────────────────────────────

    def rulebook(self, edition: int) -> Rulebook:
        return self.side.books[edition]

    def days(self, edition: int) -> Calendar:
        return self.side.days[edition]

    def latest(self, met: Met) -> int:
        return self.side.latest(self.story, met.at)

    def standing(self, met: Met, rule: str, slot: str) -> Owed | None:
        return self.open.get((rule, slot))

    def add(self, met: Met, rule: Rule, owed: dict[str, Any], late: bool) -> None:
        self.open[owed["rule"], owed["slot"]] = Owed(**owed, opened_at=met.at)

    def end(self, met: Met, rule: str, edition: int, slot: str, stamp: str) -> None:
        for owed in self._ended(rule, edition, slot):
            del self.open[rule, owed.slot]
            if owed.id:
                self.open.pop((DECIDE_MORE_TIME, str(owed.id)), None)  # nobody need decide any more

    def _ended(self, rule: str, edition: int, slot: str) -> Iterable[Owed]:
        found = [self.open.get((rule, slot))] if slot else [one for key, one in self.open.items() if key[0] == rule]
        return [one for one in found if one is not None and one.edition_id == edition]

    def price(self, old: Owed, clause: str | None, fen: int | None) -> None:
        old.fine_clause, old.fine_fen = clause, fen

    def price_missed(self, met: Met, old: Owed, clause: str, fen: int | None) -> None:
        old.fine_clause, old.fine_fen = clause, fen


ACTS = {
    DutyEvent.MORE_TIME_ASKED: Replay._ask, DutyEvent.MORE_TIME_GRANTED: Replay._decide,
    DutyEvent.MORE_TIME_REFUSED: Replay._decide, DutyEvent.CLAIMED: Replay._claim, DutyEvent.RELEASED: Replay._release,
    DutyEvent.HANDED_OVER: Replay._pass,
}  # fmt: skip
