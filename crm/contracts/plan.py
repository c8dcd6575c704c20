"""What an import of contracts will do with a file: what a row must say, and which rows contradict each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Self

from crm import clock
from crm.contracts.columns import COLUMNS, FIELDS
from crm.contracts.terms import wrong_period
from crm.customers.parties import NAMED as CUSTOMER
from crm.errors import Invalid
from crm.labels import N_
from crm.serials.installed import NAMED as SOFTWARE
from crm.sheets import cells, plan

# what rows on one contract say alike; each may name other software, and what belongs to that
SAME = frozenset(FIELDS) - SOFTWARE - {"users", "term", "contact_name", "contact_phone"}
PAST = {"signed_on": N_("It was signed on a day that lies in the future."),
        "paid_on": N_("It was paid on a day that lies in the future.")}  # fmt: skip


@dataclass(frozen=True)
class Line(plan.Line):
    @property
    def key(self) -> tuple[str, str]:
        """By what it is known: the number on the paper, else the one it has elsewhere."""
        number = self.values.get("paper_number", "")
        return ("paper_number", number) if number else ("external_ref", self.values.get("external_ref", ""))

    def day(self, name: str) -> date | None:
        return date.fromisoformat(self.values[name]) if name in self.values else None

    def whole(self) -> Self:
        if not self.key[1]:
            raise Invalid(N_("It has no contract number."))
        # 5.6.1: the first period begins, by default, on the day of signing
        values = {**self.values, **cells.period(self.values, self.values.get("signed_on", ""))}
        line = replace(self, values=values)
        for wrong in wrong_period(line.day("starts_on"), line.day("ends_on")).values():
            raise Invalid(wrong)
        for name, fault in PAST.items():
            if (on := line.day(name)) and on > clock.today():
                raise Invalid(fault)
        _payable(values)
        return line


def _payable(values: Mapping[str, str]) -> None:
    if "paid" in values and "amount" not in values:
        raise Invalid(N_("It says what was paid, but no amount."))
    if "paid" in values and cells.fen(values["paid"]) > cells.fen(values["amount"]):
        raise Invalid(N_("More was paid than its amount."))


@dataclass(frozen=True)
class Plan(plan.Plan):
    COLUMNS = COLUMNS
    NEEDS: ClassVar[Mapping[frozenset[str], str]] = {
        frozenset({"paper_number", "external_ref"}): N_("No column is known as the contract's number."),
        CUSTOMER | {"installation"}: N_("No column is known as the customer's name or code."),
        frozenset({"starts_on", "ends_on", "term"}): N_("No column is known as the service period's days or term."),
    }
    HOW = N_("The columns are: %(columns)s. Say what one of them is, for instance: --map %(column)s=paper_number")
    LINE = Line

    @classmethod
    def compared(cls, lines: list[Line], called) -> Iterator[Line]:
        """Rows on one contract that contradict each other are refused all: nobody knows which is right."""
        fault = N_("Rows %(one)s and %(other)s say different things of this contract: %(columns)s.")
        wrong = plan.contradicted([line for line in lines if not line.refusal], lambda line: line.key, SAME)
        for line in lines:
            of = None if line.refusal else wrong.get(line.key)
            yield replace(line, refusal=Invalid(fault, one=of.one, other=of.other, columns=called(of.fields))) if of else line
