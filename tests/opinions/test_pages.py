"""Opinions on their pages: who reads what of a complaint, and nothing typed lost."""

import pytest

from crm.db import db, unit_of_work
from crm.opinions import workflow
from crm.opinions.models import Opinion, State
from tests import make
from tests.reading import text_of

DESK = ("specialist", "specialist2", "followup", "manager", "director")


def only() -> Opinion:
    db.session.expire_all()
    return db.session.query(Opinion).one()


def seen(browser, path: str) -> set[str]:
    return {who for who in make.CAST if browser(who).get(path).status_code == 200}


def test_it_is_taken_in_on_a_customers_page_and_nothing_typed_is_lost(app, browser):
    with unit_of_work():
        unit = make.served_customer()
    page, asked = browser("specialist"), f"/opinions/new?customer={unit.number}"
    assert asked in page.get(unit.path).text
    typed = {"customer": unit.number, "title": "响应慢", "said": "等了三天", "said_on": "2026-11-20", "kind": "complaint", "way": "call"}
    answer = page.send("/opinions/new", page=asked, **typed)
    assert answer.status_code == 422 and "等了三天" in answer.text and "响应慢" in answer.text
    assert page.send("/opinions/new", page=asked, **typed, about="delay").status_code == 303
    assert (only().state, only().about, only().customer_id) == (State.TO_INVESTIGATE, "delay", unit.id)


@pytest.mark.parametrize("of", ["visit", "ticket", "callback"])
def test_from_what_it_was_said_on_it_knows_where_it_came_of(app, browser, of):
    with unit_of_work():
        row = {"visit": make.visit, "ticket": make.ticket, "callback": make.begun_callback}[of]()
    page = browser("followup")
    asked = f"/opinions/new?of={row.number}"
    assert asked in page.get(row.path).text
    answer = page.send("/opinions/new", page=asked, of=row.number, title="很好", said="师傅很耐心", said_on="2026-11-23", kind="praise")
    assert answer.status_code == 303
    assert (only().origin_id, only().way) == (row.id, "call" if of == "ticket" else of)
    assert row.number in page.get(only().path).text and only().number in page.get(row.path).text


def test_a_complaint_about_somebody_is_read_by_those_concerned_only(app, browser):
    """RULES, "Who reads what": that person once heard, its investigator, manager, director; follow-up calls on the outcome."""
    with unit_of_work():
        row = make.complaint(upto="investigating", title="态度")
    assert seen(browser, row.path) == {"manager", "director"}
    assert row.number not in browser("specialist").get("/opinions").text + browser("specialist").get("/search?q=态度").text
    with unit_of_work():
        workflow.hear(db.session.get(Opinion, row.id), by=make.who("manager"), words="他说线路不好")
    assert seen(browser, row.path) == {"specialist", "manager", "director"}
    with unit_of_work():
        workflow.confirm(db.session.get(Opinion, row.id), by=make.who("manager"), findings="录音属实")
        workflow.answer(db.session.get(Opinion, row.id), by=make.who("manager"), answer="已道歉")
    assert seen(browser, row.path) == {"specialist", "followup", "manager", "director"}
    outline = text_of(browser("followup").get(row.path).text)
    assert "说话很冲" in outline and "已道歉" in outline
    for secret in ("录音属实", "线路不好", "张伟", "200"):
        assert secret not in outline, secret
    listed = text_of(browser("followup").get("/opinions").text.partition("<tbody")[2])
    assert row.number in listed and "张伟" not in listed
    assert "张伟" not in browser("followup").get("/opinions/export.csv").text
    assert "张伟" in browser("manager").get("/opinions/export.csv").text
    about = make.who("specialist").id
    assert row.number in browser("followup").get(f"/opinions?against={about + 1}").text, "whom it is about is no filter of theirs"


def test_neither_a_customers_history_nor_a_file_tells_follow_up_what_was_found_of_whom(app, browser):
    with unit_of_work():
        row = make.complaint(upto="answered")
        file = make.evidence(row)
        unit = make.customer_of(row).path
    for who, sees in (("manager", True), ("specialist", True), ("followup", False), ("specialist2", False)):
        page = browser(who)
        assert ("录音听过，属实" in page.get(unit).text) == sees, who
        assert page.get(f"/files/{file}").status_code == (200 if sees else 404), who


def test_one_about_whoever_leads_is_not_theirs_to_see_before_they_are_heard(app, browser):
    with unit_of_work():
        row = make.complaint(upto="investigating", against=make.who("manager"), by=make.who("director"))
    assert seen(browser, row.path) == {"director"}


def test_what_is_about_nobody_or_no_complaint_all_four_roles_read(app, browser):
    with unit_of_work():
        rows = [make.complaint(against=None), make.opinion(category="praise", against=make.who("specialist"))]
    for row in rows:
        assert seen(browser, row.path) == set(DESK)


def test_follow_up_reads_what_was_said_and_answered_before_calling(app, browser):
    with unit_of_work():
        make.complaint(upto="answered")
    page = browser("followup")
    desk = page.get("/callbacks").text
    assert "Call on the outcome of an opinion" in text_of(desk)
    path = next(action for form in page.forms("/callbacks") for action in form["actions"] if action.startswith("/duties/"))
    call = text_of(page.get(f"/callbacks/calls/{path.split('/')[2]}").text)
    assert "说话很冲" in call and "已道歉" in call and "录音听过" not in call and "张伟" not in call


def test_what_follows_is_shown_to_those_concerned_and_who_leads(app, browser):
    with unit_of_work():
        first, second = make.complaint(upto="founded"), make.complaint(upto="founded")
    for who in ("specialist", "manager", "director"):
        assert "¥200" in text_of(browser(who).get(first.path).text)
        assert "dismissal recommended" in text_of(browser(who).get(second.path).text)


def test_a_complaint_in_its_whole_life_on_its_page(app, browser):
    with unit_of_work():
        path = make.complaint().path
    for noun, typed in (("investigation", {}), ("hearing", {"words": "他说"}), ("confirmation", {"findings": ""}),
                        ("confirmation", {"findings": "属实"}), ("answer", {"answer": "已道歉"})):  # fmt: skip
        answer = browser("manager").send(f"{path}/{noun}", **typed)
        assert answer.status_code == (422 if typed == {"findings": ""} else 303), noun
    assert only().state == State.ANSWERED
    story = text_of(browser("director").get(path).text)
    for line in ("took the investigation on", "heard those concerned", "confirmed the complaint", "answered the customer"):
        assert line in story
