"""How long a month of ten thousand records takes to be reported on, among many more: each kind of report as a page, the services
as workbook and paper, and the watch over records; beside the bare page of fifty rows on the same database. Only ratios compare
machines; the goal is two seconds.

.venv/bin/python -m bench.reports [RECORDS OF THE MONTH] [RECORDS BESIDES] [sqlite | postgresql]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from sqlalchemy import bindparam, select, text

from bench import bare
from bench.filling import PASSWORD, fill
from bench.places import places
from crm import clock
from crm.db import db, unit_of_work
from crm.duties.models import Subject
from crm.reports.models import Kind
from crm.reports.periods import Period
from crm.tickets.models import Ticket
from tests.browsing import Browser

ROUNDS = 5
GOAL = 2.0  # seconds


def month_of(count: int, period: Period) -> None:
    """So many of the records fall into the month, spread over it."""
    ids = list(db.session.scalars(select(Subject.id).where(Subject.kind == "ticket").order_by(Subject.id.desc()).limit(count)))
    begun, step = clock.moment(period.since), (clock.end_of(period.until) - clock.moment(period.since)) / (count + 1)
    times = {id: begun + step * n for n, id in enumerate(reversed(ids))}
    rows = [{"of": id, "at": at, "ended": at + timedelta(minutes=30)} for id, at in times.items()]
    subjects, own = Subject.__table__, Ticket.__table__
    opens = subjects.update().where(subjects.c.id == bindparam("of")).values(opened_at=bindparam("at"))
    ends = own.update().where(own.c.id == bindparam("of"), own.c.ended_at.is_not(None))
    with unit_of_work():
        db.session.connection().execute(opens, rows)
        db.session.connection().execute(ends.values(started_at=bindparam("at"), ended_at=bindparam("ended")), rows)
    with unit_of_work():
        db.session.execute(text("ANALYZE"))


def median(ask: Callable[[], object]) -> float:
    """Seconds of one, the first left out."""
    took = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return statistics.median(took[1:])


def addresses(period: Period, person: int) -> dict[str, str]:
    pages = {kind.label: f"/reports/running?kind={kind}&day={period.until}&person={person}" for kind in Kind}
    services = f"kind=services&day={period.until}"
    return pages | {
        "services, .xlsx": f"/reports/running/file.xlsx?{services}", "services, PDF": f"/reports/running/file.pdf?{services}",
        "watch": f"/reports/watch?since={period.since}&until={period.until}", "dashboard": "/dashboard",
    }  # fmt: skip


def run(count: int, besides: int, kind: str, say=print) -> dict[str, float]:
    """Seconds of each page."""
    period, seconds = Period.month(clock.today()).before, {}
    with ExitStack() as stack:
        place = stack.enter_context(places(kind, Path(stack.enter_context(tempfile.TemporaryDirectory()))))()
        fill(place, count + besides)
        app = stack.enter_context(place.app())
        with app.app_context():
            month_of(count, period)
            person = db.session.scalar(text("SELECT id FROM users WHERE login = 's3'"))
            db.session.remove()
        page = Browser(app)
        page.log_in("manager", PASSWORD)
        plain = bare.make(place.url).test_client()
        base = median(lambda: plain.get("/"))
        for name, address in addresses(period, person).items():
            assert page.get(address).status_code == 200, address
            seconds[name] = median(lambda address=address: page.get(address))
            late = "" if seconds[name] < GOAL else " TOO SLOW"
            cost = f"{seconds[name]:.2f} s, {seconds[name] / base:,.0f} bare pages{late}"
            say(f"{kind}, {count:,} records in the month of {count + besides:,}: {name}: {cost}")
    return seconds


if __name__ == "__main__":
    given = sys.argv[1:]
    sizes = [int(one) for one in given if one.isdigit()]
    month, rest = [*sizes, *(10_000, 100_000)[len(sizes) :]]
    run(month, rest, next((one for one in given if not one.isdigit()), "sqlite"))
