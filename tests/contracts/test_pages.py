"""The contracts' pages: the list and its filters, the page with its forms, renewals by step, notices to come, final payments."""

import io
from datetime import date, timedelta

import pytest

from crm import clock
from crm.contracts import paying, sums
from crm.contracts.models import Contract, Kind, State
from crm.db import db, unit_of_work
from crm.money import yuan
from crm.serials.models import Installation, ServicePeriod
from tests import make
from tests.contracts.making import ending, renewal, through
from tests.reading import text_of

TERMS = {"title": "财务通服务", "kind": "service", "amount_fen": "1200.50", "starts_on": "2026-12-01", "ends_on": "2027-11-30"}


def only() -> Contract:
    db.session.expire_all()
    return db.session.query(Contract).order_by(Contract.id.desc()).first()


def test_a_contract_is_drafted_for_a_customer_found_by_words_and_what_it_has(app, browser):
    with unit_of_work():
        unit = make.served_customer()
        kept, left = (str(make.installation(unit, starts_on=None, ends_on=None).id) for _ in range(2))
    page = browser("specialist")
    answer = page.send("/contracts/new", customer_q="宏远", installations=[kept], **TERMS)
    assert answer.status_code == 303
    contract = only()
    assert (contract.amount_fen, contract.starts_on, contract.state) == (120_050, date(2026, 12, 1), State.DRAFT)
    text = page.get(contract.path).text
    assert "¥1,200.50" in text and "2026-12-01 – 2027-11-30" in text
    assert page.get("/search?q=财务通服务").text.count(contract.number)


def test_the_part_for_a_customer_comes_alone_with_all_it_has_ticked(app, browser):
    with unit_of_work():
        unit = make.served_customer()
    text = browser("specialist").get(f"/contracts/new/customer?customer={unit.number}").text
    assert text.lstrip().startswith('<div id="customer-part">') and text.count("checked") == 1
    [form] = [one for one in browser("specialist").forms(f"/contracts/new?customer={unit.number}") if "/contracts/new" in one["actions"]]
    ticked = str(db.session.query(Installation).one().id)
    assert form["fields"]["installations"] == ticked, "and where one comes from the customer's page"


@pytest.mark.parametrize("amount", ["NaN", "1e3", "１２００", "-5", "1200.505", "1,2", "1,2000", "12,00.5", "0x10", "١٢", "99999999999999", "30000000", "."])
def test_an_amount_is_digits_with_two_decimals_or_refused_with_every_word_kept(app, browser, amount):
    with unit_of_work():
        make.served_customer()
    answer = browser("specialist").send("/contracts/new", customer_q="宏远", **(TERMS | {"amount_fen": amount}))
    assert answer.status_code == 422 and "An amount in yuan is needed" in answer.text
    assert f'value="{amount}"' in answer.text and 'value="财务通服务"' in answer.text
    assert db.session.query(Contract).count() == 0


@pytest.mark.parametrize(("amount", "fen"), [("0", 0), ("7", 700), ("7.5", 750), ("007.05", 705), (" 20000000 ", 2_000_000_000), ("1,200", 120_000),
                                             ("￥4,200.50", 420_050)])
def test_amounts_are_kept_in_fen(app, browser, amount, fen):
    with unit_of_work():
        make.served_customer()
    browser("specialist").send("/contracts/new", customer_q="宏远", **(TERMS | {"amount_fen": amount}))
    assert only().amount_fen == fen


def test_anothers_customer_is_refused_on_the_form_and_nothing_typed_is_lost(app, browser):
    with unit_of_work():
        make.served_customer()
    answer = browser("specialist2").send("/contracts/new", customer_q="宏远", **TERMS)
    assert answer.status_code == 422 and "else&#39;s care" in answer.text and 'value="财务通服务"' in answer.text


def test_renew_it_begins_with_the_next_year_the_same_installations_and_amount(app, browser):
    with unit_of_work():
        before = ending(20)
        number, ends = before.number, before.ends_on
    page = browser("specialist")
    assert f"/contracts/new?of={number}" in page.get(f"/contracts/{number}").text
    [form] = [one for one in page.forms(f"/contracts/new?of={number}") if "/contracts/new" in one["actions"]]
    said = form["fields"]
    assert (said["starts_on"], said["ends_on"], said["amount_fen"]) == (str(ends + timedelta(days=1)), "2027-12-13", "1200.00")
    assert said["installations"] == str(db.session.query(Installation).one().id)
    assert page.send("/contracts/new", page=f"/contracts/new?of={number}").status_code == 303
    after = only()
    assert after.origin_id == before.id and after.state == State.DRAFT
    text = page.get(f"/contracts/{number}").text
    assert after.number in text and "/contracts/new?of=" not in text, "it is being renewed"
    assert number in page.get(after.path).text


