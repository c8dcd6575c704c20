"""Contracts come in from spreadsheets: known ones are compared, new ones taken over, refused rows named, the rest goes in."""

import io
from datetime import date, timedelta

import openpyxl
import pytest
from sqlalchemy import func, select

from crm import clock
from crm.contracts import paying, workflow
from crm.contracts.adoption import adopt_all
from crm.contracts.importing import KIND
from crm.contracts.models import Contract, ContractEvent, Payment, State
from crm.contracts.sums import open_fen
from crm.customers import workflow as customers
from crm.customers.models import Contact
from crm.db import db, unit_of_work
from crm.duties.message import Message
from crm.duties.models import Event
from crm.serials.models import Installation, ServicePeriod
from crm.sweep import tick
from tests import make
from tests.browsing import together
from tests.customers.sheets import text
from tests.seen import owed

pytestmark = pytest.mark.usefixtures("sound")
HEAD = "合同编号,客户名称,产品,合同金额,签订日期,服务开始,服务到期"
ONE = "HT-1,宏远机械,财务通,12000,2026-1-1,2026-1-1,2026-12-31"


@pytest.fixture
def unit(app):
    """A customer with one installation, which no period stands on."""
    with unit_of_work():
        made = make.customer("宏远机械", full_name="宏远机械有限公司", code="K-7")
        make.installation(made, starts_on=None, ends_on=None)
    return made


def bring(*rows: str | bytes, name: str = "list.csv", dry_run: bool = False, by=None) -> list[str]:
    """Import these lines, or this file; all that is said."""
    db.session.rollback()
    said: list[str] = []
    content = rows[0] if isinstance(rows[0], bytes) else text(*rows)
    KIND.run(content, name, {}, dry_run=dry_run, say=said.append, by=by)
    db.session.expire_all()
    return said


def sums(*rows: str | bytes, **how) -> str:
    return bring(*rows, **how)[-1]


def refused(*rows: str | bytes, **how) -> list[str]:
    return [line for line in bring(*rows, **how) if line.startswith("row ")]


def contracts() -> list[Contract]:
    return list(db.session.scalars(select(Contract).order_by(Contract.id)))


