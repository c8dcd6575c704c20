"""The import through its pages: send, look, map, bring in batch by batch, read the report."""

import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.customers.models import Customer
from crm.db import _writing, db, unit_of_work
from crm.duties.models import Event
from crm.files import workflow as files
from crm.files.models import File
from crm.sheets import reading as sheets
from crm.sheets import runs
from crm.sheets.models import ImportRun
from tests import make
from tests.customers.sheets import DATA, shared, text, xlsx
from tests.shares import by_turns

pytestmark = pytest.mark.usefixtures("sound")
PAGE = "/customers/import"


@pytest.fixture
def small(monkeypatch):
    """Batches of two rows."""
    monkeypatch.setattr(runs, "BATCH", 2)


def send(page, content: bytes, name: str = "list.csv"):
    return page.send(PAGE, files={"file": (io.BytesIO(content), name)})


def sent(page, content: bytes, name: str = "list.csv") -> str:
    """The path of the preview of a file just sent."""
    answer = send(page, content, name)
    assert answer.status_code == 303, answer.text
    return answer.location


def begun(page, content: bytes, **columns: str) -> str:
    path = sent(page, content)
    assert page.send(path, page=path, act="start", **columns).status_code == 303
    return path


def go_on(page, path: str, **fields):
    return page.send(f"{path}/batch", page=path, **fields)


def count(model=Customer) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_file_is_looked_at_before_anything_is_imported(app, browser):
    page = browser("specialist")
    path = sent(page, text("客户名单", "简称,电话,行业", "甲,010,软件", ",1,2"))
    shown = page.get(path).text
    for words in ("list.csv", "The header is in row 2", "Short name", "Phone", "甲", "1 row will be refused",
                  "Row 4: It has neither a short nor a full name.", "Import 1 row<"):  # fmt: skip
        assert words in shown, words
    assert page.forms(path)[-1]["choices"]["c2"][:3] == ["", "short_name", "full_name"]
    assert (count(), count(ImportRun)) == (0, 0)


def test_an_import_goes_batch_by_batch_and_ends_in_a_report(app, browser, small):
    page = browser("specialist")
    path = begun(page, text("简称,邮箱", "甲,", "乙,坏", "丙,c@d.cn"))
    assert "0 of 3 rows" in page.get(path).text
    assert go_on(page, path).location == path
    assert (count(), "2 of 3 rows" in page.get(path).text) == (1, True)
    go_on(page, path)
    report = page.get(path).text
    assert (count(), "Done." in report, "Row 3: 邮箱: 坏 is no e-mail address." in report) == (2, True, True)
    run = db.session.scalars(select(ImportRun)).one()
    assert (run.created, run.updated, run.unchanged, len(run.refused)) == (2, 0, 0, 1)
    assert f'href="{path}"' in page.get(PAGE).text
    event = db.session.scalars(select(Event).where(Event.kind == "customer.imported")).first()
    assert (event.via, event.address, event.actor_id) == ("import", "127.0.0.1", make.who("specialist").id)


def test_the_same_batch_twice_counts_once(app, browser, small):
    page = browser("specialist")
    path = begun(page, text("简称", *"甲乙丙丁戊"))
    for _ in range(2):
        assert go_on(page, path, position="0").status_code == 303
    run = db.session.scalars(select(ImportRun)).one()
    assert (run.position, run.created, count()) == (2, 2, 2)
    for wrong in ("", "x", "-1", "4", "99999999999", "²"):
        assert go_on(page, path, position=wrong).status_code == 303
    assert count() == 2


def test_a_finished_import_stays_as_it_is(app, browser, small):
    page = browser("specialist")
    path = begun(page, text("简称", "甲"))
    for position in ("0", "0", "1"):
        go_on(page, path, position=position)
    assert page.send(path, page=path, act="start").location == path
    assert (count(), count(ImportRun)) == (1, 1)


