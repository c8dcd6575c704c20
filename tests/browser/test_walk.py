"""A specialist's walk in a real browser, by mouse and by keyboard."""

import pytest

from crm import clock, sweep
from crm.db import db, unit_of_work
from crm.tickets.models import Ticket
from tests import make


@pytest.fixture
def customers(served):
    """One unit in service with a contact, one with neither."""
    with served.app_context(), unit_of_work():
        make.served_customer("宏远机械")
        make.customer("东方贸易", code="000007")


def pick(page, words: str, name: str) -> None:
    page.locator("#customer-search input").last.press_sequentially(words)
    page.locator(".ts-dropdown .option", has_text=name).first.click()
    page.locator("#customer-part .coverage").wait_for()


def test_from_the_call_to_complete(customers, served, open_page, tmp_path, complaints):
    scan = tmp_path / "申请.pdf"
    scan.write_bytes(make.PDF)
    page = open_page("specialist", "zh")
    page.goto("/tickets/new")
    pick(page, "000007", "东方贸易")
    assert page.locator(".coverage-none").is_visible()
    page.fill("[name=uncovered_reason]", "老客户")
    page.fill("[name=contact_name]", "赵会计")
    page.fill("[name=department]", "财务部")
    page.select_option("[name=channel]", "phone")
    page.select_option("[name=category]", "data_cleanup")
    page.fill("[name=title]", "数据太多")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/tickets/T*")
    page.locator("#complete button.btn-primary").click()
    page.locator("#wrong").wait_for()
    assert page.locator("#wrong li").count() == 4, "application, data, tool, first answer: all at once"
    page.fill("[name=f_data]", "2024 年凭证")
    page.fill("[name=f_tool]", "清理工具")
    page.fill("[name=answered_at]", "2026-11-23T09:00")
    page.set_input_files("#need-application [type=file]", scan)
    page.locator("#need-application .draft input[name=files]").wait_for(state="attached")
    page.locator("#complete button.btn-primary").click()
    page.locator(".state-complete").wait_for()
    complaints.clear()


def test_a_forgotten_record_is_overdue_on_the_managers_page_the_next_day(customers, served, open_page):
    with served.app_context(), unit_of_work():
        ticket = make.ticket(make.served_customer("明德医院"), category="bug", title="报错")
        number = ticket.number
    page = open_page("specialist", "zh")
    page.goto(f"/tickets/{number}")
    page.locator("#start").click()
    page.locator("#end").click()
    page.locator(".state-ended").wait_for()
    with served.app_context():
        sweep.tick(clock.parse("2026-11-24T09:00"))
    with clock.frozen(clock.parse("2026-11-24T09:00")):
        manager = open_page("manager", "zh")
        row = manager.locator(".group-overdue li", has_text=number).first
        assert "¥50" in row.inner_text() and "张伟" in row.inner_text()


def test_words_come_back_after_the_page_was_left_and_go_once_they_are_saved(customers, served, open_page):
    page = open_page("specialist")
    page.goto("/tickets/new?customer=K0001")
    page.fill("[name=title]", "凭证无法保存")
    page.select_option("[name=category]", "bug")
    page.fill("[name=f_steps]", "打开再关闭")
    page.goto("/customers")
    page.goto("/tickets/new?customer=K0001")
    assert page.input_value("[name=title]") == "凭证无法保存"
    assert page.input_value("[name=f_steps]") == "打开再关闭"
    assert page.locator("[name=f_steps]").is_visible(), "the category came back with its fields"
    page.select_option("[name=channel]", "phone")
    page.get_by_role("button", name="Log the record").click()
    page.wait_for_url("**/tickets/T*")
    page.goto("/tickets/new?customer=K0001")
    assert page.input_value("[name=title]") == ""


def test_another_category_shows_its_own_fields_and_keeps_every_word(customers, open_page):
    page = open_page("specialist")
    page.goto("/tickets/new")
    page.select_option("[name=category]", "bug")
    page.fill("[name=f_steps]", "打开")
    page.select_option("[name=category]", "inquiry")
    assert page.locator("[name=f_steps]").is_hidden() and page.locator("[name=f_question]").is_visible()
    page.select_option("[name=category]", "bug")
    assert page.input_value("[name=f_steps]") == "打开"


