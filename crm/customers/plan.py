"""What an import of customers will do with a file: what a row must say, and which rows contradict each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from crm.customers.columns import COLUMNS, FIELDS
from crm.errors import Invalid
from crm.labels import N_
from crm.sheets import plan
from crm.sheets.columns import shown


@dataclass(frozen=True)
class Line(plan.Line):
    @property
    def code(self) -> str:
        return self.values.get("code", "")

    @property
    def full_name(self) -> str:
        """A missing full name takes the short one."""
        return self.values.get("full_name") or self.values.get("short_name", "")

    def whole(self) -> Self:
        if not self.full_name:
            raise Invalid(N_("It has neither a short nor a full name."))
        if not self.values.get("short_name") and len(self.full_name) > FIELDS["short_name"].most:
            raise Invalid(N_("Its full name is too long to stand for the short one: give it a short name."))
        if not self.values.get("contact_name") and any(name.startswith("contact_") for name in self.values):
            raise Invalid(N_("The contact has no name."))
        return self


@dataclass(frozen=True)
class Plan(plan.Plan):
    COLUMNS = COLUMNS
    NEEDS: ClassVar[Mapping[frozenset[str], str]] = {
        frozenset({"short_name", "full_name"}): N_("No column is known as the customer's short or full name."),
    }
    HOW = N_("The columns are: %(columns)s. Say what one of them is, for instance: --map %(column)s=short_name")
    LINE = Line

    @classmethod
    def compared(cls, lines: list[Line], _called) -> Iterator[Line]:
        """Refuse what contradicts an earlier row on the same unit: else each import would change it to and fro."""
        codes: dict[str, set[str]] = {}
        for line in lines:
            if line.code and not line.refusal:
                codes.setdefault(line.full_name, set()).add(line.code)
        told: dict[tuple[str, str], dict[tuple[str, str], tuple[str, int]]] = {}
        for line in lines:
            try:
                if not line.refusal:
                    _tell(line, told.setdefault(_unit(line, codes.get(line.full_name, set())), {}))
                yield line
            except Invalid as refusal:
                yield replace(line, refusal=refusal)


def _unit(line: Line, codes: set[str]) -> tuple[str, str]:
    """Which unit a row is about, as far as the file says: known by its code, else by its full name."""
    if line.code:
        return "code", line.code
    if len(codes) > 1:
        raise Invalid(N_("It has no code, and several units in this file have its full name."))
    return ("code", *codes) if codes else ("name", line.full_name)  # type: ignore[return-value]


def _tell(line: Line, told: dict[tuple[str, str], tuple[str, int]]) -> None:
    person = line.values.get("contact_name", "")  # a unit may have several contacts, a row each
    new = {(person if name.startswith("contact_") else "", name): text for name, text in line.values.items()}
    for key, text in new.items():
        theirs, number = told.get(key, (text, 0))
        if theirs != text:
            fault = N_("Row %(row)s says something else of the same unit: %(theirs)s, not %(value)s.")
            raise Invalid(fault, row=number, theirs=shown(theirs), value=shown(text))
    told |= {key: told.get(key, (text, line.number)) for key, text in new.items()}
