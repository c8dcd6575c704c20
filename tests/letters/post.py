"""The press, the carrier and what they were given."""

import io
from dataclasses import dataclass, field

from pypdf import PdfReader

from crm.db import db
from crm.duties.message import Message
from crm.duties.models import Duty, Event
from tests import make

SHEET = make.PDF


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


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
