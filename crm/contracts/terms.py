"""What a contract must say: whose software it covers, a period that follows the last one, a number of its own (5.2.1)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import select

from crm.contracts import periods
from crm.contracts.models import Contract, Kind
from crm.customers.models import Customer
from crm.db import db
from crm.errors import Invalid
from crm.labels import N_
from crm.serials.models import Installation

FARTHEST = timedelta(days=366 * 10)


def check_number(number: str | None, contract_id: int | None) -> None:
    other = select(Contract.number).where(Contract.paper_number == number, Contract.id != (contract_id or 0))
    if number and (found := db.session.scalar(other)):
        raise Invalid(fields={"paper_number": Invalid(N_("This number already stands on %(number)s."), number=found)})


def check(customer: Customer, installed: list[Installation], details: Mapping[str, Any], before: Contract | None) -> None:
    wrong: dict[str, Any] = {}
    starts, ends = details.get("starts_on"), details.get("ends_on")
    if any(one.customer_id != customer.id for one in installed):
        wrong["installations"] = N_("These are another customer's.")
    if details.get("category") == Kind.SALES and (starts or ends):
        wrong["ends_on"] = N_("The service period of a sale stands on the installation: enter it there, and its notice follows.")
    elif faults := wrong_period(starts, ends):
        wrong |= faults
    elif before and starts and ends and not details.get("adjustment") and not _simply_next(before, starts, ends):
        wrong["adjustment"] = N_("The period does not begin the day after the last one and run for whole years: say why (5.2.1).")
    if wrong:
        raise Invalid(fields=wrong)


def wrong_period(starts: date | None, ends: date | None) -> dict[str, str]:
    if (starts is None) != (ends is None):
        return {"ends_on": N_("A service period has a first and a last day.")}
    if starts and ends and ends < starts:
        return {"ends_on": N_("The last day lies before the first.")}
    return {"ends_on": N_("That is longer than ten years.")} if starts and ends and ends - starts > FARTHEST else {}


def _simply_next(before: Contract, starts: date, ends: date) -> bool:
    """Whether a renewal begins the day after, and runs for whole years."""
    years = relativedelta(ends + timedelta(days=1), starts)
    follows = before.ends_on is None or starts == before.ends_on + timedelta(days=1)
    return follows and years.years > 0 and not (years.months or years.days)


def lacks(contract: Contract) -> str:
    """What a contract must say before it is signed, and does not; one for service covers something."""
    wanted = ("amount_fen", "starts_on", "ends_on") if contract.category == Kind.SERVICE else ("amount_fen",)
    if any(getattr(contract, name) is None for name in wanted):
        return N_("Amount and period are filled in before it is signed (5.2.3). Change the contract first.")
    if contract.category == Kind.SERVICE and not periods.covered_by(contract):
        return N_("It covers no installation yet. Change the contract first.")
    return ""
