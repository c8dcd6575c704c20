"""The figures of every kind: those of a plain recount, and each leads to exactly the rows it counts."""

from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import bindparam, text

from crm import clock, sweep
from crm.callbacks.models import Callback
from crm.db import Instant, db, unit_of_work
from crm.duties.models import Duty
from crm.reports import workflow
from crm.reports.kinds import SORTS
from crm.reports.layout import As
from crm.reports.models import Kind, Report
from crm.reports.periods import Period
from tests import make
from tests.reports.work import DECEMBER, NOVEMBER, november, record, rows_at

WEEK = Period.week(date(2026, 11, 25))


@pytest.fixture
def world():
    return november


@pytest.fixture
def work(app):
    with clock.frozen(DECEMBER):
        yield


def of(kind: str, person: str = "specialist") -> dict:
    sort = SORTS[kind]
    return sort.figures(WEEK if sort.weekly else NOVEMBER, make.who(person).id if sort.personal else None)


def plain(sql: str, period: Period = NOVEMBER, **more) -> dict:
    """First column → second, by SQL as it is written here."""
    asked = text(sql).bindparams(bindparam("since", type_=Instant), bindparam("until", type_=Instant))
    given = {"since": clock.moment(period.since), "until": clock.end_of(period.until), **more}
    return {row[0]: row[1] for row in db.session.execute(asked, given)}


IN_MONTH = "FROM subjects s JOIN tickets t ON t.id = s.id WHERE s.kind = 'ticket' AND s.opened_at >= :since AND s.opened_at < :until"
LATE = "EXISTS (SELECT 1 FROM duties d WHERE d.subject_id = s.id AND d.rule = 'ticket.complete' AND d.breached_by_id IS NOT NULL)"


def test_the_services_are_those_of_plain_sql(work):
    found = of(Kind.SERVICES)
    for table, column in (("categories", "s.category"), ("channels", "t.channel"), ("priorities", "s.priority")):
        assert {row["name"]: row["records"] for row in found[table]} == plain(f"SELECT {column}, count(*) {IN_MONTH} GROUP BY {column}"), table
    late = plain(f"SELECT s.category, count(*) {IN_MONTH} AND s.state = 'complete' AND {LATE} GROUP BY s.category")
    assert {row["name"]: row["late"] for row in found["categories"] if row["late"]} == late == {"bug": 1, "report_problem": 1}
    states = plain(f"SELECT s.state, count(*) {IN_MONTH} GROUP BY s.state")
    number = found["number"]
    assert (number["complete"], number["cancelled"], number["lacking"]) == (states["complete"], states["cancelled"], states["ended"])
    assert number["open"] == states["new"] + states["working"] and number["records"] == sum(states.values()) == 10
    told = plain("SELECT e.kind, count(DISTINCT e.subject_id) FROM events e JOIN subjects s ON s.id = e.subject_id WHERE s.kind = 'ticket'"
                 " AND s.opened_at >= :since AND s.opened_at < :until GROUP BY e.kind")  # fmt: skip
    for key, kind in (("reopened", "reopened"), ("reassigned", "assigned"), ("escalated", "escalated"), ("uncovered", "uncovered")):
        assert number[key] == told[f"ticket.{kind}"] == 1, key
    back = "FROM visits v JOIN subjects s ON s.id = v.id WHERE v.returned_at >= :since AND v.returned_at < :until"
    assert {"visit": number["visits"] - number["trips"], "trip": number["trips"]} == plain(f"SELECT s.category, count(*) {back} GROUP BY s.category")
    assert {row["person"]: row["visits"] for row in found["people"]} == plain(f"SELECT s.owner_id, count(*) {back} GROUP BY s.owner_id")
    assert number["away"] == 12.0 and number["hours"] == 0.0


def test_a_month_ends_at_midnight_of_the_departments_clock(work):
    months = {row["name"]: row["records"] for row in of(Kind.SERVICES)["months"]}
    assert months["2026-11"] == 10 and months["2026-10"] == 0 and len(months) == 12
    assert SORTS[Kind.SERVICES].figures(NOVEMBER.after, None)["number"]["records"] == 1


