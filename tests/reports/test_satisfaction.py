"""Satisfaction (4.director.4): marks by month, specialist and product; and what is said of the software (4.director.10)."""

from collections import defaultdict
from datetime import date
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import pytest
from openpyxl import load_workbook

from crm import clock
from crm.callbacks import table as callback_table
from crm.callbacks import workflow as calls
from crm.callbacks.models import MARKS, Callback
from crm.changes import table as change_table
from crm.changes import workflow as changes
from crm.changes.models import ChangeRequest
from crm.db import db, unit_of_work
from crm.duties import reading
from crm.duties import workflow as duties
from crm.duties.models import Duty, Event
from crm.reports.satisfaction import Line, Scope, figures
from crm.reports.software import tally
from crm.serials import workflow as serials
from crm.serials.models import Installation
from crm.visits.models import Visit
from tests import make

NOW = clock.parse("2027-02-03T09:00")
PAGES = ("/reports/satisfaction", "/reports/satisfaction/file.xlsx", "/reports/software", "/reports/software/file.xlsx")


def call(at: str, unit, *, of: Installation | None = None, served: str = "specialist", software: str = "", bad: int = 2, **marks: int) -> Callback:
    """A visit whose form came in, called back on at that moment."""
    with clock.frozen(clock.parse(at)), unit_of_work():
        visit = make.handed_in(unit)
        visit.installation_id = of and of.id
        callback = calls.begin(db.session.query(Duty).filter_by(subject_id=visit.id, rule="call.feedback").one(), by=make.who("followup"))
        callback.concerned_id = make.who(served).id
        person = db.session.query(make.Contact).filter_by(customer_id=unit.id).first()
        doubt = "不满意" if min(marks.values(), default=5) <= bad else ""
        calls.reach(callback, by=make.who("followup"), contact=person, software=software, doubt=doubt, **marks)
    return callback


def change(at: str, unit, *, mark: int, said: str = "好用", of: Installation | None = None) -> ChangeRequest:
    with clock.frozen(clock.parse(at)), unit_of_work():
        row = make.change(unit, upto="updated", installation=of)
        changes.close(row, by=make.who("specialist"), said=said, mark=mark)
    return row


@pytest.fixture
def winter(app):
    """Three months of marks, at their edges too: two specialists, two products and what names none."""
    with unit_of_work():
        unit = make.served_customer()
        ledger = db.session.query(Installation).one()
        store = make.installation(unit, of=serials.product("金洋", "进销存"))
    call("2026-11-30T23:59:59", unit, of=ledger, attitude=5, skill=4, result=4, software="=打印慢")
    call("2026-12-01T00:00", unit, of=ledger, attitude=4, skill=4, result=2)
    call("2026-12-15T10:00", unit, of=store, served="specialist2", attitude=5, skill=5, result=5, software="希望有手机版")
    call("2026-12-31T23:59", unit, attitude=3, skill=3, result=3)
    call("2027-01-20T10:00", unit, of=store, attitude=1, skill=2, result=1, software="报表太慢")
    change("2026-12-31T23:30", unit, mark=2, said="还是慢", of=ledger)
    change("2027-01-01T00:30", unit, mark=5)
    with clock.frozen(NOW):
        yield unit


def looked_at(login: str = "manager", **asked: str):
    user = make.who(login)
    return figures(Scope.of(asked, user), user)


def by_hand() -> dict[str, dict[str, tuple]]:
    """Counts, averages and bad ones, row by row: of each month, specialist and product."""
    found: dict[str, dict[str, list]] = {"months": defaultdict(list), "specialists": defaultdict(list), "products": defaultdict(list)}

    def add(at, person: int, installation: int | None, *marks) -> None:
        of = db.session.get(Installation, installation) if installation else None
        product = db.session.get(serials.Product, of.product_id).title if of else ""
        for group, name in (("months", f"{clock.local(at):%Y-%m}"), ("specialists", db.session.get(make.User, person).name), ("products", product)):
            found[group][name].append(marks)

    for row in db.session.query(Callback).filter(Callback.attitude.is_not(None)):
        visit = db.session.get(Visit, row.origin_id)
        add(row.reached_at, row.concerned_id, visit and visit.installation_id, row.attitude, row.skill, row.result, None)
    for row in db.session.query(ChangeRequest).filter_by(state="closed"):
        at = db.session.query(Event).filter_by(subject_id=row.id, kind="change.closed").one().at
        add(at, row.owner_id, row.installation_id, None, None, None, row.mark)
    return {group: {name: summed(rows) for name, rows in some.items()} for group, some in found.items()}


def summed(rows: list[tuple]) -> tuple:
    of_calls, of_changes = [row for row in rows if row[0]], [row for row in rows if row[3]]
    means = [round(sum(given) / len(given), 2) if (given := [row[i] for row in rows if row[i]]) else None for i in range(4)]
    bad = [sum(min(filter(None, row)) <= 2 for row in some) for some in (of_calls, of_changes)]
    return len(of_calls), len(of_changes), *means, *bad