def count(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_contract_is_taken_over_with_its_period_and_its_notice_is_owed(app, unit):
    assert sums(HEAD, ONE) == "created 1, updated 0, unchanged 0, refused 0"
    [made] = contracts()
    assert (made.paper_number, made.amount_fen, made.state, made.customer_id) == ("HT-1", 1_200_000, State.RUNNING, unit.id)
    assert (made.starts_on, made.ends_on, made.signed_on) == (date(2026, 1, 1), date(2026, 12, 31), date(2026, 1, 1))
    [period] = db.session.scalars(select(ServicePeriod))
    assert (period.contract_id, period.standing) == (made.id, "settled")
    assert "contract.notice" in owed(made) and "contract.serials" not in owed(made) and "contract.pay" not in owed(made)
    event, _begun = db.session.scalars(select(Event).where(Event.subject_id == made.id).order_by(Event.id))
    assert (event.via, event.facts["file"], event.facts["row"]) == ("import", "list.csv", 2)


def test_a_second_import_changes_nothing(app, unit):
    rows = [HEAD + ",已付金额,业务员,联系人,备注", ONE + ",8000,赵六,王会计,好",
            "HT-0,K-7,财务通,11000,2025-1-1,2025-1-1,2025-12-31,,,,"]  # fmt: skip
    rows[0] = rows[0].replace("客户名称", "客户编号")
    rows[1] = rows[1].replace("宏远机械", "K-7")
    assert sums(*rows) == "created 2, updated 0, unchanged 0, refused 0"
    before = count(Event), count(Payment), count(Contact)
    assert sums(*rows) == "created 0, updated 0, unchanged 2, refused 0"
    assert (count(Event), count(Payment), count(Contact)) == before


def test_what_changed_is_an_edit_with_before_and_after_and_an_empty_cell_wipes_nothing(app, unit):
    bring(HEAD + ",业务员", ONE + ",赵六")
    assert sums(HEAD + ",业务员", ONE.replace("12000", "1.3万") + ",-") == "created 0, updated 1, unchanged 0, refused 0"
    [made] = contracts()
    [event] = db.session.scalars(select(Event).where(Event.kind == ContractEvent.EDITED))
    assert event.facts["changes"] == {"amount_fen": [1_200_000, 1_300_000]} and made.salesperson == "赵六"


def test_what_had_ended_is_listed_and_nobody_is_written_to(app, unit, browser):
    with unit_of_work():
        customers.change_customer(unit, {"email": "kuaiji@example.com"}, by=make.who("followup"))
    bring(HEAD, ONE.replace("2026", "2025"))
    [made] = contracts()
    db.session.rollback()
    tick()
    assert owed(made) == {} and count(Message) == 0
    assert made.number in browser("manager").get("/contracts?ended=1").text


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_one_that_a_later_one_follows_counts_as_renewed_in_whatever_order_they_stand(app, unit, order):
    rows = ["HT-0,宏远机械,财务通,1,2025-12-1,2025-12-1,2026-11-30", "HT-1,宏远机械,财务通,1,2026-11-1,2026-12-1,2027-11-30"]
    bring(HEAD, *(rows[at] for at in order))
    first, second = sorted(contracts(), key=lambda one: one.paper_number)
    assert (first.state, second.state) == (State.RENEWED, State.RUNNING)
    assert "contract.notice" not in owed(first) and "contract.notice" in owed(second)


def test_an_ended_or_renewed_contract_is_not_rewritten(app, unit):
    old = ONE.replace("2026", "2025")
    bring(HEAD, old)
    [line] = refused(HEAD, old.replace("12000", "13000"))
    assert "has ended or is renewed" in line and contracts()[0].amount_fen == 1_200_000


def test_another_period_is_a_managers_to_adjust(app, unit):
    bring(HEAD, ONE)
    [line] = refused(HEAD, ONE.replace("2026-12-31", "2027-3-31"))
    assert "a manager adjusts it" in line and contracts()[0].ends_on == date(2026, 12, 31)


def test_a_contract_that_is_negotiated_here_is_left_alone(app, unit):
    with unit_of_work():
        make.contract(unit, paper_number="HT-1")
    [line] = refused(HEAD, ONE)
    assert "being worked on here" in line and contracts()[0].state == State.DRAFT


def test_what_was_open_before_is_listed_and_nobody_is_asked_for_it(app, unit, browser):
    bring(HEAD + ",已付金额,付款日期", ONE + ",¥8 000.00,2026年1月3日")
    [made] = contracts()
    [paid] = db.session.scalars(select(Payment))
    assert (paid.fen, paid.paid_on, paid.noted_by_id, open_fen(made)) == (800_000, date(2026, 1, 3), None, 400_000)
    assert "contract.pay" not in owed(made)
    page = browser("manager")
    assert made.number in page.get("/contracts?unpaid=1").text
    assert page.send(f"{made.path}/payments", fen="4000", paid_on="2026-11-20").status_code == 303
    assert (made := contracts()[0]).state == State.RUNNING and not open_fen(made)
    [line] = refused(HEAD + ",已付金额", ONE.replace("12000", "13000") + ",12500")
    assert "note the payment there" in line


def test_several_products_are_covered_by_one_contract_in_one_row_or_in_several(app, unit):
    with unit_of_work():
        make.installation(unit, of=make.serials.product("金洋", "工资通"), starts_on=None, ends_on=None)
        make.installation(unit, of=make.serials.product("金洋", "库存通"), starts_on=None, ends_on=None)
    rows = [HEAD, ONE.replace("财务通", "金洋 财务通、工资通"), ONE.replace("财务通", "库存通")]
    assert sums(*rows) == "created 1, updated 1, unchanged 0, refused 0"
    assert count(ServicePeriod) == 3 and {one.contract_id for one in db.session.scalars(select(ServicePeriod))} == {contracts()[0].id}
    assert sums(*rows) == "created 0, updated 0, unchanged 2, refused 0"


def test_a_known_product_the_customer_had_not_is_installed_and_says_where_it_stood(app, unit):
    with unit_of_work():
        make.customer("新单位")
    assert sums(HEAD + ",用户数", ONE.replace("宏远机械", "新单位") + ",10用户").startswith("created 1")
    made = db.session.scalars(select(Installation).order_by(Installation.id.desc())).first()
    event = db.session.scalars(select(Event).where(Event.subject_id == made.id)).first()
    assert (made.title, made.users, event.facts["row"]) == ("金洋 财务通", 10, 2)


def test_a_period_typed_by_hand_is_the_contracts_own_and_one_adopted_already_gets_its_number(app, unit):
    with unit_of_work():
        other = make.customer("乙单位")
        for one in (unit, other):
            days = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}
            make.installation(one, of=make.serials.product("金洋", "工资通"), **days)
    rows = [HEAD, ONE.replace("财务通", "工资通"), ONE.replace("HT-1", "HT-2").replace("宏远机械", "乙单位").replace("财务通", "工资通")]
    assert sums(*rows[:2]).startswith("created 1")
    adopt_all(clock.now())
    assert sums(*rows) == "created 0, updated 1, unchanged 1, refused 0"
    assert [one.paper_number for one in contracts()] == ["HT-1", "HT-2"] and count(ServicePeriod) == 2
    assert sums(*rows) == "created 0, updated 0, unchanged 2, refused 0"


