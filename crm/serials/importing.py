"""Bringing in serial numbers that were issued before: each has one owner and stays as it was issued, the newest is the one in
use, what is refused named. Run again, it changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from crm import clock
from crm.customers.models import Contact, Customer
from crm.db import db
from crm.errors import Invalid
from crm.importing import Result
from crm.labels import N_
from crm.permissions import Permission
from crm.serials import listed, numbers
from crm.serials.installed import Have, users_of
from crm.serials.models import VOID, Installation, Serial, called
from crm.serials.plan import Line, Plan
from crm.sheets import kinds
from crm.staff import queries as staff


@dataclass(frozen=True)
class Issued:
    """A number there is, as far as rows are compared with it."""

    of: tuple[int, int]  # the installation
    starts_on: date
    ends_on: date
    users: int | None
    issued_on: date
    given: tuple[str, date] | None  # to whom, and when


class _Serials(listed.Known):
    def __init__(self, by=None, file: str = "", *, keep: bool = True) -> None:
        super().__init__(by, file, keep=keep)
        self._tried: dict[str, Issued] = {}  # what a dry run has made or changed

    def look_up(self, lines: Sequence[Line]) -> list[int]:
        installed = super().look_up(lines)
        wanted = {line.serial for line in lines if not line.refusal}
        rows = select(Serial, Installation.customer_id, Contact.name)
        rows = rows.join(Installation, Installation.id == Serial.installation_id)
        rows = rows.outerjoin(Contact, Contact.id == Serial.given_to_id)
        rows = rows.where(Serial.number.in_(wanted))
        self._there = {
            one.number: Issued((customer_id, one.installation_id), one.starts_on, one.ends_on, one.users, one.issued_on,
                               (name, one.given_on) if one.given_on else None)
            for one, customer_id, name in db.session.execute(rows)
        } | self._tried  # fmt: skip
        void = select(Serial.number, Serial.installation_id).where(Serial.number.in_([f"{one}{VOID}" for one in wanted]))
        self._void = {(called(number), of) for number, of in db.session.execute(void)}
        names = {line.values["issued_by"] for line in lines if "issued_by" in line.values}
        self._staff = staff.called(names) if names else {}
        return installed

    def there(self, line: Line) -> Issued | None:
        return self._there.get(line.serial)

    def issue(self, line: Line, customer: Customer, one: Have, new: Issued) -> None:
        if (line.serial, one.key[1]) in self._void:
            raise Invalid(N_("This serial number was typed wrongly here and is void: issue it on the page of its installation."))
        kept = self.installed.kept(one, customer, by=self.by, keep=self.keep, users=new.users, **self.said(line))
        if self.keep:
            who = line.values.get("issued_by", "")
            said = self.said(line) | ({"name": who} if who and who not in self._staff else {})
            installation = db.session.get_one(Installation, kept.key[1])
            numbers.enter(installation, by=self.by, number=line.serial, starts_on=new.starts_on, ends_on=new.ends_on,
                          users=new.users, issued_on=new.issued_on, issued_by_id=self._staff.get(who), said=said)  # fmt: skip
        self._note(line, customer, Issued(kept.key, new.starts_on, new.ends_on, new.users, new.issued_on, None), new.given)

    def give(self, line: Line, customer: Customer, there: Issued, given: tuple[str, date]) -> None:
        self._note(line, customer, there, given)

    def _note(self, line: Line, customer: Customer, one: Issued, given: tuple[str, date] | None) -> None:
        """To whom it was handed, if the row says so; and what stands of it from here on."""
        if given:
            to = self.parties.person(customer, line, by=self.by, keep=self.keep)
            if self.keep and to is not None:
                numbers.given_before(line.serial, by=self.by, to=to, on=given[1], said=self.said(line))
        self._there[line.serial] = Issued(one.of, one.starts_on, one.ends_on, one.users, one.issued_on, given)
        if not self.keep:
            self._tried[line.serial] = self._there[line.serial]


def _said(line: Line, of: Have) -> Issued:
    starts_on, ends_on = line.day("starts_on"), line.day("ends_on")
    assert starts_on and ends_on, "the row was checked"
    issued_on = line.day("issued_on") or min(starts_on, clock.today())
    given = (line.values["contact_name"], line.day("given_on") or issued_on) if "contact_name" in line.values else None
    return Issued(of.key, starts_on, ends_on, users_of(line.values), issued_on, given)


def _row(line: Line, known: _Serials) -> Result:
    customer = known.customer(line)
    found = known.installed.meant(customer, line)
    if len(found) > 1:
        raise Invalid(N_("It names several products: a serial number is that of one installation."))
    if known.by is not None and not numbers.may(known.by, customer):
        raise Invalid(N_("This customer is in somebody else's care."))
    new, there = _said(line, found[0]), known.there(line)
    if there is None:
        known.issue(line, customer, found[0], new)
        return Result(created=1)
    _check(there, new, line)
    if new.given is None or there.given == new.given:
        return Result(unchanged=1)
    if there.given:
        raise Invalid(N_("This serial number was handed to somebody else, or on another day: what is noted stays."))
    known.give(line, customer, there, new.given)
    return Result(updated=1)


def _check(there: Issued, new: Issued, line: Line) -> None:
    """Whether a row may say so of a number there is."""
    if there.of != new.of:
        raise Invalid(N_("This serial number is that of another installation."))
    says = [(there.starts_on, new.starts_on), (there.ends_on, new.ends_on)]
    says += [(there.users, new.users)] if "users" in line.values else []
    says += [(there.issued_on, new.issued_on)] if "issued_on" in line.values else []
    if any(before != after for before, after in says):
        raise Invalid(N_("This serial number was issued with other days or users: what was issued stays as it is (5.6.4)."))


def take(lines: Sequence[Line], *, by=None, file: str = "", known: _Serials | None = None) -> Result:
    """Carry out one batch inside the caller's unit of work."""
    known = known or _Serials(by, file)
    return listed.take(lines, known, lambda line: _row(line, known))


KIND = kinds.Kind(
    "serials", Plan, take, lambda: _Serials(keep=False), Permission.SERIAL_ISSUE,
    title=N_("Import serial numbers"), of=N_("Serial numbers"), back=N_("To the serial numbers"),
    says=N_("Serial numbers that were issued before. Each has one owner and stays as it was issued; the last one issued to an "
            "installation is the one in use. The customer is known by code or name, the software by the product's name or the "
            "installation's number; importing the same file again changes nothing."),
)  # fmt: skip