def of_line(line: Line) -> tuple:
    means = [line[mark] for mark in (*MARKS, "change")]
    return line.counts["callbacks"], line.counts["changes"], *means, line.counts["callbacks bad"], line.counts["changes bad"]


def test_the_figures_are_those_of_a_plain_recount(winter):
    found, wanted = looked_at(), by_hand()
    for group in ("months", "specialists", "products"):
        assert {line.name: of_line(line) for line in getattr(found, group) if line.counts} == wanted[group], group
    assert of_line(found.whole) == (5, 2, 3.6, 3.6, 3.0, 3.5, 2, 1)
    assert [line.name for line in found.products] == ["金洋 财务通", "金洋 进销存", ""], "what names none is last"


def test_a_month_ends_at_midnight_of_the_departments_clock(winter):
    found = {line.name: (line.counts["callbacks"], line.counts["changes"]) for line in looked_at().months}
    assert found == {"2026-11": (1, 0), "2026-12": (3, 1), "2027-01": (1, 1), "2027-02": (0, 0)}
    alone = looked_at(since="2026-12", until="2026-12")
    assert [of_line(line) for line in alone.months] == [of_line(alone.whole)]


def test_a_mark_is_bad_by_the_rulebook_of_its_day(winter):
    with clock.frozen(clock.parse("2027-02-01T09:00")), unit_of_work():
        duties.issue_edition(reading.shipped().replace("bad_mark = 2 ", "bad_mark = 4 "), clock.now())
    call("2027-02-02T09:00", winter, bad=4, attitude=4, skill=5, result=5)
    assert [line.counts["callbacks bad"] for line in looked_at().months] == [0, 1, 1, 1]


def test_it_is_narrowed_to_a_span_a_specialist_and_a_product(winter):
    me, product = make.who("specialist2"), db.session.query(serials.Product).filter_by(name="进销存").one()
    assert of_line(looked_at(specialist=str(me.id)).whole)[:2] == (1, 0)
    assert of_line(looked_at(product=str(product.id)).whole)[:2] == (2, 0)
    assert of_line(looked_at(product="none").whole)[:2] == (1, 1)
    assert of_line(looked_at(since="2027-01").whole)[:2] == (1, 1)
    assert of_line(looked_at(until="2026-11").whole)[:2] == (1, 0)


@pytest.mark.parametrize(
    ("asked", "since", "until"),
    [
        ({}, "2026-03", "2027-02"),
        ({"until": "2026-12"}, "2026-01", "2026-12"),
        ({"since": "2027-09", "until": "2027-12"}, "2027-02", "2027-02"),
        ({"since": "2026-12", "until": "2026-10"}, "2026-10", "2026-10"),
        ({"since": "1995-01"}, "2024-03", "2027-02"),
        ({"since": "1989-12", "until": "x", "product": "'--", "specialist": "-1"}, "2026-03", "2027-02"),
        ({"until": "1990-01"}, "1989-02", "1990-01"),
    ],
)
def test_the_span_is_a_year_until_now_unless_an_address_says_otherwise(app, asked, since, until):
    with clock.frozen(NOW):
        scope = Scope.of(asked, make.who("manager"))
        assert (f"{scope.since:%Y-%m}", f"{scope.until:%Y-%m}", scope.specialist, scope.product) == (since, until, None, "")
        assert len(scope.months) <= 36 and not looked_at(**asked).any


def rows_at(address: str) -> int:
    """How many rows the list shows to which a number leads."""
    parts, user = urlsplit(address), make.who("manager")
    table = {one.path: one for one in (callback_table.TABLE, change_table.TABLE)}[parts.path]
    asked = {key: value for key, (value,) in parse_qs(parts.query).items()}
    assert asked.keys() <= table.filters, "the list knows what it is asked"
    return table.asked(user, asked)[1].count


def test_each_number_leads_to_the_rows_behind_it(winter):
    found = looked_at()
    lines = [found.whole, *found.months, *found.specialists, *found.products]
    for line in lines:
        for marked, what in (("given", ""), ("bad", " bad")):
            assert rows_at(line.scope.callbacks(marked)) == line.counts[f"callbacks{what}"], (line.name, marked)
            assert rows_at(line.scope.changes(marked)) == line.counts[f"changes{what}"], (line.name, marked)
    assert sum(line.counts["callbacks"] for line in lines) == 20, "there was something to follow"


def test_the_page_shows_the_figures_and_leads_on(winter, browser):
    shown = browser("manager").get("/reports/satisfaction").text
    assert shown.count("<svg class=\"plot\"") == 3 and "2026-12" in shown and "金洋 进销存" in shown and "not named" in shown
    assert looked_at().months[1].scope.callbacks().replace("&", "&amp;") in shown
    narrowed = browser("manager").get("/reports/satisfaction?product=none&since=2026-12&until=2026-12").text
    assert "<dd>3.00</dd>" in narrowed and "李娜</a>" not in narrowed