# ── Rows that are refused ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("row", "reason"), [
    (ONE.replace("HT-1", "-"), "It has no contract number."),
    (ONE.replace("宏远机械", "没有这家"), "There is no customer 没有这家."),
    (ONE.replace("宏远机械", ""), "It names no customer."),
    (ONE.replace("财务通", "不卖的"), "不卖的 is no product known here."),
    (ONE.replace("财务通", "财务通、不卖的"), "不卖的 is no product known here."),
    (ONE.replace("12000", "面议"), "合同金额: 面议 is no amount in yuan, such as 1200 or 1,200.50."),
    (ONE.replace("2026-12-31", "2026-2-30"), "服务到期: 2026-2-30 is no day; write it like 2026-1-5."),
    (ONE.replace("2026-12-31", ""), "It says no first and last day of its period."),
    (ONE.replace("2026-12-31", "2025-12-31"), "The last day lies before the first."),
    (ONE.replace("2026-12-31", "2046-12-31"), "That is longer than ten years."),
    (ONE.replace("2026-1-1,", "2027-1-1,", 1), "It was signed on a day that lies in the future."),
    (ONE.replace("HT-1", "H" * 51), "合同编号 is longer than 50 characters."),
])  # fmt: skip
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # what a row says, no database is asked
def test_a_row_is_refused_with_its_reason_and_the_others_go_in(app, unit, row, reason):
    said = bring(HEAD, row, ONE.replace("HT-1", "HT-9"))
    assert f"row 2: {reason}" in said and said[-1] == "created 1, updated 0, unchanged 0, refused 1"


def test_customers_are_known_by_code_by_full_and_by_short_name_and_never_guessed(app, unit):
    with unit_of_work():
        make.customer("同名"), make.customer("同名")
    head = HEAD.replace("客户名称", "客户编号,客户名称")
    whom = ("K-7,", "k0001,宏远机械有限公司", ",宏远机械", "K-7,别人", "无此号,", ",同名")
    rows = [ONE.replace("HT-1", f"HT-{at}").replace("2026", f"{2020 + at}").replace("宏远机械", who) for at, who in enumerate(whom)]
    assert refused(head, *rows) == [
        "row 5: The code K-7 is that of K0001 宏远机械, not of 别人.", "row 6: No customer has the code 无此号.",
        "row 7: Several customers are called 同名: give the code of the one that is meant.",
    ]


def test_rows_that_contradict_each_other_are_refused_both(app, unit):
    said = refused(HEAD, ONE, ONE.replace("12000", "13000"), ONE.replace("HT-1", "HT-2").replace("2026", "2025"))
    fault = "Rows 2 and 3 say different things of this contract: 合同金额."
    assert said == [f"row 2: {fault}", f"row 3: {fault}"] and [one.paper_number for one in contracts()] == ["HT-2"]


def test_the_columns_that_differ_are_named_as_the_file_names_them(app, unit):
    head = "合同编号,客户名称,产品,金额,签约日期,开始日期,期限,备注"
    row = "HT-1,宏远机械,财务通,12000,2026-1-1,2026-1-1,一年,老客户"
    said = refused(head, row, row.replace("一年", "两年").replace("老客户", "新客户"))
    assert said[0].endswith("of this contract: 备注, 期限.")


def test_where_no_row_can_be_taken_none_is_offered(app, unit, browser):
    page = browser("manager")
    wrong = ONE.replace("2026-12-31", "31/02/2026")
    shown = page.get(page.send("/contracts/import", files={"file": (io.BytesIO(text(HEAD, wrong)), "list.csv")}).location).text
    assert "Import 0" not in shown and "No row of it can be imported" in shown
    assert "服务到期: 31/02/2026 is no day; write it like 2026-1-5." in shown


def test_a_period_that_overlaps_another_contracts_is_refused(app, unit):
    said = refused(HEAD, ONE, ONE.replace("HT-1", "HT-2").replace("2026-12-31", "2026-6-30"))
    assert said == ["row 3: Its period overlaps that of contract HT-1 on 金洋 财务通: 2026-01-01 to 2026-12-31."]


def test_a_number_of_another_customers_contract_is_refused(app, unit):
    with unit_of_work():
        make.installation(make.customer("乙单位"), starts_on=None, ends_on=None)
    bring(HEAD, ONE)
    assert refused(HEAD, ONE.replace("宏远机械", "乙单位")) == ["row 2: Contract HT-1 is another customer's."]


