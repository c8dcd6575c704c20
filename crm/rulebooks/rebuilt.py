"""What was known at events that were recorded before events kept it: worked out from the other events and from today.

What changed is told by the events' before and after, backwards from what is now; what an event means for its subject its kind
says (`TELLS`, `STEADY`). What cannot be worked out is said to be unknown; nothing is guessed."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.duties.events import DutyEvent
from crm.duties.models import Event, Subject
from crm.rulebooks.story import Past, Stood, Story

DUTY_EVENTS = frozenset(DutyEvent)
EVENTS = Event.__table__.c


@cache
def dates() -> frozenset[str]:
    """The facts that are dates, of whichever kind of subject."""
    return frozenset(name for kind in Subject.__subclasses__() for name in kind.DATES)


def revived(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts as rules read them: dates are dates again."""
    for name in dates() & facts.keys() if facts else ():
        if isinstance(text := facts[name], str):
            facts[name] = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    return facts


def rebuild(stories: Iterable[Story], asked: Mapping[str, frozenset[str]]) -> None:
    """Give each event that keeps nothing of it what was known then; a story says what of it stays `unknown`."""
    stories = {story.id: story for story in stories}
    subjects = {one.id: one for one in _loaded(stories.values())}
    told: dict[int, list[Any]] = {}
    columns = EVENTS.id, EVENTS.kind, EVENTS.subject_id, EVENTS.at, EVENTS.facts
    for row in db.session.execute(select(*columns).where(EVENTS.subject_id.in_(list(stories))).order_by(EVENTS.id)):
        told.setdefault(row.subject_id, []).append(row)
    for story in stories.values():
        known = _known(subjects[story.id], told[story.id], [event for event in story.events if event.known is None])
        for event in story.events:
            if event.known is None:
                _take(story, event, known[event.id], asked.get(event.kind, frozenset()))


def _loaded(stories: Iterable[Story]) -> Iterable[Subject]:
    kinds: dict[str, list[int]] = {}
    for story in stories:
        kinds.setdefault(story.kind, []).append(story.id)
    for kind, ids in kinds.items():
        its: type[Subject] = Subject.__mapper__.polymorphic_map[kind].class_
        yield from db.session.scalars(select(its).where(its.id.in_(ids)))


def _take(story: Story, event: Past, known: dict[str, Any], asked: frozenset[str]) -> None:
    lacks = asked - known.keys() - event.facts.keys()
    story.unknown |= lacks
    event.known = revived({name: value for name, value in known.items() if value is not None})
    event.stood = Stood(story.id, known.get("owner_id"), known.get("concerned_id"))


def _known(subject: Subject, told: list[Any], wanted: list[Past]) -> dict[int, dict[str, Any]]:
    """For each of these events what was known when it happened; a name that is not there is not known."""
    kind = type(subject)
    now = {**subject.facts(), "owner_id": subject.owner_id}
    forwards = {name for tells in kind.TELLS.values() for name in tells}
    backwards = {name for name in (*kind.FIELDS, *kind.STEADY, "category", "owner_id") if name in now} - forwards
    here = {name: now[name] for name in backwards}
    only_said = dict.fromkeys(set(kind.FACTS) - now.keys())  # by events alone
    steps = sorted([*told, *wanted], key=lambda event: (event.id, isinstance(event, Past)))
    found: dict[int, dict[str, Any]] = {}
    for event in reversed(steps):
        if isinstance(event, Past):
            found[event.id] = {**only_said, **here}
        else:
            _undo(event, here, kind)
    since: dict[str, Any] = dict.fromkeys(forwards)
    for event in steps:
        if isinstance(event, Past):
            found[event.id] |= since
            found[event.id] |= kind.derived(found[event.id])
        else:
            since |= {name: _told(event, value) for name, value in kind.TELLS.get(event.kind, {}).items()}
    return found


def _undo(event: Any, here: dict[str, Any], kind: type[Subject]) -> None:
    """As it was before an event."""
    for name, (before, _after) in event.facts.get("changes", {}).items():
        if name in here:
            here[name] = before
    if event.kind in kind.HANDED and "from" in event.facts:
        here["owner_id"] = event.facts["from"]


def _told(event: Any, value: Any) -> Any:
    """When it happened, what it says, or what it means."""
    return event.at if value == "at" else event.facts.get(value, value)
