"""Periods entered by hand are taken into contracts, so that none is without its notice (5.2.1, 5.2.2)."""

from datetime import date, timedelta

import pytest

from crm import clock
from crm.contracts import importing
from crm.contracts.adoption import adopt_all
from crm.contracts.models import Contract, State
from crm.db import db, unit_of_work
from crm.serials.models import Installation, ServicePeriod
from tests import make
from tests.browsing import together
from tests.customers.sheets import text
from tests.seen import kinds, owed


def contracts() -> list[Contract]:
    db.session.expire_all()
    return db.session.query(Contract).order_by(Contract.id).all()


def test_one_contract_is_made_for_a_customer_and_dates_and_its_notice_is_owed(app, sound):
    with unit_of_work():
        unit = make.served_customer()
        make.installation(unit)
        make.installation(unit, ends_in=90)
    assert adopt_all(clock.now()) == 2 and adopt_all(clock.now()) == 0
    short, long = contracts()
    assert (short.state, short.ends_on - clock.today()) == (State.RUNNING, timedelta(days=90))
    assert db.session.query(ServicePeriod).filter_by(contract_id=long.id).count() == 2
    assert db.session.query(ServicePeriod).filter_by(contract_id=None).count() == 0
    assert "contract.notice" in owed(long) and "contract.serials" not in owed(long), "what was there before owes no serial"
    assert long.owner_id == make.who("specialist").id and "金洋 财务通" in long.title


def test_what_is_over_opens_nothing_and_is_listed(app, browser, sound):
    with unit_of_work():
        make.installation(make.customer(), ends_in=-40)
    adopt_all(clock.now())
    [contract] = contracts()
    assert owed(contract) == {} and contract.number in browser("manager").get("/contracts?ended=1").text


def test_a_later_installation_of_the_same_dates_joins_the_contract(app, sound):
    with unit_of_work():
        unit = make.served_customer()
    adopt_all(clock.now())
    with unit_of_work():
        make.installation(unit)
    adopt_all(clock.now())
    [contract] = contracts()
    assert db.session.query(ServicePeriod).filter_by(contract_id=contract.id).count() == 2
    assert kinds(contract) == ["contract.begun", "contract.edited"]


def test_a_period_that_a_later_one_follows_counts_as_renewed(app, sound):
    with unit_of_work():
        one = make.installation(make.customer(), ends_in=20)
        starts = clock.today() + timedelta(days=21)
        db.session.add(ServicePeriod(installation_id=one.id, starts_on=starts, ends_on=starts + timedelta(days=364)))
    adopt_all(clock.now())
    first, second = contracts()
    assert first.state == State.RENEWED and owed(first) == {} and "contract.notice" in owed(second)


def test_two_sweeps_at_once_make_one_contract(served):
    with served.app_context(), unit_of_work():
        for i in range(3):
            make.served_customer(f"单位{i}")

    def sweep(_i: int) -> None:
        with served.app_context():
            adopt_all(clock.now())

    together(4, sweep)
    with served.app_context():
        assert len(contracts()) == 3


def test_an_import_and_a_sweep_at_once_take_a_period_over_once(served):
    with served.app_context(), unit_of_work():
        for i in range(4):
            make.served_customer(f"单位{i}")
        [days] = {(one.starts_on, one.ends_on) for one in db.session.query(ServicePeriod)}
    rows = [f"HT-{i},单位{i},财务通,{days[0]},{days[1]}" for i in range(4)]

    def act(i: int) -> None:
        with served.app_context():
            if i % 2:
                adopt_all(clock.now())
            else:
                importing.KIND.run(text("合同编号,客户名称,产品,服务开始,服务到期", *rows), "list.csv", {}, say=lambda _line: None)

    together(4, act)
    with served.app_context():
        assert {one.paper_number for one in contracts()} == {f"HT-{i}" for i in range(4)} and len(contracts()) == 4
        assert db.session.query(ServicePeriod).filter(ServicePeriod.contract_id.is_not(None)).count() == 4


def form_of(page, path: str) -> dict:
    return next(form for form in page.forms(path) if "brand" in form["fields"])["fields"]


def test_a_period_a_contract_agrees_on_is_not_edited_on_the_installation(app, browser):
    with unit_of_work():
        unit = make.served_customer()
        path = db.session.query(Installation).one().path
    page = browser("specialist")
    before = form_of(page, path)
    adopt_all(clock.now())
    answer = page.send(path, **(before | {"ends_on": "2028-01-01", "period_reason": "送半年"}))
    assert answer.status_code == 422 and "agrees on this period: adjust it there" in answer.text, "typed before it was adopted"
    assert "ends_on" not in form_of(page, path) and contracts()[0].path in page.get(path).text
    assert page.send(path, remark="换了服务器").status_code == 303
    assert db.session.query(ServicePeriod).one().ends_on == clock.today() + timedelta(days=200)
    assert unit.number


@pytest.mark.parametrize(("there", "reason", "status"), [(True, "", 422), (True, "送三个月", 303), (False, "", 303)])
def test_a_period_set_by_hand_needs_a_reason_only_when_it_changes_one(app, browser, there, reason, status):
    with unit_of_work():
        unit = make.customer()
        path = make.installation(unit, **({} if there else {"starts_on": None, "ends_on": None})).path
    page = browser("specialist")
    fields = form_of(page, path) | {"starts_on": "2026-01-01", "ends_on": "2027-03-31", "period_reason": reason}
    assert page.send(path, **fields).status_code == status
    if status == 303:
        assert db.session.query(ServicePeriod).one().ends_on == date(2027, 3, 31)
        assert not reason or reason in page.get(unit.path).text
