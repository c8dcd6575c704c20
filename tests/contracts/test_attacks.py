"""What somebody tried with contracts: service without payment, a notice silenced, money that nobody asks for any more."""

import pytest

from crm import clock
from crm.contracts import notices, paying, queries, workflow
from crm.contracts.models import COPY, Contract, Kind, State
from crm.db import db, unit_of_work
from crm.duties.models import Event
from crm.errors import Invalid, Refused
from crm.files import workflow as files
from crm.letters.filling import paragraphs
from crm.letters.queries import text_for
from crm.serials.coverage import Coverage
from tests import make
from tests.contracts.making import DAY, coverage, ending, expired, later, letters, renewal, through
from tests.seen import kinds, owed


def whole(contract: Contract) -> Contract:
    """As its page reads it."""
    return queries.get(contract.number, make.who("manager"))


@pytest.mark.parametrize("changes", [{"amount_fen": None}, {"starts_on": None, "ends_on": None}, {"installations": []}])
@pytest.mark.parametrize("upto", ["signed", "sent"])
def test_what_was_signed_is_not_emptied_afterwards(app, upto, changes):
    """Without an amount nothing would be due, and the period in force without a payment or a manager's word (5.2.7)."""
    with unit_of_work():
        contract = make.contract(upto=upto)
    with pytest.raises(Refused), unit_of_work():
        workflow.change(whole(contract), by=make.who("specialist"), **changes)
    with unit_of_work():
        workflow.change(whole(contract), by=make.who("manager"), amount_fen=90_000)
    with pytest.raises(Invalid) as refused, unit_of_work():
        workflow.change(whole(contract), by=make.who("specialist"), amount_fen=1)
    assert "amount_fen" in refused.value.fields, "what was signed for us is a manager's to change (5.2.3)"
    with unit_of_work():
        workflow.change(whole(contract), by=make.who("specialist"), remark="周三寄回")


def test_a_renewal_is_a_service_contract_so_that_no_notice_is_silenced(app):
    me, sale = make.who("specialist"), {"category": Kind.SALES, "starts_on": None, "ends_on": None, "installations": []}
    with unit_of_work():
        before = ending(20)
    with pytest.raises(Invalid) as refused, unit_of_work():
        renewal(before, **sale)
    assert "kind" in refused.value.fields
    with unit_of_work():
        after = renewal(before)
    with pytest.raises(Invalid), unit_of_work():
        workflow.change(whole(after), by=me, **sale)
    with unit_of_work():
        unit = make.served_customer("买家")
        sold = make.contract(unit, upto="running", category=Kind.SALES)
    with pytest.raises(Refused), unit_of_work():
        make.contract(unit, successor_of=sold)


def test_what_was_let_begin_unpaid_and_is_renewed_since_is_still_to_be_paid(app, sound):
    me, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        before = make.contract(upto="returned")
        paying.release(before, by=manager, reason="老客户")
        through(renewal(before))
    assert whole(before).state == State.RENEWED and "contract.pay" in owed(before)
    assert [row.id for row in queries.listing(manager, queries.Filter(unpaid=True)).rows][-1] == before.id
    with later(10):
        with unit_of_work():
            paying.chase(before, by=me, words="下周付")
            paying.demand(before, by=me)
            paying.pay(before, by=me, fen=before.amount_fen, paid_on=clock.today())
        assert before.state == State.RENEWED and "contract.pay" not in owed(before)
        with unit_of_work():
            paying.pay(before, by=me, fen=-1, paid_on=clock.today())
        assert "contract.pay" in owed(before) and kinds(before).count("contract.begun") == 1


def test_the_invoice_of_what_lapsed_can_be_noted(app):
    """It is owed all the same, and a duty that nobody can carry out is missed for ever."""
    with unit_of_work():
        contract = make.contract(upto="returned")
        workflow.lapse(contract, by=make.who("manager"), reason="单位已注销")
        where = {"invoice_title": "宏远机械", "invoice_address": "北京", "invoice_recipient": "王会计"}
        workflow.invoice(contract, by=make.who("specialist"), posted_on=clock.today(), **where)
    assert "contract.invoice" not in owed(contract)


