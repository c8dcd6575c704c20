"""Customers, contacts and installations by their pages."""

import pytest

from crm.customers.models import Contact, Customer
from crm.db import db, unit_of_work
from crm.duties.models import Event
from crm.serials.models import Installation
from tests import make


def test_a_customer_is_added_changed_and_its_history_tells_both(app, browser):
    page = browser("specialist")
    added = page.send(
        "/customers/new",
        short_name="宏远机械",
        code="000007",
        grade="A",
        region="江苏",
        owner_id=str(make.who("specialist").id),
    )
    assert added.status_code == 303
    unit = db.session.query(Customer).one()
    assert (unit.full_name, unit.code, unit.grade, unit.customer_id) == ("宏远机械", "000007", "A", unit.id)
    assert page.send(f"{unit.path}/edit", page=f"{unit.path}/edit", phone="025-1234", grade="B").status_code == 303
    text = page.get(unit.path).text
    assert "025-1234" in text and "added the customer" in text and "changed the customer" in text
    facts = db.session.query(Event).filter_by(kind="customer.edited").one().facts
    assert facts["changes"] == {"phone": ["", "025-1234"], "category": ["A", "B"]}


def test_a_code_is_given_once(app, browser):
    with unit_of_work():
        make.customer("甲", code="000007")
    answer = browser("specialist").send("/customers/new", short_name="乙", code="000007")
    assert answer.status_code == 422 and "already that of K0001" in answer.text and "乙" in answer.text


@pytest.mark.parametrize(("field", "value"), [("short_name", ""), ("short_name", "　"), ("email", "nobody"), ("grade", "D"),
                                              ("owner_id", "999"), ("short_name", "x" * 101), ("state", "gone")])  # fmt: skip
def test_a_bad_customer_is_refused_and_keeps_its_words(app, browser, field, value):
    fields = {"short_name": "宏远机械", "address": "某路 1 号"} | {field: value}
    answer = browser("specialist").send("/customers/new", **fields)
    if field == "state":
        assert answer.status_code in (303, 422)
        return
    assert answer.status_code == 422 and "某路 1 号" in answer.text
    assert db.session.query(Customer).count() == 0


def test_contacts_come_and_go_and_are_never_deleted(app, browser):
    with unit_of_work():
        path = make.customer().path
    page = browser("followup")
    assert (
        page.send(
            f"{path}/contacts/new", page=f"{path}/contacts/new", name="王会计", department="财务部", qq="10001"
        ).status_code
        == 303
    )
    person = db.session.query(Contact).one()
    edit = f"{path}/contacts/{person.id}"
    form = page.forms(edit)[-1]["fields"]
    form.pop("active")
    assert page.post(edit, form).status_code == 303
    assert page.post(edit, form | {"request_id": "0" * 32, "name": "王主管"}).status_code == 409
    shown = page.get(path).text
    assert "王会计" in shown and "gone" in shown
    assert page.get(f"/tickets/new/customer?customer={path[-5:]}").text.count("王会计") == 0


def test_an_installation_carries_its_period_and_its_state_of_use(app, browser):
    with unit_of_work():
        path = make.customer().path
    page = browser("specialist")
    new = f"{path}/installations/new"
    good = {"brand": "金洋", "product_name": "财务通", "edition": "标准版", "users": "12", "starts_on": "2026-01-01",
            "ends_on": "2026-12-10", "use": "unknown"}  # fmt: skip
    assert page.send(new, page=new, **good).status_code == 303
    assert "Service ends in 17 days" in page.get(path).text and "state of use" in page.get(path).text
    one = db.session.query(Installation).one()
    assert page.send(one.path, page=one.path, use="normal").status_code == 303
    db.session.refresh(one)
    assert str(one.use_seen_on) == "2026-11-23" and one.title == "金洋 财务通 标准版"
    for bad in ({"ends_on": "2025-01-01"}, {"ends_on": ""}, {"users": "0"}, {"users": "١٢"}, {"installed_on": "2027-01-01"},
                {"use": "eaten"}, {"brand": ""}):  # fmt: skip
        assert page.send(one.path, page=one.path, **bad).status_code == 422, bad


@pytest.mark.parametrize(("ends_in", "said"), [(200, "In service until"), (20, "Service ends in 20 days"), (0, "Service ends today"),
                                               (-1, "Service expired since"), (None, "None of our software")])  # fmt: skip
def test_the_verdict_stands_beside_the_customer_while_a_record_is_opened(app, browser, ends_in, said):
    with unit_of_work():
        unit = make.customer()
        if ends_in is not None:
            make.installation(unit, ends_in=ends_in)
    part = browser("specialist").get("/tickets/new/customer?customer=K0001").text
    assert said in part
    assert ("uncovered_reason" in part) == (ends_in is None or ends_in < 0)


def test_customers_of_whom_something_is_not_known_are_listed(app, browser):
    with unit_of_work():
        known = make.customer("都知道")
        make.contact(known, software_responsible=True)
        make.installation(known, use="normal")
        make.customer("没装")
        nobody = make.customer("没人")
        make.installation(nobody)
    page = browser("specialist")
    for what, there in (
        ("any", {"没装", "没人"}),
        ("product", {"没装"}),
        ("use", {"没人"}),
        ("person", {"没装", "没人"}),
    ):
        text = page.get(f"/customers?lacks={what}").text
        assert {name for name in ("都知道", "没装", "没人") if name in text} == there, what


def test_type_ahead_puts_the_exact_one_first_and_says_its_coverage(app, browser):
    with unit_of_work():
        make.customer("宏远机械配件", code="000071")
        make.installation(make.customer("宏远", code="000007"))
    page = browser("specialist")
    found = page.get("/customers/lookup?q=宏远").json
    assert [one["text"] for one in found] == ["宏远", "宏远机械配件"] and found[0]["coverage"] == "in_service"
    assert [one["text"] for one in page.get("/customers/lookup?q=000007").json] == ["宏远"]
    assert page.get("/customers/lookup?q=%").json == [] and page.get("/customers/lookup?q=").json == []


def test_a_customers_page_leads_to_their_records_and_visits_and_folds_what_is_older(app, browser):
    with unit_of_work():
        unit = make.served_customer()
        for i in range(12):
            make.ticket(unit, title=f"问题{i}")
        visit, other = make.visit(unit), make.visit(make.served_customer("另一家"))
        path, numbers = unit.path, (visit.number, other.number)
    page = browser("specialist")
    shown = page.get(path).text
    assert f'href="/tickets?customer={path[-5:]}"' in shown
    card = shown.partition("Latest on-site visits")[2].partition("</section>")[0]
    assert numbers[0] in card and numbers[1] not in card
    newest, _fold, older = shown.partition('<details class="more"><summary>')
    assert newest.count('<li class="event ') == 10 and older.count('<li class="event ') > 5 and "earlier lines" in older
    assert not browser("developer").get(path).text.count("/tickets?customer=")