@pytest.mark.parametrize(("header", "cells", "ends"), [
    ("服务开始,服务期限", "2026-1-1,一年", date(2026, 12, 31)), ("服务期限,备注", "2026.1.1-2026.6.30,", date(2026, 6, 30)),
    ("服务到期,服务期限", "2026年12月31日,12个月", date(2026, 12, 31)), ("签订日期,服务年限", "46023,两年", date(2027, 12, 31)),
])  # fmt: skip
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_term_and_one_day_make_a_period(app, unit, header, cells, ends):
    assert sums(f"合同号,客户,软件,{header}", f"HT-1,宏远机械,财务通,{cells}").startswith("created 1")
    assert (contracts()[0].starts_on, contracts()[0].ends_on) == (date(2026, 1, 1), ends)


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def workbook(*rows) -> bytes:
    """Its second sheet holds the list, below a title."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["说明", "本表由财务部填写"])
    sheet = book.create_sheet("合同台账")
    for row in rows:
        sheet.append(row)
    book.save(content)
    return content.getvalue()


def test_a_workbook_with_two_sheets_real_dates_and_formulas(app, unit):
    rows = [["服务合同台账"], HEAD.split(","),
            ["HT-1", "宏远机械", "财务通", 12000.5, date(2026, 1, 1), date(2026, 1, 1), date(2026, 12, 31)],
            ["HT-2", "宏远机械", "财务通", "=6000*2", "2025/1/1", "=DATE(2025,1,1)", "2025/12/31"]]  # fmt: skip
    said = bring(workbook(*rows), name="合同.xlsx")
    assert said[0] == "合同.xlsx: sheet 合同台账, header in row 2, 2 rows."
    assert contracts()[0].amount_fen == 1_200_050
    assert said[-2:] == ["row 4: It says no first and last day of its period.", "created 1, updated 0, unchanged 0, refused 1"]


def test_a_list_in_gbk(app, unit):
    assert sums("\r\n".join([HEAD, ONE]).encode("gbk"), name="合同.csv").startswith("created 1")


def test_a_dry_run_says_to_the_word_what_the_import_then_says(app, unit, monkeypatch):
    monkeypatch.setattr("crm.sheets.plan.BATCH", 1)
    with unit_of_work():
        make.customer("新单位")
        make.serials.product("金洋", "工资通")
    rows = [HEAD + ",联系人", ONE + ",赵二", ONE + ",赵二", "HT-2,新单位,财务通,1,,2026-1-1,2026-12-31,", "HT-2,新单位,工资通,,,2026-1-1,2026-12-31,",
            "HT-3,新单位,财务通,1,,2026-6-1,2027-5-31,", "HT-4,宏远机械,财务通,1,,2026-12-31,2027-12-30,", ONE + ",钱三"]  # fmt: skip
    tried = bring(*rows, dry_run=True)
    assert (contracts(), count(Installation), count(Contact)) == ([], 1, 0)
    tried.remove("a dry run: nothing was kept.")
    assert tried == bring(*rows)
    assert tried[-1] == "created 2, updated 2, unchanged 1, refused 2"


def test_an_import_that_was_stopped_goes_on_where_it_was(app, unit, monkeypatch):
    monkeypatch.setattr("crm.sheets.plan.BATCH", 1)
    rows = [HEAD, *(ONE.replace("HT-1", f"HT-{at}").replace("2026", str(at)) for at in range(2023, 2026))]

    told = []

    def stop(line: str) -> None:
        told.append(line)
        if line.startswith("2 of 3"):
            raise KeyboardInterrupt

    db.session.rollback()
    with pytest.raises(KeyboardInterrupt):
        KIND.run(text(*rows), "list.csv", {}, say=stop)
    assert told[-1] == "stopped: 2 are in; run it again, and these are found unchanged."
    assert sums(*rows) == "created 1, updated 0, unchanged 2, refused 0"


def test_two_imports_at_once_take_each_contract_over_once(served, app, unit):
    rows = text(HEAD, *(ONE.replace("HT-1", f"HT-{at}").replace("2026", str(at)) for at in range(2011, 2026)))

    def act(_at: int):
        with served.app_context():
            return KIND.run(rows, "list.csv", {}, say=str)

    results = together(2, act)
    assert sum(one.created for one in results) == sum(one.unchanged for one in results) == 15


def test_a_batch_asks_for_its_contracts_at_once(app, statements):
    with unit_of_work():
        for at in range(30):
            make.installation(make.customer(f"单位{at}"), starts_on=None, ends_on=None)
    rows = [HEAD, *(ONE.replace("HT-1", f"HT-{at}").replace("宏远机械", f"单位{at}") for at in range(30))]
    bring(*rows)
    statements.clear()
    bring(*rows)
    assert len(statements) <= 20, statements


# ── Who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_takes_ones_own_customers_contracts_and_a_managers_takes_any(app, unit, browser):
    for login, words in (("specialist2", "in somebody else&#39;s care"), ("specialist", "Done."), ("manager", "Done.")):
        page = browser(login)
        path = page.send("/contracts/import", files={"file": (io.BytesIO(text(HEAD, ONE)), "list.csv")}).location
        assert "Number on the paper" in page.get(path).text
        assert page.send(path, page=path, act="start").status_code == 303
        page.send(f"{path}/batch", page=path)
        assert words in page.get(path).text
    assert len(contracts()) == 1
    assert browser("followup").get("/contracts/import").status_code == 403
    assert "/contracts/import" not in browser("director").get("/contracts").text


def test_a_file_of_one_kind_of_list_is_none_of_another(app, unit, browser):
    page = browser("specialist")
    path = page.send("/contracts/import", files={"file": (io.BytesIO(text(HEAD, ONE)), "list.csv")}).location
    for other in ("customers", "serials"):
        assert page.get(path.replace("contracts", other)).status_code == 404


def test_the_period_begins_on_its_day_whatever_today_is(app, unit):
    coming = clock.today() + timedelta(days=40)
    bring(HEAD, f"HT-1,宏远机械,财务通,1,,{coming},{coming + timedelta(days=364)}")
    assert contracts()[0].state == State.RUNNING and contracts()[0].starts_on == coming


@pytest.mark.parametrize("row", [
    "{number},宏远机械,财务通,0.01,,{start},{end},", "{number},宏远机械,财务通,1200,,{start},{end},2027-12-31",
])  # fmt: skip
def test_a_list_changes_nothing_of_a_contract_that_went_its_way_here(app, unit, row):
    """Its amount and the day of payment are a manager's once it is signed by both (5.2.6): a list would be a way round."""
    with unit_of_work():
        made = make.contract(unit, upto="returned", paper_number="HT-9")
        paying.release(made, by=make.who("manager"), reason="老客户")
    line = row.format(number="HT-9", start=made.starts_on, end=made.ends_on)
    said = refused(HEAD + ",约定付款日期", line, by=make.who("specialist"))
    assert len(said) == 1 and "a list changes nothing of it" in said[0]
    [same] = contracts()
    assert (same.amount_fen, same.payment_due_on) == (120_000, date(2026, 11, 26))


