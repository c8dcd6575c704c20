"""A new period means new serial numbers (5.6.4): once all are with the customer, the contract owes none any more."""

from sqlalchemy import exists, select

from crm.contracts.models import Contract, ContractEvent, State, covered
from crm.db import db
from crm.duties.locks import lock_each
from crm.duties.models import Duty, open_now
from crm.duties.record import record
from crm.serials.models import Installation, Serial

RULE = "contract.serials"


def lacking(contract: Contract) -> set[int]:
    """Of which installations it covers no serial number of this period is with the customer yet."""
    given = exists().where(
        Serial.installation_id == covered.c.installation_id, Serial.replaced_by_id.is_(None), Serial.given_on.is_not(None),
        Serial.ends_on >= contract.ends_on,
    )  # fmt: skip
    return set(db.session.scalars(select(covered.c.installation_id).where(covered.c.contract_id == contract.id, ~given)))


def to_hand_over(contract: Contract, owed) -> set[int]:
    """Of those, where new serial numbers are owed (5.6.4)."""
    return lacking(contract) if any(one.rule == RULE for one in owed) else set()


def settle(contract: Contract, by) -> None:
    """The last of them was handed over: nobody need say so a second time."""
    owed = Duty.subject_id == contract.id, Duty.rule == RULE, open_now()
    if db.session.scalar(select(Duty.id).where(*owed).limit(1)) is not None and not lacking(contract):
        record(ContractEvent.SERIALS_GIVEN, contract, by=by)


def handed_over(installation: Installation, by) -> None:
    """A serial number of an installation is with the customer: what that settles."""
    begun = Contract.state.in_([State.RUNNING, State.RENEWED])
    covering = select(Contract).join(covered, covered.c.contract_id == Contract.id)
    contracts = db.session.scalars(covering.where(covered.c.installation_id == installation.id, begun)).all()
    lock_each(*contracts)
    for contract in sorted(contracts, key=lambda one: one.id):
        settle(contract, by)


Installation.handed_over = handed_over  # type: ignore[method-assign]
