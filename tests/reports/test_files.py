"""Page, workbook and paper say the same, in Chinese unless English is asked for; plots stand beside their tables."""

import re
from io import BytesIO

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from crm import clock
from crm.db import db, unit_of_work
from crm.plans import workflow as plans
from crm.reports import workflow
from crm.reports.kinds import SORTS
from crm.reports.models import Kind, Report
from tests import make
from tests.reports.work import DECEMBER, NOVEMBER, closed_november, record

KINDS = [*Kind]


@pytest.fixture
def world():
    return closed_november


@pytest.fixture
def work(app):
    with clock.frozen(DECEMBER):
        yield


def report(kind: str) -> Report:
    """The sweep has prepared it; of the specialists' the first one's."""
    return db.session.query(Report).filter_by(category=kind).order_by(Report.id).first()


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def text_of(answer) -> str:
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    return squeezed("\n".join(page.extract_text() for page in PdfReader(BytesIO(answer.data)).pages))


def test_the_workbook_has_the_numbers_and_a_sheet_for_each_table(work, browser, subtests):
    page = browser("director")
    for kind in KINDS:
        with subtests.test(kind.value):
            row, layout = report(kind), SORTS[kind].layout
            _holds(load_workbook(BytesIO(page.get(f"{row.path}/file.xlsx").data)), row, layout)


def _holds(book, row: Report, layout) -> None:
    assert len(book.sheetnames) == 1 + len(layout.tables)
    found = workflow.figures(row)
    numbers = {line[0]: line[1] for line in book["Numbers"].iter_rows(values_only=True)}
    for column in layout.numbers:
        assert numbers[column.label] == column.plain(found["number"].get(column.key)), column.key
    for table, sheet in zip(layout.tables, book.worksheets[1:], strict=True):
        assert sheet.max_row == 1 + len(table.rows(found)) and [cell.value for cell in sheet[1]] == [column.label for column in table.columns]


def test_the_paper_says_what_the_page_does(work, browser, subtests):
    page = browser("director")
    for kind in KINDS:
        with subtests.test(kind.value):
            _says(page, report(kind), kind)


def _says(page, row: Report, kind: str) -> None:
    english, chinese = text_of(page.get(f"{row.path}/file.pdf?language=en")), text_of(page.get(f"{row.path}/file.pdf"))
    assert squeezed(Kind(kind).label) in english and row.number in english and "Notsubmittedyet" in english
    assert row.number in chinese and squeezed(Kind(kind).label) not in chinese
    found = workflow.figures(row)
    for column, said, _at in SORTS[kind].layout.said(found):
        assert squeezed(f"{column.label}{said}") in english, column.key


def test_what_is_drawn_stands_beside_its_table(work, browser, subtests):
    page = browser("director")
    for kind in KINDS:
        with subtests.test(kind.value):
            _drawn(page.get(report(kind).path).text, kind)


def _drawn(text: str, kind: str) -> None:
    found, layout = workflow.figures(report(kind)), SORTS[kind].layout
    drawn = [table for table in layout.tables if table.drawn and table.rows(found)]
    assert text.count('<svg class="plot"') == len(drawn) and (drawn or kind == Kind.CALLBACKS)
    for table in drawn:
        assert f'aria-label="{table.title}"' in text
    assert "nan" not in text and "None" not in text.split("<main")[1]


def test_a_submitted_report_on_paper_names_who_submitted_it_and_when(work, browser):
    with unit_of_work():
        workflow.submit(report(Kind.SERVICES), by=make.who("manager"), remark="=平稳 <b>")
    text = text_of(browser("director").get(f"{report(Kind.SERVICES).path}/file.pdf"))
    assert "刘强2026-12-0109:00" in text and "=平稳<b>" in text and "尚未提交" not in text


def test_what_somebody_typed_is_no_formula_and_no_markup(work, browser):
    with unit_of_work():
        db.session.query(make.Customer).filter_by(title="老客户").one().title = "=1+1<i>"
    row = db.session.query(Report).filter_by(category=Kind.SPECIALIST, owner_id=make.who("specialist").id).one()
    page = browser("manager")
    book = load_workbook(BytesIO(page.get(f"{row.path}/file.xlsx").data))
    cell = next(cell for line in book["Customers in care"].rows for cell in line if cell.value == "=1+1<i>")
    assert cell.data_type == "s"
    assert "=1+1&lt;i&gt;" in page.get(row.path).text and "=1+1<i>" in text_of(page.get(f"{row.path}/file.pdf"))