def test_a_gap_asks_for_its_reason_on_the_form(app, browser):
    with unit_of_work():
        number = ending(20).number
    page = browser("specialist")
    form = f"/contracts/new?of={number}"
    answer = page.send("/contracts/new", page=form, starts_on="2027-02-01", ends_on="2028-01-31")
    assert answer.status_code == 422 and "say why (5.2.1)" in answer.text and f"Renewal of {number}" in answer.text
    assert page.send("/contracts/new", page=form, starts_on="2027-02-01", ends_on="2028-01-31", adjustment="停用一个月").status_code == 303


def test_what_it_says_is_changed_until_the_copy_is_back(app, browser):
    with unit_of_work():
        contract = make.contract(upto="sent")
        path = contract.path
    answer = browser("specialist").send(f"{path}/edit", amount_fen="999.90", paper_number="JY-1")
    assert answer.status_code == 422 and "a manager's to change" in text_of(answer.text) and 'value="JY-1"' in answer.text
    page = browser("manager")
    assert page.send(f"{path}/edit", amount_fen="999.90", paper_number="JY-1").status_code == 303
    contract = only()
    assert (contract.amount_fen, contract.paper_number) == (99_990, "JY-1")
    assert "¥1,200</del> → ¥999.90" in page.get(path).text
    assert page.send(f"{path}/copy", returned_on="2026-11-23").status_code == 303
    assert page.send(f"{path}/edit", amount_fen="1").status_code == 409


def test_the_countersigned_copy_is_scanned_with_its_return_or_later(app, browser):
    with unit_of_work():
        paths = [make.contract(upto="sent").path for _ in range(2)]
    page = browser("specialist")

    def sent(path, content, name, **fields):
        return page.send(path, files={"file_copy": (io.BytesIO(content), name)}, **fields)

    assert sent(f"{paths[0]}/copy", make.PDF, "合同.pdf", returned_on="2026-11-23").status_code == 303
    assert "not scanned yet" not in page.get(paths[0]).text and "合同.pdf" in page.get(paths[0]).text
    wrong = sent(f"{paths[1]}/copy", b"signed by hand", "copy.txt", returned_on="2026-11-23")
    assert wrong.status_code == 422 and "A picture or a PDF is needed" in wrong.text and "copy.txt" in wrong.text
    assert page.send(f"{paths[1]}/copy", returned_on="2026-11-23").status_code == 303
    assert "not scanned yet" in page.get(paths[1]).text
    assert page.send(f"{paths[1]}/scan").status_code == 422
    assert sent(f"{paths[1]}/scan", make.PDF, "合同.pdf").status_code == 303
    shown = page.get(paths[1]).text
    assert "not scanned yet" not in shown and paths[0].split("/")[-1] in shown, "the same scan hangs on another contract"


def test_a_number_on_the_paper_stands_on_one_contract(app, browser):
    with unit_of_work():
        first = make.contract(paper_number="JY-1").number
        path = make.contract(make.served_customer("另一家")).path
    answer = browser("specialist").send(f"{path}/edit", paper_number="JY-1")
    assert answer.status_code == 422 and f"This number already stands on {first}" in answer.text


def test_the_whole_way_is_gone_on_its_page(app, browser):
    with unit_of_work():
        path = make.contract().path
        me = str(make.who("specialist").id)
    page = browser("specialist")
    for noun, fields in (
        ("signature", {"representative": me, "stamped": "y"}), ("dispatch", {"way": "fax"}),
        ("terms", {"copy_due_on": "2026-11-25", "terms": "周三寄回"}), ("copy", {}),
        ("invoice", {"invoice_address": "北京市海淀区", "invoice_recipient": "王会计", "courier_number": "SF1"}),
        ("payments", {"fen": "200"}), ("payments", {}), ("serials", {"reason": "客户自备加密狗"}),
    ):  # fmt: skip
        asked = "the new one is still to be handed over" in page.get(path).text
        assert asked == (noun == "serials"), "said of each installation while it is owed (5.6.4)"
        answer = page.send(f"{path}/{noun}", **fields)
        assert answer.status_code == 303, (noun, text_of(answer.text))
    contract = only()
    assert contract.state == State.RUNNING and sums.paid_fen(contract) == 120_000, "the open amount stood in the form"
    text = page.get(path).text
    assert text.count('class="step-done"') == 7 and "Paid in full." in text and "Not sent yet: it goes out by itself" in text


