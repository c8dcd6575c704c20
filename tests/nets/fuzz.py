"""Bad input in every field of every form and in every parameter, as found on the pages: `make fuzz`, N=… requests."""

import argparse
import gc
import logging
import multiprocessing
import random
import tempfile
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from crm import clock
from crm.db import db
from tests import make
from tests.models import _model
from tests.nets import seeds, values
from tests.nets.crawl import Form
from tests.nets.house import PEOPLE, House, encoded, parts
from tests.nets.state import changed, digest
from tests.postgres import Cluster, Server, available

SLOW = 2.0  # seconds
SHARE = 10_000  # requests of one process on one house: to find what there is takes as long as three thousand of them
SAID = ("requests", "5xx", "slow", "changed", "echo", "2xx", "3xx", "4xx")
LINE = 60_000  # letters of an address: no server lets a longer one in
SHAPES = ("value",) * 12 + ("missing", "twice", "many", "file for words", "words for a file", "unknown", "bare")
FIRST = ("", " ", "\x0b", "\u3000", "0", "-1", "false", "%", "x", "1" * 20)  # each in every field, one after the other
LEAVES = {"door.logout"}  # ends the log-in, as it should


class Failed(logging.Handler):
    """Keeps what the program wrote into its log of its own last failure."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            place = traceback.extract_tb(record.exc_info[2])[-1]
            self.last = f"{record.exc_info[1]!r:.500} at {place.filename.rpartition('/')[2]}:{place.lineno}"
        elif record.levelno >= logging.ERROR:
            self.last = record.getMessage()[:500]


FAILED = Failed()


class Fuzz:
    """One stream of requests against one house; `wrong` says what to look at, `counts` what there was."""

    def __init__(self, house: House, seed: int, people: Sequence[str] = PEOPLE) -> None:
        self.house, self.random, self.seeds = house, random.Random(seed), seeds.everything()
        self.counts: Counter = Counter()
        self.wrong: list[tuple] = []
        self.targets = [(who, form) for who in people for form in self._found(who)]
        self._at, self._tokens = {}, {}
        self._fresh()

    def _found(self, who: str) -> list[Form]:
        crawl = self.house.crawl(who)
        forms = [form for form in crawl.forms.values() if form.endpoint]
        for address, endpoint in crawl.pages.items():
            parts = urlsplit(address)
            fields = {pair.partition("=")[0]: pair.partition("=")[2] for pair in parts.query.split("&") if pair}
            plain = {"fields": fields | {"before": ""}, "choices": {}, "files": []}
            forms.append(Form(parts.path, parts.path, endpoint, "GET", plain))
        return forms

    def _fresh(self) -> None:
        """Everything as in the beginning."""
        self.house.put_back()
        self.taken = 0
        with self.house.app.app_context():
            self.before = digest()

    def each(self, seed: str) -> None:
        """One seed in every field there is, once."""
        met = set()
        for who, form in self.targets:
            for name in (*form.names, *form.form["files"]):
                if (form.endpoint, name) not in met:
                    met.add((form.endpoint, name))
                    self.sent(who, form, name, seed, "words for a file" if name in form.form["files"] else "value")

    def run(self, count: int) -> None:
        while self.counts["requests"] < count:
            who, form = self.random.choice(self.targets)
            self.one(who, form)

    def _seed(self, form: Form):
        """Each field goes through all seeds in turn, from a place of its own on."""
        name = self.random.choice([*form.names, *form.form["files"]] or ["x"])
        key = (form.endpoint, name)
        self._at.setdefault(key, self.random.randrange(len(self.seeds)))
        self._at[key] = (self._at[key] + 1) % len(self.seeds)
        return name, self.seeds[self._at[key]]

    def one(self, who: str, form: Form) -> None:
        self.sent(who, form, *self._seed(form), self.random.choice(SHAPES))

    def sent(self, who: str, form: Form, name: str, seed, shape: str) -> None:
        pairs, files = self._shaped(form, name, seed, shape)
        began, worked = time.monotonic(), time.process_time()
        if form.method == "GET":
            answer = self.house.ask(who, form.path, query_string=encoded(pairs).decode()[:LINE])
        else:
            body, kind = parts(pairs, files) if files else (encoded(pairs), "application/x-www-form-urlencoded")
            answer = self.house.ask(who, form.path, "POST", data=body, content_type=kind)
        took, worked = time.monotonic() - began, time.process_time() - worked
        took = took if worked > SLOW / 2 or took > 5 * SLOW else worked  # a busy machine makes anything wait
        self._judge(who, form, (name, shape, seed), answer, took)

    def _shaped(self, form: Form, name: str, seed, shape: str):
        """The form as a person fills it in, spoilt at one place."""
        typed = values.typed(form.path, form.form) if form.method == "POST" else dict(form.form["fields"])
        typed |= {"request_id": uuid.uuid4().hex} if form.method == "POST" else {}
        files = [(field, *reversed(self._file(form, field))) for field in form.form["files"]]
        if shape in ("value", "twice") and name in form.form["files"]:
            shown = (
                seed if isinstance(seed, str) and '"' not in seed and "\n" not in seed and "\r" not in seed else "a.pdf"
            )
            files = [(name, shown[:300], seed if isinstance(seed, bytes) else make.PDF)]
        elif shape == "value":
            typed[name] = seed
        elif shape in ("missing", "file for words", "words for a file"):
            typed.pop(name, None)
        elif shape == "bare":
            typed = {key: typed[key] for key in ("csrf_token", "request_id") if key in typed}
        pairs = [(key, one) for key, value in typed.items() for one in (value if isinstance(value, list) else [value])]
        pairs += {"twice": [(name, seed), (name, "x")], "many": [(name, seed)] * 40, "unknown": [(f"x_{name}", seed)],
                  "words for a file": [(name, seed)]}.get(shape, [])  # fmt: skip
        if shape == "file for words":
            files.append((name, "a.txt", seed if isinstance(seed, bytes) else b"words"))
        return pairs, files

    def _file(self, form: Form, field: str) -> tuple[bytes, str]:
        stream, shown = values.stream(form.path, field)
        return stream.read(), shown

    def _judge(self, who: str, form: Form, what: tuple, answer, took: float) -> None:
        status, seed = answer.status_code, what[2]
        self.counts["requests"] += 1
        if status < 500:
            self.counts[f"{status // 100}xx"] += 1
        name = (who or "nobody", form.method, form.path, what[0], what[1], seed[:80])
        if status >= 500:
            self._note("5xx", *name, status, FAILED.last)
        if took > SLOW:
            self._note("slow", *name, round(took, 1))
        if seeds.dangerous(seed) and answer.mimetype == "text/html" and seed in answer.text:
            self._note("echo", *name)
        if status >= 400:
            self._unchanged(name, status)
        elif form.method == "POST":
            self.taken += 1
            self._look(who, form, name, seed, answer)
        if self.taken >= 25 or status == 429:
            self._fresh()

    def _unchanged(self, name: tuple, status: int) -> None:
        with self.house.app.app_context():
            now = digest() if self.before is not None else None
            if now and (touched := changed(self.before, now)):
                self._note("changed", *name, status, touched)
            self.before = now or digest()

    def _look(self, who: str, form: Form, name: tuple, seed, answer) -> None:
        """What was saved is looked at where it is shown."""
        self.before = None
        if seeds.dangerous(seed) and answer.location and form.endpoint not in LEAVES:
            shown = self.house.ask(who, urlsplit(answer.location).path)
            self.counts["requests"] += 1
            if shown.status_code >= 500:
                self._note("5xx", *name, "then", answer.location, FAILED.last)
            if shown.mimetype == "text/html" and seed in shown.text:
                self._note("echo", *name, "then", answer.location)

    def _note(self, kind: str, *what) -> None:
        self.counts[kind] += 1
        if sum(one[0] == kind for one in self.wrong) < 40:
            self.wrong.append((kind, *what))


def _share(job: tuple[str, int, int]) -> tuple[Counter, list]:
    """One process's part on one kind of database."""
    kind, seed, count = job
    logging.getLogger().handlers = [FAILED]
    with tempfile.TemporaryDirectory() as place, clock.frozen(make.MONDAY):
        folder = Path(place)
        if kind == "sqlite":
            return _ran(House(_filled(f"sqlite:///{folder}/crm.db", folder), f"sqlite:///{folder}/crm.db"), seed, count)
        with Cluster() as cluster:
            server = Server(cluster.url, cluster)
            url = server.create("fuzzed")
            return _ran(House(_filled(url, folder), url, server), seed, count)