def test_an_unknown_column_is_mapped_and_the_page_shows_what_becomes_of_it(app, browser):
    page = browser("specialist")
    path = sent(page, text("A股代码,证券简称", "000001,平安银行"))
    assert "Say below which one it is" in page.get(path).text
    refused = page.send(path, page=path, act="start", c0="code")
    assert refused.status_code == 422
    assert "No column is known as the customer" in refused.text
    assert re.search(r'<option value="code" selected>', refused.text)
    shown = page.send(path, page=path, act="preview", c0="code", c1="short_name")
    assert shown.status_code == 303
    assert "平安银行" in page.get(shown.location).text
    assert page.send(path, page=shown.location, act="start", c0="code", c1="short_name").status_code == 303
    go_on(page, path)
    unit = db.session.scalars(select(Customer)).one()
    assert (unit.code, unit.title, unit.full_name) == ("000001", "平安银行", "平安银行")


def test_two_columns_cannot_become_one_field(app, browser):
    page = browser("specialist")
    path = sent(page, text("一,二", "甲,乙"))
    answer = page.send(path, page=path, act="start", c0="short_name", c1="short_name")
    assert (answer.status_code, "Two columns cannot both become Short name." in answer.text) == (422, True)
    assert page.get(f"{path}?c0=short_name&c1=short_name").status_code == 200
    assert page.get(f"{path}?c0=nonsense&c9=code&x=1").status_code == 200


@pytest.mark.parametrize(("content", "name", "reason"), [
    (b"", "list.csv", "is empty"), (b"<html></html>", "list.xls", "web page"), (b"PK\x03\x04", "list.xlsx", "cannot be read"),
    (b"%PDF-1.4", "list.csv", "cannot be read"), (b"\x89PNG\r\n\x1a\n\0", "a.csv", "cannot be read"),
])  # fmt: skip
def test_what_is_no_table_comes_back_with_its_reason(app, browser, content, name, reason):
    answer = send(browser("specialist"), content, name)
    assert (answer.status_code, reason in answer.text) == (422, True)
    assert count(File) == 0


def test_without_a_file_the_form_asks_for_one(app, browser):
    answer = browser("specialist").send(PAGE)
    assert (answer.status_code, "Choose a file first." in answer.text) == (422, True)


def test_a_list_without_rows_cannot_be_imported(app, browser):
    page = browser("specialist")
    path = sent(page, text("简称,电话"))
    answer = page.send(path, page=path, act="start")
    assert (answer.status_code, "no rows below its header" in answer.text) == (422, True)


@pytest.mark.parametrize("name", ["list.csv", "list.xls", "名单", "list.xlsx.pdf"])
def test_a_wrong_ending_does_no_harm(app, browser, name):
    page = browser("specialist")
    path = sent(page, xlsx(["简称"], ["甲"]), name)
    assert "甲" in page.get(path).text
    assert db.session.scalars(select(File.name)).one().endswith(".xlsx")


def test_nobody_else_sees_or_drives_an_import(app, browser, small):
    page = browser("specialist")
    waiting, running = sent(page, text("简称", "甲")), begun(page, text("简称", "乙"))
    other = browser("manager")
    for path in (waiting, running, f"{PAGE}/{'0' * 32}"):
        assert other.get(path).status_code == 404
        assert other.send(path, page=PAGE, act="start").status_code == 404
        assert other.send(f"{path}/batch", page=PAGE, position="0").status_code == 404
    assert count() == 0
    assert "list.csv" not in other.get(PAGE).text


@pytest.mark.parametrize("login", ["developer", "archivist", "admin", "stranger"])
def test_who_may_not_edit_customers_may_not_import_them(app, browser, login):
    page = browser(login)
    assert page.get(PAGE).status_code == 403
    assert send(page, text("简称", "甲")).status_code == 403


def test_a_draft_of_another_purpose_is_no_import(app, browser):
    page = browser("specialist")
    answer = page.send("/files", page="/account", files={"file": (io.BytesIO(text("简称", "甲")), "list.csv")})
    assert answer.status_code == 200
    assert page.get(f"{PAGE}/{db.session.scalars(select(File.key)).one()}").status_code == 404