@pytest.mark.parametrize("fen", ["1200.01", "NaN", "-1", "0"])
def test_a_payment_that_is_none_is_refused_with_what_was_typed(app, browser, fen):
    with unit_of_work():
        path = make.contract(upto="returned").path
    answer = browser("specialist").send(f"{path}/payments", fen=fen, way="转账")
    assert answer.status_code == 422 and f'value="{fen}"' in answer.text and 'value="转账"' in answer.text


def test_a_payment_noted_wrongly_is_taken_back(app, browser):
    with unit_of_work():
        path = make.contract(upto="returned").path
    page = browser("specialist")
    page.send(f"{path}/payments", fen="100")
    assert page.send(f"{path}/payments", fen="100", takes_back="y").status_code == 303
    text = page.get(path).text
    assert "-¥100" in text and sums.open_fen(only()) == 120_000


@pytest.mark.parametrize(("query", "there", "gone"), [
    ("", "谈着的", None), ("state=draft", "谈着的", "在用的"), ("state=ahead", "谈着的", "在用的"), ("state=running", "在用的", "谈着的"),
    ("kind=sales", "卖的", "在用的"), ("unpaid=1", "卖的", "在用的"), ("ended=1", "过期的", "在用的"), ("owner=me", "谈着的", "别人的"),
    ("customer=另一家", "别人的", "谈着的"), ("customer=K0002", "别人的", "谈着的"), ("since=2027-11-01&until=2027-11-30", "谈着的", "过期的"),
    ("until=2026-11-22", "过期的", "谈着的"), ("customer=谁也不是", None, "谈着的"),
])  # fmt: skip
def test_each_filter_narrows_the_list(app, browser, query, there, gone):
    with unit_of_work():
        unit = make.served_customer()
        make.contract(make.served_customer("另一家"), by=make.who("manager"), owner=make.who("specialist2"), title="别人的")
        make.contract(unit, title="谈着的")
        make.contract(make.served_customer("第三家"), upto="running", title="在用的", starts_in=-200)
        make.contract(unit, category=Kind.SALES, starts_on=None, ends_on=None, upto="returned", title="卖的")
        make.contract(unit, upto="running", title="过期的", starts_in=-400)
    text = browser("specialist").get(f"/contracts?{query}").text
    assert there is None or there in text
    assert gone is None or gone not in text


def test_the_list_takes_no_more_statements_for_more_rows_and_goes_out_as_a_sheet(app, browser, statements):
    with unit_of_work():
        unit = make.served_customer()
        make.contract(unit, category=Kind.SALES, starts_on=None, ends_on=None, upto="returned")
        make.contract(unit, upto="running")
        make.in_force()
    page = browser("manager")

    def counted(path: str) -> int:
        page.get(path)
        statements.clear()
        assert page.get(path).status_code == 200
        return len(statements)

    paths = ("/contracts", "/contracts?unpaid=1", "/contracts/lanes?month=2027-11", "/contracts/forecast", "/contracts/receivables")
    few = [counted(path) for path in paths]
    with unit_of_work():
        for i in range(8):
            make.contract(make.served_customer(f"客户{i}"), upto="running")
            make.contract(make.served_customer(f"买家{i}"), category=Kind.SALES, starts_on=None, ends_on=None, upto="returned")
            make.in_force(make.customer(f"快到期{i}"))
    assert [counted(path) for path in paths] == few and max(few) <= 13, few
    assert "1200.0" in page.get("/contracts/export.csv?unpaid=1").text


def test_the_renewals_of_a_month_stand_in_the_lane_of_their_step_with_their_sums(app, browser):
    with unit_of_work():
        waiting, going, done, gone = (ending(days) for days in (20, 21, 22, 23))
        renewal(going, amount_fen=150_000)
        through(renewal(done))
        gone.state = State.LAPSED
    text = text_of(browser("director").get("/contracts/lanes?month=2026-12").text)
    assert "To be renewed 1 ¥1,200" in text and "Being negotiated 1 ¥1,500" in text and "To be paid 1 ¥1,200" in text
    assert f"Renewals of 2026-12 4 · {yuan(390_000)}" in text and waiting.number in text, "what has lapsed is not expected"
    assert "No service period ends in this month" in browser("director").get("/contracts/lanes?month=2026-05").text
    for odd in ("x", "2026-13", "9999-99", ""):
        assert browser("director").get(f"/contracts/lanes?month={odd}").status_code == 200


