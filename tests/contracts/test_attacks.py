"""What somebody tried with contracts: service without payment, a notice silenced, money that nobody asks for any more."""

import pytest

from crm import clock
from crm.contracts import paying, queries, workflow
from crm.contracts.models import Contract, Kind, State
from crm.db import unit_of_work
from crm.errors import Invalid, Refused
from tests import make
from tests.contracts.test_chain import kinds, later, owed
from tests.contracts.test_renewal import DAY, ending, letters, renewal, sweep


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
        workflow.change(whole(contract), by=make.who("specialist"), amount_fen=90_000)


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
        sold = make.contract(upto="running", category=Kind.SALES)
    with pytest.raises(Refused), unit_of_work():
        renewal(sold)
