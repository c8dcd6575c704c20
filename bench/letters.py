"""SIGKILL while letters go out: as many notices as asked for, sent by some workers to a mail server that behaves badly at
random; one worker after the other is killed at a random moment, and another begins. Afterwards every notice was written,
none was given twice, and of whatever nobody knows a person has a duty.

.venv/bin/python -m bench.letters [LETTERS] [KILLS] [sqlite | postgresql] [WORKERS]
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from bench.places import Place, places
from crm import clock, create_app, keys
from crm.contracts import workflow as contracts
from crm.db import db, unit_of_work
from crm.durable import checks
from crm.duties.acts import carry_out_due
from crm.duties.message import Message, MessageState
from crm.duties.models import Duty, open_now
from crm.letters import delivery, letter, outbox
from tests import make
from tests.letters.sink import DROP, Desk, serving

LEASE, PATIENCE = 8, 2.5  # seconds
STALL = 4.0
SHARES = {  # of each hundred letters, what goes wrong at which step
    "mail": (("421 closing", 1), (DROP, 1)),
    "rcpt": (("450 busy", 3), ("421 closing", 1), ("550 nobody", 1), (DROP, 1)),
    "data": (("451 later", 3), ("552 too large", 1), (DROP, 2), (STALL, 1)),
}
DONE = (MessageState.SENT, MessageState.REJECTED, MessageState.UNKNOWN)


class Log(Desk):
    """A desk that misbehaves by chance, and writes a line for each letter it took before it answers."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.file, self.choose = path.open("a", buffering=1), self._chance

    def _chance(self, step: str):
        throw = random.uniform(0, 100)
        for answer, share in SHARES[step]:
            throw -= share
            if throw < 0:
                return answer
        return None

    async def handle_DATA(self, server, session, envelope):
        known = len(self.taken)
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.taken) > known:
            self.file.write(json.dumps({"id": self.mails[-1]["Message-ID"], "to": self.taken[-1][0]}) + "\n")
            self.taken.clear()
        return answer


def serve(folder: Path) -> None:
    """The mail server, in a process of its own until that is ended."""
    with serving(Log(folder / "taken.jsonl")) as port:
        (folder / "port.part").write_text(str(port))
        (folder / "port.part").replace(folder / "port")
        signal.pause()


@contextmanager
def mail_server(folder: Path):
    child = subprocess.Popen([sys.executable, "-m", "bench.letters", "--serve", str(folder)])
    try:
        while not (folder / "port").exists():
            assert child.poll() is None, "the mail server did not start"
            time.sleep(0.05)
        yield int((folder / "port").read_text())
    finally:
        child.kill()
        child.wait()


def hurried() -> None:
    """The same outbox with shorter waits, at any hour, and without the press."""
    outbox.LEASE, outbox.BACK_OFF = timedelta(seconds=LEASE), (0.005, 0.01, 0.02, 0.04)
    outbox.open_at = lambda _at: True
    delivery.PATIENCE = PATIENCE
    letter.sheet_of = lambda *_: make.PDF


def settings(place: Place, port: int) -> dict:
    return place.settings | {"MAIL": f"smtp+plain://127.0.0.1:{port}", "MAIL_FROM": "service@example.com"}


def sweep() -> None:
    carry_out_due(clock.now())
    outbox.send_due(clock.now())


def worker(place: Place, port: int) -> int:
    """A process that sweeps until it is killed; its id."""
    child = os.fork()
    if child:
        return child
    try:
        random.seed()
        app = create_app(settings(place, port))
        while True:
            with app.app_context():
                sweep()
            time.sleep(0.02)
    except BaseException as wrong:
        print(f"a worker ended by itself: {wrong!r}", file=sys.stderr)
    finally:
        os._exit(1)


def fill(place: Place, count: int) -> None:
    """Contracts whose notices are due."""
    with place.app():
        pass  # its tables
    app = create_app(place.settings)
    with app.app_context():
        make.department()
        with unit_of_work():
            unit = make.customer("一家单位", email="kuaiji@example.com").id
        end = clock.today() + timedelta(days=30)
        for begin in range(0, count, 100):
            with unit_of_work():
                of = db.session.get_one(make.Customer, unit)
                for _ in range(min(100, count - begin)):
                    contracts.take_over(of, [], starts_on=end - timedelta(days=364), ends_on=end, title="")
        with unit_of_work():  # each of them now, whatever the hour is
            now = Duty.rule == "contract.notice"
            db.session.query(Duty).filter(now).update({"show_from": clock.now(), "warn_at": clock.now()})
        db.session.remove()
        db.engine.dispose()


