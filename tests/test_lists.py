"""Lists: no page sends more statements for more rows, filters narrow, and pages go on by key."""

import pytest

from crm.db import db, unit_of_work
from crm.tickets import workflow
from crm.tickets.models import Ticket
from tests import make

LISTS = {"/tickets": 12, "/tickets?overdue=1": 12, "/customers": 14, "/customers?lacks=any": 17, "/installations": 11,
         "/": 12, "/duties": 10, "/duties/owed": 10, "/tickets?state=open&owner=me": 12}  # fmt: skip


def some(count: int) -> None:
    with unit_of_work():
        me = make.who("specialist")
        for i in range(count):
            unit = make.customer(f"客户{i}", code=f"{i:06}")
            make.contact(unit)
            make.installation(unit)
            ticket = make.ticket(unit, category="bug", title=f"问题{i}")
            workflow.start(ticket, by=me)
            if i % 2:
                workflow.end(ticket, by=me)


@pytest.mark.parametrize("role", ["specialist", "manager"])
def test_more_rows_take_no_more_statements(app, browser, statements, role):
    some(3)
    page = browser(role)

    def counted() -> dict[str, int]:
        found = {}
        for path in LISTS:
            page.get(path)
            statements.clear()
            assert page.get(path).status_code == 200
            found[path] = len(statements)
        return found

    few = counted()
    some_more = 12
    with unit_of_work():
        for i in range(some_more):
            unit = make.customer(f"新客户{i}")
            make.contact(unit)
            make.installation(unit)
            make.ticket(unit, category="bug")
    many = counted()
    assert many == few
    over = {path: count for path, count in many.items() if count > LISTS[path]}
    assert not over, f"more statements than agreed: {over}"


def test_a_records_page_takes_no_more_statements_the_longer_its_history(app, browser, statements):
    with unit_of_work():
        ticket = make.ticket()
        path = ticket.path
    page = browser("manager")
    page.get(path)
    statements.clear()
    page.get(path)
    short = len(statements)
    with unit_of_work():
        ticket = db.session.get(Ticket, ticket.id)
        for i in range(20):
            workflow.note(ticket, by=make.who("specialist" if i % 2 else "manager"), words=f"第{i}条")
            workflow.fill(ticket, by=make.who("specialist"), fields={"answer": f"第{i}次"})
    page.get(path)
    statements.clear()
    page.get(path)
    assert len(statements) == short <= 24


def test_a_long_list_goes_on_by_key(app, browser):
    with unit_of_work():
        unit = make.served_customer()
        for i in range(55):
            make.ticket(unit, title=f"问题{i}")
    page = browser("specialist")
    first = page.get("/tickets").text
    assert "T2611-0055" in first and "T2611-0005" not in first and "before=" in first
    second = page.get("/tickets?before=" + first.split("before=")[1].split('"')[0]).text
    assert "T2611-0005" in second and "T2611-0055" not in second and "before=" in second


@pytest.mark.parametrize(("query", "there", "gone"), [
    ("state=new", "新的", "做着的"), ("state=open", "做着的", "结束的"), ("category=bug", "做着的", "新的"), ("q=做着", "做着的", "新的"),
    ("q=T2611-0001", "新的", "做着的"), ("customer=K0002", "别家的", "新的"), ("customer=k0002", "别家的", "新的"),
    ("customer=另一", "别家的", "新的"), ("customer=另一家", "别家的", "又一家的"), ("customer=一家", "又一家的", "新的"), ("customer=谁也不是", None, "新的"),
    ("owner=me", "新的", "别家的"),
    ("since=2026-11-23", "新的", None), ("since=2026-11-24", None, "新的"), ("until=2026-11-22", None, "新的"), ("q=%25", None, "新的"),
])  # fmt: skip
def test_each_filter_narrows(app, browser, query, there, gone):
    with unit_of_work():
        me, other = make.who("specialist"), make.who("specialist2")
        unit = make.served_customer()
        make.ticket(unit, title="新的")
        for title in ("做着的", "结束的"):
            ticket = make.ticket(unit, title=title, category="bug")
            workflow.start(ticket, by=me)
        workflow.end(ticket, by=me)
        make.ticket(make.served_customer("另一家"), title="别家的", by=other)
        make.ticket(make.served_customer("另一家分公司又一家"), title="又一家的", by=other)
    text = browser("specialist").get(f"/tickets?{query}").text
    assert there is None or there in text
    assert gone is None or gone not in text


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=99999999999999999999", "owner=1e5", "owner='", "state=x", "since=x",
                                   "since=9999-99-99", "category=x", "q=" + "a" * 5000, "customer=' OR 1=1", "lacks=x", "grade=x",
                                   "before=%D9%A1", "rule=x", "person=x", "use=x", "product=x", "fared=x", "fine=x"])  # fmt: skip
def test_a_filter_that_is_none_of_ours_is_no_filter(app, browser, query):
    page = browser("manager")
    for path in ("/tickets", "/customers", "/installations", "/duties", "/duties/owed"):
        assert page.get(f"{path}?{query}").status_code == 200, path


@pytest.mark.parametrize("path", ["/tickets/T0", "/tickets/T2611-9999", "/tickets/" + "9" * 5000, "/customers/K99999999999999999999",
                                  "/duties/99999999999999999999/extension", "/duties/0/extension",
                                  "/files/" + "0" * 32, "/files/x", "/extensions/999999999", "/tickets/١٢", "/rulebook/R9999"])  # fmt: skip
def test_what_is_not_there_is_not_found(app, browser, path):
    assert browser("manager").get(path).status_code == 404


@pytest.mark.parametrize("text", ["a\x00b", "\x00"])
def test_what_no_database_keeps_is_refused_everywhere(app, browser, text):
    page = browser("specialist")
    assert page.get("/tickets", query_string={"q": text}).status_code == 400
    assert page.send("/customers/new", short_name=text).status_code == 400
    for path in ("/customers/K0001%00", "/files/" + "%00" * 32, "/customers/import/%00"):
        assert page.get(path).status_code == 400, path
