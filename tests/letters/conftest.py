"""Letters without the press, and a carrier that answers as it is told to."""

import pytest

from crm import clock
from crm.contracts.models import Contract
from crm.db import unit_of_work
from crm.duties.acts import carry_out_due
from crm.duties.message import Message
from crm.letters import letter, outbox
from tests import make
from tests.letters.post import SHEET, Carrier, letters


@pytest.fixture
def carrier(monkeypatch) -> Carrier:
    made = Carrier()
    monkeypatch.setattr(outbox, "carrier", lambda: made)
    monkeypatch.setattr(letter, "sheet_of", lambda *_: SHEET)
    return made


@pytest.fixture
def contract(app) -> Contract:
    """Its notice is due today."""
    with unit_of_work():
        return make.in_force()


@pytest.fixture
def queued(contract) -> Message:
    """Its notice, waiting to be sent."""
    carry_out_due(clock.now())
    return letters()[0]
