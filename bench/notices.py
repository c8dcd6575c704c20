"""How long the program's acts and the outbox take among a hundred thousand contracts: with three hundred notices due, with
nothing due, and, a day later, with as many due to a customer whom no letter reaches; the letters are made and carried by
nobody.

.venv/bin/python -m bench.notices [CONTRACTS] [sqlite | postgresql]
"""

import resource
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, text

from bench.places import places
from crm import clock
from crm.contracts.models import Contract, ContractEvent
from crm.db import db, unit_of_work
from crm.duties import editions
from crm.duties.acts import carry_out_due
from crm.duties.message import Message
from crm.duties.models import Duty, Event, Subject
from crm.letters import letter, outbox
from tests import make

AT = clock.parse("2026-11-23T10:00")
DUE = 300
BATCH = 5000
RULES = {"contract.notice": 30, "contract.remind_15": 15, "contract.remind_7": 7, "contract.remind_1": 1}


def fill(count: int) -> None:
    """Contracts that end over five years, each with its four acts; of `DUE` the notice is due today, of as many, whom no
    letter reaches, tomorrow."""
    with unit_of_work():
        units = [make.customer(f"单位{n}", email="kuaiji@example.com" if n else "").id for n in range(2)]
    for begin in range(0, count, BATCH):
        with unit_of_work():
            _some(range(begin, min(begin + BATCH, count)), units, editions.todays_id())
    if db.engine.dialect.name == "postgresql":
        with unit_of_work():
            for name in ("subjects", "events"):
                db.session.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"))
            db.session.execute(text("ANALYZE"))


def _some(numbers: range, units: list[int], edition: int) -> None:
    first = 10**6
    of = {n: units[0] if DUE <= n < 2 * DUE else units[1] for n in numbers}
    days = {n: 30 if n < DUE else 31 if n < 2 * DUE else 40 + n % 1800 for n in numbers}
    ends = {n: clock.today() + timedelta(days=count) for n, count in days.items()}
    plain = {"kind": "contract", "state": "running", "category": "service", "edition_id": edition, "title": "年度服务",
             "opened_at": clock.now(), "priority": "normal", "version": 1}  # fmt: skip
    rows = [{"id": first + n, "number": f"C{n:08d}", "customer_id": of[n], **plain} for n in numbers]
    db.session.execute(insert(Subject.__table__), rows)
    facts = [{"id": first + n, "starts_on": ends[n] - timedelta(days=364), "ends_on": ends[n]} for n in numbers]
    db.session.execute(insert(Contract.__table__), facts)
    happened = {"kind": ContractEvent.BEGUN, "at": clock.now(), "recorded_at": clock.now(), "facts": {}, "via": "cli"}
    db.session.execute(insert(Event.__table__), [{"id": first + n, "subject_id": first + n, **happened} for n in numbers])
    duties = []
    for n in numbers:
        for rule, days in RULES.items():
            due = clock.end_of(ends[n] - timedelta(days=days))
            at = {"show_from": due - timedelta(days=1), "warn_at": due, "due_at": due, "ruled_due_at": due}
            whose = {"subject_id": first + n, "pool": "program", "opened_by_id": first + n}
            duties.append({"rule": rule, "slot": "", "edition_id": edition, "clause": "5.2.2", **whose, **at})
    db.session.execute(insert(Duty.__table__), duties)


class Nobody:
    def give(self, *_letter) -> str:
        return "250"


def took(act) -> tuple[float, int]:
    began = time.perf_counter()
    done = act(clock.now())
    return time.perf_counter() - began, done


def run(count: int, kind: str, say=print) -> dict[str, float]:
    outbox.carrier, letter.sheet_of = Nobody, lambda *_: make.PDF
    steps = {"acts": carry_out_due, "letters": outbox.send_due, "acts, nothing due": carry_out_due,
             "letters, nothing due": outbox.send_due}  # fmt: skip
    later = {"acts, nobody reached": carry_out_due, "acts, nobody reached still": carry_out_due}
    seconds: dict[str, float] = {}
    with ExitStack() as stack:
        new = stack.enter_context(places(kind, Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        stack.enter_context(stack.enter_context(new().app()).app_context())
        stack.enter_context(clock.frozen(AT))
        make.department()
        fill(count)
        for day, some in enumerate((steps, later)):
            for name, act in some.items():
                with clock.frozen(AT + timedelta(days=day)):
                    seconds[name], done = took(act)
                say(f"{kind}, {count} contracts, {name}: {seconds[name]:.2f} s, {done} done")
        say(f"{kind}: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB at most, filling included")
        assert db.session.query(Message).filter_by(state="sent").count() == min(DUE, count)
    return seconds


if __name__ == "__main__":
    given = sys.argv[1:]
    run(int(given[0]) if given else 100_000, given[1] if len(given) > 1 else "sqlite")
