"""A visit on the phone: the whole way on a screen of 390 pixels, the customer's signature drawn by hand."""

from crm.db import db, unit_of_work
from crm.visits import feedback, workflow
from crm.visits.models import State, Visit
from tests import make
from tests.browser.drawing import LARGE, SMALL, draw


def test_the_whole_way_of_a_visit_on_a_phone(served, open_page):
    with served.app_context(), unit_of_work():
        departments = [{"name": "财务部", "waits": "报表打不开"}, {"name": "仓库", "waits": ""}]
        path = make.visit(departments=departments).path
    manager = open_page("manager", "zh", LARGE)
    manager.goto(path)
    manager.click("#approve")
    page = open_page("specialist", "zh", SMALL)
    page.goto(path)
    first = page.locator(".record-head .acts .btn").first
    for label in ("我现在出发", "我已到达"):
        assert first.inner_text().strip() == label
        first.click()
    assert first.inner_text().strip() == "填写服务反馈表"
    first.click()
    page.fill("#outcome_0", "报表已改好")
    page.fill("#outcome_1", "教会了盘点")
    page.fill("#opinion", "来得及时")
    page.click("#report button.btn-primary")
    assert first.inner_text().strip() == "请客户签字"
    first.click()
    page.wait_for_url(f"**{path}/signature")
    page.fill("#sign [name=name]", "王主任")
    page.fill("#sign [name=position]", "财务总监")
    page.click("#sign button.btn-primary")  # forgotten to draw: refused, with what was typed
    assert page.locator("#sign .wrong").first.is_visible() and page.input_value("#sign [name=name]") == "王主任"
    draw(page)
    page.click("#sign button.btn-primary")
    page.wait_for_url(f"**{path}")
    assert page.locator("svg.ink path").get_attribute("d").count("M") == 3
    assert first.inner_text().strip() == "我已返回"
    first.click()
    assert first.inner_text().strip() == "上交服务反馈表"
    first.click()
    assert first.inner_text().strip() == "写服务记录"
    page.select_option("#write_up [name=category]", "inquiry")
    assert "教会了盘点" in page.input_value("#write_up [name=description]")
    page.fill("[name=f_question]", "怎么结账")
    page.fill("[name=f_answer]", "先过账")
    page.click("#write_up button.btn-primary")
    page.wait_for_load_state()
    with served.app_context():
        visit = db.session.query(Visit).one()
        assert (visit.state, visit.handed_in_at is not None) == (State.WRITTEN_UP, True)


def test_a_drawing_is_still_there_after_a_refusal(served, open_page):
    with served.app_context(), unit_of_work():
        visit, me = make.visit(), make.who("specialist")
        workflow.approve(visit, by=make.who("manager"))
        for step in (workflow.depart, workflow.arrive):
            step(visit, by=me)
        make.feedback_of(visit)
        path = visit.path
    page = open_page("specialist", "en", SMALL)
    page.goto(f"{path}/signature")
    draw(page)
    page.evaluate("document.querySelectorAll('#sign [required]').forEach((one) => one.removeAttribute('required'))")
    page.click("#sign button.btn-primary")
    page.wait_for_selector("#wrong")
    drawn = page.evaluate("(() => { const c = document.querySelector('canvas.pad'); return c.getContext('2d')"
                          ".getImageData(0, 0, c.width, c.height).data.filter((one, i) => i % 4 === 3 && one > 0).length; })()")  # fmt: skip
    assert drawn > 100
    page.fill("#sign [name=name]", "王主任")
    page.fill("#sign [name=position]", "财务总监")
    page.click("#sign button.btn-primary")
    page.wait_for_url(f"**{path}")
    with served.app_context():
        assert feedback.signature_of(db.session.query(Visit).one()).name == "王主任"
