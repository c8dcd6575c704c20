"""Bringing customers in: a known unit is compared, a new one is made, whatever is refused is named. Run again, it
changes nothing. The command and the page both come through `take`, two hundred rows a unit of work."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from crm.customers import workflow
from crm.customers.models import Contact, Customer, CustomerEvent
from crm.customers.plan import Line, Plan
from crm.db import db, hold, unit_of_work
from crm.duties.record import by_import
from crm.errors import Invalid
from crm.labels import N_
from crm.staff.queries import RESPONSIBLE, with_role

ATTRIBUTES = {"short_name": "title", "grade": "category"}  # where it is not the field's own name


@dataclass
class Result:
    """What became of the rows; results of several batches add up."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[int, Invalid]] = field(default_factory=list)  # row number, reason

    def __iadd__(self, other: "Result") -> "Result":
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.refused += other.refused
        return self

    def __str__(self) -> str:
        return (
            f"created {self.created}, updated {self.updated}, unchanged {self.unchanged}, refused {len(self.refused)}"
        )


def run(
    content: bytes, name: str, mapping: Mapping[str, str], *, dry_run: bool = False, by=None,
    say: Callable[[str], Any] = print,
) -> Result:  # fmt: skip
    """A whole file, for the command: says what it understood, how far it is, every refused row and at last the sums."""
    plan = Plan.read(content, name, mapping)
    plan.check()
    for line in _understood(plan):
        say(line)
    result = Result()
    for part in _tried(plan, by) if dry_run else _done(plan, by):
        result += part
        for number, refusal in part.refused:
            say(f"row {number}: {refusal.message % refusal.params}")
        done = result.created + result.updated + result.unchanged + len(result.refused)
        if len(plan.lines) > done:
            say(f"{done} of {len(plan.lines)} rows")
    if dry_run:
        say("a dry run: nothing was kept.")
    say(str(result))
    return result


def _understood(plan: Plan) -> Iterator[str]:
    sheet = f"sheet {plan.sheet}, " if plan.sheet else ""
    yield f"{plan.name}: {sheet}header in row {plan.header}, {len(plan.lines)} rows."
    yield f"taken: {', '.join(f'{column.header} = {column.field}' for column in plan.columns if column.field)}"
    if plan.left_out:
        yield f"left out: {', '.join(column.header for column in plan.left_out)} (to take one: --map COLUMN=field)"


def _done(plan: Plan, by) -> Iterator[Result]:
    for lines in plan.batches():
        with unit_of_work():
            part = take(lines, by=by, file=plan.name)
        yield part


class _Undo(Exception):
    pass


def _tried(plan: Plan, by) -> Iterator[Result]:
    """Everything is done, so that rows on the same unit find each other, and then rolled back as a whole."""
    with suppress(_Undo), unit_of_work():
        yield from [take(lines, by=by, file=plan.name) for lines in plan.batches()]
        raise _Undo


def take(lines: Sequence[Line], *, by=None, file: str = "") -> Result:
    """Carry out one batch inside the caller's unit of work, each row in a savepoint of its own."""
    result = Result()
    with by_import():
        units = _Units(lines)
        for line in lines:
            if line.refusal:
                result.refused.append((line.number, line.refusal))
                continue
            try:
                kind = _row(line, units, by, file)
                setattr(result, kind, getattr(result, kind) + 1)
            except Invalid as refusal:
                result.refused.append((line.number, refusal))
            except IntegrityError:
                fault = N_("Somebody else added or changed this unit at the same moment: import it once more.")
                result.refused.append((line.number, Invalid(fault)))
    return result


class _Units:
    """The units and people a batch may be about, looked up at once and kept up to date while it goes on."""

    def __init__(self, lines: Iterable[Line]) -> None:
        good = [line for line in lines if not line.refusal]
        # All who make units wait for each other here, so that two imports at once never both find a unit missing.
        hold("K")
        codes, names = {line.code for line in good if line.code}, {line.full_name for line in good}
        wanted = or_(Customer.code.in_(codes), Customer.full_name.in_(names))
        found = db.session.scalars(select(Customer).where(wanted).execution_options(populate_existing=True))
        self._units = {unit.id: unit for unit in found}
        persons = any("contact_name" in line.values for line in good)
        self._people = _people(self._units) if persons else {}
        self._staff = with_role(RESPONSIBLE) if any("owner" in line.values for line in good) else []
        self._index()

    def _index(self) -> None:
        self._by_code = {unit.code: unit for unit in self._units.values() if unit.code}
        self._by_name: dict[str, list[Customer]] = {}
        for unit in self._units.values():
            self._by_name.setdefault(unit.full_name, []).append(unit)

    def keep(self, unit: Customer, renamed: bool) -> None:
        if unit.id not in self._units:
            self._units[unit.id] = unit
            self._by_name.setdefault(unit.full_name, []).append(unit)
            if unit.code:
                self._by_code[unit.code] = unit
        elif renamed:
            self._index()

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
        return self._people.get((unit.id, name))

    def meet(self, person: Contact) -> None:
        self._people[person.customer_id, person.name] = person


def _people(ids: Iterable[int]) -> dict[tuple[int, str], Contact]:
    """The contacts of these units by name; of two of one name, the one who is still there, then the first."""
    rows = db.session.scalars(
        select(Contact).where(Contact.customer_id.in_(ids)).order_by(Contact.active, Contact.id.desc())
    )
    return {(person.customer_id, person.name): person for person in rows}


def _row(line: Line, units: _Units, by, file: str) -> str:
    unit = units.of(line)
    values = {ATTRIBUTES.get(name, name): text for name, text in line.values.items() if not name.startswith("contact_")}
    if "owner" in values:
        values["owner_id"] = units.owner(values.pop("owner"))
    person = {name.removeprefix("contact_"): text for name, text in line.values.items() if name.startswith("contact_")}
    if unit is None:
        with db.session.begin_nested():
            unit = _create(line, values, by, file)
            met = _contact(unit, None, person, by)
        units.keep(unit, renamed=False)
        kind = "created"
    else:
        values |= _renamed(unit, line)
        known = units.person(unit, person.get("name", ""))
        if _says(unit, values) and (not person or (known and _says(known, person))):
            return "unchanged"
        with db.session.begin_nested():
            workflow.change_customer(unit, values, by=by)
            met = _contact(unit, known, person, by)
        units.keep(unit, renamed=True)
        kind = "updated"
    if met:
        units.meet(met)
    return kind


def _says(row: Any, values: Mapping[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in values.items())


def _renamed(unit: Customer, line: Line) -> dict[str, str]:
    """A full name that only repeated the short one follows it."""
    follows = "short_name" in line.values and "full_name" not in line.values and unit.full_name == unit.title
    return {"full_name": line.full_name} if follows else {}


def _create(line: Line, values: dict[str, Any], by, file: str) -> Customer:
    names = {"full_name": line.full_name, "title": values.pop("title", line.full_name)}
    facts = {"file": file, "row": line.number}
    return workflow.open_customer(Customer(**{**values, **names}), CustomerEvent.IMPORTED, by=by, **facts)


def _contact(unit: Customer, known: Contact | None, person: dict[str, str], by) -> Contact | None:
    """Add or change the person a row names."""
    if not person:
        return None
    if known is None:
        return workflow.meet_contact(unit, by=by, **person)
    workflow.change_contact(known, unit, person, by=by)
    return known
