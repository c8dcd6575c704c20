"""Serial numbers (5.6): a new period means a new one, each stays on record, and the specialist hands it over."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select, update

from crm import clock
from crm.customers import queries as customers
from crm.customers.models import Contact
from crm.db import db, rows_of
from crm.duties.locks import lock
from crm.duties.models import Subject
from crm.duties.record import record
from crm.errors import Forbidden, Invalid, WrongState
from crm.labels import N_
from crm.permissions import Permission as P
from crm.serials.models import IN_ORDER, VOID, Installation, InstallationEvent, Serial, called, masked
from crm.serials.using import counts, used_on


def may(user, customer: Subject) -> bool:
    """Whoever has this customer in their care issues and hands over; a manager for anybody."""
    return user.may(P.SERIAL_ISSUE_ANY) or (user.may(P.SERIAL_ISSUE) and customer.owner_id in (user.id, None))


def _allowed(by, installation: Installation) -> None:
    if by is not None and not may(by, customers.by_id(installation.customer_id)):
        raise Forbidden()


LETTERS = range(4, 61)  # of a number
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")  # what word processors make of one


def plain(number: str) -> str:
    """As it is kept: no blanks, half width, one kind of dash, capitals."""
    return "".join(unicodedata.normalize("NFKC", number).translate(_DASHES).split()).upper()


def issue(
    installation: Installation, *, by, number: str, starts_on: date, ends_on: date, users: int | None = None
) -> Serial:  # fmt: skip
    """A new serial number, which replaces the one in use. Invalid if somebody has it already."""
    _allowed(by, installation)
    lock(installation)
    wanted = plain(number)
    if len(wanted) not in LETTERS:
        raise Invalid(fields={"number": N_("A serial number has 4 to 60 letters.")})
    if ends_on < starts_on:
        raise Invalid(fields={"ends_on": N_("The last day lies before the first.")})
    if db.session.scalar(select(Serial.id).where(Serial.number == wanted)) is not None:
        raise Invalid(fields={"number": N_("This serial number was issued before.")})
    before = in_use(installation)
    made = Serial(
        installation_id=installation.id, number=wanted, starts_on=starts_on, ends_on=ends_on, users=users,
        issued_on=clock.today(), issued_by_id=by.id if by else None,
    )  # fmt: skip
    if before is not None:
        before.replaced_by_id = before.id  # out of the way of the one that is in use from now on
        db.session.flush()
    db.session.add(made)
    db.session.flush()
    if before is not None:
        before.replaced_by_id = made.id
    installation.version += 1
    db.session.flush()
    record(InstallationEvent.SERIAL_ISSUED, installation, by=by, serial=made.id, ends_on=ends_on)
    return made


def enter(
    installation: Installation, *, by, number: str, starts_on: date, ends_on: date, users: int | None, issued_on: date,
    issued_by_id: int | None, said: Mapping[str, Any],
) -> Serial:  # fmt: skip
    """A number that was issued before it came in with a file, in its place among those of the installation."""
    lock(installation)
    before = in_use(installation)
    made = Serial(
        installation_id=installation.id, number=number, starts_on=starts_on, ends_on=ends_on, users=users, issued_on=issued_on,
        issued_by_id=issued_by_id, replaced_by_id=before and before.id,
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    _put_in_order(installation)
    installation.version += 1
    db.session.flush()
    record(InstallationEvent.SERIAL_IMPORTED, installation, by=by, serial=made.id, ends_on=ends_on, **said)
    return made


def _put_in_order(installation: Installation) -> None:
    """Each is replaced by the one issued after it; the last one issued by none, once that place is free. Void ones stay void."""
    rows = select(Serial).where(Serial.installation_id == installation.id, counts())
    every = list(db.session.scalars(rows.order_by(*IN_ORDER)))
    for one, after in zip(every, every[1:], strict=False):
        one.replaced_by_id = after.id
    db.session.flush()
    every[-1].replaced_by_id = None
    db.session.flush()


def _as_void(number: str) -> str:
    """What is kept of it, so that the number may be issued where it belongs; and once more, should that be typed wrongly."""
    count = db.session.scalar(select(func.count()).where(Serial.number.startswith(f"{number}{VOID}", autoescape=True))) or 0
    return f"{number}{VOID}{f' {count + 1}' if count else ''}"


def may_void(serial: Serial, user) -> bool:
    """Whoever issued it, until it is handed over; a manager, whenever it counts."""
    if serial.replaced_by_id == serial.id:
        return False
    mine = user.may(P.SERIAL_ISSUE) and serial.issued_by_id == user.id and serial.given_on is None
    return mine or user.may(P.SERIAL_ISSUE_ANY)


def void(serial: Serial, *, by, reason: str) -> None:
    """It was typed wrongly: it stays on record and counts no more, the one before it does again. Another may be issued it."""
    installation = db.session.get_one(Installation, serial.installation_id)
    lock(installation)
    db.session.refresh(serial)
    if serial.replaced_by_id == serial.id:
        raise WrongState()
    if not may_void(serial, by):
        raise Forbidden()
    if not reason.strip():
        raise Invalid(fields={"reason": N_("Say why.")})
    after, before = serial.replaced_by_id, select(Serial).where(Serial.replaced_by_id == serial.id)
    replaced = list(db.session.scalars(before))
    serial.replaced_by_id, serial.number = serial.id, _as_void(serial.number)
    db.session.flush()
    for one in replaced:
        one.replaced_by_id = after
    installation.version += 1
    db.session.flush()
    record(InstallationEvent.SERIAL_VOIDED, installation, by=by, serial=serial.id, reason=reason)


def given_before(number: str, *, by, to: Contact, on: date, said: Mapping[str, Any]) -> None:
    """To whom a number was handed before it came in with a file."""
    serial = db.session.scalars(select(Serial).where(Serial.number == number)).one()
    installation = db.session.get_one(Installation, serial.installation_id)
    lock(installation)
    serial.given_on, serial.given_to_id = on, to.id
    db.session.flush()
    record(InstallationEvent.SERIAL_GIVEN_BEFORE, installation, by=by, serial=serial.id, name=to.name, **said)
    installation.handed_over(by)


def in_use(installation: Subject) -> Serial | None:
    return db.session.scalar(select(Serial).where(Serial.installation_id == installation.id, Serial.replaced_by_id.is_(None)))


def holds(installation: Installation, day: date) -> bool:
    """Whether there is a number in use that holds on a day."""
    valid = Serial.installation_id == installation.id, Serial.ends_on >= day, used_on(day)
    return db.session.scalar(select(Serial.id).where(*valid).limit(1)) is not None


def to_give(every: Iterable[Serial]) -> Serial | None:
    """Of all of an installation the one that is to be handed over: the last, unless it was."""
    return next((one for one in every if one.replaced_by_id is None and one.given_on is None), None)


def outlives(installation: Installation, ends_on: date) -> date | None:
    """The end of the last service period that is agreed, if a number ends later (5.6.3)."""
    last = installation.period.ends_on if installation.period else None
    return last if last and ends_on > last else None


def give(serial: Serial, *, by, to: Contact, on: date) -> None:
    """Handed over by the specialist (5.6.4), once."""
    installation = db.session.get_one(Installation, serial.installation_id)
    _allowed(by, installation)
    lock(installation)
    if to.customer_id != installation.customer_id:
        raise Invalid(fields={"to": N_("Choose a contact of this customer.")})
    if on > clock.today():
        raise Invalid(fields={"on": N_("This lies in the future.")})
    given = update(Serial).where(Serial.id == serial.id, Serial.given_on.is_(None), Serial.replaced_by_id.is_(None))
    values = {"given_on": on, "given_to_id": to.id, "given_by_id": by.id}
    if not rows_of(db.session.execute(given.values(values).execution_options(synchronize_session=False))):
        raise WrongState()
    db.session.refresh(serial)
    record(InstallationEvent.SERIAL_GIVEN, installation, by=by, serial=serial.id, name=to.name)
    installation.handed_over(by)


def shown(serial: Serial, user) -> str:
    """The number for those who hand it out, a mask for all others (SECURITY C7)."""
    number = called(serial.number)
    return number if user.may(P.SERIAL_READ) else masked(number)