def test_the_forecast_says_which_notices_go_out_and_what_ended_without_renewal(app, browser):
    with unit_of_work():
        soon, late = ending(60), ending(200)
        over = ending(-5)
        make.in_force(make.customer("没有传真"), ends_on=clock.today() + timedelta(days=50))
        make.in_force(make.customer("只有传真", fax="0571-08835889"), ends_on=clock.today() + timedelta(days=50))
    text = text_of(browser("followup").get("/contracts/forecast").text)
    assert "no e-mail, and no faxes go out yet" in text, "a number on the customer's page is not said to be missing"
    assert soon.number in text and late.number not in text and "no fax, no e-mail" in text
    assert over.number in text.partition("Ended, not renewed")[2]


def test_final_payments_are_listed_with_salesperson_due_date_and_parts(app, browser):
    """4.specialist.6."""
    with unit_of_work():
        unit = make.served_customer()
        contract = make.contract(unit, category=Kind.SALES, starts_on=None, ends_on=None, salesperson="钱进", upto="returned", title="财务通专业版")
        paying.pay(contract, by=make.who("specialist"), fen=30_000, paid_on=clock.today())
        make.contract(unit, category=Kind.SALES, starts_on=None, ends_on=None, upto="running", title="已付清的")
    text = text_of(browser("specialist").get("/contracts/receivables").text)
    assert "钱进" in text and "2026-11-26" in text and "2026-11-23 ¥300" in text and "¥900" in text and "已付清的" not in text


def test_a_customers_page_shows_its_contracts_and_whether_one_is_withheld(app, browser):
    with unit_of_work():
        unit = make.customer("老客户")
        make.installation(unit, ends_in=-1)
        contract = make.contract(unit, upto="returned")
        path = unit.path
    page = browser("manager")
    text = page.get(path).text
    assert contract.number in text and "coverage-unpaid" in text and "not yet paid" in text
    with unit_of_work():
        db.session.query(ServicePeriod).filter_by(contract_id=contract.id).update({"standing": "withheld"})
    text = page.get(path).text
    assert "coverage-withheld" in text and "Service withheld until it is paid" in text


def test_why_its_notice_was_not_sent_stands_on_its_page(app, browser):
    with unit_of_work():
        over, coming = ending(-3), ending(100)
        paths = over.path, coming.path
    page = browser("specialist")
    assert "the period was already over" in page.get(paths[0]).text
    text = text_of(page.get(paths[1]).text)
    assert "it goes out by itself" in text and "24:00 on" not in text, "from a day on, not from the end of the day before"


def test_where_a_notice_would_reach_nobody_its_page_says_so_before_it_is_due(app, browser):
    with unit_of_work():
        made = make.in_force(make.customer("没有邮箱"), ends_on=clock.today() + timedelta(days=100))
    text = text_of(browser("followup").get(made.path).text)
    assert "Nowhere to send it: no fax and no e-mail of the customer is known." in text


@pytest.mark.parametrize(("reach", "way"), [({"fax": "0512-1"}, "fax"), ({"email": "a@b.example.com"}, "email"), ({}, "paper")])
def test_the_way_offered_for_sending_it_is_one_the_customer_has(app, browser, reach, way):
    with unit_of_work():
        unit = make.served_customer()
        unit.fax, unit.email = reach.get("fax", ""), reach.get("email", "")
        path = make.contract(unit, upto="signed").path
    [form] = [one for one in browser("specialist").forms(path) if f"{path}/dispatch" in one["actions"]]
    assert form["fields"]["way"] == way


def test_what_is_mine_stays_mine_when_it_is_narrowed(app, browser):
    page = browser("specialist")
    assert 'href="/contracts?unpaid=1&owner=me"' in page.get("/contracts?owner=me").text.replace("&amp;", "&")
    assert 'href="/contracts?unpaid=1"' in page.get("/contracts").text


@pytest.mark.parametrize("role", ["developer", "archivist", "admin", "stranger"])
def test_contracts_are_read_by_those_who_serve_customers_alone(app, browser, role):
    with unit_of_work():
        path = make.contract().path
    page = browser(role)
    for one in ("/contracts", path, "/contracts/lanes", "/contracts/forecast", "/contracts/receivables", "/contracts/export.csv"):
        assert page.get(one).status_code == 403, one
