"""Service periods entered by hand, or brought in with a file, become contracts: so none is without its notice (5.2.2)."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from crm.contracts import following, periods, workflow
from crm.contracts.models import AHEAD, Contract, ContractEvent, Kind, State, covered
from crm.customers.models import Customer
from crm.db import db, hold, unit_of_work
from crm.duties.locks import lock, lock_all
from crm.duties.models import Subject
from crm.duties.record import record
from crm.importing import LOCK
from crm.serials.models import Installation, ServicePeriod

log = logging.getLogger(__name__)
MOST = 500  # contracts of one sweep: after a large import the next one goes on
LONGEST = 120  # letters of a contract's title


@dataclass(frozen=True)
class Loose:
    """The periods of one customer and the same dates that no contract agrees on."""

    customer_id: int
    starts_on: date
    ends_on: date


def adopt_all(as_of: datetime) -> int:
    """A sweep's step: one contract for each customer and dates, a unit of work each; one that fails holds no other up."""
    with unit_of_work(read_only=True):
        rows = (
            select(Subject.customer_id, ServicePeriod.starts_on, ServicePeriod.ends_on).distinct()
            .join(Subject, Subject.id == ServicePeriod.installation_id).where(ServicePeriod.contract_id.is_(None))
            .order_by(ServicePeriod.ends_on, Subject.customer_id, ServicePeriod.starts_on).limit(MOST)
        )  # fmt: skip
        loose = [Loose(*row) for row in db.session.execute(rows)]
    done = 0
    for one in loose:
        try:
            with unit_of_work():
                done += adopt(one)
        except Exception:
            log.exception("the periods of customer %s could not be taken into a contract", one.customer_id)
    return done


def adopt(loose: Loose) -> bool:
    """Take them into the contract of the same customer and dates, or into a new one. False if another process did; an
    import, which may be taking over the very same, waits its turn."""
    hold(LOCK)
    customer = db.session.get_one(Customer, loose.customer_id)
    ids = [one.id for one in _installed(loose)]
    lock_all(Subject.id.in_(ids))  # whoever changes a period holds its installation
    negotiated = _negotiated(ids, loose)
    installed = [one for one in _installed(loose) if one.id not in negotiated]
    if not installed:
        return False
    same = select(Contract).where(
        Contract.customer_id == customer.id, Contract.category == Kind.SERVICE, Contract.starts_on == loose.starts_on,
        Contract.ends_on == loose.ends_on, Contract.state.in_([State.RUNNING, State.RENEWED]),
    )  # fmt: skip
    found = db.session.scalar(same.order_by(Contract.id).limit(1).options(selectinload(Contract.installations)))
    if found is None:
        _take_over(customer, installed, loose)
    else:
        _add(found, installed)
    return True


def _installed(loose: Loose) -> list[Installation]:
    dates = ServicePeriod.starts_on == loose.starts_on, ServicePeriod.ends_on == loose.ends_on
    rows = select(Installation).join(ServicePeriod, ServicePeriod.installation_id == Installation.id)
    rows = rows.where(Installation.customer_id == loose.customer_id, *dates, ServicePeriod.contract_id.is_(None))
    rows = rows.order_by(Installation.id)
    return list(db.session.scalars(rows).unique())


def _negotiated(ids: Iterable[int], loose: Loose) -> set[int]:
    """Over which of these another contract of these days is under way: it takes the period in, or it is declined."""
    ahead = Contract.state.in_(AHEAD), Contract.starts_on <= loose.ends_on, Contract.ends_on >= loose.starts_on
    rows = select(covered.c.installation_id).join(Contract, Contract.id == covered.c.contract_id)
    return set(db.session.scalars(rows.where(covered.c.installation_id.in_(list(ids)), *ahead)))


def _take_over(customer: Customer, installed: list[Installation], loose: Loose) -> None:
    title = title_of(one.title for one in installed)
    workflow.take_over(customer, installed, starts_on=loose.starts_on, ends_on=loose.ends_on, title=title)
    following.pass_on(one.id for one in installed)


def title_of(titles: Iterable[str]) -> str:
    """What a contract over these is for, as long as nobody says it better."""
    title = "、".join(titles)
    return title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…"


def _add(contract: Contract, installed: list[Installation]) -> None:
    lock(contract)
    changes = cover(contract, installed)
    record(ContractEvent.EDITED, contract, changes=changes, unagreed=periods.unagreed(contract))


def cover(contract: Contract, installed: Sequence[Installation], by=None) -> dict[str, list[list[str]]]:
    """The contract there is covers these too; what that changes."""
    before = [one.title for one in contract.installations]
    known = {one.id for one in contract.installations}
    contract.installations.extend(one for one in installed if one.id not in known)
    contract.version += 1
    db.session.flush()
    periods.adopt(contract, by)
    return {"installations": [before, [one.title for one in contract.installations]]}