def test_any_period_is_looked_at_without_anything_being_kept(work, browser, subtests):
    page, before = browser("director"), db.session.query(Report).count()
    for kind in KINDS:
        with subtests.test(kind.value):
            _looked_at(page, kind)
    db.session.rollback()
    assert db.session.query(Report).count() == before


def _looked_at(page, kind: str) -> None:
    for path in (f"/reports/running?kind={kind}", f"/reports/running?kind={kind}&month=2026-11", f"/reports/running?kind={kind}&day=2026-11-25"):
        assert page.get(path).status_code == 200, path
    asked = f"kind={kind}&day=2026-11-25&person={make.who('specialist').id}"
    assert load_workbook(BytesIO(page.get(f"/reports/running/file.xlsx?{asked}").data)).sheetnames[0] == "Numbers"
    assert "截至目前" in text_of(page.get(f"/reports/running/file.pdf?{asked}"))


@pytest.mark.parametrize(("login", "asked", "status"), [
    ("specialist", "", 200), ("specialist", "kind=specialist", 200), ("specialist", "kind=services", 403), ("followup", "kind=callbacks", 200),
    ("followup", "kind=specialist", 403), ("followup", "kind=company", 403), ("manager", "kind=company&month=2026-13&person=x", 200),
    ("director", "kind=nothing&day=2099-01-01", 200), ("archivist", "", 403), ("stranger", "", 403),
])  # fmt: skip
def test_who_looks_at_what(app, browser, login, asked, status):
    for path in ("/reports/running", "/reports/running/file.xlsx", "/reports/running/file.pdf"):
        assert browser(login).get(f"{path}?{asked}").status_code == status


def test_a_specialist_looks_at_their_own_month_whomever_they_ask_for(work, browser):
    other = make.who("specialist2")
    text = browser("specialist").get(f"/reports/running?kind=specialist&month=2026-11&person={other.id}").text.split("<main")[1]
    assert "张伟" in text and "李娜" not in text


def test_a_reports_page_takes_no_more_statements_for_more_records(work, browser, statements):
    page = browser("director")
    paths = [f"/reports/running?kind={kind}&day=2026-11-25&person={make.who('specialist').id}" for kind in KINDS] + ["/reports"]

    def counted() -> list[int]:
        found = []
        for path in paths:
            page.get(path)
            statements.clear()
            assert page.get(path).status_code == 200
            found.append(len(statements))
        return found

    few = counted()
    for i in range(5):
        record(f"2026-11-25T1{i}:00", category="report_problem")
        with clock.frozen(clock.parse("2026-11-25T09:00")), unit_of_work():
            make.served_customer(f"又一家{i}")
    assert counted() == few and max(few) <= 40, few


def test_the_contract_plan_is_listed_beside_them_and_goes_to_paper_alike(work, browser):
    with unit_of_work():
        make.in_force(ends_on=NOVEMBER.until)
        plan = plans.propose(NOVEMBER.since)
        path, number = plan.path, plan.number
    page = browser("manager")
    assert path in page.get("/reports").text and path not in browser("specialist").get("/reports").text
    text = text_of(page.get(f"{path}/file.pdf?language=en"))
    assert number in text and "2026-11-30" in text and "Contractplan" in text
    assert browser("archivist").get(f"{path}/file.pdf").status_code == 403


def test_a_report_frozen_before_there_were_addresses_is_shown_all_the_same(work, browser):
    row = report(Kind.CALLBACKS)
    old = {"number": {"called": 1, "reached": 1, "unreached": 0, "doubts": 0, "unrecorded": 0, "late": 0}, "products": [], "doubts": [],
           "specialists": [{"name": "张伟", "count": 1, "attitude": 5.0, "skill": None, "result": 4.0}],
           "calls": [{"number": "B2611-0001", "title": "月结", "customer": "宏远", "served": "张伟", "called_by": "王芳", "comment": "好", "software": "",
                      "reached": "2026-11-26 10:00", "attitude": 5, "skill": None, "result": 4}]}  # fmt: skip
    with unit_of_work():
        row.body, row.state, row.submitted_at, row.submitted_by_id = old, "submitted", clock.now(), make.who("followup").id
    page = browser("manager")
    assert "B2611-0001" in page.get(row.path).text and "月结" in text_of(page.get(f"{row.path}/file.pdf"))
    assert load_workbook(BytesIO(page.get(f"{row.path}/file.xlsx").data))["Calls"].max_row == 2
