"""From breach to statement in the browser: a forgotten visit record, an incomplete record, a lost application, a late
implementation form, two complaints about attitude; one is struck on appeal, and the fund is right to the fen (7)."""

from collections import Counter

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.fund import workflow
from crm.penalties.models import Penalty
from crm.sweep import tick
from tests import make
from tests.browser.steps import go
from tests.penalties.making import ended_implementation, ended_record, lost_application, returned_visit
from tests.penalties.recount import adds_up, recount

COSTS = {"7.1.first": 20000, "7.1.later": None, "7.3": 5000, "7.4": 3000, "7.5": 5000, "7.6": 50000}


def on(day: str, hour: str = "10:00"):
    return clock.frozen(clock.parse(f"{day}T{hour}"))


@pytest.mark.takes_long
def test_five_breaches_and_two_complaints_go_from_breach_to_statement(served, open_page):
    with served.app_context(), unit_of_work():
        returned_visit()
        ended_record()
        lost_application()
        ended_implementation()
        for _twice in range(2):
            make.complaint(upto="founded")
    with on("2026-11-30"), served.app_context():
        tick()
        paths = {row.category: row.path for row in db.session.query(Penalty)}
        assert {row.category: row.fen for row in db.session.query(Penalty)} == COSTS
    with on("2026-11-30"):
        manager, me = open_page("manager", "zh"), open_page("specialist", "zh", 390)
        manager.goto("/penalties?state=proposed")
        assert all(path.rsplit("/", 1)[1] in manager.inner_text("main") for path in paths.values())
        for path in paths.values():
            go(manager, path, "issue")
            go(me, path, "sign", words="收到")
        go(me, paths["7.4"], "appeal", words="当天电脑坏了，已经报告经理")
    with on("2026-12-01"):
        go(open_page("director", "en"), paths["7.4"], "decide", outcome="struck", answer="有报修单，撤销")
        me = open_page("specialist", "en", 390)
        me.goto(paths["7.4"])
        assert "有报修单" in me.inner_text("main") and "Struck" in me.inner_text("main")
        with served.app_context():
            tick()
        director = open_page("director", "zh")
        director.goto("/statements")
        director.click("a.main:has-text('2026-11')")
        assert "¥800" in director.inner_text("main") and "¥830" not in director.inner_text("main")
        go(director, director.evaluate("location.pathname"), "close")
        director.goto("/fund")
        assert "¥800" in director.inner_text(".numbers")
        director.click("#spend summary")
        director.fill("[name=fen]", "123.45")
        director.fill("[name=purpose]", "冬至聚餐")
        director.click("#spend button.btn-primary")
        director.wait_for_selector(".alert-success")
        assert "¥676.55" in director.inner_text(".numbers")
        archivist = open_page("archivist", "zh")
        archivist.goto("/statements")
        archivist.click("a.main:has-text('2026-11')")
        assert "7.4" not in archivist.inner_text(".first")
        go(archivist, archivist.evaluate("location.pathname"), "take")
        me.goto("/statements")
        me.click("a.main:has-text('2026-11')")
        assert "¥800" in me.inner_text("main") and "Recommendation" in me.inner_text("main")
    with served.app_context():
        sums = recount()
        assert sums == Counter(proposed=83000, taken=80000, struck=3000) and adds_up(sums)
        assert workflow.balance() == 67655
