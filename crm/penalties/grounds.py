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
from crm.penalties.models import LOST, UNRECORDED, Penalty, State

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
    yield from _told()
    live, known = _of_complaints()
    yield from (ground for ref, ground in live.items() if ref not in known)


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


def _told() -> Iterator[Ground]:
    """What an event says itself: a lost application (7.3: a sheet), a service that a callback finds has no record."""
    known = select(Penalty.id).where(Penalty.cause_id == Event.id).exists()
    rows = select(Event, Subject).join(Subject, Subject.id == Event.subject_id)
    rows = rows.where(Event.kind.in_([LOST, UNRECORDED]), ~known).order_by(Event.id)
    for event, subject in db.session.execute(rows):
        lost = event.kind == LOST
        key, person = (event.facts.get(one) for one in (("fine_clause", "owner") if lost else ("clause", "concerned")))
        if not key or not person or not subject.edition_id:
            continue
        entry = editions.book(subject.edition_id).penalties.get(key)
        fen = event.facts.get("fine_fen") if lost else entry and entry.fen
        yield Ground(key, person, event.id, event.at, subject.id, subject.edition_id, fen,
                     entered_by_id=None if lost else event.actor_id, said=event.facts.get("words", ""),
                     evidence={"events": [event.id]})  # fmt: skip


_CONFIRMED = (OpinionEvent.CONFIRMED, OpinionEvent.REVIEWED, OpinionEvent.REWEIGHED)


def follows_now(story: Iterable[tuple[int, str, Sequence[str]]]) -> dict[str, int]:
    """What a complaint leads to after all that was decided on it, each with the event it rests on. Decided anew it rests on
    the new decision; worked out anew, what stays keeps its ground. Pure: (event's id, kind, penalties) in order."""
    now: dict[str, int] = {}
    for id, kind, keys in story:
        if kind == OpinionEvent.REVIEWED:
            now = {}
        else:
            now = {key: id if kind == OpinionEvent.CONFIRMED else now.get(key, id) for key in keys}
    return now


def _of_complaints() -> tuple[dict[str, Ground], set[str]]:
    """What all confirmed complaints lead to now, and what was proposed from any complaint ever."""
    rows = select(Event, Opinion).join(Opinion, Opinion.id == Event.subject_id)
    stories: dict[int, tuple[Opinion, list[Event]]] = {}
    for event, opinion in db.session.execute(rows.where(Event.kind.in_(_CONFIRMED)).order_by(Event.id)):
        stories.setdefault(opinion.id, (opinion, []))[1].append(event)
    live: dict[str, Ground] = {}
    for opinion, events in stories.values():
        by_id = {event.id: event for event in events}
        for key, id in follows_now((one.id, one.kind, one.facts.get("follows", [])) for one in events).items():
            if ground := _of_complaint(opinion, by_id[id], key):
                live[ground.ref] = ground
    its = and_(Penalty.origin_id.in_(list(stories)), Penalty.external_ref.is_not(None))
    return live, set(db.session.scalars(select(Penalty.external_ref).where(its)))


def _of_complaint(opinion: Opinion, event: Event, key: str) -> Ground | None:
    person = event.facts.get("against")
    if not isinstance(person, int) or opinion.edition_id is None:
        return None
    entry = editions.book(opinion.edition_id).penalties[key]
    earlier = Opinion.concerned_id == person, Opinion.confirmed_at < opinion.confirmed_at
    before = list(db.session.scalars(select(Opinion.id).where(*earlier).order_by(Opinion.id)))
    return Ground(key, person, event.id, event.at, opinion.id, opinion.edition_id, entry.fen,
                  evidence={"events": [event.id], "complaints": before})  # fmt: skip


def gone(penalty: Penalty) -> bool:
    """Whether what it rested on is no longer so: the complaint is decided anew or leads to something else, or leave that was
    approved afterwards excuses what was missed."""
    if penalty.duty_id:
        return db.session.scalar(select(Duty.id).where(Duty.id == penalty.duty_id, excused())) is not None
    story = select(Event.id, Event.kind, Event.facts).where(Event.subject_id == penalty.origin_id, Event.kind.in_(_CONFIRMED))
    told = [(id, kind, facts.get("follows", [])) for id, kind, facts in db.session.execute(story.order_by(Event.id))]
    return follows_now(told).get(penalty.category) != penalty.cause_id


def doubtful() -> list[int]:
    """Penalties whose ground may be gone: those that are not over and rest on a complaint, or on what leave excuses."""
    over, origin = (State.WAIVED, State.STRUCK, State.VOIDED), Subject.__table__.alias("came_of")
    of_complaint = and_(origin.c.kind == "opinion", Penalty.cause_id.is_not(None))
    rows = select(Penalty.id).join(origin, origin.c.id == Penalty.origin_id).outerjoin(Duty, Duty.id == Penalty.duty_id)
    return list(db.session.scalars(
        rows.where(Penalty.state.not_in(over), or_(of_complaint, and_(Duty.id.is_not(None), excused()))).order_by(Penalty.id)
    ))  # fmt: skip
