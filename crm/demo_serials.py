"""The serial numbers of the demo: one for each period, in a contact's hands."""

from collections.abc import Iterable
from hashlib import sha256

from crm import clock
from crm.contracts.models import Contract
from crm.customers.models import Contact
from crm.serials import numbers
from crm.serials.models import Installation
from crm.staff.models import User


def hand_out(contract: Contract, installed: Iterable[Installation], *, by: User, to: Contact) -> None:
    """Those of a contract's period; no dice are thrown, so that the year stays as it was."""
    assert contract.starts_on and contract.ends_on
    for one in installed:
        words = sha256(f"{one.number} {contract.ends_on}".encode()).hexdigest().upper()
        made = numbers.issue(one, by=by, number="-".join((words[:5], words[5:10], words[10:15])), users=one.users,
                             starts_on=contract.starts_on, ends_on=contract.ends_on)  # fmt: skip
        numbers.give(made, by=by, to=to, on=clock.today())