def test_what_is_in_anothers_hands_or_partly_paid_a_list_changes_no_more_than_its_page_would(app, unit):
    with unit_of_work():
        unit.owner_id = make.who("specialist").id
    bring(HEAD, ONE)
    [contract] = contracts()
    cheap = ONE.replace("12000", "1000")
    with unit_of_work():
        contract.owner_id = make.who("specialist2").id
    assert "in somebody else's care" in refused(HEAD, cheap, by=make.who("specialist"))[0]
    with unit_of_work():
        contract.owner_id = make.who("specialist").id
        paying.paid_before(contract, by=make.who("manager"), fen=200_000, paid_on=clock.today(), signed_on=clock.today())
    assert "its amount stays" in refused(HEAD, cheap, by=make.who("specialist"))[0]
    assert contract.amount_fen == 1_200_000


def test_another_amount_after_the_managers_check_is_checked_again(app, unit):
    with unit_of_work():
        unit.owner_id = make.who("specialist").id
    bring(HEAD, ONE, by=make.who("specialist"))
    [contract] = contracts()
    with unit_of_work():
        workflow.check(contract, by=make.who("manager"))
    bring(HEAD, ONE.replace("12000", "1000"), by=make.who("specialist"))
    assert contract.amount_fen == 100_000 and "contract.check" in owed(contract)


def test_a_row_that_meets_a_contract_under_way_is_refused_and_one_that_lapsed_is_in_nobodys_way(app, unit):
    with unit_of_work():
        make.contact(unit)
        under_way = make.contract(unit, upto="sent")
    assert under_way.number in refused(HEAD, ONE)[0]
    with unit_of_work():
        workflow.copy(under_way, by=make.who("specialist"), returned_on=clock.today())
        workflow.lapse(under_way, by=make.who("manager"), reason="没付款")
    assert not refused(HEAD, ONE) and count(Contract) == 2
