"""What a contract must say: whose software it covers, a period that follows the last one, a number of its own (5.2.1)."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import select
from sqlalchemy.orm import aliased

from crm.contracts import periods
from crm.contracts.models import AHEAD, OWING, Contract, Kind, covered
from crm.customers.models import Customer
from crm.db import db, hold
from crm.duties.models import Subject
from crm.errors import Invalid
from crm.labels import N_
from crm.serials.models import Installation
from crm.serials.workflow import wrong_period

DAYS = "days covered"  # held while it is looked whether they are free


def check_number(number: str | None, contract_id: int | None) -> None:
    other = select(Contract.number).where(Contract.paper_number == number, Contract.id != (contract_id or 0))
    if number and (found := db.session.scalar(other)):
        raise Invalid(fields={"paper_number": Invalid(N_("This number already stands on %(number)s."), number=found)})


def check(customer: Customer, installed: list[Installation], details: Mapping[str, Any], before: Contract | None) -> None:
    wrong: dict[str, Any] = {}
    starts, ends = details.get("starts_on"), details.get("ends_on")
    if any(one.customer_id != customer.id for one in installed):
        wrong["installations"] = N_("These are another customer's.")
    if before and details["category"] != Kind.SERVICE:
        wrong["kind"] = N_("A renewal is a service contract, for what it renews gets no notice any more.")
    if faults := wrong_period(starts, ends) or no_period(details["category"], starts):
        wrong |= faults
    elif before and starts and ends and not details.get("adjustment") and not _simply_next(before, starts, ends):
        wrong["adjustment"] = N_("The period does not begin the day after the last one and run for whole years: say why (5.2.1).")
    if wrong:
        raise Invalid(fields=wrong)


def no_period(category: str, starts: date | None) -> dict[str, str]:
    """Of a sale nobody is written to before the end, so that a period that stood on it would end unseen (5.2.2)."""
    if category == Kind.SERVICE or starts is None:
        return {}
    return {"starts_on": N_("A sale has no service period: enter it on the installation, or draft a service contract.")}


SIGNED = ("category", "amount_fen", "starts_on", "ends_on")  # and what it covers


def keep_what_was_signed(contract: Contract, changes: Mapping[str, Any], covers: Iterable[int]) -> None:
    """Invalid if these change what our representative signed: that is a manager's (5.2.3)."""
    wrong = [name for name in SIGNED if name in changes and changes[name] != getattr(contract, name)]
    wrong += ["installations"] if set(covers) != {one.id for one in contract.installations} else []
    if wrong:
        raise Invalid(fields=dict.fromkeys(wrong, N_("It is signed by us: this is a manager's to change (5.2.3).")))


def beside(contract: Contract) -> list[int | None]:
    """The contracts whose days may meet its own: itself, what it renews, and what renews it."""
    after = select(Subject.id).where(Subject.kind == "contract", Subject.origin_id == contract.id)
    return [contract.id, contract.origin_id, *db.session.scalars(after)]


def must_be_free(starts: date | None, ends: date | None, installed: Iterable[int], *but: int | None) -> None:
    """Invalid if the same software is covered on one of these days already: the customer would get two notices of one service
    (5.2.2). `but`: contracts whose days may be the same."""
    if starts is None or ends is None:
        return
    hold(DAYS)  # of two who agree on the same days at once, one looks after the other is done
    ids, others, software = list(installed), [id for id in but if id], aliased(Subject)
    contracts = (
        select(Contract.number, software.title).select_from(Contract)
        .join(covered, covered.c.contract_id == Contract.id).join(software, software.id == covered.c.installation_id)
        .where(covered.c.installation_id.in_(ids), Contract.id.not_in(others), Contract.category == Kind.SERVICE,
               Contract.state.in_(AHEAD | OWING), Contract.starts_on <= ends, Contract.ends_on >= starts)
    )  # fmt: skip
    if found := db.session.execute(contracts.order_by(Contract.id).limit(1)).first():
        raise Invalid(fields={"starts_on": Invalid(
            N_("%(number)s covers %(title)s on some of these days already: renew or change that one."),
            number=found.number, title=found.title,
        )})  # fmt: skip


def yearly(before: Any) -> int | None:
    """What a contract, or a row of one, cost a year, where it ran for several whole ones."""
    if before.amount_fen is None or before.starts_on is None or before.ends_on is None:
        return before.amount_fen
    ran = relativedelta(before.ends_on + timedelta(days=1), before.starts_on)
    return before.amount_fen // ran.years if ran.years and not (ran.months or ran.days) else before.amount_fen


def _simply_next(before: Contract, starts: date, ends: date) -> bool:
    """Whether a renewal begins the day after, and runs for whole years."""
    years = relativedelta(ends + timedelta(days=1), starts)
    follows = before.ends_on is None or starts == before.ends_on + timedelta(days=1)
    return follows and years.years > 0 and not (years.months or years.days)


def lacking(contract: Contract) -> str:
    """What a contract must say before it is signed, and from then on; one for service covers something."""
    wanted = ("amount_fen", "starts_on", "ends_on") if contract.category == Kind.SERVICE else ("amount_fen",)
    if any(getattr(contract, name) is None for name in wanted):
        return N_("Amount and period are filled in before it is signed (5.2.3). Change the contract first.")
    if contract.category == Kind.SERVICE and not periods.covered_by(contract):
        return N_("It covers no installation yet. Change the contract first.")
    return ""
