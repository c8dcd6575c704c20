"""The service periods a contract agrees on: one for each installation it covers (5.2.1), and how firmly they stand."""

from sqlalchemy import delete, select, update

from crm.contracts.models import Contract
from crm.db import db
from crm.serials.models import ServicePeriod, Standing


def _mine(contract: Contract):
    return ServicePeriod.contract_id == contract.id


def agree(contract: Contract) -> None:
    """The periods as the contract has them: signed, and not yet settled. A signed customer is not expired (5.2.7)."""
    if contract.starts_on is None or contract.ends_on is None:
        return
    db.session.execute(delete(ServicePeriod).where(_mine(contract)))
    db.session.add_all(
        ServicePeriod(installation_id=one.id, starts_on=contract.starts_on, ends_on=contract.ends_on,
                      contract_id=contract.id, standing=Standing.SIGNED)
        for one in contract.installations
    )  # fmt: skip
    db.session.flush()


def settle(contract: Contract) -> None:
    """They are in force."""
    _stand(contract, Standing.SETTLED)


def withhold(contract: Contract) -> None:
    _stand(contract, Standing.WITHHELD)


def _stand(contract: Contract, standing: Standing) -> None:
    db.session.execute(update(ServicePeriod).where(_mine(contract)).values(standing=standing))


def adopt(contract: Contract) -> None:
    """Take the periods that stand there already, of the same dates and without a contract; add those that are missing."""
    for one in contract.installations:
        same = select(ServicePeriod).where(
            ServicePeriod.installation_id == one.id, ServicePeriod.starts_on == contract.starts_on,
            ServicePeriod.ends_on == contract.ends_on, ServicePeriod.contract_id.is_(None),
        )  # fmt: skip
        period = db.session.scalar(same.limit(1))
        if period is None:
            period = ServicePeriod(installation_id=one.id, starts_on=contract.starts_on, ends_on=contract.ends_on)
            db.session.add(period)
        period.contract_id = contract.id
    db.session.flush()
