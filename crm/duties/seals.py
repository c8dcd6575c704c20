"""The seals: a hash chain beside the events, laid by the worker, so that writers never queue for it. Each seal takes in
the one before it; the newest is written each day into a file outside of the database, so that a cut-off tail shows."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import func, select

from crm import clock
from crm.db import db, hold, insert, unit_of_work
from crm.duties.models import Event, Seal

BATCH = 500  # events sealed in one unit of work
LATE = 10_000  # an event may be committed after younger ones: so far back one looks for it
SOON = timedelta(hours=1)  # by then the worker should have come by


def _said(event: Event) -> bytes:
    """All of an event, always written the same way."""
    times = [event.at.isoformat(), event.recorded_at.isoformat()]
    whole = [event.id, event.kind, event.subject_id, *times, event.actor_id, event.address, event.via, event.facts]
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _next(before: str, event: Event) -> str:
    return hashlib.sha256(before.encode() + _said(event)).hexdigest()


def head() -> tuple[int, str]:
    """The newest seal: its place in the chain and its hash; 0 and "" before the first."""
    found = db.session.execute(select(Seal.seq, Seal.hash).order_by(Seal.seq.desc()).limit(1)).first()
    return (found.seq, found.hash) if found else (0, "")


def _unsealed(most: int) -> list[Event]:
    since = (db.session.scalar(select(func.max(Seal.event_id))) or 0) - LATE
    sealed = select(Seal.event_id).where(Seal.event_id == Event.id).exists()
    waiting = select(Event).where(Event.id > since, ~sealed).order_by(Event.id).limit(most)
    return list(db.session.scalars(waiting))


def seal_events(as_of: datetime) -> int:
    """A sweep's step: seal what is not sealed yet, in order of id; two workers take turns."""
    done = 0
    while True:
        with unit_of_work():
            hold("seals")
            seq, last = head()
            events = _unsealed(BATCH)
            rows = []
            for place, event in enumerate(events, seq + 1):
                last = _next(last, event)
                rows.append({"seq": place, "event_id": event.id, "hash": last})
            if rows:
                db.session.execute(insert(Seal), rows)
        done += len(events)
        if len(events) < BATCH:
            return done


def _anchors() -> Path:
    return Path(current_app.config["INSTANCE"]) / "anchors.log"


def _anchored() -> Iterator[tuple[str, int, str]]:
    if _anchors().exists():
        for line in _anchors().read_text(encoding="utf-8").splitlines():
            day, seq, hash = line.split()
            yield day, int(seq), hash


def anchor(as_of: datetime) -> int:
    """A sweep's step: once a day, the newest seal into the file outside. Copy that file to where the database's keeper
    cannot write."""
    today = clock.local(as_of).date().isoformat()
    if any(day == today for day, _seq, _hash in _anchored()):
        return 0
    with unit_of_work(read_only=True):
        seq, hash = head()
    if not seq:
        return 0
    with _anchors().open("a", encoding="utf-8") as file:
        file.write(f"{today} {seq} {hash}\n")
    return 1


@dataclass
class Verdict:
    """What the chain says: how many events are sealed, the newest seal, and every fault found."""

    sealed: int = 0
    head: str = ""
    waiting: int = 0
    faults: list[str] = field(default_factory=list)


def verify() -> Verdict:
    """Walk the chain from its first seal and compare it with the events and with the anchors outside."""
    found = Verdict()
    anchors = {seq: (day, hash) for day, seq, hash in _anchored()}
    chain = select(Seal, Event).outerjoin(Event, Event.id == Seal.event_id).order_by(Seal.seq)
    for seal, event in db.session.execute(chain.execution_options(yield_per=BATCH)):
        found.sealed += 1
        if seal.seq != found.sealed:
            found.faults.append(f"seal {found.sealed} is missing")
            found.sealed = seal.seq
        if event is None:
            found.faults.append(f"event {seal.event_id} is gone")
        elif seal.hash != _next(found.head, event):
            found.faults.append(f"event {seal.event_id} is not as it was when it was sealed, or the one before it")
        if seal.seq in anchors and anchors[seal.seq][1] != seal.hash:
            found.faults.append(f"seal {seal.seq} is not the one that was anchored on {anchors[seal.seq][0]}")
        found.head = seal.hash
        db.session.expunge_all()
    lost = [seq for seq in anchors if seq > found.sealed]
    found.faults += [f"seal {seq}, anchored on {anchors[seq][0]}, is gone, and all after it" for seq in lost[:1]]
    sealed = select(Seal.event_id).where(Seal.event_id == Event.id).exists()
    waiting = select(func.count(Event.id), func.min(Event.recorded_at)).where(~sealed)
    found.waiting, oldest = db.session.execute(waiting).one()
    if oldest and oldest < clock.now() - SOON:
        found.faults.append(
            f"{found.waiting} events are not sealed, the oldest since {clock.local(oldest):%Y-%m-%d %H:%M}"
        )
    return found