def test_a_specialists_report_is_of_their_own_work_and_customers(work):
    found, me = of(Kind.SPECIALIST), make.who("specialist")
    assert {row["name"]: row["records"] for row in found["categories"]} == plain(
        f"SELECT s.category, count(*) {IN_MONTH} AND s.owner_id = :me GROUP BY s.category", me=me.id
    )
    number = found["number"]
    assert (number["done"], number["done_in_time"], number["done_late"], number["undone"]) == (4, 2, 1, 1)
    assert (number["visits"], number["trips"], number["finals"]) == (2, 1, 200_000)
    units = {row["name"]: row for row in found["customers"]}
    assert units.keys() == {"宏远机械", "老客户"} and units["宏远机械"]["products"] == "金洋 财务通"
    assert units["宏远机械"]["called"] == "2026-11-27" and units["老客户"]["lacks"] == ["person", "product"]
    assert number["unknown"] == sum(bool(row["lacks"]) for row in found["customers"])
    (paid,) = found["finals"]
    assert (paid["fen"], paid["salesperson"]) == (200_000, "钱进")


def test_the_weeks_figures_are_of_the_seven_days_that_end_with_wednesday(work):
    found = of(Kind.FRIDAY)
    assert (WEEK.since, WEEK.until) == (date(2026, 11, 19), date(2026, 11, 25))
    missed = plain("SELECT breached_owner_id, count(*) FROM duties WHERE breached_by_id IS NOT NULL AND due_at > :since AND due_at <= :until"
                   " GROUP BY breached_owner_id", WEEK)  # fmt: skip
    assert {row["person"]: row["missed"] for row in found["people"] if row["missed"]} == missed
    assert found["number"]["missed"] == sum(missed.values()) == len(found["missed"]) >= 3
    assert (found["number"]["records"], found["number"]["bad"], found["number"]["complaints"]) == (7, 0, 0)
    after = SORTS[Kind.FRIDAY].figures(WEEK.after, None)
    assert (after["number"]["bad"], after["number"]["doubts"], after["number"]["complaints"]) == (1, 1, 1)
    assert [row["doubt"] for row in after["doubts"]] == ["还是慢"]


def test_what_a_customer_did_not_pay_in_time_is_missed_by_nobody(work):
    with unit_of_work():
        contract = make.contract(upto="returned")
    later = DECEMBER + timedelta(days=9)
    with clock.frozen(later):
        sweep.tick(later)
        late = db.session.query(Duty).filter(Duty.subject_id == contract.id, Duty.breached_by_id.is_not(None))
        assert {"contract.pay", "contract.chase"} <= {duty.rule for duty in late}
        found = SORTS[Kind.FRIDAY].figures(Period.week(contract.payment_due_on), None)
        assert "contract.chase" in (rules := [row["rule"] for row in found["missed"]]) and "contract.pay" not in rules
        assert rows_at(found["at"]["missed"], "manager") == found["number"]["missed"] == len(rules)


def test_the_satisfaction_says_what_became_of_opinions_too(work):
    number = of(Kind.SATISFACTION)["number"]
    assert (number["callbacks"], number["attitude"], number["bad_callbacks"], number["changes"], number["change"]) == (2, 3.5, 1, 1, 5.0)
    assert (number["complaint"], number["founded"], number["dismissed"], number["suggestion"], number["going"]) == (1, 1, 0, 1, 2)


def leads(found: dict, layout) -> Counter:
    """Follows each number to its rows: how many were followed, by the list."""
    followed: Counter = Counter()

    def follow(column, value, address: str, where: str) -> None:
        rows = rows_at(address)
        if column.kind == As.COUNT and rows is not None:
            assert rows == value, (where, column.key, address)
            followed[address.partition("?")[0]] += 1

    for column in layout.numbers:
        if address := found.get("at", {}).get(column.key):
            follow(column, found["number"][column.key], address, "number")
    for table in layout.tables:
        for row in table.rows(found):
            for column in table.columns:
                if address := row.get("at", {}).get(column.key):
                    follow(column, row[column.key], address, f"{table.key} {row.get('name')}")
    return followed


