"""Change requests on their pages: by those who see them, from a record on, nothing typed lost."""

import io

import pytest

from crm.changes import workflow
from crm.changes.models import ChangeRequest, State
from crm.db import db, unit_of_work
from crm.papers.models import Paper
from tests import make
from tests.reading import text_of


def only() -> ChangeRequest:
    db.session.expire_all()
    return db.session.query(ChangeRequest).one()


def test_it_is_opened_from_a_record_with_what_stands_there(app, browser):
    with unit_of_work():
        record = make.ticket(category="bug", title="报表不平", fields={"steps": "打开报表", "error_message": "除数为零"})
    page = browser("specialist")
    assert f"/changes/new?record={record.number}" in page.get(record.path).text
    shown = page.get(f"/changes/new?record={record.number}").text
    assert "除数为零" in shown and "报表不平" in shown
    answer = page.send("/changes/new", record=record.number, title="报表不平", kind="bug", requirement="改成不报错")
    assert answer.status_code == 303
    change = only()
    assert (change.origin_id, change.category, change.customer_id) == (record.id, "bug", record.customer_id)
    page.get(record.path)  # what was said once is gone
    assert change.number in page.get(record.path).text, "the record leads to it"
    assert record.number in page.get(change.path).text


def test_by_itself_it_is_opened_on_a_customers_page(app, browser):
    with unit_of_work():
        unit = make.served_customer()
    page = browser("specialist")
    assert f"/changes/new?customer={unit.number}" in page.get(unit.path).text
    assert page.get("/changes/new").status_code == 303
    answer = page.send("/changes/new", customer=unit.number, title="加一列", kind="program_change", requirement="")
    assert answer.status_code == 422 and 'value="加一列"' in answer.text
    assert page.send("/changes/new", customer=unit.number, title="加一列", kind="program_change", requirement="加部门列").status_code == 303


def test_its_whole_life_on_its_page_by_four_people(app, browser):
    with unit_of_work():
        path = make.change().path
    steps = (
        ("specialist", "submission", {"agreed": "按部门", "file_form": (io.BytesIO(make.PDF), "申请.pdf")}),
        ("manager", "approval", {"opinion": "改取数", "expected_on": "2026-11-30"}), ("specialist", "answer", {"words": "告诉了王会计"}),
        ("developer", "taking", {}), ("developer", "delivery", {"changed": "取数", "how_to_test": "打开看"}),
        ("specialist", "failure", {"words": "九月不对"}), ("manager", "promise", {"expected_on": "2026-12-07", "reason": "要改取数", "told": "电话"}),
        ("developer", "delivery", {"changed": "九月", "how_to_test": "选九月"}), ("specialist", "passing", {}),
        ("specialist", "update", {"updated_on": "2026-11-23"}), ("specialist", "closure", {"said": "好用", "mark": "5"}),
    )  # fmt: skip
    for who, noun, typed in steps:
        answer = browser(who).send(f"{path}/{noun}", **typed)
        assert answer.status_code == 303, (noun, text_of(answer.text))
    assert only().state == State.CLOSED
    said = text_of(browser("followup").get(path).text)
    for words in ("九月不对", "Every date promised", "2026-11-30", "2026-12-07", "the customer was told: 电话", "好用"):
        assert words in said, words


def test_what_is_refused_comes_back_with_every_word(app, browser):
    with unit_of_work():
        path = make.change(upto="submitted").path
    answer = browser("manager").send(f"{path}/approval", opinion="先改报表再说", expected_on="2020-01-01")
    assert answer.status_code == 422 and "先改报表再说" in answer.text and "This day is over." in answer.text
    assert browser("specialist").send(f"{path}/approval", opinion="行", expected_on="2026-12-01").status_code == 403


