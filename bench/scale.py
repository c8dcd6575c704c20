"""How the served program bears ten thousand, a hundred thousand and a million records: `python -m bench.scale KIND …`.

For each size `crm serve` with its two workers on a filled database, and beside them the bare page on the largest. One
request at a time goes round all of them, so that each measure's numbers are of the same minutes; then eight people at once
(four who create), in turn. Only ratios mean anything: to the same page at the smallest size, and to the bare page.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import select, text

from bench import story
from bench.client import Asked, Client, creating, load, over, timed
from bench.filling import PASSWORD, fill
from bench.places import CRM, Place, megabytes
from bench.stores import HOME, stores
from bench.ticking import ticks
from crm.customers.models import Contact, Customer
from crm.db import db
from crm.duties.models import Subject

SIZES = {"postgresql": [10_000, 100_000, 1_000_000], "sqlite": [10_000, 100_000]}
PORT = 8800
ROUNDS, SINGLE, SECONDS = (float(os.environ.get(name, usual)) for name, usual in
                           (("ROUNDS", 3), ("SINGLE", 30), ("SECONDS_EACH", 1)))  # fmt: skip
BARE = "bare page"
WORDS = {"30 %": story.COMMON, "1 %": story.PERCENT, "0.1 %": story.TENTH, "50 hits": story.FIFTY, "none": "龘龘"}
CREATE = "create"


@dataclass
class Served:
    """One size being served: its process, who is logged in, and what is asked of it."""

    size: int
    port: int
    process: subprocess.Popen
    facts: dict = field(default_factory=dict)
    people: dict[str, Client] = field(default_factory=dict)
    work: dict[str, tuple[str, Iterator[Asked]]] = field(default_factory=dict)  # measure → who asks, what

    def enter(self) -> None:
        """Log everybody in (anew): a log-in without a click ends after half an hour."""
        for login in ("s3", "manager", "specialist"):
            self.people[login] = Client(self.port)
            self.people[login].log_in(login, PASSWORD)
        create = creating(self.people["specialist"].token(), *self.facts["caller"])
        self.work = {name: (who, over(paths)) for name, (who, paths) in _pages(self.facts).items()}
        self.work[CREATE] = ("specialist", create)

    def coming(self, who: str) -> Callable[[], Client]:
        """Makes one of many who come logged in as `who`."""
        return lambda: Client(self.port, self.people[who].cookie, stays=False)


def facts_of(place: Place) -> dict:
    """Records evenly spread, a large customer with its contact, and one specialist."""
    with place.app() as app, app.app_context():
        rows = db.session.execute(select(Subject.id, Subject.number).where(Subject.kind == "ticket")).all()
        caller = db.session.execute(select(Customer.number, Contact.id).join(Contact.customer).limit(1)).one()
        owner = db.session.scalar(text("SELECT id FROM users WHERE login = 's3'"))
    numbers = [row.number for row in rows]
    return {"records": random.Random(1).sample(numbers, 300), "caller": tuple(caller), "owner": owner}


def _pages(facts: dict) -> dict[str, tuple[str, list[str]]]:
    """Measure → who asks, and the paths gone through in turn."""
    pages = {
        "list": ("s3", ["/tickets"]),
        "list, manager": ("manager", ["/tickets"]),
        "list: state": ("s3", ["/tickets?state=ended"]),
        "list: mine, open": ("s3", ["/tickets?owner=me&state=open"]),
        "list: complete, one owner": ("s3", [f"/tickets?owner={facts['owner']}&state=complete"]),
        "list: overdue": ("s3", ["/tickets?overdue=1"]),
        "list: customer": ("s3", [f"/tickets?customer={facts['caller'][0]}"]),
        "record": ("s3", [f"/tickets/{number}" for number in facts["records"]]),
        "Today": ("s3", ["/"]),
        "Today, manager": ("manager", ["/"]),
    }
    pages |= {f"list: words, {share}": ("s3", [f"/tickets?q={quote(word)}"]) for share, word in WORDS.items()}
    pages |= {f"search, {share}": ("s3", [f"/search?q={quote(word)}"]) for share, word in WORDS.items()}
    return pages


def answers(port: int) -> None:
    for _ in range(300):
        try:
            Client(port).ask("/")
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server does not start")


@contextmanager
def served(place: Place, size: int, port: int, bare: bool = False) -> Iterator[Served]:
    command = [CRM, "serve", "--port", str(port), "--workers", "2"]
    command = [sys.executable, "-m", "bench.bare", place.url, str(port)] if bare else command
    facts = {} if bare else facts_of(place)
    process = subprocess.Popen(command, env=place.environment, stderr=subprocess.DEVNULL)
    try:
        answers(port)
        one = Served(size, port, process, facts)
        if bare:
            one.people["s3"] = Client(port)
        yield one
    finally:
        process.terminate()
        process.wait()


def memory(one: Served) -> list[tuple[int, int]]:
    """MB of each worker: now, and at the most so far."""
    children = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children").read_text().split()
    return [megabytes(child) for child in children]


def measure(all_: list[Served], name: str, found: dict) -> None:
    """One measure on every size, and the bare page, in turn."""
    jobs = [(one, *(one.work.get(name) or ("s3", over(["/"])))) for one in all_]
    single: dict[int, list[float]] = {one.size: [] for one in all_}
    for turn in range(int(SINGLE) + 4):
        for one, who, work in jobs:
            took = timed(one.people[who], next(work))
            if turn >= 4:
                single[one.size].append(took)
    for one, who, work in jobs:
        rate, middle = load(one.coming(who), work, 4 if name == CREATE else 8, SECONDS)
        cell = found.setdefault(name, {}).setdefault(str(one.size), {"single": [], "rate": [], "p50": []})
        cell["single"].append(statistics.median(single[one.size]) * 1000)
        cell["rate"].append(rate)
        cell["p50"].append(middle * 1000)


def run(kind: str, sizes: list[int]) -> dict:
    with stores(kind, sizes, fill) as places, ExitStack() as stack:
        ticking = {size: ticks(place) for size, place in places.items()}
        all_ = [stack.enter_context(served(place, size, PORT + i)) for i, (size, place) in enumerate(places.items())]
        last = places[max(sizes)]
        bare = stack.enter_context(served(last, 0, PORT + len(sizes), bare=True))
        found: dict = {}
        only = os.environ.get("ONLY", "")
        for round_ in range(int(ROUNDS)):
            for one in all_:
                one.enter()
            for one in [bare, *all_]:  # every worker's first answers are slow, and nobody's measure
                load(one.coming("s3"), over(["/tickets" if one.size else "/"]), 8, 1)
            for name in [*all_[0].work]:
                if only in name:
                    measure([bare, *all_] if round_ % 2 else [*reversed(all_), bare], name, found)
            print(f"{kind}: round {round_ + 1} of {ROUNDS:.0f}", file=sys.stderr)
        workers = {str(one.size): memory(one) for one in [bare, *all_]}
        return {"kind": kind, "sizes": sizes, "found": found, "memory": workers, "tick": ticking, "rounds": int(ROUNDS),
                "day": time.strftime("%Y-%m-%d")}  # fmt: skip


def main() -> None:
    kinds = sys.argv[1].split(",") if len(sys.argv) > 1 else list(SIZES)
    for kind in kinds:
        sizes = [int(size) for size in sys.argv[2].split(",")] if len(sys.argv) > 2 else SIZES[kind]
        result = run(kind, sizes)
        HOME.mkdir(parents=True, exist_ok=True)
        (HOME / f"{kind}.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
