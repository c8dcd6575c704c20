"""The seals: a chain of keyed hashes beside the events, laid by the worker, so that writers never queue for it. Each seal
takes in the one before it; the newest is anchored each day outside of the database, so that a cut-off tail shows. Without
the key, which is not in the database either, nobody makes a seal. docs/decisions/10-seals.md."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import ForeignKey, Row, String, cast, func, select
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock, keys
from crm.db import db, hold, insert, unit_of_work
from crm.duties import anchors
from crm.duties.anchors import Anchor, Anchors
from crm.duties.models import Event

BATCH = 500  # events sealed in one unit of work, seals looked at in one piece
LATE = 10_000  # an event may be committed after younger ones: so far back one looks for it
SOON = timedelta(hours=1)  # by then the worker should have come by
LOST = f"{anchors.NAME} is gone: bring back its copy, or begin anew with an empty file of that name"
EVENTS = Event.__table__


class Seal(db.Model):
    """One link of the chain beside the events: the hash of an event and of the seal before."""

    __tablename__ = "seals"
    seq: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), unique=True)
    hash: Mapped[str]
    key: Mapped[str] = mapped_column(server_default="")  # which key made it; none before there was one


@dataclass(frozen=True)
class Key:
    """What seals are made with: derived from an instance's secret key, and known by a name that tells nothing of it."""

    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, secret_key: str) -> "Key":
        return cls(hmac.digest(secret_key.encode(), b"crm: seals of events, 1", "sha256"))

    @classmethod
    def own(cls) -> "Key":
        return cls.of(current_app.config["SECRET_KEY"])

    @classmethod
    def former(cls) -> "list[Key]":
        return [cls.of(one) for one in current_app.config["FORMER_KEYS"]]

    @property
    def name(self) -> str:
        return hmac.new(self.secret, b"name", "sha256").hexdigest()[:16]

    def seal(self, seq: int, before: str, event) -> str:
        return hmac.new(self.secret, f"{seq} {before} ".encode() + _said(event), "sha256").hexdigest()


def _said(event) -> bytes:
    """All of an event, always written the same way."""
    times = [event.at.isoformat(), event.recorded_at.isoformat()]
    whole = [event.id, event.kind, event.subject_id, *times, event.actor_id, event.address, event.via, event.facts]
    whole += [event.known] if event.known else []  # older ones keep none, and their seals
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _twofold(text: str | None) -> bool:
    """Whether an object in it has a name twice: readers differ in which of them they take."""
    try:
        json.loads(text or "null", object_pairs_hook=_singly)
    except ValueError:
        return True
    return False


