"""A month's statement is closed once and in order; the fund's ledger is only added to (7.7, 7.8)."""

from datetime import date, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from crm import clock
from crm.db import db, unit_of_work
from crm.duties import queries as duties
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.fund import statement, workflow
from crm.fund.models import FundEntry, Month
from crm.opinions import workflow as opinions
from crm.penalties import workflow as penalties
from crm.penalties.models import Penalty
from crm.sweep import tick
from tests import make
from tests.penalties.making import committed, do, penalty
from tests.penalties.recount import adds_up, recount

pytestmark = pytest.mark.usefixtures("sound")
DECEMBER = clock.parse("2026-12-02T10:00")


def month_of(which: str = "2026-11") -> Month:
    db.session.rollback()
    return db.session.query(Month).filter_by(title=which).one()


def closed(which: str = "2026-11", at=DECEMBER) -> Month:
    with clock.frozen(at):
        tick()
        month = month_of(which)
        with unit_of_work():
            workflow.close(month, by=make.who("director"))
    return month


def test_the_sweep_opens_each_month_once_and_its_closing_is_owed(app):
    tick()
    tick()
    month = month_of()
    assert (month.number, month.state) == ("N2611-0001", "open")
    [close] = [duty for duty in duties.of_subject(month) if duty.rule == "month.close"]
    assert (close.pool, clock.local(close.due_at)) == ("director", clock.local(clock.parse("2026-12-07T18:00")))


def test_only_what_is_signed_or_witnessed_and_not_struck_or_pending_stands_there(app):
    for upto in ("proposed", "issued", "refused", "appealed", "struck", "waived"):
        committed(penalty, upto)
    assert closed().body["people"] == []
    kept = [committed(penalty, upto) for upto in ("signed", "witnessed", "upheld", "reduced")]
    with clock.frozen(clock.parse("2027-01-04T10:00")):
        tick()
        says = statement.told(month_of("2026-12"))
        assert {line["number"]: line["fen"] for line in says["people"][0]["lines"]} == {
            row.number: 1000 if row.state == "reduced" else 2000 for row in kept}  # fmt: skip


def test_a_warning_stands_there_without_an_amount(app):
    committed(penalty, "signed", key="3.9.absent.warning")
    [who] = closed().body["people"]
    assert (who["fen"], [line["sanction"] for line in who["lines"]]) == (0, ["warning"])


def test_a_month_is_closed_once_when_it_is_over_and_after_those_before_it(app):
    tick()
    month, director = month_of(), make.who("director")
    with pytest.raises(Refused), unit_of_work():
        workflow.close(month, by=director)
    with clock.frozen(clock.parse("2027-01-04T10:00")):
        tick()
        with pytest.raises(Refused), unit_of_work():
            workflow.close(month_of("2026-12"), by=director)
        for which in ("2026-11", "2026-12"):
            with unit_of_work():
                workflow.close(month_of(which), by=director)
        with pytest.raises(WrongState), unit_of_work():
            workflow.close(month_of("2026-11"), by=director)


@pytest.mark.parametrize("who", ["manager", "specialist", "followup", "archivist", "admin"])
def test_only_the_director_closes_and_spends(app, who):
    with clock.frozen(DECEMBER):
        tick()
        with pytest.raises(Forbidden), unit_of_work():
            workflow.close(month_of(), by=make.who(who))
        with pytest.raises(Forbidden), unit_of_work():
            workflow.spend(by=make.who(who), fen=1, on=clock.today(), purpose="x")


def test_what_is_decided_after_the_close_goes_into_the_next_month(app):
    row = committed(penalty, "issued")
    assert closed().body["people"] == []
    with clock.frozen(DECEMBER + timedelta(hours=1)), unit_of_work():
        do("sign", row)
    assert closed("2026-12", clock.parse("2027-01-04T10:00")).body["fen"] == 2000


def test_what_is_struck_after_it_was_deducted_is_given_back_with_the_next(app):
    row = committed(penalty, "signed")
    with clock.frozen(clock.parse("2026-11-26T10:00")), unit_of_work():
        do("appeal", row)
    assert closed().body["people"] == [], "what is pending is not deducted"
    other = committed(penalty, "signed")
    assert closed("2026-12", clock.parse("2027-01-04T10:00")).body["fen"] == 2000
    with clock.frozen(clock.parse("2027-01-05T10:00")), unit_of_work():
        db.session.execute(text("UPDATE subjects SET state = 'struck' WHERE id = :id"), {"id": other.id})
    given = closed("2027-01", clock.parse("2027-02-03T10:00")).body
    assert (given["fen"], given["fund"], given["people"][0]["lines"][0]["adjusts"]) == (-2000, -2000, True)
    assert workflow.balance() == 0 and adds_up(recount())


