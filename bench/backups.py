"""Backups while others write: four writers go through the program's own functions, a sweep removes old drafts meanwhile;
each backup is restored into a fresh place, checked, and must hold every record acknowledged before it began.

.venv/bin/python -m bench.backups [ROUNDS] [sqlite | postgresql]
"""

import os
import random
import sys
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

from argon2 import PasswordHasher
from sqlalchemy import select

from bench.places import Place, asked, places
from crm import clock, create_app
from crm.customers.models import Customer
from crm.db import db, unit_of_work
from crm.durable import backup, checks, restore
from crm.durable.manifest import NotDone
from crm.files import store
from crm.files import workflow as files
from crm.staff import passwords
from crm.sweep import tick
from crm.tickets import workflow as tickets
from crm.tickets.models import Ticket
from tests import make

WRITERS, PAUSE, DRAFTS = 4, 0.1, 20


def write(settings: dict, said) -> None:
    """Open records, one with a file each, fill and complete some; what was committed is said, and only then."""
    app = create_app(settings)
    with app.app_context():
        mine = 0
        while True:
            mine += 1
            with unit_of_work():
                by = make.who("specialist")
                unit = db.session.query(Customer).first()
                scan = files.draft("scan.pdf", make.PDF + uuid.uuid4().bytes, by)
                db.session.add(scan)
                db.session.flush()
                record = make.ticket(unit, title=f"第 {mine} 条", by=by, files=[scan.key])
            said.send_bytes(record.number.encode())
            if mine % 2:
                with unit_of_work():
                    by = make.who("specialist")
                    tickets.complete(make.filled(db.session.get_one(Ticket, record.id), by), by=by)
            time.sleep(PAUSE)


def old_drafts(app) -> None:
    """Drafts three days old, their bytes two hours: the next sweep forgets them."""
    before = time.time() - 7200
    with app.app_context(), unit_of_work():
        for _ in range(DRAFTS):
            draft = files.draft("draft.pdf", make.PDF + uuid.uuid4().bytes, make.who("manager"))
            draft.added_at = clock.now() - timedelta(days=3)
            db.session.add(draft)
            os.utime(store.path_of(draft.sha256), (before, before))


def sweep(app, after: float) -> None:
    time.sleep(after)
    with app.app_context():
        tick()


@contextmanager
def at_work(settings: dict):
    """The writers, each a process; gives the list of numbers acknowledged so far, which grows."""
    known: list[str] = []
    context = get_context("spawn")
    processes = []
    for _ in range(WRITERS):
        hears, says = context.Pipe(duplex=False)
        process = context.Process(target=write, args=(settings, says), daemon=True)
        process.start()
        says.close()
        processes.append(process)
        threading.Thread(target=listen, args=(hears, known), daemon=True).start()
    try:
        yield known
        assert all(process.is_alive() for process in processes), "a writer gave up"
    finally:
        for process in processes:
            process.kill()
            process.join()


def listen(hears, known: list[str]) -> None:
    try:
        while True:
            known.append(hears.recv_bytes().decode())
    except EOFError:
        pass


def fill(place: Place) -> None:
    passwords.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with place.app() as app, app.app_context():
        make.department()
        with unit_of_work():
            make.served_customer()


def one_round(place: Place, app, fresh: Place, known: list[str]) -> dict:
    """Back up, restore elsewhere, check; what of it went wrong, how many records, and the seconds each took."""
    old_drafts(app)
    sweeper = threading.Thread(target=sweep, args=(app, random.uniform(0, 0.15)))
    before, dest, begun = list(known), place.folder / f"{uuid.uuid4().hex}.backup", time.perf_counter()
    sweeper.start()
    try:
        with app.app_context():
            backup.make(dest)
        taken = time.perf_counter()
        sweeper.join()
        wrong = restored(fresh, dest, before)
    except NotDone as refused:
        taken, wrong = time.perf_counter(), [str(refused)]
    done = time.perf_counter()
    sweeper.join()
    dest.unlink(missing_ok=True)
    return {"wrong": wrong, "records": len(before), "backup": taken - begun, "restore": done - taken}


def restored(fresh: Place, dest: Path, before: list[str]) -> list[str]:
    """Restore into the fresh place; what the check finds there, and what is missing."""
    app = create_app(fresh.settings | {"SECRET_KEY": "of a harness, and of nothing else at all"})
    with app.app_context():
        restore.restore(dest)
        there = set(db.session.scalars(select(Ticket.number)))
        wrong = [f"{number} is not in it" for number in before if number not in there]
        db.session.rollback()
        wrong += [str(result) for result in checks.run() if result.mark in (checks.BAD, checks.FAILED)]
        db.session.remove()
        db.engine.dispose()
    return wrong


def run(rounds: int, kind: str, say=print) -> list[dict]:
    seen = []
    with tempfile.TemporaryDirectory() as folder, places(kind, Path(folder)) as new:
        place = new()
        fill(place)
        with at_work(place.settings) as known, place.app() as app:
            while len(known) < WRITERS:
                time.sleep(0.1)
            for number in range(1, rounds + 1):
                fresh = new()
                seen.append(one_round(place, app, fresh, known))
                fresh.remove()
                if seen[-1]["wrong"] or number % 10 == 0:
                    say(f"{number}: {seen[-1]}")
    return seen


def main() -> None:
    rounds, kind = asked(sys.argv[1:])
    seen = run(rounds, kind)
    bad = [one for one in seen if one["wrong"]]
    for what in ("backup", "restore"):
        times = sorted(one[what] for one in seen)
        print(f"{what}: median {times[len(times) // 2]:.2f} s, longest {times[-1]:.2f} s (restore: with its check)")
    print(f"{kind}: {len(seen) - len(bad)} of {len(seen)} backups restored and clean, none of the records acknowledged"
          f" before missing; {seen[-1]['records']} records at the end")  # fmt: skip
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
