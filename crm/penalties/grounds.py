"""What costs something: missed duties, lost applications, services without a record, confirmed complaints. Every one is an
event or a stamp of the past, so it does not matter when, how often or in which order a sweep looks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from crm.absences.excuses import excused
from crm.db import db
from crm.duties import editions
from crm.duties.models import Duty, Event, Subject
from crm.opinions.models import Opinion, OpinionEvent
from crm.penalties.models import DECISIONS, LOST, OVER, UNRECORDED, Penalty, State

MOST = 500  # of one sweep; the next goes on


@dataclass(frozen=True)
class Ground:
    """One thing that costs something: under which of the rulebook's penalties, whom, and by which event."""

    key: str
    person_id: int
    cause_id: int
    at: datetime
    origin_id: int
    edition_id: int
    fen: int | None = None
    duty_id: int | None = None
    entered_by_id: int | None = None
    said: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """What it is known by, so that it is proposed once."""
        return f"{self.cause_id} {self.key}"


def all_new() -> Iterator[Ground]:
    yield from missed()
    yield from _said()
    yield from _of_complaints()


def missed() -> Iterator[Ground]:
    """Missed duties with a fine, of those that were somebody's who could have kept them (2), not yet proposed."""
    known = select(Penalty.id).where(Penalty.duty_id == Duty.id).exists()
    fined = Duty.breached_by_id.is_not(None), Duty.fine_fen.is_not(None), Duty.breached_owner_id.is_not(None)
    rows = select(Duty, Event).join(Event, Event.id == Duty.breached_by_id).where(*fined, ~known, ~excused())
    for duty, event in db.session.execute(rows.order_by(Duty.breached_by_id).limit(MOST)):
        evidence = {"rule": duty.rule, "due": event.at.isoformat(), "ruled": duty.ruled_due_at.isoformat(),
                    "events": [duty.opened_by_id, event.id], "missing": event.facts.get("missing", [])}  # fmt: skip
        yield Ground(duty.fine_clause, duty.breached_owner_id, event.id, event.at, duty.subject_id, duty.edition_id,
                     duty.fine_fen, duty.id, evidence=evidence)  # fmt: skip


def _said() -> Iterator[Ground]:
    """What an event says itself: a lost application (7.3: a sheet), a service that a callback finds has no record."""
    known = select(Penalty.id).where(Penalty.cause_id == Event.id).exists()
    rows = select(Event, Subject).join(Subject, Subject.id == Event.subject_id)
    rows = rows.where(Event.kind.in_([LOST, UNRECORDED]), ~known).order_by(Event.id)
    for event, subject in db.session.execute(rows):
        lost = event.kind == LOST
        key, person = (event.facts.get(one) for one in (("fine_clause", "owner") if lost else ("clause", "concerned")))
        if not key or not person or not subject.edition_id:
            continue
        edition = subject.edition_id if lost else editions.edition_id(event.at)  # of whoever chose the clause: that day's
        entry = editions.book(edition).penalties.get(key)
        fen = event.facts.get("fine_fen") if lost else entry and entry.fen
        yield Ground(key, person, event.id, event.at, subject.id, edition, fen,
                     entered_by_id=None if lost else event.actor_id, said=event.facts.get("words", ""),
                     evidence={"events": [event.id]})  # fmt: skip


@dataclass(frozen=True)
class Told:
    """A decision on a complaint: the event, whom it is against, what it leads to."""

    id: int
    kind: str
    at: datetime
    against: int | None
    follows: Sequence[str]


def follows_now(story: Iterable[Told]) -> dict[str, Told]:
    """What a complaint leads to after all that was decided on it, each with the event it rests on. Decided anew it rests on
    the new decision; worked out anew, what stays keeps its ground. Pure: what was decided, in order."""
    now: dict[str, Told] = {}
    for told in story:
        if told.kind == OpinionEvent.REVIEWED:
            now = {}
        else:
            now = {key: told if told.kind == OpinionEvent.CONFIRMED else now.get(key, told) for key in told.follows}
    return now


def _decided(of: int | None = None) -> dict[int, dict[str, Told]]:
    """What each complaint ever confirmed leads to now, or one."""
    rows = select(Event.subject_id, Event.id, Event.kind, Event.at, Event.facts).where(Event.kind.in_(DECISIONS))
    if of:
        rows = rows.where(Event.subject_id == of)
    stories: dict[int, list[Told]] = {}
    for opinion_id, id, kind, at, facts in db.session.execute(rows.order_by(Event.id)):
        stories.setdefault(opinion_id, []).append(Told(id, kind, at, facts.get("against"), facts.get("follows", ())))
    return {opinion_id: follows_now(story) for opinion_id, story in stories.items()}


def _of_complaints() -> Iterator[Ground]:
    """What confirmed complaints lead to now and was never proposed."""
    live = {f"{told.id} {key}": (of, key, told) for of, now in _decided().items() for key, told in now.items()}
    known = set(db.session.scalars(select(Penalty.external_ref).where(Penalty.external_ref.in_(list(live))))) if live else set()
    for of, key, told in (live[ref] for ref in live if ref not in known):
        opinion = db.session.get_one(Opinion, of)
        if told.against is None or opinion.edition_id is None:
            continue
        entry = editions.book(opinion.edition_id).penalties[key]
        earlier = Opinion.concerned_id == told.against, Opinion.confirmed_at < opinion.confirmed_at
        before = list(db.session.scalars(select(Opinion.id).where(*earlier).order_by(Opinion.id)))
        yield Ground(key, told.against, told.id, told.at, of, opinion.edition_id, entry.fen,
                     evidence={"events": [told.id], "complaints": before})  # fmt: skip


def gone(penalty_id: int | None = None) -> dict[int, str]:
    """Penalties of which what they rested on is no longer so, and why: the complaint was decided anew or leads to something else,
    the notice whose refusal it came of is void, or leave that was approved afterwards excuses what was missed."""
    origin = Subject.__table__.alias("came_of")
    rows = select(Penalty.id, Penalty.category, Penalty.cause_id, origin.c.id, origin.c.kind, origin.c.state)
    rows = rows.join(origin, origin.c.id == Penalty.origin_id).where(Penalty.state.not_in(OVER))
    if penalty_id:
        rows = rows.where(Penalty.id == penalty_id)
    void = and_(origin.c.kind == "penalty", origin.c.state == State.VOIDED)
    rests = rows.where(Penalty.cause_id.is_not(None), Penalty.duty_id.is_(None), or_(origin.c.kind == "opinion", void))
    found: dict[int, str] = {}
    now: dict[int, dict[str, Told]] | None = None
    for id, key, cause, of, kind, _state in db.session.execute(rests):
        now = _decided(of if penalty_id else None) if now is None else now
        rests_on = now.get(of, {}).get(key)
        if kind == "penalty" or rests_on is None or rests_on.id != cause:
            found[id] = kind
    away = rows.join(Duty, Duty.id == Penalty.duty_id).where(excused())
    return found | {row.id: "absence" for row in db.session.execute(away)}


def back_again(penalty_id: int | None = None) -> list[int]:
    """Penalties for missed duties are void by leave alone; these it excuses no longer."""
    rows = select(Penalty.id).join(Duty, Duty.id == Penalty.duty_id).where(Penalty.state == State.VOIDED, ~excused())
    if penalty_id:
        rows = rows.where(Penalty.id == penalty_id)
    return list(db.session.scalars(rows.order_by(Penalty.id)))
