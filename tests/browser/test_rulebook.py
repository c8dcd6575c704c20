"""A draft of the rulebook in a browser: checked as it is typed, tried on the past, and the page tells when that is done."""

from crm import clock, sweep
from crm.db import unit_of_work
from crm.duties import workflow as duties
from tests import make
from tests.rulebooks import drafts

DUE = "[name='duty/ticket.progress/due']"


def test_a_span_is_checked_and_said_back_while_it_is_typed(served, open_page):
    with served.app_context(), unit_of_work():
        path = drafts.begun().path
    page = open_page("director", "zh")
    page.goto(f"{path}/deadlines")
    said = page.locator("[data-said='duty/ticket.progress/due']")
    page.fill(DUE, "很快")
    page.locator("[data-wrong='duty/ticket.progress/due']", has_text="这不是时限").wait_for()
    assert "is-invalid" in page.locator(DUE).get_attribute("class")
    page.fill(DUE, "3天")
    page.locator("[data-said='duty/ticket.progress/due']", has_text="3天内").wait_for()
    assert page.locator("[data-wrong='duty/ticket.progress/due']").inner_text() == "" and "24:00" in said.inner_text()
    page.click(".sheet-save button")
    page.locator(".alert-success").wait_for()
    assert page.input_value(DUE) == "3天"


def test_a_text_that_cannot_be_read_is_told_while_it_is_typed(served, open_page):
    with served.app_context(), unit_of_work():
        path = drafts.begun().path
    page = open_page("director")
    page.goto(f"{path}/text/2")
    text = page.input_value("[name=text]")
    page.fill("[name=text]", text.replace('clause = "5.1.2"', 'clause = "5.9"'))
    page.locator("[data-faults-list] li", has_text="There is no clause 5.9.").first.wait_for()
    page.fill("[name=text]", text)
    page.wait_for_function("() => !document.querySelector('[data-faults-list] li')")


def test_a_trial_is_asked_for_and_its_result_comes_by_itself(served, open_page):
    with served.app_context(), unit_of_work():
        path = drafts.changed(drafts.Change(("duty", "rulebook.acknowledge", "due"), "1 month")).path
        duties.acknowledge(make.db.session.query(duties.Edition).one(), by=make.who("director"))
    page = open_page("director")
    page.goto(path)
    page.fill("[name=since]", "2026-11-01")
    page.fill("[name=until]", "2026-12-31")
    page.click("#trial form button.btn-primary")
    page.locator("[data-progress]").wait_for()
    with served.app_context(), clock.frozen(clock.parse("2026-12-11T09:00")):
        sweep.tick()
    page.locator(".verdict", has_text="deadlines fewer missed").wait_for()
    page.click("text=By rule, by person")
    assert "Read and acknowledge the rulebook" in page.locator("main").inner_text()
