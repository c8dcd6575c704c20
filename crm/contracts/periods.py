"""The service periods a contract agrees on: one for each installation it covers (5.2.1), and how firmly they stand."""

from sqlalchemy import and_, delete, or_, select, update

from crm.contracts.models import Contract, covered
from crm.db import db
from crm.permissions import Permission
from crm.serials.models import ServicePeriod, Standing
from crm.staff.models import User


def _mine(contract: Contract):
    return ServicePeriod.contract_id == contract.id


def covered_by(contract: Contract) -> list[int]:
    """The installations it covers, by their ids."""
    rows = select(covered.c.installation_id).where(covered.c.contract_id == contract.id)
    return list(db.session.scalars(rows.order_by(covered.c.installation_id)))


def agree(contract: Contract, standing: Standing = Standing.SIGNED) -> None:
    """The periods as the contract has them; signed and not yet settled, a customer is not expired (5.2.7). What was typed for
    the very same days is the contract's from here on."""
    if contract.starts_on is None or contract.ends_on is None:
        return
    db.session.flush()
    same = ServicePeriod.starts_on == contract.starts_on, ServicePeriod.ends_on == contract.ends_on
    typed = and_(ServicePeriod.installation_id.in_(covered_by(contract)), ServicePeriod.contract_id.is_(None), *same)
    db.session.execute(delete(ServicePeriod).where(or_(_mine(contract), typed)))
    db.session.add_all(
        ServicePeriod(installation_id=id, starts_on=contract.starts_on, ends_on=contract.ends_on,
                      contract_id=contract.id, standing=standing)
        for id in covered_by(contract)
    )  # fmt: skip
    db.session.flush()


def settle(contract: Contract) -> None:
    """They are in force."""
    _stand(contract, Standing.SETTLED)


def unsettle(contract: Contract) -> None:
    """They are signed, and to be paid."""
    _stand(contract, Standing.SIGNED)


def withhold(contract: Contract) -> None:
    _stand(contract, Standing.WITHHELD)


def _stand(contract: Contract, standing: Standing) -> None:
    db.session.execute(update(ServicePeriod).where(_mine(contract)).values(standing=standing))


def entered_by(contract: Contract) -> list[User]:
    """Who typed its periods, or brought them in; nobody where they were agreed on with a signature."""
    typed = select(ServicePeriod.entered_by_id).where(_mine(contract), ServicePeriod.entered_by_id.is_not(None))
    return [db.session.get_one(User, id) for id in db.session.scalars(typed.distinct())]


def unagreed(contract: Contract) -> bool:
    """Whether somebody entered one of them who may not let a period begin before it is paid (5.2.7)."""
    return any(not one.may(Permission.CONTRACT_RELEASE) for one in entered_by(contract))


def adopt(contract: Contract, by=None) -> None:
    """Take the periods that stand there already, of the same dates and without a contract; add those that are missing. Who
    brings the contract in, answers for them from here on."""
    taken = {"contract_id": contract.id} | ({"entered_by_id": by.id} if by else {})
    for id in covered_by(contract):
        of = ServicePeriod.installation_id == id
        dates = ServicePeriod.starts_on == contract.starts_on, ServicePeriod.ends_on == contract.ends_on
        loose = update(ServicePeriod).where(of, *dates, ServicePeriod.contract_id.is_(None)).values(taken)
        db.session.execute(loose)
        if db.session.scalar(select(ServicePeriod.id).where(of, _mine(contract)).limit(1)) is None:
            db.session.add(ServicePeriod(
                installation_id=id, starts_on=contract.starts_on, ends_on=contract.ends_on, contract_id=contract.id,
                entered_by_id=by and by.id,
            ))  # fmt: skip
    db.session.flush()
