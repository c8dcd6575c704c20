"""Filters under a name, columns, and lists as files."""

import csv
import io
from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook

from crm import cells, clock, export
from crm.db import db, unit_of_work
from crm.desk import listing
from crm.desk.models import SavedFilter
from crm.desk.tables import TABLES
from crm.staff.models import Access
from tests import make

FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1", " =1", '"=1', "';=1", ";=1", "\n=1", "=HYPERLINK(1)"]


@pytest.fixture
def some(app):
    with unit_of_work():
        unit = make.served_customer("甲公司")
        for i in range(3):
            make.ticket(unit, title=f"凭证 {i}", category="bug" if i else "inquiry")
        make.customer("=cmd()", code="000123", phone="+86 138")


def table(page, path: str) -> list[list[str]]:
    answer = page.get(path)
    assert answer.status_code == 200 and answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def sheet(page, path: str) -> list[list]:
    return CalamineWorkbook.from_filelike(io.BytesIO(page.get(path).data)).get_sheet_by_index(0).to_python()


def test_a_file_holds_what_the_filters_reach(some, browser):
    page = browser("specialist")
    rows = table(page, "/tickets/export.csv?category=bug")
    assert [row[2] for row in rows] == ["In one line", "凭证 2", "凭证 1"]
    assert [row[2] for row in sheet(page, "/tickets/export.xlsx?category=inquiry")] == ["In one line", "凭证 0"]
    assert table(browser("specialist", "zh"), "/tickets/export.csv")[0][2] == "事由"


@pytest.mark.parametrize("key", TABLES)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_list_is_taken_as_a_file_by_those_who_may(some, browser, key, kind):
    path = f"{TABLES[key].path}/export.{kind}"
    may = {"staff": "admin", "access": "admin"}.get(key, "specialist")
    assert browser(may).get(path).status_code == 200
    if TABLES[key].permission != "signed_in":
        assert browser("admin" if key in ("papers", "changes", "tickets") else "developer").get(path).status_code == 403
    db.session.rollback()
    assert db.session.query(Access).filter_by(kind="exported").count() == 1


def test_zeros_stay_and_no_cell_is_a_formula(some, browser):
    page = browser("specialist")
    rows = {row[3]: row for row in table(page, "/customers/export.csv")}
    assert rows["000123"][1] == "'=cmd()"
    names = sheet(page, "/customers/export.xlsx")
    assert [row[1] for row in names if row[3] == "000123"] == ["=cmd()"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_calculate_begins_with_an_apostrophe(text):
    assert export.guarded(text) == "'" + text


@pytest.mark.parametrize("text", ["甲公司", "13800001234", "2026-11-23", "a=b", "3", ""])
def test_other_texts_stay_as_they_are(text):
    assert export.guarded(text) == text


def test_more_rows_than_a_page_all_come(app, browser):
    with unit_of_work():
        for i in range(130):
            make.customer(f"客户{i}", code=f"{i}")
    assert len(table(browser("specialist"), "/customers/export.csv")) == 131


def test_a_sheet_has_an_end(some, browser, monkeypatch):
    monkeypatch.setattr(cells, "MOST_IN_SHEET", 2)
    answer = browser("specialist").get("/tickets/export.xlsx")
    assert answer.status_code == 422 and ".csv" in answer.text


def test_a_filter_is_kept_used_and_removed(some, browser, app):
    page = browser("specialist")
    answer = page.send(
        "/lists/tickets/filters", page="/tickets?category=bug", name="我的问题", query="category=bug&evil=1"
    )
    assert answer.location == "/tickets?category=bug"
    shown = page.get("/tickets").text
    assert "我的问题" in shown and 'href="/tickets?category=bug"' in shown
    assert "我的问题" not in browser("specialist2").get("/tickets").text
    row = db.session.query(SavedFilter).one()
    path = f"/lists/filters/{row.id}/removal"
    assert browser("specialist2").send(path, page="/tickets").status_code == 404
    assert page.send(path, page="/tickets").status_code == 303
    assert 'href="/tickets?category=bug"' not in page.get("/tickets").text


def test_the_same_name_again_replaces_and_nothing_is_no_filter(some, browser, app):
    page = browser("specialist")
    for query in ("category=bug", "state=open"):
        page.send("/lists/tickets/filters", page="/tickets", name="一", query=query)
    answer = page.send("/lists/tickets/filters", page="/tickets", name="二", query="")
    assert answer.status_code == 422 and "Nothing is filtered" in answer.text and 'value="二"' in answer.text
    assert [(row.name, row.query) for row in db.session.query(SavedFilter)] == [("一", "state=open")]


def test_a_manager_shares_a_filter_and_a_specialist_does_not(some, browser):
    send = {"page": "/tickets", "name": "超期", "query": "overdue=1", "shared": "y"}
    assert browser("specialist").send("/lists/tickets/filters", **send).status_code == 403
    assert browser("manager").send("/lists/tickets/filters", **send).status_code == 303
    assert "超期" in browser("specialist2").get("/tickets").text


@pytest.mark.parametrize("key", ["tickets", "customers", "installations"])
def test_columns_are_chosen_per_person_and_each_is_shown(some, browser, key):
    page, path = browser("specialist"), TABLES[key].path
    every = [column.key for column in TABLES[key].columns]
    assert page.send(f"/lists/{key}/columns", page=path, column=every).status_code == 303
    shown = page.get(path).text
    heads, row = shown.split("<thead>")[1].split("</thead>")[0], shown.split("<tbody>")[1].split("</tr>")[0]
    assert heads.count("<th>") == row.count("<td") - row.count('class="pick"') == len(every)
    page.send(f"/lists/{key}/columns", page=path, column=["number"])
    assert page.get(path).text.split("<thead>")[1].split("</thead>")[0].count("<th>") == 1
    assert browser("specialist2").get(path).text.split("<thead>")[1].split("</thead>")[0].count("<th>") > 3
    page.send(f"/lists/{key}/columns", page=path, column=["nonsense"])
    assert page.get(path).text.split("<thead>")[1].split("</thead>")[0].count("<th>") > 3


def test_lists_of_others_are_not_there(some, browser):
    for path in ("/lists/staff/columns", "/lists/nothing/columns", "/lists/access/filters"):
        assert browser("specialist").send(path, page="/tickets", name="x", query="kind=left").status_code == 404


def test_a_list_is_taken_as_a_file_only_so_often(app, browser, monkeypatch):
    monkeypatch.setattr(listing, "MOST", 2)
    page = browser("specialist")
    assert [page.get("/tickets/export.csv").status_code for _ in range(3)] == [200, 200, 429]
    with clock.frozen(clock.now() + timedelta(minutes=16)):
        assert browser("specialist").get("/tickets/export.csv").status_code == 200


@pytest.mark.parametrize(("role", "searches"), [("specialist", True), ("director", True), ("developer", True), ("archivist", True), ("admin", False)])
def test_the_sheet_of_keys_names_the_search_to_those_who_have_one(browser, role, searches):
    shown = browser(role).get("/account").text
    assert ("<kbd>/</kbd>" in shown) == searches == ("data-search" in shown)