def test_a_specialist_sees_the_own_marks_and_nobody_elses(winter, browser):
    page, other = browser("specialist2"), make.who("specialist")
    for address in ("/reports/satisfaction", f"/reports/satisfaction?specialist={other.id}"):
        shown = page.get(address).text
        assert "These are the marks customers gave you." in shown and "张伟" not in shown.split("<main")[1], address
        assert "<dd>5.00</dd>" in shown and 'name="specialist"' not in shown
    book = load_workbook(BytesIO(page.get(f"/reports/satisfaction/file.xlsx?specialist={other.id}").data))
    assert [cell.value for cell in book["By specialist"]["A"]] == ["Specialist", "李娜"]
    assert "/reports/satisfaction" in page.get("/callbacks/all").text and "/reports/software" not in page.get("/reports/satisfaction").text


@pytest.mark.parametrize(
    ("role", "statuses"),
    [("followup", (200, 200, 200, 200)), ("director", (200, 200, 200, 200)), ("specialist", (200, 200, 403, 403)),
     ("developer", (403, 403, 403, 403)), ("archivist", (403, 403, 403, 403)), ("admin", (403, 403, 403, 403))],
)  # fmt: skip
def test_who_reads_it(app, browser, role, statuses):
    page = browser(role)
    assert tuple(page.get(path).status_code for path in PAGES) == statuses


def test_where_nobody_gave_a_mark_the_pages_say_so(app, browser):
    page = browser("director")
    assert "No customer gave a mark in these months." in page.get("/reports/satisfaction").text
    assert "No customer said anything of the software in this month." in page.get("/reports/software").text
    assert all(load_workbook(BytesIO(page.get(path).data)).sheetnames for path in PAGES if path.endswith("xlsx"))
    assert {"/reports/satisfaction", "/reports/software"} <= {path for path in PAGES if path in page.get("/reports").text}


def test_more_marks_take_no_more_statements(winter, browser, statements):
    page, ledger = browser("director"), db.session.query(Installation).first()
    lists = [f"{path}product={ledger.product_id}&marked=bad" for path in ("/callbacks/all?", "/changes?closed=2026-12-01&")]

    def more(hour: int) -> None:
        call(f"2027-02-02T0{hour}:00", winter, of=ledger, software=f"慢{hour}", attitude=2, skill=2, result=2)
        change(f"2027-02-02T0{hour}:30", winter, of=ledger, mark=1)

    def counted() -> list[int]:
        found = []
        for path in (*PAGES, *lists):
            page.get(path)
            statements.clear()
            assert page.get(path).status_code == 200
            found.append(len(statements))
        return found

    more(0)
    few = counted()
    for hour in range(1, 9):
        more(hour)
    assert counted() == few and max(few) <= 20, few


def test_the_workbook_says_what_the_page_does_and_calculates_nothing(winter, browser):
    book = load_workbook(BytesIO(browser("manager").get("/reports/satisfaction/file.xlsx?since=2026-12").data))
    assert book.sheetnames == ["By month", "By specialist", "By product"]
    rows = {row[0]: row[1:] for row in book["By month"].iter_rows(values_only=True)}
    assert rows["2026-12"] == (3, 1, 4.0, 3, 4.0, 3, 3.33, 3, 1, 1, 2.0, 1)
    assert rows["Together"][:2] == (4, 2) and list(rows) == ["Month", "2026-12", "2027-01", "2027-02", "Together"]
    assert rows["2027-02"][2] is None, "no mark is no nought"
    said = load_workbook(BytesIO(browser("manager").get("/reports/software/file.xlsx?month=2026-11").data))
    cell = next(cell for row in said["Opinions"].rows for cell in row if cell.value == "=打印慢")
    assert cell.data_type == "s"


def test_what_is_said_of_the_software_is_gathered_from_calls_and_changes_by_product(winter):
    found = tally(date(2026, 12, 1), make.who("director"))
    assert {product: [(one.words, one.mark, one.customer, f"{one.day}") for one in some] for product, some in found.products.items()} == {
        "金洋 财务通": [("还是慢", 2, "宏远机械", "2026-12-31")], "金洋 进销存": [("希望有手机版", None, "宏远机械", "2026-12-15")],
    }  # fmt: skip
    assert dict(found.sources) == {"callback": 1, "change": 1} and found.by(-1) == "2026-11"
    assert [one.words for one in tally(date(2026, 11, 1), make.who("director")).said] == ["=打印慢"]
    later = tally(date(2027, 1, 1), make.who("director")).products
    assert {product: [one.words for one in some] for product, some in later.items()} == {"金洋 进销存": ["报表太慢"], "": ["好用"]}


def test_the_tallys_page_leads_to_each_and_to_other_months(winter, browser):
    page = browser("director")
    shown = page.get("/reports/software?month=2026-12").text
    for one in tally(date(2026, 12, 1), make.who("director")).said:
        assert f'href="{one.path}"' in shown and one.words in shown
        assert page.get(one.path).status_code == 200
    assert "month=2026-11" in shown and "month=2027-01" in shown
    for odd in ("x", "2026-13", "9999-01"):
        assert "2027-02" in page.get(f"/reports/software?month={odd}").text, "this month"


def test_who_sees_no_callbacks_gathers_none_of_them(winter):
    assert not tally(date(2026, 12, 1), make.who("archivist")).said
    assert [one.source for one in tally(date(2026, 12, 1), make.who("developer")).said] == ["change"]
