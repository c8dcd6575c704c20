"""What a later period follows is renewed: it owes no notice any more, and what waits of its letters is withdrawn."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from crm.contracts import notices, periods
from crm.contracts.models import PAYING, Contract, ContractEvent, Kind, State, covered
from crm.db import db
from crm.duties.locks import lock_each
from crm.duties.record import record
from crm.serials.models import Installation, ServicePeriod


def before(successor: Contract) -> list[int]:
    """What the return of a contract's copy may renew: what it was drafted as the renewal of, and what is in force over the
    same software."""
    return [*filter(None, [successor.origin_id]), *_running(periods.covered_by(successor))]


def succeed(successor: Contract, *, by) -> None:
    """Its copy is back. Of what is in force, that is renewed which ends before it and covers nothing else."""
    covers = set(periods.covered_by(successor))
    for contract in _locked(before(successor)):
        if contract.id == successor.origin_id or contract.state == State.RUNNING and _ends_before(contract, successor, covers):
            _renewed(contract, by=by, of=successor)


def pass_on(installed: Iterable[int], by=None) -> None:
    """Of the contracts in force over these, those that later periods follow count as renewed, in whatever order they came."""
    for contract in _locked(_running(installed)):
        if contract.state == State.RUNNING and contract.ends_on and _followed(contract.installations, contract.ends_on):
            _renewed(contract, by=by, of=_follower(contract))


def resume(lapsed: Contract, *, by, unpaid: bool) -> None:
    """What lapses unpaid, or while the period before it still serves, renews nothing: that is to be renewed again, and its
    notice is owed, unless it is out."""
    for contract in _locked(db.session.scalars(select(Contract.id).where(Contract.renewed_by_id == lapsed.id)).all()):
        if contract.state == State.RENEWED and (unpaid or not contract.over):
            contract.state, contract.renewed_by_id = State.RUNNING, None
            contract.version += 1
            record(ContractEvent.RESUMED, contract, by=by, of=lapsed.id)


def _running(installed: Iterable[int]) -> Sequence[int]:
    over = select(covered.c.contract_id).where(covered.c.installation_id.in_(list(installed)))
    running = Contract.category == Kind.SERVICE, Contract.state == State.RUNNING
    return db.session.scalars(select(Contract.id).where(Contract.id.in_(over), *running)).all()


def _locked(ids: Iterable[int]) -> Sequence[Contract]:
    rows = select(Contract).where(Contract.id.in_(list(ids))).order_by(Contract.id)
    contracts = db.session.scalars(rows.options(selectinload(Contract.installations))).all()
    lock_each(*contracts)
    return contracts


def _ends_before(contract: Contract, successor: Contract, covers: set[int]) -> bool:
    if contract.ends_on is None or successor.ends_on is None or contract.ends_on >= successor.ends_on:
        return False
    return {one.id for one in contract.installations} <= covers


def _followed(installed: Sequence[Installation], ends_on: date) -> bool:
    """Whether a later period of every installation is known already: then there is nothing to be renewed."""
    later = select(func.count(ServicePeriod.installation_id.distinct())).where(
        ServicePeriod.installation_id.in_([one.id for one in installed]), ServicePeriod.ends_on > ends_on
    )
    return db.session.scalar(later) == len(installed)


def _follower(contract: Contract) -> Contract | None:
    """The contract that agrees on the next of its later periods; none where that was typed and not yet taken into one."""
    later = select(ServicePeriod.contract_id).where(
        ServicePeriod.installation_id.in_([one.id for one in contract.installations]), ServicePeriod.ends_on > contract.ends_on,
        ServicePeriod.contract_id.is_not(None),
    )  # fmt: skip
    found = db.session.scalar(later.order_by(ServicePeriod.starts_on, ServicePeriod.id).limit(1))
    return db.session.get(Contract, found) if found else None


def _renewed(contract: Contract, *, by, of: Contract | None = None) -> None:
    """By a contract of ours, or by a period from before the program. What had lapsed stays so."""
    if contract.state in PAYING:
        contract.state, contract.renewed_by_id = State.RENEWED, of and of.id
        contract.version += 1
        db.session.flush()
    facts: dict[str, Any] = {"of": of.id} if of else {}
    record(ContractEvent.RENEWED, contract, by=by, **facts)
    notices.withdraw(contract, by=by, said=of.number if of else "")
