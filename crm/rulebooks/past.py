"""The past as a trial reads it: stories of some hundred subjects at a time, in four statements."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Row, and_, or_, select, text

from crm.db import db
from crm.duties.models import PENDING, Duty, Event, Subject
from crm.duties.record import BREACHED, REPRICED
from crm.duties.rulebook import PROGRAM, Rule, Rulebook
from crm.rulebooks import rebuilt
from crm.rulebooks.story import Fell, Past, Stood, Story

EVENTS, DUTIES, SUBJECTS = Event.__table__.c, Duty.__table__.c, Subject.__table__.c
_EVENT = (EVENTS.id, EVENTS.kind, EVENTS.subject_id, EVENTS.at, EVENTS.recorded_at, EVENTS.actor_id, EVENTS.facts, EVENTS.known)
_DUTY = (DUTIES.subject_id, DUTIES.rule, DUTIES.slot, DUTIES.pool, DUTIES.breached_by_id, DUTIES.due_at, DUTIES.owner_id,
         DUTIES.breached_owner_id, DUTIES.fine_clause, DUTIES.fine_fen)  # fmt: skip


def facts_asked(rules: Iterable[Rule]) -> frozenset[str]:
    """What conditions, dates, slots and owners of these rules rest on."""
    asked: set[str] = set()
    for rule in rules:
        asked |= {*rule.where, *(key for fine in rule.fine for key in fine.get("where", {})), rule.due.fact or "", rule.slot}
        asked.add("concerned_id" if rule.owner == "concerned" else "owner_id")
    return frozenset(asked - {""})


class Archive:
    """What these rulebooks, of both sides, may ask of the past."""

    def __init__(self, books: Iterable[Rulebook]) -> None:
        rules = [rule for book in books for rule in book.rules.values() if rule.owner != PROGRAM]
        self.by_kind: dict[str, list[Rule]] = {}
        for rule in rules:
            for kind in {*rule.opens, *rule.keeps, *rule.drops}:
                self.by_kind.setdefault(kind, []).append(rule)
        self.below = sorted({rule.of for rule in rules} - {""})
        self.below_kinds = sorted({kind for kind, met in self.by_kind.items() if any(rule.of for rule in met)})

    @cached_property
    def kinds(self) -> list[str]:
        """The events that keep, open, drop or move anything, but for what the clock does."""
        moved = {kind for one in Subject.__mapper__.self_and_descendants for kind in one.class_.HANDED}
        named = {*rebuilt.DUTY_EVENTS, *self.by_kind, *moved}
        return sorted(str(kind) for kind in named - {BREACHED, REPRICED})

    @cached_property
    def whole(self) -> list[str]:
        """The kinds of subject of which all is read: a missed deadline opens something there, for whose theirs is then."""
        kept = {kind for rule in self.by_kind.get(BREACHED, ()) for kind in rule.keeps}
        found = [one for one in Subject.__subclasses__() if one.EVENTS and kept & {str(kind) for kind in one.EVENTS}]
        return [str(one.__mapper__.polymorphic_identity) for one in found]

    @cached_property
    def asked(self) -> Mapping[str, frozenset[str]]:
        """Event → what must be known of it."""
        return {kind: facts_asked(rule for rule in met if kind in rule.opens) for kind, met in self.by_kind.items()}

    def stories(self, after: int, size: int, until: datetime, now: datetime) -> tuple[list[Story], int]:
        """The next of those opened before `until` that an edition judges, as they are `now`, in the order of their ids; and the
        last id."""
        some = select(SUBJECTS.id, SUBJECTS.kind, SUBJECTS.edition_id).where(
            SUBJECTS.id > after, SUBJECTS.edition_id.is_not(None), SUBJECTS.opened_at < until
        )  # fmt: skip
        rows = db.session.execute(some.order_by(SUBJECTS.id).limit(size)).all()
        stories = {row.id: Story(row.id, row.kind, _class(row.kind).LASTING, row.edition_id) for row in rows}
        self._read_events(stories)
        self._read_duties(stories, now)
        old = [story for story in stories.values() if any(event.known is None for event in story.events)]
        if old:
            rebuilt.rebuild(old, self.asked)
        return list(stories.values()), rows[-1].id if rows else after

    def _read_events(self, stories: Mapping[int, Story]) -> None:
        ids = list(stories)
        whole = [story.id for story in stories.values() if story.kind in self.whole]
        mine = select(*_EVENT).where(EVENTS.subject_id.in_(ids), EVENTS.kind.not_in([BREACHED, REPRICED]),
                                     or_(EVENTS.kind.in_(self.kinds), EVENTS.subject_id.in_(whole)))  # fmt: skip
        for row in db.session.execute(mine.order_by(EVENTS.id)).all():
            stories[row.subject_id].events.append(past(row, row.subject_id, row.known))
        for row in db.session.execute(from_below(ids, self.below, self.below_kinds)):
            story = stories[row.origin_id]
            story.events.append(past(row, row.origin_id, (row.known or {}).get("origin"), row.of))
            story.events.sort(key=lambda event: event.id)

    def _read_duties(self, stories: Mapping[int, Story], now: datetime) -> None:
        """Those that were missed, or will be found so by the next sweep; and which are meant by events that name them."""
        ids = list(stories)
        falls = and_(text(PENDING), DUTIES.due_at < now)
        missed = select(*_DUTY).where(DUTIES.subject_id.in_(ids), or_(DUTIES.breached_by_id.is_not(None), falls))
        for row in db.session.execute(missed).all():
            if row.pool != PROGRAM:
                owner = row.breached_owner_id if row.breached_by_id else row.owner_id
                stories[row.subject_id].fell[Fell(row.rule, row.slot, owner, row.due_at, row.fine_clause, row.fine_fen)] += 1
        events = [event for story in stories.values() for event in story.events]
        named = {id for event in events for id in (event.facts.get("duty"), *event.facts.get("but", ()))} - {None}
        for row in db.session.execute(select(DUTIES.id, DUTIES.subject_id, DUTIES.rule, DUTIES.slot).where(DUTIES.id.in_(named))):
            stories[row.subject_id].duties[row.id] = row.rule, row.slot


def from_below(ids: list[int], kinds: list[str], events: list[str]):
    """What happened to those that came of these subjects, as far as it may count for them."""
    came = and_(SUBJECTS.id == EVENTS.subject_id, SUBJECTS.origin_id.in_(ids), SUBJECTS.kind.in_(kinds))
    rows = select(*_EVENT, SUBJECTS.origin_id, SUBJECTS.kind.label("of")).join(Subject.__table__, came)
    return rows.where(EVENTS.kind.in_(events)).order_by(EVENTS.id)


def _class(kind: str) -> type[Subject]:
    return Subject.__mapper__.polymorphic_map[kind].class_


def past(row: Row, subject_id: int, known: dict[str, Any] | None, of: str = "") -> Past:
    facts = rebuilt.revived(row.facts)
    stood = Stood(subject_id, (known or {}).get("owner_id"), (known or {}).get("concerned_id"))
    known = None if known is None else rebuilt.revived(known)
    return Past(row.id, row.kind, row.at, row.recorded_at, row.actor_id, facts, known, stood, of)

