"""Bringing customers in: a known unit is compared, a new one is made, whatever is refused is named. Run again, it
changes nothing. The command and the page both come through `take`, two hundred rows a batch."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from crm.customers import workflow
from crm.customers.models import Contact, Customer, CustomerEvent
from crm.customers.plan import Line, Plan
from crm.db import db, next_numbers
from crm.errors import Invalid
from crm.importing import Result, refusal, saved, taking
from crm.labels import N_
from crm.permissions import Permission
from crm.sheets.kinds import Kind
from crm.staff.models import User
from crm.staff.queries import RESPONSIBLE, with_role

ATTRIBUTES = {"short_name": "title", "grade": "category"}  # where it is not the field's own name


def take(lines: Sequence[Line], *, by=None, file: str = "", known: "_Units | None" = None) -> Result:
    """Carry out one batch inside the caller's unit of work, each row in a savepoint of its own."""
    result = Result()
    with taking():
        units = known or _Units(by, file)
        units.look_up(lines)
        for line in lines:
            for part in saved([line], lambda one: _row(*one, units), _refused):
                result += part
    return result


def _refused(line: Line, why: Exception) -> Result:
    if isinstance(why, IntegrityError):
        why = Invalid(N_("Somebody else added or changed this unit at the same moment: import it once more."))
    return Result(refused=[(line.number, refusal(why))])


class _Units:
    """The units and people a batch may be about, looked up at once and kept up to date while it goes on."""

    def __init__(self, by=None, file: str = "") -> None:
        self._by, self._file = by, file
        self._ids: set[int] = set()
        self._by_code: dict[str, Customer] = {}
        self._by_name: dict[str, list[Customer]] = {}
        self._people: dict[tuple[Customer, str], Contact] = {}
        self._staff: list[User] = []

    def look_up(self, lines: Iterable[Line]) -> None:
        """Those the rows name; of units met before, what is known already stands."""
        good = [line for line in lines if not line.refusal]
        codes, names = {line.code for line in good if line.code}, {line.full_name for line in good}
        wanted = select(Customer).where(or_(Customer.code.in_(codes), Customer.full_name.in_(names)))
        found = db.session.scalars(wanted.order_by(Customer.id).execution_options(populate_existing=True))
        new = {unit.id: unit for unit in found if unit.id not in self._ids}
        self._ids |= new.keys()
        for unit in new.values():
            self._place(unit)
        self._people |= {(new[unit], name): person for (unit, name), person in _people(new).items()}
        self._staff = with_role(RESPONSIBLE) if any("owner" in line.values for line in good) else []

    def _place(self, unit: Customer, before: str | None = None) -> None:
        """Where it is found, once it has a code or another name."""
        if unit.code:
            self._by_code[unit.code] = unit
        if unit.full_name != before:
            self._by_name.setdefault(unit.full_name, []).append(unit)
            if before is not None:
                self._by_name[before].remove(unit)

    def create(self, line: Line, values: dict[str, Any], person: dict[str, str]) -> None:
        unit, met = self._written(line, values, person)
        self._place(unit)
        self._meet(unit, met)

    def change(self, unit: Customer, values: dict[str, Any], known: Contact | None, person: dict[str, str]) -> None:
        before = unit.full_name
        met = self._rewritten(unit, values, known, person)
        self._place(unit, before)
        self._meet(unit, met)

    def _written(self, line: Line, values: dict[str, Any], person: dict[str, str]) -> tuple[Customer, Contact | None]:
        facts = {"file": self._file, "row": line.number}
        unit = workflow.open_customer(_unit(line, values), CustomerEvent.IMPORTED, by=self._by, **facts)
        return unit, _contact(unit, None, person, self._by)

    def _rewritten(
        self, unit: Customer, values: dict[str, Any], known: Contact | None, person: dict[str, str]
    ) -> Contact | None:
        workflow.change_customer(unit, values, by=self._by, by_file=True)
        return _contact(unit, known, person, self._by)

    def of(self, line: Line) -> Customer | None:
        """A unit is known by its code, else by its full name. Invalid where the two point at different ones."""
        named = self._by_name.get(line.full_name, [])
        if line.code:
            nameless = [unit for unit in named if not unit.code]
            if coded := self._by_code.get(line.code):
                if nameless and "full_name" in line.values and coded not in named:
                    fault = N_("Its code is that of %(one)s, its full name that of %(other)s.")
                    raise Invalid(fault, one=coded.number, other=nameless[0].number)
                return coded
            named = nameless  # of one name and another code: another unit
        if len(named) > 1:
            raise Invalid(N_("Several units have its full name: give it the code of the one that is meant."))
        return named[0] if named else None

    def owner(self, text: str) -> int:
        """The responsible specialist, by log-in or by name."""
        key = unicodedata.normalize("NFKC", text).casefold()
        found = [user for user in self._staff if user.login == key] or [
            user for user in self._staff if user.name.casefold() == text.casefold()
        ]
        if not found:
            raise Invalid(N_("%(name)s is nobody who looks after customers here."), name=text)
        if len(found) > 1:
            raise Invalid(N_("Several people are called %(name)s: give the log-in name."), name=text)
        return found[0].id

    def person(self, unit: Customer, name: str) -> Contact | None:
        return self._people.get((unit, name))

    def _meet(self, unit: Customer, person: Contact | None) -> None:
        if person:
            self._people[unit, person.name] = person


