"""Whether a customer is in service: the verdict shown while a record is being opened (5.2.1)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import bindparam, select

from crm import clock
from crm.db import db
from crm.duties import editions
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.serials.models import Installation, ServicePeriod, Standing


class Coverage(Labelled):
    IN_SERVICE = "in_service", N_("In service")
    ENDING = "ending", N_("Service ends soon")
    EXPIRED = "expired", N_("Service expired")
    NOT_BEGUN = "not_begun", N_("Service has not begun")
    UNPAID = "unpaid", N_("Signed, not yet paid")
    WITHHELD = "withheld", N_("Service withheld until it is paid")
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
        return self.coverage in (Coverage.IN_SERVICE, Coverage.ENDING, Coverage.UNPAID)


Period = tuple[date, date, str]  # first and last day, and its standing


def verdict(installed: bool, periods: Iterable[Period], today: date, soon: int = 31) -> Verdict:
    """Of one installation or one customer: the period that serves today and lasts longest, with what follows it, else what is
    nearest. One that is signed and not yet paid serves all the same (5.2.7); a withheld one does not (D2)."""
    every = list(periods)
    if not installed:
        return Verdict(Coverage.NONE)
    if not every:
        return Verdict(Coverage.NO_PERIOD)
    now = [(end, standing) for start, end, standing in every if start <= today <= end]
    if settled := [end for end, standing in now if standing == Standing.SETTLED]:
        until = _goes_on(max(settled), every)
        days = (until - today).days
        return Verdict(Coverage.ENDING if days <= soon else Coverage.IN_SERVICE, until, days)
    for standing, coverage in ((Standing.SIGNED, Coverage.UNPAID), (Standing.WITHHELD, Coverage.WITHHELD)):
        if ends := [end for end, how in now if how == standing]:
            return Verdict(coverage, max(ends), (max(ends) - today).days)
    if coming := [start for start, _end, _standing in every if start > today]:
        return Verdict(Coverage.NOT_BEGUN, min(coming), (min(coming) - today).days)
    ended = max(end for _start, end, _standing in every)
    return Verdict(Coverage.EXPIRED, ended, (ended - today).days)


def _goes_on(until: date, every: Iterable[Period]) -> date:
    """The last day served where one settled period follows another without a gap: what is renewed does not end soon."""
    for start, end, standing in sorted(every):
        if standing == Standing.SETTLED and start <= until + timedelta(days=1):
            until = max(until, end)
    return until


_PERIODS = (
    select(Subject.customer_id, ServicePeriod.starts_on, ServicePeriod.ends_on, ServicePeriod.standing)
    .outerjoin(ServicePeriod, ServicePeriod.installation_id == Subject.id)
    .where(Subject.kind == "installation", Subject.customer_id.in_(bindparam("customers", expanding=True)))
)


def verdicts(customer_ids: Iterable[int], today: date | None = None) -> dict[int, Verdict]:
    """The verdict of each customer, in one statement however many there are."""
    ids, today = list(customer_ids), today or clock.today()
    periods: dict[int, list[Period]] = {}
    for customer_id, starts_on, ends_on, standing in db.session.execute(_PERIODS, {"customers": ids}):
        periods.setdefault(customer_id or 0, []).extend([(starts_on, ends_on, standing)] if starts_on else [])
    return {id: verdict(id in periods, periods.get(id, ()), today, _soon()) for id in ids}


def verdict_among(installed: Sequence[Installation], chosen: Installation | None = None) -> Verdict:
    """Of a customer whose installations are read already, or of the one of them the record is about."""
    some = [chosen] if chosen else installed
    periods = [(period.starts_on, period.ends_on, period.standing) for one in some for period in one.periods]
    return verdict(bool(some), periods, clock.today(), _soon())


def verdict_of(customer_id: int, installation: Installation | None = None) -> Verdict:
    """Of one customer, or of the one installation the record is about."""
    return verdict_among([], installation) if installation else verdicts([customer_id])[customer_id]


def _soon() -> int:
    return editions.todays().settings["ends_soon_days"]
