"""A renewal as its people see it: notice → answer → contract → copy back → invoice → unpaid, demanded, withheld → paid → the
new period, the new serial number, and the customer in service."""

from datetime import date

import pytest

from crm import clock
from crm.contracts.models import Contract, State
from crm.db import db, unit_of_work
from crm.duties.message import Message, MessageState
from crm.serials.models import Installation
from crm.sweep import tick
from tests import make
from tests.browser.steps import go


def on(day: str):
    """A working morning, and what the program did until then."""
    return clock.frozen(clock.parse(f"{day}T10:00"))


def swept(served) -> None:
    with served.app_context():
        assert not tick(clock.now()).failed


@pytest.mark.takes_long
def test_from_the_notice_to_the_new_period(served, open_page):
    with served.app_context(), unit_of_work():
        unit = make.customer(email="kuaiji@example.com", address="示范路 1 号")
        make.contact(unit, software_responsible=True)
        old = make.in_force(unit)  # until 2026-12-23: its notice is due today
        path, customer = old.path, unit.path
        installed = db.session.query(Installation).one().path
    swept(served)
    with served.app_context():
        assert db.session.query(Message).one().state == MessageState.SENT
    me, follow = open_page("specialist", "zh"), open_page("followup", "zh")
    me.goto(path)
    assert "已于 2026-11-23 周一 发出" in me.inner_text("main")

    follow.goto("/callbacks")
    follow.click("li.owed:has-text('就到期通知致电客户') a.btn")
    follow.locator(".record-head .acts .btn").first.click()
    follow.wait_for_load_state()
    follow.select_option("#reach [name=answer]", "renews")
    follow.click("#reach button.btn-primary")
    follow.wait_for_load_state()

    me.goto(path)
    assert me.inner_text("dt:has-text('5.5.2') + dd") == "续签"
    me.click("a.btn[href*='/contracts/new?of=']")
    me.fill("[name=amount_fen]", "1200")
    me.click("main form#contract-form > button.btn-primary")
    me.wait_for_load_state()
    new = me.evaluate("location.pathname")
    go(me, new, "sign", stamped="y")
    go(me, new, "send", way="fax")
    with on("2026-12-14"):
        me = open_page("specialist", "zh")
        go(me, new, "copy", returned_on="2026-12-14")
        go(me, new, "invoice", invoice_recipient="王会计", courier_number="SF0001")
    with on("2026-12-18"):
        swept(served)
        me = open_page("specialist", "zh")
        go(me, new, "chase", words="说下周付")
    with on("2026-12-23"):
        swept(served)
        me, manager = open_page("specialist", "zh"), open_page("manager", "zh")
        go(me, new, "demand")
        swept(served)
        go(manager, new, "withhold", reason="催过两次仍未付")
    with on("2026-12-28"):
        swept(served)
        me = open_page("specialist", "zh")
        me.goto(customer)
        assert "未付款，服务已暂缓" in me.inner_text("main")
        go(me, new, "pay", fen="1200")
        me.goto(customer)
        assert "服务期内" in me.inner_text("main")
        me.goto(f"{installed}/serials")
        me.fill("[name=number]", "JY-2027-0001")
        me.click("button:text('发放序列号')")
        me.wait_for_load_state()
        me.select_option("[name=to]", index=1)
        me.click("button:text('已交付')")
        me.wait_for_load_state()
    with served.app_context():
        renewal = db.session.query(Contract).order_by(Contract.id.desc()).first()
        assert (renewal.state, renewal.starts_on, renewal.ends_on) == (State.RUNNING, date(2026, 12, 24), date(2027, 12, 23))
        assert db.session.query(Message).filter_by(rule="contract.demand").one().state == MessageState.SENT
