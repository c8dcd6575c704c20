"""The whole chain on a phone: request → approve → depart → sign → back → written up → called back with a bad mark →
escalated → assigned → called back again."""

from datetime import timedelta

from crm import clock
from crm.callbacks.models import Callback, State
from crm.db import db, unit_of_work
from crm.duties.models import Duty
from crm.tickets.models import Ticket
from crm.visits.models import Visit
from tests import make
from tests.browser.drawing import SMALL, draw


def press(page, words: str) -> None:
    """The first thing to tap on the page."""
    button = page.locator(".record-head .acts .btn").first
    assert button.inner_text().strip() == words
    button.click()
    page.wait_for_load_state()


def test_from_the_request_to_the_second_callback_on_a_phone(served, open_page):
    with served.app_context(), unit_of_work():
        unit = make.served_customer()
        number = unit.number
    me = open_page("specialist", "zh", SMALL)
    me.goto(f"/visits/new?customer={number}")
    start = clock.local(clock.now() + timedelta(hours=2))
    me.fill("[name=department]", "财务部")
    me.fill("[name=title]", "年结前现场检查")
    me.fill("[name=departments]", "财务部：报表打不开")
    me.fill("[name=arrive_at]", f"{start:%Y-%m-%dT%H:%M}")
    me.fill("[name=ends_at]", f"{start + timedelta(hours=3):%Y-%m-%dT%H:%M}")
    me.click("main form[method=post] button.btn-primary >> nth=-1")
    me.wait_for_url("**/visits/V*")
    with served.app_context():
        path = db.session.query(Visit).one().path
    manager = open_page("manager", "zh", SMALL)
    manager.goto(path)
    manager.click("#approve")
    me.goto(path)
    press(me, "我现在出发")
    press(me, "我已到达")
    press(me, "填写服务反馈表")
    me.fill("#outcome_0", "改好了一半")
    me.click("#report button.btn-primary")
    press(me, "请客户签字")
    me.fill("#sign [name=name]", "王主任")
    me.fill("#sign [name=position]", "财务总监")
    draw(me)
    me.click("#sign button.btn-primary")
    me.wait_for_url(f"**{path}")
    press(me, "我已返回")
    press(me, "上交服务反馈表")
    me.select_option("#write_up [name=category]", "inquiry")
    me.fill("[name=f_question]", "报表打不开")
    me.fill("[name=f_answer]", "改好了一半")
    me.click("#write_up button.btn-primary")
    me.wait_for_load_state()

    with clock.frozen(clock.now() + timedelta(days=1)):
        follow = open_page("followup", "zh", SMALL)
        follow.goto("/callbacks")
        follow.click("text=宏远机械")
        press(follow, "现在打电话")
        for mark, given in (("attitude", "5"), ("skill", "4"), ("result", "2")):
            follow.select_option(f"#reach [name={mark}]", given)
        follow.fill("#reach [name=doubt]", "只改好了一半，月报还是打不开")
        follow.click("#reach button.btn-primary")
        follow.wait_for_load_state()
        with served.app_context():
            call = db.session.query(Callback).one()
            assert call.state == State.ESCALATED
            call_path = call.path
        manager, me = open_page("manager", "zh", SMALL), open_page("specialist", "zh", SMALL)  # a night later
        manager.goto("/")
        manager.click("text=指派人处理回访中的问题")
        manager.select_option("#assign [name=to]", label="张伟")
        manager.select_option("#assign [name=category]", "inquiry")
        manager.click("#assign button.btn-primary")
        manager.wait_for_url(f"**{call_path}")
        with served.app_context():
            record = db.session.query(Ticket).filter_by(called_back=True).one().path
        me.goto(record)
        me.fill("#complete [name=f_question]", "月报打不开")
        me.fill("#complete [name=f_answer]", "重装了打印组件，当场打开")
        me.fill("#complete [name=answered_at]", f"{clock.local(clock.now()):%Y-%m-%dT%H:%M}")
        me.click("#complete button.btn-primary")
        me.wait_for_load_state()
        follow.goto("/callbacks")
        follow.click("li.owed:has-text('回访处理结果') a.btn")
        press(follow, "现在打电话")
        for mark in ("attitude", "skill", "result"):
            follow.select_option(f"#reach [name={mark}]", "5")
        follow.click("#reach button.btn-primary")
        follow.wait_for_load_state()
    with served.app_context():
        assert [one.state for one in db.session.query(Callback).order_by(Callback.id)] == [State.ASSIGNED, State.REACHED]
        assert not db.session.query(Duty).filter(Duty.rule.startswith("call."), Duty.kept_by_id.is_(None)).count()