def _filled(url: str, folder: Path) -> Path:
    _model(url, folder)
    return folder


def _ran(house: House, seed: int, count: int) -> tuple[Counter, list]:
    fuzz = Fuzz(house, seed)
    gc.collect()
    gc.freeze()  # what was found on the pages is not the program's to look through while it answers
    if count >= SHARE:  # of ten shares each takes another
        fuzz.each(FIRST[seed % len(FIRST)])
    fuzz.run(count)
    with house.app.app_context():
        db.session.remove()
    house.close()
    return fuzz.counts, fuzz.wrong


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("-n", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    given = asked.parse_args()
    kinds = ["sqlite", "postgresql"] if available() else ["sqlite"]
    shares = [min(SHARE, given.n - at) for at in range(0, given.n, SHARE)]
    jobs = [(kinds[i % len(kinds)], given.seed + i, share) for i, share in enumerate(shares)]
    print(f"seed {given.seed}: {given.n} requests in {given.processes} processes on {', '.join(kinds)}", flush=True)
    total: Counter = Counter()
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        for counts, wrong in pool.imap_unordered(_share, jobs):
            for one in wrong:
                print(*map(repr, one))
            total += counts
            print(", ".join(f"{name} {total[name]}" for name in SAID), flush=True)
    return 1 if any(total[name] for name in ("5xx", "slow", "changed", "echo")) else 0


if __name__ == "__main__":
    raise SystemExit(main())