def test_a_text_read_before_it_was_changed_is_approved_by_nobody(app, browser):
    with unit_of_work():
        change = make.change(upto="submitted")
        path, version = change.path, change.version
        workflow.change_request(change, by=make.who("specialist"), installation=None, category="program_change", title="改报表", requirement="全改", agreed="全改")
        workflow.submit(change, by=make.who("specialist"), agreed="全改", files=[make.form_scan(make.who("specialist"))])
    answer = browser("manager").send(f"{path}/approval", version=version, opinion="行", expected_on="2026-12-01")
    assert answer.status_code == 409 and only().state == State.SUBMITTED


@pytest.mark.parametrize(("role", "sees"), [("developer", 200), ("followup", 200), ("director", 200), ("archivist", 403), ("admin", 403), ("stranger", 403)])
def test_who_reads_changes(app, browser, role, sees):
    with unit_of_work():
        change = make.change(upto="approved")
    page = browser(role)
    assert [page.get(at).status_code for at in ("/changes", "/changes/board", change.path)] == [sees] * 3
    if role == "developer":
        assert "Take it on" in page.get(change.path).text and "/customers/K" not in page.get(change.path).text


def test_a_developers_page_is_what_is_theirs_by_date_and_the_board_stands_by_step(app, browser):
    with unit_of_work():
        mine, free = make.change(upto="building"), make.change(make.served_customer("乙公司"), upto="approved", title="另一件")
    page = browser("developer")
    assert mine.number in (text := page.get("/changes?developer=me&state=going").text) and free.number not in text
    assert free.number in page.get("/changes?state=approved").text and free.number in page.get("/").text, "and on Today, to be taken on"
    board = text_of(page.get("/changes/board").text)
    assert "Being built 1" in board and "Approved 1" in board and "promised for 11-30" in board


@pytest.mark.parametrize(("query", "there"), [
    ("owner=me", True), ("owner=me&state=going", True), ("state=closed", False), ("kind=bug", False), ("until=2026-11-30", True), ("until=2026-11-29", False),
])  # fmt: skip
def test_each_filter_narrows_the_list(app, browser, query, there):
    with unit_of_work():
        change = make.change(upto="building")
    assert (change.number in browser("specialist").get(f"/changes?{query}").text) == there


def test_the_list_takes_no_more_statements_for_more_rows_and_goes_out_as_a_sheet(app, browser, statements):
    page = browser("manager")
    with unit_of_work():
        make.change(upto="building")
    page.get("/changes")
    statements.clear()
    page.get("/changes")
    few = len(statements)
    with unit_of_work():
        for n in range(8):
            make.change(make.served_customer(f"单位{n}"), upto="building")
    statements.clear()
    page.get("/changes")
    assert len(statements) <= few
    assert page.get("/changes/export.xlsx").status_code == 200


def test_the_stamped_form_goes_to_the_archive_and_costs_if_it_is_lost(app, browser):
    with unit_of_work():
        change = make.change(upto="submitted")
    page = browser("specialist")
    assert "/papers/find/change_request/" in page.get("/").text
    assert page.send("/papers/new", page=f"/papers/new?of={change.number}&kind=change_request", sheets="1").status_code == 303
    paper = db.session.query(Paper).one()
    assert page.send(f"{paper.path}/loss", words="搬家丢了").status_code == 303
    assert "¥50" in page.get(paper.path).text


def test_a_developers_board_is_what_is_theirs_by_date_and_what_waits_for_one(app, browser):
    with unit_of_work():
        taken, waits = make.change(upto="building", title="我接下的"), make.change(upto="approved", title="没人接的")
        make.change(title="还在商定的")
        other = make.change(upto="approved", title="别人接下的")
        workflow.take(other, by=make.other_developer())
    page = browser("developer")
    mine = text_of(page.get("/changes/board").text)
    assert taken.title in mine and waits.title in mine and "还在商定的" not in mine and other.title not in mine
    assert "还在商定的" in text_of(page.get("/changes/board?whose=all").text)
    assert "还在商定的" in text_of(browser("manager").get("/changes/board").text)
    assert "别人接下的" in text_of(browser("specialist").get("/changes/board?whose=mine").text)