def test_a_demand_that_waits_is_not_sent_once_it_is_paid_or_has_lapsed(app, sound):
    """Pressed after hours it would go out the next morning, though the money has come meanwhile."""
    me, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        paid, lapsed = (make.contract(upto="returned") for _ in range(2))
    with later(10):
        for contract in (paid, lapsed):
            with unit_of_work():
                paying.demand(contract, by=me)
        with unit_of_work():
            paying.pay(paid, by=me, fen=paid.amount_fen, paid_on=clock.today())
            workflow.lapse(lapsed, by=manager, reason="单位已注销")
        assert [state for contract in (paid, lapsed) for _rule, _slot, state in letters(contract)] == ["withdrawn"] * 2
        with unit_of_work():
            paying.pay(paid, by=me, fen=-paid.amount_fen, paid_on=clock.today())  # noted wrongly: owed again
    with later(20), unit_of_work():
        paying.demand(paid, by=me)
        assert [state for _rule, _slot, state in letters(paid)] == ["withdrawn", "queued"]


def test_no_file_comes_to_hang_on_a_contract_without_an_event(app):
    me = make.who("specialist")
    with unit_of_work():
        contract = make.contract(upto="sent")
        drafts = [files.draft(name, make.PDF, me, purpose) for name, purpose in (("a.pdf", COPY), ("b.pdf", "application"))]
        db.session.add_all(drafts)
        db.session.flush()
        workflow.copy(contract, by=me, returned_on=clock.today(), files=[one.key for one in drafts])
    told = [event.facts["name"] for event in db.session.query(Event).filter_by(subject_id=contract.id, kind="contract.attached")]
    assert sorted(told) == ["a.pdf", "b.pdf"]


def test_no_period_stands_on_a_sale_where_its_end_would_be_announced_to_nobody(app):
    with pytest.raises(Invalid) as refused, unit_of_work():
        make.contract(category=Kind.SALES, starts_on=clock.today(), ends_on=clock.today() + 300 * DAY)
    assert "starts_on" in refused.value.fields
    with unit_of_work():
        sold = make.contract(category=Kind.SALES, upto="running")
    with pytest.raises(Refused), unit_of_work():
        workflow.adjust(sold, by=make.who("manager"), starts_on=clock.today(), ends_on=clock.today() + 300 * DAY, reason="送")
    with unit_of_work():
        contract = make.contract(upto="sent")
    with pytest.raises(Invalid), unit_of_work():
        workflow.change(whole(contract), by=make.who("specialist"), category=Kind.SALES)


def test_a_demand_asks_for_what_is_open_and_no_more(app):
    with unit_of_work():
        contract = make.contract(upto="returned")
        paying.pay(contract, by=make.who("specialist"), fen=20_000, paid_on=clock.today())
    words = paragraphs(text_for("demand", "", "zh").body, notices.about(contract).values)
    assert "¥1,000 未付" in words[0]


@pytest.mark.parametrize(("word", "state", "serves"), [
    (None, State.RETURNED, Coverage.UNPAID), ("withhold", State.RETURNED, Coverage.WITHHELD), ("release", State.RUNNING, Coverage.IN_SERVICE),
])  # fmt: skip
def test_a_payment_that_never_came_lets_no_period_begin(app, sound, word, state, serves):
    """Noted and taken back it would undo what a manager has withheld, or do what a manager alone may (5.2.7, D2)."""
    me, manager = make.who("specialist"), make.who("manager")
    with unit_of_work():
        contract = make.contract(expired(), upto="returned")
    with later(10):
        with unit_of_work():
            paying.demand(contract, by=me)
            if word:
                getattr(paying, word)(contract, by=manager, reason="先看看")
        with unit_of_work():
            paying.pay(contract, by=me, fen=contract.amount_fen, paid_on=clock.today())
            assert (contract.state, contract.withheld_at) == (State.RUNNING, None)
            paying.pay(contract, by=me, fen=-contract.amount_fen, paid_on=clock.today())
        assert (contract.state, coverage(contract)) == (state, serves) and "contract.pay" in owed(contract)
        with unit_of_work():
            paying.pay(contract, by=me, fen=contract.amount_fen, paid_on=clock.today())
        assert contract.state == State.RUNNING and kinds(contract).count("contract.begun") == 1
