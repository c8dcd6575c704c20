"""What of a contract is paid, and what is still to be paid."""

from collections.abc import Iterable

from sqlalchemy import func, select

from crm.contracts.models import Contract, Payment, paid_for
from crm.db import db


def paid_fen(contract: Contract) -> int:
    return db.session.scalar(paid_for(contract.id)) or 0


def paid_of(ids: Iterable[int]) -> dict[int, int]:
    """What was paid of each contract, in one statement; one of which nothing was is left out."""
    rows = select(Payment.contract_id, func.sum(Payment.fen)).where(Payment.contract_id.in_(list(ids)))
    return {id: int(fen) for id, fen in db.session.execute(rows.group_by(Payment.contract_id))}


def open_fen(contract: Contract, paid: int | None = None) -> int:
    """What is still to be paid: nothing before it is signed by both, nor of one that was in force before the program."""
    if contract.returned_on is None:
        return 0
    return max((contract.amount_fen or 0) - (paid_fen(contract) if paid is None else paid), 0)


def noted(contract: Contract) -> bool:
    """Whether any payment was."""
    return db.session.scalar(select(Payment.id).where(Payment.contract_id == contract.id).limit(1)) is not None


def in_full(contract: Contract) -> bool:
    return not open_fen(contract)
