"""The watch over records (4.followup.3): gaps and ratings of each specialist, each number with its rows."""

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.reports import watch
from crm.staff import queries as staff
from crm.tickets import workflow as tickets
from tests import make
from tests.reports.work import DECEMBER, november, record, rows_at, visit


def with_a_visit() -> None:
    november()
    visit("2026-11-26T08:00", by="specialist2")


@pytest.fixture
def world():
    return with_a_visit


@pytest.fixture
def work(app):
    with clock.frozen(DECEMBER):
        yield


def looked_at(login: str = "followup", **asked: str) -> dict[str, watch.Watched]:
    span = watch.Span.of({"since": "2026-11-01", "until": "2026-11-30", **asked})
    return {one.name: one for one in watch.watched(span, staff.choices(("specialist",)), make.who(login))}


def test_the_gaps_of_each_are_counted(work):
    found = looked_at()
    me, other = (dict(found[name].counts) for name in ("张伟", "李娜"))
    assert (me["ended"], me["in_time"], me["late"], me["lacking"]) == (4, 2, 1, 1)
    assert (other["ended"], other["late"]) == (1, 1) and other.get("lacking", 0) == 0
    assert (other["visit.write_up"], other["visit.hand_in"]) == (2, 1) and other["missed"] >= 3
    assert (me["attitude"], me["rated"], me["bad"]) == (5.0, 1, 0) and (other["attitude"], other["result"], other["bad"]) == (2.0, 1.0, 1)


def test_each_number_leads_to_exactly_its_rows_for_whoever_reads_it(work, subtests):
    for login in ("followup", "manager", "director"):
        with subtests.test(login):
            leads(login)


def leads(login: str) -> None:
    followed = 0
    for one in looked_at(login).values():
        for key, address in one.at.items():
            assert rows_at(address, login) == one.counts.get(key, 0), (one.name, key, address)
            followed += bool(one.counts.get(key))
    assert followed >= 12


def test_what_somebody_may_not_see_is_not_counted_for_them(work):
    with unit_of_work():
        mine = make.ticket(db.session.query(make.Customer).first(), category="admin_password")
        make.filled(mine)
        tickets.start(mine, by=make.who("specialist"))
        tickets.end(mine, by=make.who("specialist"))
    seen = {login: looked_at(login)["张伟"].counts["lacking"] for login in ("followup", "manager")}
    assert seen == {"followup": 1, "manager": 2}
    assert mine.number not in [one.number for one in watch.lacking(make.who("followup"))]


def test_each_record_that_lacks_something_says_what(work, browser):
    with unit_of_work():
        row = make.ticket(db.session.query(make.Customer).first(), category="bug", title="=打印错位")
        tickets.start(row, by=make.who("specialist"))
        tickets.end(row, by=make.who("specialist"))
    (one,) = [one for one in watch.lacking(make.who("followup")) if one.number == row.number]
    assert [field.key for field in one.fields] == ["steps", "error_message", "change"] == [gap.field.key for gap in tickets.gaps(row)]
    page = browser("followup").get("/reports/watch?since=2026-11-01&until=2026-12-01").text
    assert row.path in page and "Steps to reproduce" in page and "=打印错位" in page and "张伟" in page


@pytest.mark.parametrize(("role", "status"), [("followup", 200), ("manager", 200), ("director", 200), ("specialist", 403), ("developer", 403), ("admin", 403)])
def test_who_watches(app, browser, role, status):
    assert browser(role).get("/reports/watch").status_code == status


@pytest.mark.parametrize(("asked", "since", "until"), [
    ({}, "2026-11-01", "2026-11-23"), ({"since": "2026-11-10"}, "2026-11-10", "2026-11-23"), ({"since": "1999-01-01", "until": "2026-10-31"}, "2025-10-30", "2026-10-31"),
    ({"since": "2026-12-01", "until": "2026-11-02"}, "2026-11-02", "2026-11-02"), ({"since": "x", "until": "2026-13-01"}, "2026-11-01", "2026-11-23"),
])  # fmt: skip
def test_the_span_is_this_month_unless_an_address_says_otherwise(app, asked, since, until):
    span = watch.Span.of(asked)
    assert (str(span.since), str(span.until)) == (since, until)


def test_more_records_take_no_more_statements(work, browser, statements):
    page = browser("manager")

    def counted() -> int:
        page.get("/reports/watch?since=2026-11-01")
        statements.clear()
        assert page.get("/reports/watch?since=2026-11-01").status_code == 200
        return len(statements)

    few = counted()
    for i in range(6):
        record(f"2026-11-30T1{i}:00", upto="ended", category="bug")
    assert counted() == few <= 25


def test_follow_up_sees_what_anybody_missed_and_a_specialist_their_own(work, browser):
    other = make.who("specialist2")
    assert "李娜" in browser("followup").get(f"/duties?person={other.id}").text.split("<main")[1]
    assert "李娜" not in browser("specialist").get(f"/duties?person={other.id}").text.split("<main")[1]
    assert rows_at("/duties?person=me", "followup") < rows_at("/duties", "followup")
