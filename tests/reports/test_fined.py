"""The month's penalties and fund as a report: equal to a recount, every number with its rows (7.7, 7.8)."""

from datetime import date

import pytest
from sqlalchemy import text

from crm import clock
from crm.db import db, unit_of_work
from crm.fund import workflow as fund
from crm.fund.models import FundEntry, Month
from crm.reports import fined
from crm.reports.periods import Period
from crm.sweep import tick
from tests import make
from tests.penalties.making import committed, penalty, returned_visit
from tests.reports.work import rows_at

NOVEMBER = Period.month(date(2026, 11, 1))


@pytest.fixture
def month(app):
    """Of each state some; closed, and something spent."""
    for upto in ("proposed", "appealed", "signed", "signed", "reduced", "waived", "struck"):
        committed(penalty, upto)
    committed(returned_visit)
    with clock.frozen(clock.parse("2026-12-02T10:00")):
        tick()
        with unit_of_work():
            fund.close(db.session.query(Month).filter_by(title="2026-11").one(), by=make.who("director"))
            fund.spend(by=make.who("director"), fen=1234, on=date(2026, 12, 2), purpose="水果")
        yield fined.figures(NOVEMBER)


def counted(where: str) -> int:
    asked = "SELECT count(*) FROM penalties p JOIN subjects s ON s.id = p.id WHERE p.happened_at < '2026-12-01' AND "
    return db.session.execute(text(asked + where)).scalar() or 0


def test_it_equals_a_recount_in_plain_sql(month):
    number = month["number"]
    assert number["proposed"] == counted("1 = 1") == 8
    assert number["pending"] == counted("s.state IN ('proposed', 'issued', 'refused', 'appealed')") == 3
    assert number["standing"] == counted("s.state IN ('signed', 'witnessed', 'upheld', 'reduced')") == 3
    assert (number["waived"], number["struck"]) == (counted("s.state = 'waived'"), counted("s.state = 'struck'")) == (1, 1)
    deducted = db.session.execute(text("SELECT sum(fen) FROM penalty_lines")).scalar()
    assert number["deducted"] == deducted == 5000
    assert (number["owed"], number["missed"]) == (1, 1), "of duties with a fine: the visit that was not written up"


def test_the_fund_is_that_of_the_days_in_it(month):
    assert (month["number"]["into"], month["number"]["balance"]) == (0, 0), "November's fines came in in December"
    december = fined.figures(Period.month(date(2026, 12, 1)))
    assert {key: december["number"][key] for key in ("into", "out", "balance")} == {"into": 5000, "out": 1234, "balance": 3766}
    assert [row["purpose"] for row in december["fund"]] == ["2026-11", "水果"]


def test_what_was_taken_back_was_not_spent(month):
    with unit_of_work():
        fund.reverse(db.session.query(FundEntry).filter_by(kind="spent").one(), by=make.who("director"), reason="退了")
    december = fined.figures(Period.month(date(2026, 12, 1)))
    assert {key: december["number"][key] for key in ("into", "out", "balance")} == {"into": 5000, "out": 0, "balance": 5000}


def test_every_number_leads_to_the_rows_it_counts(month, browser):
    page = browser("director")
    for row in [{**month["number"], "at": month["at"]}, *month["clauses"]]:
        for key in ("proposed", "pending", "standing", "waived", "struck"):
            assert page.get(row["at"][key]).text.count('href="/penalties/F') // 2 == row[key], (row, key)
        for key in ("owed", "kept", "late", "missed"):
            assert rows_at(row["at"][key], "director") == row[key], (row, key)
    assert month["number"]["missed"] == 1 and page.get(month["at"]["deducted"]).status_code == 200


def test_it_is_owed_submitted_by_a_manager_and_received_by_the_director(month, browser):
    with clock.frozen(clock.parse("2026-12-03T10:00")):
        tick()
        number = db.session.execute(text("SELECT number FROM subjects WHERE kind = 'report' AND category = 'penalties'")).scalar()
        assert browser("followup").get(f"/reports/{number}").status_code == 404
        assert browser("manager").send(f"/reports/{number}/submission", remark="一张撤销").status_code == 303
        assert browser("director").send(f"/reports/{number}/receipt").status_code == 303
        for kind in ("file.xlsx", "file.pdf"):
            assert browser("director").get(f"/reports/{number}/{kind}").status_code == 200