def taken(folder: Path) -> list[dict]:
    path = folder / "taken.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def kill_by_and_by(place: Place, port: int, folder: Path, count: int, kills: int, workers: int) -> None:
    """A kill whenever the server has taken as many letters as the next number says."""
    running = [worker(place, port) for _ in range(workers)]
    marks = sorted(random.sample(range(1, max(int(count * 0.85), kills + 1)), kills))
    while marks:
        if len(taken(folder)) < marks[0]:
            time.sleep(0.02)
            continue
        marks.pop(0)
        time.sleep(random.uniform(0, 0.1))
        victim = running.pop(random.randrange(len(running)))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        running.append(worker(place, port))
    known, quiet = -1, time.monotonic()
    while time.monotonic() - quiet < LEASE + 3:
        if (now := len(taken(folder))) != known:
            known, quiet = now, time.monotonic()
        time.sleep(0.1)
    for child in running:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def look(place: Place, port: int, folder: Path, count: int) -> dict:
    """What still waits is sent; then what became of each."""
    app = create_app(settings(place, port))
    with app.app_context():
        until = time.monotonic() + 60
        while db.session.query(Message).filter(Message.state.not_in(DONE)).count() and time.monotonic() < until:
            db.session.rollback()
            time.sleep(0.5)
            sweep()
        db.session.rollback()
        rows = db.session.query(Message).all()
        arrived = Counter(one["id"] for one in taken(folder))
        wrong = [f"{count - len(rows)} notices were never written"] * (len(rows) != count)
        wrong += [f"{id} was given {times} times" for id, times in arrived.items() if times > 1]
        wrong += list(_lost(rows, arrived))
        states = Counter(str(one.state) for one in rows)
        cut = sum(one.state == MessageState.UNKNOWN and one.answer == outbox.CUT for one in rows)
        db.session.rollback()
        found = [one for one in checks.run() if one.mark in (checks.BAD, checks.FAILED)]
        wrong += [str(one) for one in found if "step of the sweep" not in one.what]  # nobody tried them all here
        db.session.remove()
        db.engine.dispose()
    return {"states": states, "arrived": arrived.total(), "cut": cut, "wrong": wrong}


def _lost(rows: list[Message], arrived: Counter) -> Iterator[str]:
    """Of what is unknown somebody has a duty; what is sent arrived, and what is refused did not."""
    owed = db.session.query(Duty.slot).filter(Duty.rule == "message.decide", open_now())
    listed = {slot for (slot,) in owed}
    for one in rows:
        if one.state == MessageState.UNKNOWN and str(one.id) not in listed:
            yield f"{one.id} is unknown, and nobody is asked"
        if not _fits(one, arrived[one.message_id]):
            yield f"{one.id} is lost: {one.state}, and {arrived[one.message_id]} arrived"


def _fits(one: Message, arrived: int) -> bool:
    """Sent is what arrived, refused what did not; unknown may be either."""
    return one.state == "unknown" or (one.state, arrived) in (("sent", 1), ("rejected", 0))


def run(count: int, kills: int, kind: str, workers: int = 3) -> dict:
    with tempfile.TemporaryDirectory() as name, places(kind, Path(name)) as new, mail_server(Path(name)) as port:
        place, folder = new(), Path(name)
        keys.make(place.folder)
        fill(place, count)
        was = outbox.LEASE, outbox.BACK_OFF, outbox.open_at, delivery.PATIENCE, letter.sheet_of
        hurried()
        try:
            kill_by_and_by(place, port, folder, count, kills, workers)
            return look(place, port, folder, count)
        finally:
            outbox.LEASE, outbox.BACK_OFF, outbox.open_at, delivery.PATIENCE, letter.sheet_of = was


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]))
    given = dict(enumerate(sys.argv[1:]))
    count, kills, kind = int(given.get(0, 1000)), int(given.get(1, 50)), given.get(2, "sqlite")
    seen = run(count, kills, kind, int(given.get(3, 3)))
    for line in seen["wrong"]:
        print(line)
    known = ", ".join(f"{number} {state}" for state, number in sorted(seen["states"].items()))
    print(f"{kind}: {count} notices, {kills} kills: {known}; {len(seen['wrong'])} lost, sent twice or listed nowhere")
    print(f"the server took {seen['arrived']}; of the unknown {seen['cut']} were cut off by a kill, the others got no answer")
    sys.exit(bool(seen["wrong"]) or seen["cut"] > kills)


if __name__ == "__main__":
    main()
