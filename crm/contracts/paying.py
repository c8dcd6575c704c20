"""What was paid of a contract, part by part."""

from datetime import date

from sqlalchemy import func, select

from crm import clock
from crm.contracts.models import Contract, Payment
from crm.db import db
from crm.errors import Invalid
from crm.labels import N_

MOST = 10_000_000_000  # fen of one payment


def paid_fen(contract: Contract) -> int:
    return db.session.scalar(select(func.coalesce(func.sum(Payment.fen), 0)).where(Payment.contract_id == contract.id)) or 0


def note(contract: Contract, *, by, fen: int, paid_on: date, way: str) -> None:
    """A part that came in, or one below zero that takes back what was noted wrongly; together never below nothing, nor
    more than is due."""
    together = paid_fen(contract) + fen
    if not fen or abs(fen) > MOST or together < 0:
        raise Invalid(fields={"fen": N_("That is no payment of this contract.")})
    if contract.amount_fen is None or together > contract.amount_fen:
        raise Invalid(fields={"fen": N_("That is more than is due.")})
    db.session.add(Payment(contract_id=contract.id, fen=fen, paid_on=paid_on, way=way, noted_by_id=by.id, noted_at=clock.now()))
    db.session.flush()
