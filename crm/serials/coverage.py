"""Whether a customer is in service: the verdict shown while a record is being opened (5.2.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.duties import editions
from crm.labels import N_, Labelled
from crm.serials.models import Installation, ServicePeriod


class Coverage(Labelled):
    IN_SERVICE = "in_service", N_("In service")
    ENDING = "ending", N_("Service ends soon")
    EXPIRED = "expired", N_("Service expired")
    NOT_BEGUN = "not_begun", N_("Service has not begun")
    NO_PERIOD = "no_period", N_("No service period")
    NONE = "none", N_("None of our software, not in service")


@dataclass(frozen=True)
class Verdict:
    """`until`: the last day served, or for NOT_BEGUN the first; `days`: from today to it."""

    coverage: Coverage
    until: date | None = None
    days: int = 0

    @property
    def served(self) -> bool:
        return self.coverage in (Coverage.IN_SERVICE, Coverage.ENDING)


def verdict(installed: bool, periods: Iterable[tuple[date, date]], today: date, soon: int = 31) -> Verdict:
    """Of one installation or one customer: the period that serves today and lasts longest, else what is nearest."""
    periods = list(periods)
    if not installed:
        return Verdict(Coverage.NONE)
    if not periods:
        return Verdict(Coverage.NO_PERIOD)
    if running := [end for start, end in periods if start <= today <= end]:
        days = (max(running) - today).days
        return Verdict(Coverage.ENDING if days <= soon else Coverage.IN_SERVICE, max(running), days)
    if coming := [start for start, _ in periods if start > today]:
        return Verdict(Coverage.NOT_BEGUN, min(coming), (min(coming) - today).days)
    ended = max(end for _, end in periods)
    return Verdict(Coverage.EXPIRED, ended, (ended - today).days)


def verdicts(customer_ids: Iterable[int], today: date | None = None) -> dict[int, Verdict]:
    """The verdict of each customer, in two statements however many there are."""
    ids, today = list(customer_ids), today or clock.today()
    of_these = (Installation.kind == "installation", Installation.customer_id.in_(ids))
    has = select(Installation.customer_id).where(*of_these).distinct()
    installed = set(db.session.scalars(has))
    rows = db.session.execute(
        select(Installation.customer_id, ServicePeriod.starts_on, ServicePeriod.ends_on)
        .join(ServicePeriod, ServicePeriod.installation_id == Installation.id)
        .where(*of_these)
    )
    periods: dict[int, list[tuple[date, date]]] = {}
    for customer_id, starts_on, ends_on in rows:
        periods.setdefault(customer_id or 0, []).append((starts_on, ends_on))
    soon = editions.todays().settings["ends_soon_days"]
    return {id: verdict(id in installed, periods.get(id, ()), today, soon) for id in ids}


def verdict_of(customer_id: int, installation: Installation | None = None) -> Verdict:
    """Of one customer, or of the one installation the record is about."""
    if installation is not None:
        soon = editions.todays().settings["ends_soon_days"]
        return verdict(True, [(p.starts_on, p.ends_on) for p in installation.periods], clock.today(), soon)
    return verdicts([customer_id])[customer_id]
