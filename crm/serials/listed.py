"""What lists of contracts and of serial numbers share: each row is about a customer and what is installed there."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError

from crm.customers.models import Customer
from crm.customers.parties import CUSTOMER, Parties
from crm.db import db
from crm.errors import Invalid
from crm.importing import Result, refusal, saved, taking
from crm.labels import N_
from crm.serials.installed import SOFTWARE, Installed
from crm.sheets.columns import Field
from crm.sheets.plan import Line

COLUMNS: dict[str, Field] = CUSTOMER | SOFTWARE


class Known:
    """What is known of those a batch may be about. In a dry run nothing is kept, and what earlier rows said stands here."""

    def __init__(self, by=None, file: str = "", *, keep: bool = True) -> None:
        self.by, self.file, self.keep = by, file, keep
        self.parties, self.installed = Parties(), Installed()

    def look_up(self, lines: Sequence[Line]) -> list[int]:
        """At once; the ids of what is installed at them."""
        return self.installed.look_up(lines, self.parties.look_up(lines))

    def customer(self, line: Line) -> Customer:
        if "customer" not in line.values and "customer_code" not in line.values:
            whose = self.installed.customer_of(line)
            if whose is not None:
                return db.session.get_one(Customer, whose)
        return self.parties.of(line)

    def said(self, line: Line) -> dict[str, Any]:
        """Where it stood, for its events."""
        return {"file": self.file, "row": line.number}


def take(lines: Sequence[Line], known: Known, row: Callable[[Line], Result]) -> Result:
    """Carry out one batch inside the caller's unit of work, each row in a savepoint of its own."""
    result = Result()

    def refused(line: Line, why: Exception) -> Result:
        if not isinstance(why, Invalid):
            known.look_up(lines)  # what was undone must not be thought to be there
        if isinstance(why, IntegrityError):
            why = Invalid(N_("Somebody else added or changed this at the same moment: import it once more."))
        return Result(refused=[(line.number, refusal(why))])

    def act(one: Sequence[Line]) -> Result:
        if one[0].refusal:
            raise one[0].refusal
        return row(one[0])

    with taking():
        known.look_up(lines)
        for line in lines:
            for part in saved([line], act, refused):
                result += part
    return result