def test_a_double_click_opens_one_record(customers, served, open_page):
    page = open_page("specialist")
    page.goto("/tickets/new?customer=K0001")
    page.select_option("[name=channel]", "phone")
    page.select_option("[name=category]", "inquiry")
    page.fill("[name=title]", "怎么结账")
    page.get_by_role("button", name="Log the record").dblclick()
    page.wait_for_url("**/tickets/T*")
    with served.app_context():
        assert db.session.query(Ticket).count() == 1


def test_a_record_is_opened_without_javascript(customers, served, open_page):
    page = open_page("specialist", java_script_enabled=False)
    page.goto("/tickets/new")
    page.fill("[name=customer_q]", "宏远")
    page.get_by_role("button", name="Look up the customer").click()
    assert page.locator(".coverage-in_service").is_visible()
    page.select_option("[name=channel]", "phone")
    page.select_option("[name=category]", "inquiry")
    page.fill("[name=title]", "怎么结账")
    page.get_by_role("button", name="Log the record").click()
    page.wait_for_url("**/tickets/T*")


def test_today_is_walked_by_keyboard(customers, served, open_page):
    with served.app_context(), unit_of_work():
        make.ticket(make.served_customer("明德医院"))
    page = open_page("specialist")
    page.goto("/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.closest('.owed') !== null")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: not url.endswith("/"))


def test_on_a_phone_chosen_filters_are_folded_above_what_they_found(served, open_page):
    for width, open_ in ((390, False), (1280, True)):
        page = open_page("specialist", width=width)
        page.goto("/tickets?state=open&q=报表&category=&since=soon")
        fold = page.locator(".filter-fold")
        assert (fold.locator("summary").first.inner_text().strip(), fold.locator("[name=q]").is_visible()) == ("Filter (2)", open_)
        fold.locator("summary").first.click()
        assert fold.locator("[name=q]").is_visible() != open_


def test_an_expired_login_costs_no_word_no_customer_and_no_file(customers, served, open_page, tmp_path):
    scan = tmp_path / "申请.pdf"
    scan.write_bytes(make.PDF)
    page = open_page("specialist")
    page.goto("/tickets/new")
    pick(page, "000007", "东方贸易")
    page.fill("[name=uncovered_reason]", "老客户")
    page.fill("[name=contact_name]", "赵会计")
    page.fill("[name=department]", "财务部")
    page.select_option("[name=channel]", "phone")
    page.select_option("[name=category]", "data_cleanup")
    page.set_input_files("[data-purpose=application] [type=file]", scan)
    page.locator("[data-purpose=application] .draft input[name=files]").wait_for(state="attached")
    page.fill("[name=title]", "说到一半")
    with clock.frozen(clock.parse("2026-11-23T10:00")):  # an hour without a click
        page.get_by_role("button", name="Log the record").click()
        page.wait_for_url(lambda url: "/login" in url)
        page.fill("[name=login]", "specialist")
        page.fill("[name=password]", make.PASSWORD)
        page.click("button.btn-primary")
        page.wait_for_url(lambda url: "/tickets/new" in url)
        page.locator("#customer-part .coverage").wait_for()
        assert page.input_value("[name=title]") == "说到一半"
        page.wait_for_function("document.querySelector('[name=contact_name]').value === '赵会计'")
        page.get_by_role("button", name="Log the record").click()
        page.wait_for_url("**/tickets/T*")
        assert "东方贸易" in page.inner_text("main") and "申请.pdf" in page.inner_text("main")


def test_a_long_today_of_everybody_is_folded_and_the_keys_go_through_what_is_shown(served, open_page):
    with served.app_context(), unit_of_work():
        unit = make.served_customer()
        for _ in range(15):
            make.ticket(unit)
    page = open_page("manager")
    page.goto("/")
    more = page.locator(".more-owed").first
    shown = page.locator(".group").filter(has=more).locator("> .owed-list > li")
    assert shown.count() == 12 and not more.locator("li").first.is_visible()
    total = page.locator(".owed-list > li").count()
    for _ in range(total):
        page.keyboard.press("j")
        assert page.evaluate("document.activeElement.checkVisibility()")
    more.locator("summary").click()
    assert more.locator("li").first.is_visible()
    own = open_page("specialist")
    own.goto("/")
    assert own.locator(".owed-list > li").count() > 12 and own.locator(".more-owed").count() == 0, "one's own is never folded away"
