"""What a contract's page and lists say of how it stands: what has not begun, what is owed, a sale, a period over nothing."""

from datetime import timedelta

import pytest
from dateutil.relativedelta import relativedelta

from crm import clock
from crm.contracts import paying, queries, workflow
from crm.contracts.models import Contract, ContractEvent
from crm.contracts.steps import month as lanes
from crm.contracts.steps import steps
from crm.db import db, unit_of_work
from crm.duties.models import Event
from crm.serials.models import Installation
from tests import make


@pytest.fixture
def ahead(app) -> Contract:
    """Paid, and beginning in ten days."""
    with unit_of_work():
        return make.contract(upto="running", starts_in=10)


def said(one: Contract) -> dict[str, bool]:
    return {step.label: step.done for step in steps(queries.get(one.number, make.who("manager")), 0)}


def test_what_is_paid_and_has_not_begun_says_when_it_does(ahead, browser):
    page, words = browser("specialist"), f"Begins on {ahead.starts_on}"
    of = make.customer_of(ahead).path
    for path in (ahead.path, "/contracts", of):
        text = page.get(path).text
        assert words in text and 'class="state state-running">In force' not in text, path
    assert words in page.get("/contracts/export.csv").text
    assert said(ahead)["Begins"] is False and "In force" not in said(ahead)
    with clock.frozen(clock.moment(ahead.starts_on) + timedelta(hours=9)):
        assert words not in browser("specialist").get(ahead.path).text and said(ahead)["In force"]


def test_the_button_that_leads_is_what_is_owed(ahead, browser):
    installed = db.session.query(Installation).one()
    text = browser("specialist").get(ahead.path).text
    assert f'href="{installed.path}/serials"' in text.partition("Hand over the serial numbers")[0][-300:]
    assert "btn-primary" not in text.partition("Renew it")[0][-250:]
    assert "Hand over the serial numbers" not in browser("followup").get(ahead.path).text
    details = {"invoice_title": "宏远机械", "invoice_address": "示范路 1 号", "invoice_recipient": "王会计"}
    assert ">Invoice posted" in text.partition("btn-primary btn-tap")[2][:400].replace("</svg> ", ">")
    with unit_of_work():
        one = queries.get(ahead.number, make.who("manager"))
        workflow.invoice(one, by=make.who("specialist"), posted_on=clock.today(), **details)
        workflow.serials(one, by=make.who("specialist"), reason="不变")
    text = browser("specialist").get(ahead.path).text
    assert "btn-primary btn-tap" not in text and "Hand over the serial numbers" not in text


def test_negotiated_is_what_is_signed_and_a_day_is_never_made_up(app):
    with unit_of_work():
        draft, signed, old = make.contract(), make.contract(make.served_customer("二"), upto="signed"), make.in_force()
    assert not said(draft)["Negotiated"] and said(signed)["Negotiated"]
    for row in (draft, signed, old):
        assert steps(queries.get(row.number, make.who("manager")), 0)[0].day is None


def test_a_sale_speaks_of_no_period_and_names_who_sold_it(app, browser, sound):
    with unit_of_work():
        sale = make.contract(upto="running", category="sales", salesperson="钱销售")
        unpaid = make.contract(make.served_customer("二"), upto="returned", category="sales")
    assert "In force" not in said(sale) and said(sale)["Paid"]
    text = browser("manager").get(sale.path).text
    assert "钱销售" in text and "Paid in full" in text and "Adjust the period" not in text
    assert not db.session.query(Event).filter_by(subject_id=sale.id, kind=ContractEvent.BEGUN).count()
    text = browser("manager").get(unpaid.path).text
    assert "without a renewal" not in text and "It ends: nothing is asked for any more" in text


def test_too_late_a_day_of_payment_is_refused_once_with_the_latest_and_who_may(app, browser):
    with unit_of_work():
        contract = make.contract(upto="returned", category="sales")
    answer = browser("specialist").send(f"{contract.path}/terms", payment_due_on="2027-01-31", terms="年后付")
    assert answer.status_code == 422
    fault = "The latest day is 2026-11-26: a later one only a service manager agrees to."
    assert answer.text.count(fault) == 2, "in the summary, and at its field"
    assert "As a rule until 2026-11-26 (5.2.6)." in answer.text and "that needs a manager" not in answer.text


