"""What an import of serial numbers will do with a file: what a row must say, and which rows give one number."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Self

from crm import clock
from crm.customers.parties import NAMED as CUSTOMER
from crm.errors import Invalid
from crm.labels import N_
from crm.serials.columns import COLUMNS, FIELDS
from crm.sheets import cells, plan

PAST = {"issued_on": N_("It was issued on a day that lies in the future."),
        "given_on": N_("It was handed over on a day that lies in the future.")}  # fmt: skip


@dataclass(frozen=True)
class Line(plan.Line):
    @property
    def serial(self) -> str:
        return self.values.get("number", "")

    def day(self, name: str) -> date | None:
        return date.fromisoformat(self.values[name]) if name in self.values else None

    def whole(self) -> Self:
        if not self.serial:
            raise Invalid(N_("It has no serial number."))
        line = replace(self, values={**self.values, **cells.period(self.values, self.values.get("issued_on", ""))})
        for name, fault in PAST.items():
            if (on := line.day(name)) and on > clock.today():
                raise Invalid(fault)
        if "given_on" in self.values and "contact_name" not in self.values:
            raise Invalid(N_("It says when it was handed over, but not to whom."))
        return line


@dataclass(frozen=True)
class Plan(plan.Plan):
    COLUMNS = COLUMNS
    NEEDS: ClassVar[Mapping[frozenset[str], str]] = {
        frozenset({"number"}): N_("No column is known as the serial number."),
        CUSTOMER | {"installation"}: N_("No column is known as the customer's name or code, or the installation."),
        frozenset({"starts_on", "ends_on", "term"}): N_("No column is known as the days or the term it is valid."),
    }
    HOW = N_("The columns are: %(columns)s. Say what one of them is, for instance: --map %(column)s=number")
    LINE = Line

    @classmethod
    def compared(cls, lines: list[Line], called) -> Iterator[Line]:
        """One number, one owner: of rows that say different things of it none is taken, of equal ones the first."""
        fault = N_("Rows %(one)s and %(other)s have the same serial number and say different things of it: %(columns)s.")
        again = N_("Row %(row)s has this serial number already.")
        wrong = plan.contradicted([line for line in lines if not line.refusal], lambda line: line.serial, FIELDS)
        first: dict[str, int] = {}
        for line in lines:
            if line.refusal:
                yield line
            elif of := wrong.get(line.serial):
                yield replace(line, refusal=Invalid(fault, one=of.one, other=of.other, columns=called(of.fields)))
            elif (row := first.setdefault(line.serial, line.number)) != line.number:
                yield replace(line, refusal=Invalid(again, row=row))
            else:
                yield line