def test_a_closed_month_stays_as_it_was(app):
    row = committed(penalty, "signed")
    month = closed()
    before = month.body
    with clock.frozen(DECEMBER), unit_of_work():
        db.session.execute(text("UPDATE subjects SET title = '改名' WHERE id = :id"), {"id": row.concerned_id})
    assert statement.told(month_of()) == before


def test_fines_go_into_the_fund_and_compensation_does_not(app):
    committed(penalty, "signed")
    committed(penalty, "signed", key="3.5.loss", fen=12345)
    body = closed().body
    assert (body["fen"], body["fund"], workflow.balance()) == (14345, 2000, 2000)


def test_the_fund_is_spent_for_something_and_never_more_than_there_is(app):
    committed(penalty, "signed")
    closed()
    director = make.who("director")
    with clock.frozen(DECEMBER):
        spent = {"by": director, "on": date(2026, 12, 2)}
        for said, field in (({"fen": 2001, "purpose": "聚餐"}, "fen"), ({"fen": 100, "purpose": " "}, "purpose"),
                            ({"fen": 100, "purpose": "水果", "on": date(2026, 12, 3)}, "on")):  # fmt: skip
            with pytest.raises(Invalid) as why, unit_of_work():
                workflow.spend(**{**spent, **said})
            assert why.value.fields.keys() == {field}
        with unit_of_work():
            entry = workflow.spend(**spent, fen=1299, purpose="水果")
        assert workflow.balance() == 701
        with unit_of_work():
            workflow.reverse(entry, by=director, reason="记错了，是公司付的")
        assert workflow.balance() == 2000
        with pytest.raises(WrongState), unit_of_work():
            workflow.reverse(entry, by=director, reason="再来")
    assert [row.fen for row in db.session.query(FundEntry).order_by(FundEntry.id)] == [2000, -1299, 1299], "nothing is deleted"


def test_what_a_month_brought_in_is_not_taken_back(app):
    committed(penalty, "signed")
    closed()
    with clock.frozen(DECEMBER), pytest.raises(WrongState), unit_of_work():
        workflow.reverse(db.session.query(FundEntry).one(), by=make.who("director"), reason="x")


def test_before_it_is_closed_a_month_says_what_of_it_is_still_pending(app, browser):
    for upto in ("signed", "issued", "appealed", "waived"):
        committed(penalty, upto)
    with clock.frozen(DECEMBER):
        tick()
        month = db.session.query(Month).filter_by(title="2026-11").one()
        told = browser("director").get(month.path).text
        assert "2 notices of the month are still pending" in told and "/penalties?month=2026-11&amp;state=pending" in told


def test_everybody_reads_their_own_part_and_nobody_elses(app, browser):
    committed(penalty, "signed")
    committed(penalty, "signed", person=make.who("specialist2"))
    month = closed()
    with clock.frozen(DECEMBER):
        mine = browser("specialist").get(month.path).text
        assert "李娜" not in mine
        assert browser("specialist").get(f"{month.path}/file.xlsx").status_code == 403
        assert browser("specialist").get(f"{month.path}/mine.pdf").data[:4] == b"%PDF"
        for who in ("manager", "director", "archivist"):
            assert all(name in browser(who).get(month.path).text for name in ("张伟", "李娜"))
        assert "¥20" in browser("specialist").get("/statements").text


def test_the_archivist_reads_it_once_it_is_closed_and_takes_it_to_payroll(app, browser):
    committed(penalty, "signed")
    with clock.frozen(DECEMBER):
        tick()
        month = month_of()
        assert browser("archivist").get(f"{month.path}/file.xlsx").status_code == 404
        answer = browser("director").send(f"{month.path}/closure")
        assert answer.status_code == 303
        assert [duty.rule for duty in duties.of_subject(month_of()) if duty.open] == ["month.payroll"]
        book = load_workbook(BytesIO(browser("archivist").get(f"{month.path}/file.xlsx").data))
        assert [cell.value for cell in book.worksheets[0][2]][1:] == ["张伟", 1, 20]
        assert browser("archivist").get(f"{month.path}/statement.pdf").data[:4] == b"%PDF"
        assert browser("manager").send(f"{month.path}/payroll").status_code == 403
        assert browser("archivist").send(f"{month.path}/payroll").status_code == 303
    assert month_of().state == "taken"