def test_the_day_that_is_shown_is_the_duty_s(app, browser):
    with unit_of_work():
        contract = make.contract(upto="sent")
        workflow.agree(contract, by=make.who("manager"), copy_due_on=clock.parse("2026-12-06T09:00").date(), payment_due_on=None)
    text = browser("specialist").get(contract.path).text
    assert "<dd>2026-12-07</dd>" in text.partition("Copy expected back by")[2][:60], "6 December is a Sunday"


def test_a_contract_over_nothing_is_drafted_with_a_warning(app, browser):
    with unit_of_work():
        unit = make.customer()
    page = browser("specialist")
    terms = {"title": "年度服务", "starts_on": "2027-01-01", "ends_on": "2027-12-31", "amount_fen": "1000", "kind": "service"}
    assert page.send("/contracts/new", customer=unit.number, **terms).status_code == 303
    assert "It covers no installation yet: it cannot be signed" in page.get("/contracts").text


def test_a_renewal_says_what_it_renews(app, browser):
    with unit_of_work():
        before = make.in_force()
        after = workflow.draft(
            by=make.who("specialist"), customer=make.customer_of(before), installations=before.installations, successor_of=before,
            title="续一年", amount_fen=1000, starts_on=None, ends_on=None,
        )  # fmt: skip
    text = browser("specialist").get(after.path).text
    assert f'renews <a href="{before.path}">' in text
    assert "Renews</span>" in text and "Came of" not in text


def test_the_lanes_tell_who_will_not_renew_what_is_withheld_and_what_began_unpaid(app, browser):
    ends, boss = clock.today() + timedelta(days=5), make.who("manager")
    with unit_of_work():
        leaves, withheld, begun, plain = (make.in_force(ends_on=ends) for _ in range(4))
        workflow.answer(leaves, by=boss, answer="leaves", why="换了软件")
        after = [renewed(one) for one in (withheld, begun)]
        paying.release(after[1], by=boss, reason="老客户")
        after[0].withheld_at = clock.now()
    month = f"{ends:%Y-%m}"
    cards = {card.before.number: card.marks for some in lanes(clock.parse(f"{month}-01T09:00").date(), boss).cards.values() for card in some}
    assert cards == {leaves.number: ["leaves"], withheld.number: ["withheld"], begun.number: ["unpaid"], plain.number: []}
    text = browser("manager").get(f"/contracts/lanes?month={month}").text
    assert [text.count(f'state-{mark}">') for mark in ("leaves", "withheld", "unpaid")] == [1, 1, 1]


def renewed(before: Contract) -> Contract:
    """Its renewal, countersigned."""
    me = make.who("specialist")
    starts = before.ends_on + timedelta(days=1)
    after = workflow.draft(
        by=me, customer=make.customer_of(before), installations=before.installations, successor_of=before, title="续一年",
        amount_fen=120_000, starts_on=starts, ends_on=starts + relativedelta(years=1, days=-1),
    )  # fmt: skip
    workflow.sign(after, by=me, signed_on=clock.today(), representative_id=me.id, stamped=True)
    workflow.copy(after, by=me, returned_on=clock.today())
    return after


def test_the_forecast_leads_to_the_customer_and_to_the_contract(app, browser):
    with unit_of_work():
        coming, over = make.in_force(), make.in_force(ends_on=clock.today() - timedelta(days=3))
    text = browser("specialist").get("/contracts/forecast").text
    for one in (coming, over):
        assert f'href="{one.path}"' in text and f'href="{make.customer_of(one).path}"' in text


def test_whose_customer_it_is_decides_what_is_offered_for_a_new_contract(app, browser):
    with unit_of_work():
        make.customer("宏远机械"), make.customer("宏远纺织", by=make.who("specialist2")), make.customer("宏远无主", owner_id=None)
    for login, offered in (("specialist", {"宏远机械", "宏远无主"}), ("manager", {"宏远机械", "宏远纺织", "宏远无主"})):
        page = browser(login)
        assert {one["text"] for one in page.get("/customers/lookup?q=宏远&mine=1").json} == offered
        assert len(page.get("/customers/lookup?q=宏远").json) == 3
    assert "data-mine" in browser("specialist").get("/contracts/new").text
    assert "data-mine" not in browser("specialist").get("/tickets/new").text