def _singly(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("twice")
    return found


def _plain(before: str, event) -> str:
    """The rule of the time before there was a key."""
    return hashlib.sha256(before.encode() + _said(event)).hexdigest()


def _head() -> Seal | None:
    return db.session.scalar(select(Seal).order_by(Seal.seq.desc()).limit(1))


def _unsealed(most: int) -> list[Row]:
    since = (db.session.scalar(select(func.max(Seal.event_id))) or 0) - LATE
    sealed = select(Seal.event_id).where(Seal.event_id == EVENTS.c.id).exists()
    waiting = select(EVENTS).where(EVENTS.c.id > since, ~sealed).order_by(EVENTS.c.id).limit(most)
    return list(db.session.execute(waiting))


def seal_events(as_of: datetime) -> int:
    """A sweep's step: seal what is not sealed yet, in order of id; two workers take turns. RuntimeError in a process that goes
    on with a former key: seals of a newer one may be there."""
    done, key = 0, Key.own()
    if current_app.config["SECRET_KEY"] in keys.read(keys.path(Path(current_app.config["INSTANCE"])))[1:]:
        raise RuntimeError("the secret key was changed: start this process anew")
    while True:
        with unit_of_work():
            hold("seals")
            head = _head()
            _begin_keys(head, as_of)
            seq, last = (head.seq, head.hash) if head else (0, "")
            events = _unsealed(BATCH)
            rows = []
            for place, event in enumerate(events, seq + 1):
                last = key.seal(place, last, event)
                rows.append({"seq": place, "event_id": event.id, "hash": last, "key": key.name})
            if rows:
                db.session.execute(insert(Seal), rows)
        done += len(events)
        if len(events) < BATCH:
            return done


def _begin_keys(head: Seal | None, as_of: datetime) -> None:
    """Before the first keyed seal is laid upon plain ones that were anchored in their time, where those end is written down
    outside, once: so nobody passes off a chain without a key as an old one."""
    if head and not head.key and (known := anchors.read()).last and not known.keyed:
        anchors.write(Anchor(_day(as_of), head.seq, head.hash, anchors.PLAIN))


def _day(as_of: datetime) -> str:
    return clock.local(as_of).date().isoformat()


def anchor(as_of: datetime) -> int:
    """A sweep's step: once a day, if it has moved, the newest seal into the file outside. RuntimeError if the one written
    there last is not the chain's, or if the file is lost: nothing is anchored upon a chain that may have been laid anew."""
    known, today = anchors.read(), _day(as_of)
    with unit_of_work(read_only=True):
        head = _head()
        if head is None or (known.last and known.last.day == today and known.last.key == head.key):  # a new key: at once
            return 0
        if not anchors.path().exists():
            raise RuntimeError(LOST)
        if known.last and db.session.scalar(select(Seal.hash).where(Seal.seq == known.last.seq)) != known.last.hash:
            raise RuntimeError(f"seal {known.last.seq} is not the one that was anchored: see `crm audit-verify`")
        if known.last and known.last.seq == head.seq:
            return 0
        new = Anchor(today, head.seq, head.hash, head.key)
    anchors.write(new)
    return 1


@dataclass
class Verdict:
    """What the chain says: how many events are sealed, how many of them without a key, how many anchors it was compared
    with, the newest seal, and every fault found."""

    sealed: int = 0
    plain: int = 0
    anchors: int = 0
    head: str = ""
    waiting: int = 0
    faults: list[str] = field(default_factory=list)


class _Walk:
    """From the first seal to the last, each compared with its event, with the one before it and with the anchors."""

    def __init__(self, own: Sequence[Key], others: Iterable[Key], outside: Anchors) -> None:
        self.found = Verdict(anchors=len(outside.lines), faults=list(outside.faults))
        self.seq, self.event_id, self.newest = 0, 0, 0
        self._keys = {key.name: key for key in [*others, *own]}
        self._age = {key.name: age for age, key in enumerate(own)} | {"": len(own)}
        self._reached = len(own)  # keys only become newer along the chain; those of other places came before
        self._anchors: dict[int, list[Anchor]] = {}
        for one in outside.lines:
            self._anchors.setdefault(one.seq, []).append(one)
        of_old = outside.last is not None and not outside.keyed  # only then may there be seals of the time before keys
        self._plain_until = outside.plain.seq if outside.plain else None if of_old else 0
        self._keyed = False
        self._strange: dict[str, list[int]] = {}  # the name of a key we do not have → how many seals, the first, the last
        self._fallen: list[int] = []  # seals of a former key upon those of a newer one

    def step(self, row: Row) -> None:
        if row.seq != self.seq + 1:
            where = f"after event {self.event_id}" if self.event_id else "at the beginning"
            self._say(f"seal {self.seq + 1} is missing, and the event it was for, {where}")
        self.found.sealed += 1
        if row.id is None:
            self._say(f"event {row.event_id} is gone")
        elif not self._right(row):
            self._say(f"event {row.event_id} is not as it was when it was sealed, or not in its place")
        elif _twofold(row.raw):
            self._say(f"event {row.event_id} says something twice, which was not so when it was sealed")
        for one in self._anchors.get(row.seq, ()):
            if one.hash != row.hash:
                self._say(f"seal {row.seq} of event {row.event_id} is not the one that was anchored on {one.day}")
        self.seq, self.event_id, self.found.head = row.seq, row.event_id, row.hash
        self.newest = max(self.newest, row.event_id)

    def _right(self, row: Row) -> bool:
        if not row.key:
            self.found.plain += 1
            if self._keyed or (self._plain_until is not None and row.seq > self._plain_until):
                self._unsure(row)
            return row.hash == _plain(self.found.head, row)
        self._keyed = True
        if row.key not in self._keys:
            self._unsure(row)
            return True
        age = self._age.get(row.key, self._age[""])
        if age > self._reached:
            self._fallen.append(row.seq)
        self._reached = min(age, self._reached)
        return row.hash == self._keys[row.key].seal(row.seq, self.found.head, row)

    def _unsure(self, row: Row) -> None:
        some = self._strange.setdefault(row.key, [0, row.seq, row.seq])
        some[0], some[2] = some[0] + 1, row.seq

    def _say(self, fault: str) -> None:
        self.found.faults.append(fault)

    def end(self) -> Verdict:
        for name, (count, first, last) in self._strange.items():
            some = f"{count} seals from {first} to {last}"
            why = (f"were made with another key ({name}), so they could not be checked: name its file with --key"
                   if name else "have no key, and no anchor says that they need none")  # fmt: skip
            self._say(f"{some} {why}")
        if self._fallen:
            some = f"{len(self._fallen)} seals from {self._fallen[0]} to {self._fallen[-1]}"
            self._say(f"{some} were made with a former key upon those of a newer one")
        return self.found

    def tail(self) -> None:
        """What was anchored beyond the last seal."""
        if lost := [seq for seq in sorted(self._anchors) if seq > self.seq]:
            day = self._anchors[lost[0]][0].day
            self._say(f"seal {lost[0]}, anchored on {day}, is gone, and all after event {self.event_id}")

    def late(self) -> None:
        """What no sweep has sealed: said if it is long, or if none ever will."""
        sealed = select(Seal.event_id).where(Seal.event_id == Event.id).exists()
        found = select(func.count(Event.id), func.min(Event.recorded_at), func.max(Event.recorded_at), func.min(Event.id))
        self.found.waiting, oldest, newest, first = db.session.execute(found.where(~sealed)).one()
        if oldest and oldest < clock.now() - SOON:
            since = f"{clock.local(oldest):%Y-%m-%d %H:%M}"
            how = "`crm tick` or the worker seals them"
            self._say(f"{self.found.waiting} events are not sealed, the oldest since {since}, the first event {first}: {how}")
        if first is not None and (first <= self.newest - LATE or newest > clock.now() + SOON):
            self._say(f"event {first} or another that is not sealed was put in: it is far behind the newest, or of the future")
        if (self.found.sealed or self.found.waiting) and not anchors.path().exists():
            self._say(LOST)


def verify(others: Iterable[Key] = ()) -> Verdict:
    """Walk the chain and compare it with the events and with the anchors outside; `others` are keys of other places."""
    walk = _Walk([Key.own(), *Key.former()], others, anchors.read())
    chain = select(Seal.seq, Seal.event_id, Seal.hash, Seal.key, EVENTS, cast(EVENTS.c.facts, String).label("raw"))
    chain = chain.outerjoin(EVENTS, EVENTS.c.id == Seal.event_id)
    rows = db.session.execute(chain.order_by(Seal.seq).execution_options(yield_per=BATCH))
    try:
        for row in rows:
            walk.step(row)
        walk.tail()
    except ValueError as wrong:  # a time, or facts, that nobody wrote like this
        rows.close()
        walk.found.faults.append(f"not all could be looked at: soon after event {walk.event_id} one cannot be read ({wrong})")
    walk.late()
    return walk.end()
