"""On real data: another service desk's incidents by month, priority, reopened and reassigned, against counts made by other means."""

import csv
import gzip
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from crm.db import db
from crm.reports.kinds import SORTS
from crm.reports.models import Kind
from crm.reports.periods import Period
from crm.tickets import history
from crm.tickets.log import PRIORITIES
from tests.reports.work import rows_at
from tests.shares import LARGE, leave_out

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "incidents" / "incidents_2016-02-29_to_03-31.csv.gz"
pytestmark = [pytest.mark.takes_long, pytest.mark.timeout(400)]


@pytest.fixture(params=LARGE)
def database(request) -> str:
    return request.param


def recount(path: Path) -> dict[tuple[int, int], dict]:
    """By the csv module alone: month → what the last row of each incident opened in it says."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        last = {row["number"]: row for row in csv.DictReader(file)}
    months: dict[tuple[int, int], list[dict]] = {}
    for row in last.values():
        at = datetime.strptime(row["opened_at"], "%d/%m/%Y %H:%M")
        months.setdefault((at.year, at.month), []).append(row)
    return {month: {
        "records": len(rows), "priorities": Counter(str(PRIORITIES[row["priority"]]) for row in rows),
        "categories": Counter(row["category"] for row in rows),
        "reopened": sum(row["reopen_count"] != "0" for row in rows), "reopenings": sum(int(row["reopen_count"]) for row in rows),
        "reassigned": sum(row["reassignment_count"] != "0" for row in rows), "reassignments": sum(int(row["reassignment_count"]) for row in rows),
    } for month, rows in months.items()}  # fmt: skip


PLAIN = """SELECT s.priority, count(*), sum(CASE WHEN EXISTS (SELECT 1 FROM events e WHERE e.subject_id = s.id AND e.kind = 'ticket.reopened')
THEN 1 ELSE 0 END) FROM subjects s WHERE s.kind = 'ticket' AND s.number LIKE :month GROUP BY s.priority"""


def test_the_services_of_each_month_are_those_of_a_plain_recount_of_the_file(app):
    if not REAL.exists():
        leave_out("incidents", "the real log is not beside this checkout")
    history.run(REAL, say=str)
    wanted = recount(REAL)
    assert sum(one["records"] for one in wanted.values()) == 9202 and len(wanted) == 2
    for (year, month), one in wanted.items():
        period = Period.month(datetime(year, month, 1).date())
        found = SORTS[Kind.SERVICES].figures(period, None)
        assert {key: found["number"][key] for key in ("records", "reopened", "reopenings", "reassigned", "reassignments")} == {
            key: one[key] for key in ("records", "reopened", "reopenings", "reassigned", "reassignments")
        }
        for table in ("priorities", "categories"):
            assert {row["name"]: row["records"] for row in found[table]} == dict(one[table]), table
        plain = db.session.execute(text(PLAIN), {"month": f"T{year % 100:02}{month:02}-%"}).all()
        assert {row[0]: row[1] for row in plain} == dict(one["priorities"]) and sum(row[2] for row in plain) == one["reopened"]
        assert found["number"]["complete"] == one["records"] and found["number"]["in_time"] == 0, "nobody is judged by another's log"
    lines = [*found["priorities"], *found["categories"][:5], *found["channels"]]
    for line in lines:  # as far as a list counts
        assert rows_at(line["at"]["records"]) == min(line["records"], 1001), line["name"]
    for key in ("reopened", "reassigned"):
        assert rows_at(found["at"][key]) == min(found["number"][key], 1001)
