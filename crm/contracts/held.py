"""Contracts there are, as the rows of a list are compared with them, and what a row may say of one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from crm import clock
from crm.contracts.models import Contract, Kind, State
from crm.customers.models import Customer
from crm.errors import Invalid
from crm.labels import N_
from crm.permissions import Permission
from crm.serials.installed import Have
from crm.sheets import cells
from crm.sheets.plan import Line

WORDS = ("paper_number", "external_ref", "title", "salesperson", "remark")
DAYS = ("starts_on", "ends_on", "signed_on", "payment_due_on")
PERIOD = frozenset({"starts_on", "ends_on"})
TAKEN = frozenset({State.RUNNING, State.RENEWED})  # what stands so may come from a list
Key = tuple[int, int]  # of an installation


@dataclass
class Held:
    """A contract there is, as far as rows are compared with it; one of a dry run has no `id`."""

    id: int | None
    number: str
    customer_id: int
    values: dict[str, Any]
    covers: set[Key] = field(default_factory=set)
    kind: str = Kind.SERVICE
    state: str = State.RUNNING
    paid: int | None = None  # None: nothing was said of it
    owner_id: int | None = None
    ours: bool = False  # drafted here: it went its way with its verbs, and what those guard no list changes

    @property
    def called(self) -> str:
        """As people know it."""
        return self.values.get("paper_number") or self.values.get("external_ref") or self.number

    @property
    def unnamed(self) -> bool:
        """Taken over from a period that was typed by hand: no paper's number stands on it."""
        return self.called == self.number

    @property
    def closed(self) -> bool:
        """Ended or renewed: what it says stays."""
        return self.state != State.RUNNING or self.values["ends_on"] < clock.today()

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True)
class Span:
    starts_on: date
    ends_on: date
    of: Held | None  # None: typed by hand, and not yet taken into a contract

    def meets(self, starts_on: date, ends_on: date) -> bool:
        return self.starts_on <= ends_on and starts_on <= self.ends_on


def values_of(terms: dict[str, Any]) -> dict[str, Any]:
    return {**dict.fromkeys(("paper_number", "external_ref")), **terms}


def held_of(one: Contract, paid: int, ours: bool) -> Held:
    values = {name: getattr(one, name) for name in (*WORDS, *DAYS, "amount_fen")}
    covers = {(one.customer_id or 0, other.id) for other in one.installations}
    known = paid if one.returned_on else None
    return Held(one.id, one.number, one.customer_id or 0, values, covers, one.category, one.state, known, one.owner_id, ours)


def overlaps(one: Have, span: Span) -> Invalid:
    params = {"software": one.title, "starts": span.starts_on.isoformat(), "ends": span.ends_on.isoformat()}
    if span.of is None:
        return Invalid(N_("Its period overlaps one that stands on %(software)s: %(starts)s to %(ends)s."), **params)
    fault = N_("Its period overlaps that of contract %(contract)s on %(software)s: %(starts)s to %(ends)s.")
    return Invalid(fault, contract=span.of.called, **params)


def check(held: Held, customer: Customer, changes: dict[str, Any], more: Sequence[Have]) -> None:
    """Whether a row may say so of a contract there is."""
    if held.customer_id != customer.id:
        raise Invalid(N_("Contract %(contract)s is another customer's."), contract=held.called)
    if not changes and not more:
        return
    if held.ours or held.kind != Kind.SERVICE or held.state not in TAKEN:
        raise Invalid(N_("Contract %(contract)s is being worked on here, or was ended: a list changes nothing of it."),
                      contract=held.called)  # fmt: skip
    if changes and held.closed and not held.unnamed:
        raise Invalid(N_("Contract %(contract)s has ended or is renewed: what it says stays."), contract=held.called)
    if PERIOD & changes.keys():
        raise Invalid(N_("Contract %(contract)s has another period: a manager adjusts it on its page, with the reason (5.2.1)."),
                      contract=held.called)  # fmt: skip


def may_change(by, held: Held, changes: dict[str, Any], more: Sequence[Have]) -> None:
    """What is in another's hands, or partly paid, no list changes: as on its page."""
    if not changes and not more or by is None:
        return
    if not by.may(Permission.CONTRACT_WORK_ANY) and held.owner_id not in (by.id, None):
        raise Invalid(N_("Contract %(contract)s is in somebody else's care."), contract=held.called)
    if "amount_fen" in changes and held.paid:
        raise Invalid(N_("Something was paid of contract %(contract)s: its amount stays."), contract=held.called)


def paid_more(held: Held, line: Line) -> bool:
    """Whether the list now says what was paid, of a contract that said nothing of it. What comes in later is noted on it."""
    if "paid" not in line.values or held.state != State.RUNNING:
        return False
    if held.paid is not None and cells.fen(line.values["paid"]) > held.paid:
        raise Invalid(N_("More was paid than stands on contract %(contract)s: note the payment there, with its day."),
                      contract=held.called)  # fmt: skip
    return held.paid is None
