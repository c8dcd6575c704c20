"""How long a draft of the rulebook is tried on a hundred thousand records: `python -m bench.trial 100000 sqlite`.

The records are those of `bench.filling`; what is owed on each, and missed, says the shipped rulebook, so that the replay by the
rules of the day gives what is recorded. Said are the seconds, the memory at its most, and that nothing was left out."""

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from bench.filling import fill
from bench.places import Place, megabytes, places
from bench.story import Story, stamp
from crm import clock
from crm.db import unit_of_work
from crm.duties import editions, reading
from crm.duties.carrying import Met
from crm.duties.rulebook import Rule
from crm.rulebooks.memory import Books, Days, Owed, Replay
from crm.rulebooks.story import Past, Stood
from crm.rulebooks.story import Story as Told
from crm.rulebooks.text import Change, changed
from crm.rulebooks.trial import Tally, Trial
from crm.serve import keep_what_stands
from crm.workdays import calendar

BATCH = 500
DRAFT = (
    Change(("duty", "ticket.progress", "due"), "1 working day"),
    Change(("duty", "ticket.complete", "due"), "ended_at + 1 working day"),
    Change(("penalty", "7.5", "fen"), 6000), Change(("hours", "open"), ["08:30-12:00", "13:30-17:30"]),
    Change(("category", "inquiry", "before_complete"), ["question", "answer", "tool"]),
)  # fmt: skip
FIELDS = [
    "contact", "department", "channel", "asked_at", "answered_at", "question", "answer", "data", "steps", "error_message",
    "change",
    "report_name", "doubt", "analysis", "solution", "requirement", "agreed", "installed", "trained", "remaining",
]  # fmt: skip
DRAGS = (0, 0, 0, 0, 0, 0, 0, 1, 2, 4)  # days


class Written(Replay):
    """A replay that remembers every duty, and how each ended."""

    def __init__(self, side: Books, story: Told) -> None:
        super().__init__(side, story)
        self.ends: dict[Owed, dict[str, int]] = {}

    def add(self, met: Met, rule: Rule, owed: dict, late: bool) -> None:
        super().add(met, rule, owed, late)
        self.ends[self.open[owed["rule"], owed["slot"]]] = {}

    def end(self, met: Met, rule: str, edition: int, slot: str, stamp: str) -> None:
        for owed in self._ended(rule, edition, slot):
            self.ends[owed][stamp] = met.id
        super().end(met, rule, edition, slot, stamp)


class Judged(Story):
    """The same records, some of which drag on for days."""

    @cached_property
    def side(self) -> Books:
        book = editions.book(self.edition)
        return Books({self.edition: book}, {self.edition: Days(calendar().overrides, book.hours)})

    def _steps(self, at: datetime, state: str) -> Iterator[tuple[str, datetime, str]]:
        """What happened when, and the state after it."""
        minute, drags = timedelta(minutes=1), [timedelta(days=self.dice.choice(DRAGS)) for _ in range(2)]
        yield "ticket.opened", at, "new"
        if state == "cancelled":
            yield "ticket.cancelled", at + 4 * minute, state
        elif state != "new":
            yield "ticket.started", at + minute, "working"
        if state == "waiting":
            yield "ticket.waiting", at + 2 * minute, state
        if state in ("ended", "complete"):
            yield "ticket.ended", at + 3 * minute + drags[0], "ended"
        if state == "complete":
            yield "ticket.completed", at + 4 * minute + sum(drags, timedelta()), state

    def _history(self, id: int, at: datetime, owner: int, state: str, category: str, notes: list[str]) -> None:
        said = {"category": category, "channel": "phone", "called_back": False}
        events = []
        for kind, when, stood in self._steps(at, state):
            when = min(when, self.now)
            said |= {"state": stood} | ({"ended_at": when} if stood == "ended" else {})
            said |= {"wait_until": (when + timedelta(days=3)).date()} if stood == "waiting" else {}
            facts = {"has": {"category": category, "fields": FIELDS}} if stood == "complete" else {}
            plain = {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in said.items()}
            self.known = plain | {"owner_id": owner}
            event = self._event(kind, id, when, owner, **facts)
            events.append(Past(event, kind, when, when, owner, facts, dict(said), Stood(id, owner, None)))
        for words in notes:
            self._event("ticket.noted", id, at, owner, words=words)
        self._owe(Told(id, "ticket", False, self.edition, events))

    def _owe(self, story: Told) -> None:
        replay = Written(self.side, story)
        replay.run(self.now)
        for owed, ends in replay.ends.items():
            facts = {"rule": owed.rule, "slot": "", "clause": owed.clause, "owner": owed.breached_owner_id}
            missed = self._event("duty.breached", story.id, owed.due_at, None, **facts) if owed.breached_by_id else None
            shown = stamp(next(event.at for event in story.events if event.id == owed.opened_by_id))
            times = shown, shown, stamp(owed.due_at), stamp(owed.ruled_due_at)
            ended = ends.get("kept_by_id"), ends.get("dropped_by_id"), missed, owed.breached_owner_id
            whose = owed.rule, "", self.edition, owed.clause, story.id, owed.owner_id
            row = self._id("duties"), *whose, *times, owed.opened_by_id, *ended, owed.fine_clause, owed.fine_fen
            self.rows["duties"].append(row)


def tried(place: Place) -> tuple[float, int, Tally]:
    """A draft on all there is, as the worker does it: seconds, MB at the most, the sums."""
    with place.app() as app, app.app_context():
        text = changed(reading.shipped(), DRAFT)  # what a director typed, long before
        keep_what_stands()
        began, now, tally, after, rows = time.monotonic(), clock.now(), Tally(), 0, 0
        with unit_of_work(read_only=True):
            trial = Trial.of(text, now - timedelta(days=1200), now)
        while True:
            with unit_of_work(read_only=True):
                found, last = trial.go_on(after, BATCH, now, tally)
            rows += len(found)
            if last == after:
                break
            after = last
        took = time.monotonic() - began
        return took, megabytes()[1], tally


def _apart(pipe, place: Place, now: datetime) -> None:
    with clock.frozen(now):
        pipe.send(tried(place))


def run(size: int, kind: str, say: Callable[[str], object] = print) -> tuple[float, int, Tally]:
    with tempfile.TemporaryDirectory() as folder, places(kind, Path(folder)) as new:
        place = new()
        now = clock.now()
        with clock.frozen(now):
            fill(place, size, Judged)
        here, there = multiprocessing.Pipe()
        told = there, Place(place.folder, place.url, print), now
        alone = multiprocessing.get_context("spawn").Process(target=_apart, args=told)
        alone.start()
        there.close()  # should it fall over, nobody waits for it
        took, megabytes, tally = here.recv()
        alone.join()
    say(f"{kind}, {size:,} records: {took:.1f} s, {megabytes} MB; {tally.seen:,} subjects, missed and fen {tally.total}, "
        f"told {dict(tally.what)}, left out {dict(tally.why)}")  # fmt: skip
    return took, megabytes, tally


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, sys.argv[2] if len(sys.argv) > 2 else "sqlite")
