"""Letters without the press, and a carrier that answers as it is told to."""

from dataclasses import dataclass, field

import pytest

from crm import clock
from crm.contracts.models import Contract
from crm.db import db, unit_of_work
from crm.duties.acts import carry_out_due
from crm.duties.message import Message
from crm.duties.models import Duty, Event
from crm.letters import letter, outbox
from tests import make

SHEET = make.PDF


@dataclass
class Carrier:
    """Takes every letter, unless `says` holds what it does with the next: an exception, or something to be called."""

    says: list = field(default_factory=list)
    given: list[tuple[str, bytes]] = field(default_factory=list)

    def give(self, sender: str, address: str, content: bytes) -> str:
        self.given.append((address, content))
        answer = self.says.pop(0) if self.says else "250 taken"
        if callable(answer) and not isinstance(answer, type):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer


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


def letters() -> list[Message]:
    db.session.rollback()
    return db.session.query(Message).order_by(Message.id).all()


def owed(rule: str) -> list[Duty]:
    db.session.rollback()
    return [duty for duty in db.session.query(Duty).filter_by(rule=rule).order_by(Duty.id) if duty.open]


def kinds(subject_id: int) -> list[str]:
    """What happened to it, in order."""
    db.session.rollback()
    return [kind for (kind,) in db.session.query(Event.kind).filter_by(subject_id=subject_id).order_by(Event.id)]