def test_the_ledger_shows_each_line_with_what_was_there_after_it(app, browser):
    committed(penalty, "signed")
    closed()
    with clock.frozen(DECEMBER):
        director = browser("director")
        assert director.send("/fund/spending", fen="12.99", on="2026-12-02", purpose="水果").status_code == 303
        page = director.get("/fund").text
        assert "¥7.01" in page and "-¥12.99" in page and "水果" in page
        bad = director.send("/fund/spending", fen="9", on="2026-12-02", purpose="很多很多")
        assert bad.status_code == 422 and "很多很多" in bad.text
        for blank in (" ", "\x0b", "\u3000"):
            assert "This is needed." in director.send("/fund/spending", fen=blank, on="2026-12-02", purpose="水果").text
        entry = db.session.query(FundEntry.id).filter_by(kind="spent").scalar()
        assert director.send(f"/fund/{entry}/reversal", reason="记错").status_code == 303
        assert browser("specialist").get("/fund").status_code == 403
        assert browser("manager").get("/fund").status_code == 200
        assert browser("manager").send("/fund/spending", fen="1", on="2026-12-02", purpose="x").status_code == 403


def test_two_people_each_have_their_sum(app):
    committed(penalty, "signed")
    committed(penalty, "signed")
    committed(penalty, "signed", key="3.9.absent", person=make.who("specialist2"))
    body = closed().body
    assert [(who["name"], who["fen"]) for who in body["people"]] == [("张伟", 4000), ("李娜", 10000)]
    assert body["fen"] == 14000


def test_a_penalty_that_lost_its_ground_after_the_close_is_given_back(app):
    complaint = committed(make.complaint, upto="founded")
    tick()
    row = db.session.query(Penalty).one()
    with unit_of_work():
        penalties.issue(row, by=make.who("manager"))
        do("sign", row)
    assert closed().body["fen"] == 20000
    with clock.frozen(DECEMBER + timedelta(days=1)):
        with unit_of_work():
            opinions.review(complaint, by=make.who("manager"), reason="弄错人了")
        tick()
    assert db.session.get_one(Penalty, row.id).state == "voided"
    assert closed("2026-12", clock.parse("2027-01-04T10:00")).body["fen"] == -20000


def test_nothing_is_spent_on_a_day_whose_balance_is_reported(app):
    committed(penalty, "signed")
    closed()
    with clock.frozen(DECEMBER):
        with pytest.raises(Invalid) as refused, unit_of_work():
            workflow.spend(by=make.who("director"), fen=100, on=date(2026, 11, 30), purpose="水果")
        assert set(refused.value.fields) == {"on"}


def test_what_is_given_back_may_take_more_than_there_is_and_the_page_says_so(app, browser):
    row = committed(penalty, "signed")
    closed()
    with clock.frozen(DECEMBER), unit_of_work():
        workflow.spend(by=make.who("director"), fen=2000, on=date(2026, 12, 2), purpose="水果")
        db.session.execute(text("UPDATE subjects SET state = 'struck' WHERE id = :id"), {"id": row.id})
    closed("2026-12", clock.parse("2027-01-04T10:00"))
    assert workflow.balance() == -2000
    with clock.frozen(clock.parse("2027-01-04T11:00")):
        assert "given back" in browser("director").get("/fund").text
        with pytest.raises(Invalid), unit_of_work():
            workflow.spend(by=make.who("director"), fen=1, on=date(2027, 1, 4), purpose="水果")


def test_whoever_does_not_read_the_fund_does_not_read_on_a_statement_what_was_spent(app, browser):
    committed(penalty, "signed")
    closed()
    with clock.frozen(DECEMBER), unit_of_work():
        workflow.spend(by=make.who("director"), fen=1, on=date(2026, 12, 2), purpose="秘密聚餐")
    month = closed("2026-12", clock.parse("2027-01-04T10:00"))
    with clock.frozen(clock.parse("2027-01-04T11:00")):
        assert "秘密聚餐" in browser("director").get(month.path).text
        told = browser("archivist").get(month.path)
        assert told.status_code == 200 and "秘密聚餐" not in told.text
