"""A change request as its people see it: wished by a customer, decided in the manager's place, built, failed once, twice put
off, on paper in the archive, with the customer; and the story it leaves, in both languages."""

import pytest

from crm import clock
from crm.changes.models import ChangeRequest, State
from crm.db import db, unit_of_work
from crm.duties import queries as duties
from crm.tickets.models import State as RecordState
from crm.tickets.models import Ticket
from tests import make
from tests.browser.steps import go

STORY = {  # from the first line to the last
    "zh": ("新建了程序修改申请", "提交了申请", "批准了申请", "把审批结果告诉了客户", "接下了这项", "改了预计完工时间", "交付测试",
           "测试不通过", "改了预计完工时间", "交付测试", "测试通过", "给客户更新了", "记下客户意见并办结"),
    "en": ("opened the change request", "submitted the request", "approved the request", "told the customer what was decided",
           "took it on", "moved the promised date", "delivered it, to be tested", "tested it: it fails", "moved the promised date",
           "delivered it, to be tested", "tested it: it does what was agreed", "brought it to the customer",
           "noted the customer's opinion, and closed it"),
}  # fmt: skip


def on(day: str, hour: str = "10:00"):
    return clock.frozen(clock.parse(f"{day}T{hour}"))


@pytest.mark.takes_long
def test_the_whole_life_of_a_change_by_five_people(served, open_page):
    with served.app_context(), unit_of_work():
        record = make.ticket(category="program_change", title="费用表", fields={"requirement": "费用表按部门汇总", "agreed": "只改取数"})
        path = record.path
    me = open_page("specialist", "zh")
    me.goto(path)
    me.click("#complete button.btn-primary")
    me.wait_for_load_state()
    assert "程序修改申请" in me.inner_text("#wrong")
    me.click("#need-change a.btn")
    assert me.input_value("[name=requirement]") == "费用表按部门汇总", "what was typed comes along"
    me.click("form.narrow button.btn-primary")
    me.wait_for_url("**/changes/G*")
    change = me.evaluate("location.pathname")
    assert change.startswith("/changes/G")
    me.goto(path)
    me.click("#complete button.btn-primary")
    me.wait_for_selector(".alert-success")

    go(me, change, "submit", files={"file_form": make.PDF})
    go(open_page("director", "en"), change, "approve", opinion="改取数，不动格式", expected_on="2026-11-27", standing_in="经理出差")
    go(me, change, "tell", words="电话告诉王会计，27日")
    developer = open_page("developer", "zh")
    developer.goto("/changes?state=approved")
    developer.click("a.main:has-text('费用表')")
    assert developer.locator("a[href^='/customers/']").count() == 0
    go(developer, change, "take")

    me.goto(change)  # the paper goes to the archive (5.7.4)
    me.click("a[href*='/papers/new?of=']")
    me.click("form.narrow button.btn-primary")
    me.wait_for_url("**/papers/P*")
    paper = me.evaluate("location.pathname")
    with served.app_context():
        archivist_id = str(make.who("archivist").id)
    go(me, paper, "offer", to=archivist_id)
    go(open_page("archivist", "en"), paper, "archive", place="2026 程序修改卷")

    with on("2026-11-26"):
        manager = open_page("manager", "zh")
        go(manager, change, "postpone", expected_on="2026-12-02", reason="要先补历史数据", told="电话告诉王会计，他同意")
    with on("2026-12-01"):
        go(open_page("developer", "en"), change, "deliver", changed="取数按部门", how_to_test="打开部门费用表")
        me = open_page("specialist", "zh", 390)
        go(me, change, "fail", words="九月少一个部门")
        go(open_page("manager", "en"), change, "postpone", expected_on="2026-12-04", reason="九月数据特殊", told="电话，客户同意")
    with on("2026-12-03"):
        go(open_page("developer", "zh"), change, "deliver", changed="补上九月", how_to_test="选九月")
        me = open_page("specialist", "en")
        go(me, change, "pass", words="九月、十月都对")
        go(me, change, "update", updated_on="2026-12-03", words="远程更新，当场打印")
    with on("2026-12-07"):
        me = open_page("specialist", "zh")
        go(me, change, "close", said="好用，比原来快", mark="5")
        told = {language: open_page("director", language) for language in ("zh", "en")}
        for language, page in told.items():
            page.goto(change)
            story = page.inner_text(".timeline")
            at = len(story)
            for line in STORY[language]:  # the latest stands first
                found = story.rfind(line, 0, at)
                assert found >= 0, (language, line, story)
                at = found
            for words in ("要先补历史数据", "电话，客户同意", "九月少一个部门", "选九月", "5 / 5", "经理出差"):
                assert words in story, words
        assert [row.inner_text().split()[0] for row in told["en"].locator("details:has(summary:has-text('5.4.5')) strong").all()] == [
            "2026-11-27", "2026-12-02", "2026-12-04"]  # fmt: skip
    with served.app_context():
        db.session.rollback()
        closed = db.session.query(ChangeRequest).one()
        assert (closed.state, closed.tests, closed.mark, len(closed.approved_sha256 or "")) == (State.CLOSED, 2, 5, 64)
        assert db.session.query(Ticket).one().state == RecordState.COMPLETE
        breached = [duty.rule for duty in duties.of_subject(closed) if duty.breached_by_id]
        assert breached == [], "told beforehand, a moved date is a promise kept"
