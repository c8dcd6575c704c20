"""Customers and their contacts are added and changed; nobody is deleted, who left becomes inactive."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.customers.models import Contact, Customer, CustomerEvent, CustomerState
from crm.db import db, next_number
from crm.duties.locks import lock
from crm.duties.many import Happened, record_all
from crm.duties.models import Subject
from crm.duties.passing import hand_over
from crm.duties.record import open_subject, record
from crm.errors import Forbidden, Invalid, Stale
from crm.labels import N_
from crm.moves import edit
from crm.permissions import Permission


def _may_edit(by) -> None:
    if not by.may(Permission.CUSTOMER_EDIT):
        raise Forbidden()


def _check_code(code: str | None, customer_id: int | None) -> None:
    other = select(Customer.number).where(Customer.code == code, Customer.id != customer_id)
    if code and (number := db.session.scalar(other)):
        raise Invalid(fields={"code": Invalid(N_("This code is already that of %(number)s."), number=number)})


def open_customer(customer: Customer, kind: CustomerEvent, *, by, **facts: Any) -> Customer:
    """Put a new unit into the department's care, however it came."""
    customer.number, customer.state = next_number("K"), CustomerState.ACTIVE
    open_subject(customer, at=clock.now())
    customer.customer_id = customer.id  # so that one key finds all that belongs to a customer
    record(kind, customer, by=by, **facts)
    return customer


def change_customer(customer: Customer, changes: Mapping[str, Any], *, by, by_file: bool = False) -> None:
    """Set what differs and write it down; another responsible specialist is an event of its own. A file begins no regular
    calls, for an import drowns nobody (4.specialist.2); it may end them, or change who makes them."""
    before = customer.owner_id
    differences = edit(customer, changes)
    assigned = differences.pop("owner_id", None)
    if differences:
        called = differences.get("category", [None])[0]  # the grade it had
        kind = CustomerEvent.UPDATED if by_file and not called else CustomerEvent.EDITED
        record(kind, customer, by=by, changes=differences)
    if assigned:
        record(CustomerEvent.ASSIGNED, customer, by=by, **{"from": before, "to": customer.owner_id})
        hand_over(customer, before, customer.owner_id)


def meet_contact(customer: Subject, *, by, name: str, department: str = "", **details: Any) -> Contact:
    """A person at the customer, written down."""
    contact = Contact(customer_id=customer.id, name=name, department=department, **details)
    db.session.add(contact)
    db.session.flush()
    record(CustomerEvent.CONTACT_ADDED, customer, by=by, contact=contact.id, name=name, department=department)
    return contact


def meet_all(people: Iterable[tuple[Subject, str]]) -> list[Contact]:
    """Many people nobody knew yet at once, as an import names them: to each its event."""
    pairs = list(people)
    contacts = [Contact(customer_id=customer.id, name=name) for customer, name in pairs]
    db.session.add_all(contacts)
    db.session.flush()
    record_all(
        Happened(CustomerEvent.CONTACT_ADDED, customer, clock.now(), None,
                 {"contact": contact.id, "name": contact.name, "department": ""})
        for (customer, _name), contact in zip(pairs, contacts, strict=True)
    )  # fmt: skip
    return contacts


def change_contact(contact: Contact, customer: Subject, changes: Mapping[str, Any], *, by) -> None:
    if differences := edit(contact, changes):
        facts = {"contact": contact.id, "name": contact.name, "changes": differences}
        record(CustomerEvent.CONTACT_EDITED, customer, by=by, **facts)


def _check_post(*, by_post: bool = False, address: str = "", **_others: Any) -> None:
    if by_post and not address:
        raise Invalid(fields={"address": N_("Letters by post need an address.")})


def add_customer(*, by, short_name: str, full_name: str = "", code: str | None = None, owner_id: int | None = None,
                 grade: str = "", **details: Any) -> Customer:  # fmt: skip
    """A new unit; without a full name the short one stands for it."""
    _may_edit(by)
    _check_code(code or None, None)
    _check_post(**details)
    customer = Customer(
        title=short_name, full_name=full_name or short_name, code=code or None, owner_id=owner_id, category=grade, **details
    )  # fmt: skip
    return open_customer(customer, CustomerEvent.ADDED, by=by)


def edit_customer(customer: Customer, *, by, owner_id: int | None, **changes: Any) -> None:
    _may_edit(by)
    changes["code"] = changes.get("code") or None
    changes["full_name"] = changes.get("full_name") or changes["short_name"]
    _check_post(**changes)
    changes["title"], changes["category"] = changes.pop("short_name"), changes.pop("grade")
    _check_code(changes["code"], customer.id)
    change_customer(customer, {**changes, "owner_id": owner_id}, by=by)


def add_contact(customer: Subject, *, by, **words: Any) -> Contact:
    """A person at the customer; may be added while a record is being written (5.1.2)."""
    _may_edit(by)
    return meet_contact(customer, by=by, **words)


def edit_contact(contact: Contact, *, by, version: int | None = None, **changes: Any) -> None:
    """Change a contact, or make one who left inactive. Stale if somebody else did so after `version` was read."""
    _may_edit(by)
    customer = db.session.get_one(Customer, contact.customer_id)
    lock(customer)
    db.session.refresh(contact, with_for_update=True)
    if version is not None and version != contact.version:
        raise Stale()
    change_contact(contact, customer, changes, by=by)
