"""The monthly callback report (5.5.5): owed once the month is over, submitted, received, frozen."""

from collections import defaultdict
from datetime import date, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook

from crm import clock, sweep
from crm.callbacks import workflow as calls
from crm.callbacks.models import Callback
from crm.db import db, unit_of_work
from crm.duties.models import Duty
from crm.errors import Forbidden, WrongState
from crm.reports import opening, workflow
from crm.reports.callbacks import figures
from crm.reports.models import Kind, Report, State
from crm.reports.periods import Period
from tests import make
from tests.browsing import together

DECEMBER = clock.parse("2026-12-01T09:00")
NOVEMBER = Period.month(date(2026, 11, 1))


@pytest.fixture
def month(app):
    """Three callbacks of November: one good, one with a doubt that was assigned and settled, one in vain."""
    me, manager, other = make.who("followup"), make.who("manager"), make.who("specialist2")
    with unit_of_work():
        unit = make.served_customer()
        installed = make.installation(unit)
        rows = [make.handed_in(unit) for _ in range(3)]
        rows[0].installation_id = installed.id
        begun = [calls.begin(db.session.query(Duty).filter_by(subject_id=row.id, rule="call.feedback").one(), by=me) for row in rows]
        person = db.session.query(make.Contact).filter_by(customer_id=unit.id).first()
        calls.reach(begun[0], by=me, contact=person, attitude=5, skill=5, result=4, comment="=很满意")
        calls.reach(begun[1], by=me, contact=person, attitude=4, skill=3, result=1, doubt="还是不行", unrecorded="上周来过", clause="7.4")
        make.in_vain(begun[2], by=me)
        calls.give_up(begun[2], by=me, reason="空号")
        ticket = calls.assign(begun[1], by=manager, to=other, category="inquiry")
        make.tickets.complete(make.filled(ticket, other), by=other, answered_at=clock.now())
        again = calls.begin(db.session.query(Duty).filter_by(subject_id=ticket.id, rule="call.outcome").one(), by=me)
        calls.reach(again, by=me, contact=person, attitude=5, skill=5, result=5)
    return begun


def report() -> Report:
    db.session.rollback()
    return of_callbacks().one()


def of_callbacks():
    return db.session.query(Report).filter_by(category=Kind.CALLBACKS)


def test_a_month_that_is_over_has_its_report_once_and_it_is_owed(app):
    sweep.tick(DECEMBER - timedelta(days=1))
    assert not of_callbacks().count()
    for _ in range(2):
        sweep.tick(DECEMBER)
    row = report()
    assert (row.period, row.number, row.state) == (NOVEMBER, "M2611-0001", State.OPEN)
    (duty,) = db.session.query(Duty).filter_by(subject_id=row.id)
    assert (duty.pool, duty.clause) == ("followup", "5.5.5") and clock.local(duty.due_at).date() == date(2026, 12, 8)


def test_a_worker_that_was_away_catches_up_month_by_month(app):
    sweep.tick(clock.parse("2027-02-03T09:00"))
    assert [row.since.month for row in of_callbacks().order_by(Report.since)] == [11, 12, 1]


def test_four_workers_prepare_one_report(app):
    def one(_i: int) -> int:
        with app.app_context():
            return opening.open_due(DECEMBER)

    with clock.frozen(DECEMBER):
        assert sum(together(4, one)) == db.session.query(Report).count() == 7, "one of each kind but the penalties, of each specialist and of one week"


def test_the_figures_are_those_of_a_plain_recount(month):
    found = figures(NOVEMBER)
    rows = db.session.query(Callback).all()
    spoken = [row for row in rows if row.reached_at]
    assert found["number"] == {
        "called": len(rows), "reached": len(spoken), "unreached": len(rows) - len(spoken), "doubts": 1, "unrecorded": 1, "late": 0,
    }  # fmt: skip
    by = defaultdict(list)
    for row in spoken:
        by[db.session.get(make.User, row.concerned_id).name].append(row.result)
    assert {row["name"]: (row["count"], row["result"]) for row in found["specialists"]} == {
        name: (len(marks), round(sum(marks) / len(marks), 2)) for name, marks in by.items()
    }
    assert [row["name"] for row in found["products"]] == ["金洋 财务通", ""]
    (doubt,) = found["doubts"]
    assert (doubt["doubt"], doubt["to"], doubt["record_state"], doubt["after"]) == ("还是不行", "李娜", "complete", 5)
    assert figures(NOVEMBER.before)["number"]["called"] == 0


def test_what_was_submitted_no_longer_changes(month):
    sweep.tick(DECEMBER)
    with clock.frozen(DECEMBER):
        with unit_of_work():
            workflow.submit(report(), by=make.who("followup"), remark="有一位客户联系不上。")
        before = workflow.figures(report())
        with unit_of_work():
            db.session.get(Callback, month[0].id).result = 1
        assert workflow.figures(report()) == before != figures(NOVEMBER)
        with unit_of_work():
            workflow.receive(report(), by=make.who("manager"))
        with unit_of_work(), pytest.raises(WrongState):
            workflow.submit(report(), by=make.who("followup"))
    assert not any(duty.open for duty in db.session.query(Duty).filter_by(subject_id=report().id))


def test_whoever_submits_never_receives_and_others_do_neither(app):
    sweep.tick(DECEMBER)
    with clock.frozen(DECEMBER):
        for login in ("specialist", "manager", "director", "archivist"):
            with unit_of_work(), pytest.raises(Forbidden):
                workflow.submit(report(), by=make.who(login))
        with unit_of_work():
            workflow.submit(report(), by=make.who("followup"))
        with unit_of_work(), pytest.raises(Forbidden):
            workflow.receive(report(), by=make.who("followup"))


def test_the_page_and_the_file_say_the_same(month, browser):
    sweep.tick(DECEMBER)
    with clock.frozen(DECEMBER):
        page = browser("manager")
        shown = page.get(report().path)
        assert "还是不行" in shown.text and "<svg" in shown.text and "4.5" in shown.text
        book = load_workbook(BytesIO(page.get(f"{report().path}/file.xlsx").data))
    assert book.sheetnames == ["Numbers", "By specialist", "By product", "Doubts", "Calls"]
    assert [cell.value for cell in book["Numbers"]["B"]][1:] == [4, 3, 1, 1, 1, 0]
    said = next(cell for row in book["Calls"].rows for cell in row if cell.value == "=很满意")
    assert said.data_type == "s"


def test_specialists_do_not_see_it(app, browser):
    sweep.tick(DECEMBER)
    assert browser("specialist").get(report().path).status_code == 404
    assert browser("archivist").get(report().path).status_code == 403


@pytest.mark.parametrize(("role", "status"), [("followup", 200), ("manager", 200), ("director", 200), ("specialist", 403), ("developer", 403)])
def test_the_running_months_figures_are_looked_at_before_the_report_is_prepared(month, browser, role, status):
    answer = browser(role).get("/reports/running?kind=callbacks")
    assert answer.status_code == status
    if status == 200:
        found = figures(NOVEMBER)
        assert "so far" in answer.text and f">{found['number']['called']}</a></dd>" in answer.text
        assert "2026-12-01 Tue" in answer.text and "submission" not in answer.text
    assert not db.session.query(Report).count(), "nothing is kept"
