"""Installations and products: what is where, in which state of use, and served from when to when (5.2.1)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db, next_number
from crm.duties.locks import lock
from crm.duties.models import Subject
from crm.duties.record import open_subject, record
from crm.errors import Forbidden, Invalid
from crm.labels import N_
from crm.moves import edit
from crm.permissions import Permission
from crm.serials.models import Installation, InstallationEvent, Product, ServicePeriod, UseState


def product(brand: str, name: str) -> Product:
    """The product of that brand and name; a new one if we have not sold it before."""
    found = db.session.scalar(select(Product).where(Product.brand == brand, Product.name == name))
    if found is None:
        found = Product(brand=brand, name=name)
        db.session.add(found)
        db.session.flush()
    return found


FARTHEST = timedelta(days=366 * 10)


def wrong_period(starts: date | None, ends: date | None) -> dict[str, str]:
    """What is wrong with a service period, by the field's name; nothing with none."""
    if (starts is None) != (ends is None):
        return {"ends_on": N_("A service period has a first and a last day.")}
    if starts and ends and ends < starts:
        return {"ends_on": N_("The last day lies before the first.")}
    return {"ends_on": N_("That is longer than ten years.")} if starts and ends and ends - starts > FARTHEST else {}


def _checked(starts_on: date | None, ends_on: date | None, installed_on: date | None) -> None:
    if wrong := wrong_period(starts_on, ends_on):
        raise Invalid(fields=wrong)
    if installed_on and installed_on > clock.today():
        raise Invalid(fields={"installed_on": N_("This lies in the future.")})


def _title(of: Product, edition: str, version: str) -> str:
    return " ".join(part for part in (of.title, edition, version) if part)


def add_installation(
    customer: Subject, *, by, of: Product, use: str = UseState.UNKNOWN, starts_on: date | None = None,
    ends_on: date | None = None, edition: str = "", product_version: str = "", **details: Any,
) -> Installation:  # fmt: skip
    if not by.may(Permission.CUSTOMER_EDIT):
        raise Forbidden()
    _checked(starts_on, ends_on, details.get("installed_on"))
    return put_in(customer, by=by, of=of, use=use, starts_on=starts_on, ends_on=ends_on, edition=edition,
                  product_version=product_version, **details)  # fmt: skip


def put_in(
    customer: Subject, *, by, of: Product, use: str = UseState.UNKNOWN, starts_on: date | None = None,
    ends_on: date | None = None, edition: str = "", product_version: str = "", said: Mapping[str, Any] | None = None,
    **details: Any,
) -> Installation:  # fmt: skip
    """A product at a customer, however it came to be known; `said`: where it stood."""
    installation = Installation(
        product_id=of.id, product=of, customer_id=customer.id, owner_id=customer.owner_id, state=use,
        title=_title(of, edition, product_version), edition=edition, product_version=product_version,
        number=next_number("I"), periods=[], use_seen_on=clock.today() if use != UseState.UNKNOWN else None, **details,
    )  # fmt: skip
    open_subject(installation, at=clock.now())
    if starts_on and ends_on:
        installation.periods.append(ServicePeriod(starts_on=starts_on, ends_on=ends_on, entered_by_id=by and by.id))
    said = {"product": of.title, "starts_on": starts_on, "ends_on": ends_on, **(said or {})}
    record(InstallationEvent.ADDED, installation, by=by, **said)
    return installation


def edit_installation(
    installation: Installation, *, by, of: Product, use: str, use_seen_on: date | None,
    starts_on: date | None, ends_on: date | None, period_reason: str = "", **changes: Any,
) -> None:  # fmt: skip
    """Change what is known of it; a state of use carries the day on which it was seen. Another period than the one that
    stands there needs a reason (5.2.1); one that a contract agrees on is changed on the contract."""
    if not by.may(Permission.CUSTOMER_EDIT):
        raise Forbidden()
    _checked(starts_on, ends_on, changes.get("installed_on"))
    if use != UseState.UNKNOWN and use_seen_on is None:
        use_seen_on = clock.today()
    if use_seen_on and use_seen_on > clock.today():
        raise Invalid(fields={"use_seen_on": N_("This lies in the future.")})
    title = _title(of, changes["edition"], changes["product_version"])
    seen = edit(installation, {"state": use, "use_seen_on": use_seen_on})
    differences = edit(installation, {**changes, "product_id": of.id, "title": title})
    period = _set_period(installation, starts_on, ends_on, period_reason, by)
    differences.pop("product_id", None)
    if seen:
        record(InstallationEvent.USE_SEEN, installation, by=by, changes=seen)
    if differences | period:
        said = {"reason": period_reason} if period and period_reason else {}
        record(InstallationEvent.EDITED, installation, by=by, changes=differences | period, **said)


def _set_period(
    installation: Installation, starts_on: date | None, ends_on: date | None, reason: str, by
) -> dict[str, Any]:  # fmt: skip
    """Put the last period right, with a reason, or add the first."""
    lock(installation)
    for one in installation.periods:  # a sweep may have taken it into a contract meanwhile
        db.session.refresh(one)
    period = installation.period
    before = [period.starts_on, period.ends_on] if period else None
    after = [starts_on, ends_on] if starts_on and ends_on else None
    if before == after:
        return {}
    if period is None:
        installation.periods.append(ServicePeriod(starts_on=starts_on, ends_on=ends_on, entered_by_id=by.id))
    else:
        _changeable(period, reason)
        if after is None:
            installation.periods.remove(period)
        else:
            period.starts_on, period.ends_on = starts_on, ends_on  # type: ignore[assignment]
            period.entered_by_id = by.id
    installation.version += 1
    db.session.flush()
    return {"service_period": [before, after]}


def _changeable(period: ServicePeriod, reason: str) -> None:
    if period.contract_id is not None:
        number = db.session.scalar(select(Subject.number).where(Subject.id == period.contract_id))
        agreed = N_("Contract %(number)s agrees on this period: adjust it there.")
        raise Invalid(fields={"ends_on": Invalid(agreed, number=number)})
    if not reason.strip():
        raise Invalid(fields={"period_reason": N_("Say why the period changes (5.2.1).")})