def test_a_file_swept_away_meanwhile_is_said(app, browser, small):
    page = browser("specialist")
    path = begun(page, text("简称", *"甲乙丙"))
    go_on(page, path)
    db.session.rollback()
    with unit_of_work():
        db.session.delete(db.session.scalars(select(File)).one())
    runs._plan.cache_clear()
    answer = go_on(page, path)
    assert (answer.status_code, "no longer kept" in answer.text, count()) == (422, True, 2)
    assert page.get(path).status_code == 200


def test_a_file_is_read_once_and_while_nothing_is_locked(app, browser, small, monkeypatch):
    read, states = sheets.read, []

    def watched(*args):
        states.append(_writing.get())
        return read(*args)

    monkeypatch.setattr(sheets, "read", watched)
    page = browser("specialist")
    path = sent(page, text("简称", *"甲乙丙"))
    for _ in range(2):
        runs._plan.cache_clear()
        assert page.get(path).status_code == 200
    assert states == [False]


def test_what_was_read_goes_with_its_draft_and_is_read_anew_if_it_is_wanted(app, browser, small):
    page = browser("specialist")
    path = sent(page, text("简称", *"甲乙丙"))
    assert runs.forget(clock.now()) == 0
    assert runs.forget(clock.now() + timedelta(days=800)) == 1
    runs._plan.cache_clear()
    assert "甲" in page.get(path).text


def test_a_file_for_an_import_comes_by_the_imports_own_page(app, browser):
    page = browser("specialist")
    file = {"file": (io.BytesIO(text("简称", "甲")), "list.csv")}
    assert page.send("/files", page="/account", files=file, purpose="import").status_code == 422


def test_one_file_is_read_at_a_time(app, browser, monkeypatch):
    monkeypatch.setattr(sheets, "QUEUE", 0.01)
    held = sheets._one.acquire()
    try:
        answer = browser("specialist").send(PAGE, files={"file": (io.BytesIO(xlsx(["简称"], ["甲"])), "list.xlsx")})
    finally:
        sheets._one.release()
    assert held and answer.status_code == 422 and "Another file is being read" in answer.text


def test_nobody_fills_the_disk_with_drafts(app, browser, monkeypatch):
    monkeypatch.setattr(files, "WAITING", 2)
    page = browser("specialist")
    answers = [page.send("/files", page="/account", files={"file": (io.BytesIO(make.PDF + b" " * at), "a.pdf")})
               for at in range(3)]  # fmt: skip
    assert [answer.status_code for answer in answers] == [200, 200, 422]


def test_with_htmx_the_answer_is_the_part_that_changes(app, browser, small):
    page = browser("specialist")
    path = begun(page, text("简称", *"甲乙丙"))
    page.headers["HX-Request"] = "true"
    part = page.get(path).text
    assert part.lstrip().startswith('<div id="run"')
    assert "<html" not in part


def test_an_import_asks_no_more_for_more_rows(app, browser, statements):
    page = browser("specialist")
    path = sent(page, text("简称", *[f"单位{at}" for at in range(1000)]))
    statements.clear()
    page.get(path)
    many = len(statements)
    path = sent(page, text("简称", "甲"))
    statements.clear()
    page.get(path)
    assert len(statements) == many


@pytest.mark.takes_long
@by_turns(1)
@shared
def test_shenzhens_list_comes_in_through_the_page(app, browser):
    page = browser("specialist")
    path = sent(page, (DATA / "customers" / "szse_main_board_gbk_crlf.csv").read_bytes(), "深市主板.csv")
    fields = {"c4": "code", "c5": "short_name"}
    shown = page.get(path + "?c4=code&c5=short_name").text
    assert "万  科Ａ" in shown
    assert page.send(path, page=path, act="start", **fields).status_code == 303
    for _ in range(8):
        go_on(page, path)
    run = db.session.scalars(select(ImportRun)).one()
    assert (run.created, run.position, run.finished_at is not None) == (1486, 1486, True)