LEAST = {  # numbers of each kind that must be there to be followed, by the list
    Kind.SERVICES: {"/tickets": 80, "/visits": 10}, Kind.SPECIALIST: {"/tickets": 40, "/customers": 2},
    Kind.FRIDAY: {"/tickets": 10, "/duties": 3, "/callbacks/all": 5, "/opinions": 2}, Kind.CALLBACKS: {"/callbacks/all": 7, "/duties": 1},
    Kind.SATISFACTION: {"/callbacks/all": 8, "/changes": 5, "/opinions": 6}, Kind.COMPANY: {"/tickets": 30},
    Kind.PENALTIES: {},  # tests/reports/test_fined.py
}  # fmt: skip


def test_each_number_leads_to_exactly_the_rows_it_counts(work, subtests):
    for kind in Kind:
        with subtests.test(kind.value):
            followed = leads(of(kind), SORTS[kind].layout)
            assert all(followed[path] >= count for path, count in LEAST[kind].items()), followed


def test_no_number_leads_nowhere(work, subtests):
    """But a sum of two lists, and what a table lists row by row."""
    for kind, sort in SORTS.items():
        with subtests.test(kind.value):
            found = of(kind)
            lines = [(sort.layout.numbers, found["number"], found["at"])]
            lines += [(table.columns, row, row.get("at", {})) for table in sort.layout.tables if not table.lists for row in table.rows(found)]
            shown = [(row.get("name"), one.key) for some, row, at in lines for one in some if one.right and row.get(one.key) and not at.get(one.key)]
            assert [one for one in shown if one[1] != "bad"] == []


def test_what_nobody_served_or_owed_has_its_rows_too(work):
    with unit_of_work():
        db.session.query(Callback).filter(Callback.reached_at.is_not(None)).order_by(Callback.id).first().concerned_id = None
        of_week = clock.moment(WEEK.since) < Duty.due_at, Duty.due_at <= clock.end_of(WEEK.until)
        db.session.query(Duty).filter(Duty.breached_by_id.is_not(None), *of_week).first().breached_owner_id = None
    nobody = {kind: [row for row in of(kind)[table] if not row["name"]] for kind, table in ((Kind.CALLBACKS, "specialists"), (Kind.FRIDAY, "people"))}
    (served,), (missed,) = nobody.values()
    assert rows_at(served["at"]["count"], "followup") == served["count"] == 1
    assert rows_at(missed["at"]["missed"], "manager") == missed["missed"] == 1


def test_what_every_number_shows_is_said_by_the_layout(work):
    for kind, sort in SORTS.items():
        found = of(kind)
        assert {column.key for column in sort.layout.numbers} <= found["number"].keys() | {"count", "expected", "signed", "paid"}, kind
        assert {table.key for table in sort.layout.tables} <= found.keys(), kind


def test_the_companys_report_takes_what_was_submitted_and_not_what_came_later(work):
    with unit_of_work():
        row = db.session.query(Report).filter_by(category=Kind.SERVICES).one()  # the sweep has prepared it
        workflow.submit(row, by=make.who("manager"), remark="平稳")
    record("2026-11-27T10:00")
    assert of(Kind.SERVICES)["number"]["records"] == 11 and of(Kind.COMPANY)["number"]["records"] == 10
    (part,) = [one for one in of(Kind.COMPANY)["reports"] if one["kind"] == Kind.SERVICES]
    assert (part["number"], part["state"], part["remark"]) == ("M2611-0002", "submitted", "平稳")


@pytest.mark.parametrize(("day", "since", "until"), [
    ("2026-11-25", "2026-11-19", "2026-11-25"), ("2026-11-26", "2026-11-26", "2026-12-02"), ("2027-01-01", "2026-12-31", "2027-01-06"),
])  # fmt: skip
def test_a_week_ends_with_wednesday_and_weeks_follow_each_other(day, since, until):
    week = Period.week(date.fromisoformat(day))
    assert (str(week.since), str(week.until)) == (since, until)
    assert week.after.before == week and week.after.since == week.until + (week.until - date.fromordinal(week.until.toordinal() - 1))
    month = Period.month(date.fromisoformat(day))
    assert month.after.before == month and month.since.day == 1 and not month.is_week


def test_february_is_a_month_and_no_week_though_it_has_28_days():
    february = Period.month(date(2027, 2, 10))
    assert (february.until.day, february.is_week, february.after.title) == (28, False, "2027-03")