class _Trial(_Units):
    """Of a dry run, whose batches are rolled back: what its rows say stands in memory alone, where rows of later batches
    find it as they would find it in the database."""

    def __init__(self) -> None:
        super().__init__()
        self._made = 0

    def look_up(self, lines: Sequence[Line]) -> None:
        super().look_up(lines)
        db.session.expunge_all()  # nothing that is set on them is to be written
        self._numbers = next_numbers("K", self._made + len(lines))  # as they will be given out

    def _written(self, line: Line, values: dict[str, Any], person: dict[str, str]) -> tuple[Customer, Contact | None]:
        unit = _unit(line, values)
        unit.number = self._numbers[self._made]
        self._made += 1
        return unit, Contact(**person) if person else None

    def _rewritten(
        self, unit: Customer, values: dict[str, Any], known: Contact | None, person: dict[str, str]
    ) -> Contact | None:
        met = known or (Contact(**person) if person else None)
        for row, said in ((unit, values), (met, person)):
            for name, value in said.items():
                setattr(row, name, value)
        return met


def _people(ids: Iterable[int]) -> dict[tuple[int, str], Contact]:
    """The contacts of these units by name; of two of one name, the one who is still there, then the first."""
    rows = db.session.scalars(
        select(Contact).where(Contact.customer_id.in_(ids)).order_by(Contact.active, Contact.id.desc())
    )
    return {(person.customer_id, person.name): person for person in rows}


def _row(line: Line, units: _Units) -> Result:
    if line.refusal:
        raise line.refusal
    unit = units.of(line)
    values = {ATTRIBUTES.get(name, name): text for name, text in line.values.items() if not name.startswith("contact_")}
    if "owner" in values:
        values["owner_id"] = units.owner(values.pop("owner"))
    person = {name.removeprefix("contact_"): text for name, text in line.values.items() if name.startswith("contact_")}
    if unit is None:
        units.create(line, values, person)
        return Result(created=1)
    values |= _renamed(unit, line)
    known = units.person(unit, person.get("name", ""))
    if _says(unit, values) and (not person or (known and _says(known, person))):
        return Result(unchanged=1)
    units.change(unit, values, known, person)
    return Result(updated=1)


def _says(row: Any, values: Mapping[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in values.items())


def _renamed(unit: Customer, line: Line) -> dict[str, str]:
    """A full name that only repeated the short one follows it."""
    follows = "short_name" in line.values and "full_name" not in line.values and unit.full_name == unit.title
    return {"full_name": line.full_name} if follows else {}


def _unit(line: Line, values: dict[str, Any]) -> Customer:
    names = {"full_name": line.full_name, "title": values.pop("title", line.full_name)}
    return Customer(**{**values, **names})


def _contact(unit: Customer, known: Contact | None, person: dict[str, str], by) -> Contact | None:
    """Add or change the person a row names."""
    if not person:
        return None
    if known is None:
        return workflow.meet_contact(unit, by=by, **person)
    workflow.change_contact(known, unit, person, by=by)
    return known


KIND = Kind(
    "customers", Plan, take, _Trial, Permission.CUSTOMER_EDIT,
    title=N_("Import customers"), of=N_("Customers"), back=N_("To the customers"),
    says=N_("Columns are known by their headers, in Chinese or English. A unit is known again by its code, else by its full "
            "name; an empty cell never wipes what is there, and importing the same file again changes nothing."),
)  # fmt: skip
