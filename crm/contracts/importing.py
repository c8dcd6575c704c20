"""Bringing in contracts that are in force, or were: known by the number on the paper and compared, a new one taken over, what
is refused named. Run again, it changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from crm import clock
from crm.contracts import adoption, following, paying, periods, workflow
from crm.contracts.models import Contract, ContractEvent, Kind, State
from crm.contracts.plan import Line, Plan
from crm.customers.models import Customer
from crm.db import db
from crm.duties.locks import lock_all
from crm.duties.models import Event, Subject
from crm.duties.record import record
from crm.errors import Invalid
from crm.importing import Result
from crm.labels import N_
from crm.moves import edit
from crm.permissions import Permission
from crm.serials import listed
from crm.serials.installed import Have, users_of
from crm.serials.models import Installation, ServicePeriod
from crm.sheets import cells, kinds

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


def _terms(line: Line) -> dict[str, Any]:
    """The columns of a contract as a row has them."""
    words = {name: line.values[name] for name in WORDS if name in line.values}
    days = {name: line.day(name) for name in DAYS if name in line.values}
    amount = {"amount_fen": cells.fen(line.values["amount"])} if "amount" in line.values else {}
    return {**words, **days, **amount}


class _Contracts(listed.Known):
    def __init__(self, by=None, file: str = "", *, keep: bool = True) -> None:
        super().__init__(by, file, keep=keep)
        self._tried: list[Held] = []  # what a dry run has made,
        self._changed: dict[int, Held] = {}  # and what it would have changed
        self._tried_spans: dict[Key, list[Span]] = {}

    def look_up(self, lines: Sequence[Line]) -> list[int]:
        installed = super().look_up(lines)
        held = self._read(lines, installed)
        self._held = {("paper_number", one.values["paper_number"]): one for one in (*held.values(), *self._tried)}
        self._held |= {("external_ref", one.values["external_ref"]): one for one in (*held.values(), *self._tried)}
        self._spans: dict[Key, list[Span]] = {key: list(some) for key, some in self._tried_spans.items()}
        known = select(ServicePeriod, Subject.customer_id).join(Subject, Subject.id == ServicePeriod.installation_id)
        for one, customer_id in db.session.execute(known.where(ServicePeriod.installation_id.in_(installed))):
            span = Span(one.starts_on, one.ends_on, held.get(one.contract_id or 0))
            self._spans.setdefault((customer_id, one.installation_id), []).append(span)
        return installed

    def _read(self, lines: Sequence[Line], installed: Iterable[int]) -> dict[int, Held]:
        """Those the rows name, and those that cover what their customers have; nobody works on them from here on."""
        keys = [line.key for line in lines if not line.refusal]
        numbers, refs = ({number for kind, number in keys if kind == name} for name in ("paper_number", "external_ref"))
        covering = select(ServicePeriod.contract_id).where(ServicePeriod.installation_id.in_(installed))
        which = or_(Contract.paper_number.in_(numbers), Contract.external_ref.in_(refs), Contract.id.in_(covering))
        ids = db.session.scalars(select(Contract.id).where(Contract.kind == "contract", which)).all()
        if self.keep:
            lock_all(Subject.id.in_(ids))
        rows = select(Contract).where(Contract.id.in_(ids)).options(selectinload(Contract.installations))
        paid, drafted = paying.paid_of(ids), select(Event.subject_id).where(Event.kind == ContractEvent.DRAFTED)
        ours = set(db.session.scalars(drafted.where(Event.subject_id.in_(ids))))
        found = db.session.scalars(rows.execution_options(populate_existing=True))
        return {one.id: self._changed.get(one.id) or _held(one, paid.get(one.id, 0), one.id in ours) for one in found}

    def held(self, line: Line, customer: Customer, wanted: Sequence[Have]) -> Held | None:
        """The contract of that number; else the one over the same software and days that has none yet."""
        if found := self._held.get(line.key):
            return found
        spans = [span for one in wanted for span in self._spans.get(one.key, ())]
        same = [span.of for span in spans if (span.starts_on, span.ends_on) == (line.day("starts_on"), line.day("ends_on"))]
        return next((of for of in same if of and of.unnamed and of.customer_id == customer.id and of.state in TAKEN), None)

    def must_be_free(self, wanted: Iterable[Have], terms: dict[str, Any], mine: Held | None) -> None:
        """No other contract has a period of the same software in these days."""
        days = terms["starts_on"], terms["ends_on"]
        for one in wanted:
            for span in self._spans.get(one.key, ()):
                loose = span.of is None and (span.starts_on, span.ends_on) == days
                if span.meets(*days) and not loose and (span.of is None or span.of is not mine):
                    raise _overlaps(one, span)

    def make(self, line: Line, customer: Customer, wanted: Sequence[Have], terms: dict[str, Any]) -> None:
        terms = {"title": adoption.title_of(one.title for one in wanted), **terms}
        kept = self._kept(line, customer, wanted)
        held = Held(None, "", customer.id, _values(terms), {one.key for one in kept})
        if self.keep:
            contract = workflow.take_over(customer, _rows(kept), by=self.by, said=self.said(line), **terms)
            held.id, held.number = contract.id, contract.number
            self._settle(contract, line)
            following.pass_on([one.key[1] for one in kept], self.by)
            held.state = contract.state
        else:
            self._tried.append(held)
        held.paid = cells.fen(line.values["paid"]) if "paid" in line.values else None
        self._meet(line, customer)
        self._held |= {(name, held.values[name]): held for name in ("paper_number", "external_ref")}
        self._stand(held, kept)

    def change(self, line: Line, customer: Customer, held: Held, changes: dict[str, Any], more: Sequence[Have]) -> None:
        kept = self._kept(line, customer, more)
        if held.id is not None and self.keep:
            covering = [selectinload(Contract.installations)]
            contract = db.session.get_one(Contract, held.id, options=covering, populate_existing=True)
            differences: dict[str, Any] = edit(contract, changes)
            if kept:
                differences |= adoption.cover(contract, _rows(kept), self.by)
            if differences:
                unagreed = bool(kept or "amount_fen" in changes) and periods.unagreed(contract)
                record(ContractEvent.EDITED, contract, by=self.by, changes=differences, unagreed=unagreed, **self.said(line))
            if held.paid is None:
                self._settle(contract, line)
            following.pass_on([key[1] for key in held.covers | {one.key for one in kept}], self.by)
        elif held.id is not None:
            self._changed[held.id] = held
        held.values |= changes
        held.paid = cells.fen(line.values["paid"]) if held.paid is None and "paid" in line.values else held.paid
        held.covers |= {one.key for one in kept}
        self._meet(line, customer)
        self._held |= {(name, held.values[name]): held for name in ("paper_number", "external_ref") if held.values[name]}
        self._stand(held, kept)

    def _kept(self, line: Line, customer: Customer, some: Sequence[Have]) -> list[Have]:
        users = users_of(line.values) if len(some) == 1 else None
        return [self.installed.kept(one, customer, by=self.by, keep=self.keep, users=users, **self.said(line)) for one in some]

    def _settle(self, contract: Contract, line: Line) -> None:
        """What the list says was paid of it already. Where it says no day, it is taken for that of signing."""
        if "paid" not in line.values:
            return
        signed = line.day("signed_on") or min(contract.starts_on or clock.today(), clock.today())
        paying.paid_before(contract, by=self.by, fen=cells.fen(line.values["paid"]), signed_on=signed,
                           paid_on=line.day("paid_on") or signed)  # fmt: skip

    def _meet(self, line: Line, customer: Customer) -> None:
        self.parties.person(customer, line, by=self.by, keep=self.keep)

    def _stand(self, held: Held, kept: Iterable[Have]) -> None:
        for one in kept:
            span = Span(held.values["starts_on"], held.values["ends_on"], held)
            self._spans.setdefault(one.key, []).append(span)
            if not self.keep:
                self._tried_spans.setdefault(one.key, []).append(span)


def _values(terms: dict[str, Any]) -> dict[str, Any]:
    return {**dict.fromkeys(("paper_number", "external_ref")), **terms}


def _held(one: Contract, paid: int, ours: bool) -> Held:
    values = {name: getattr(one, name) for name in (*WORDS, *DAYS, "amount_fen")}
    covers = {(one.customer_id or 0, other.id) for other in one.installations}
    known = paid if one.returned_on else None
    return Held(one.id, one.number, one.customer_id or 0, values, covers, one.category, one.state, known, one.owner_id, ours)


def _rows(kept: Iterable[Have]) -> list[Installation]:
    return [db.session.get_one(Installation, one.key[1]) for one in kept]


def _overlaps(one: Have, span: Span) -> Invalid:
    params = {"software": one.title, "starts": span.starts_on.isoformat(), "ends": span.ends_on.isoformat()}
    if span.of is None:
        return Invalid(N_("Its period overlaps one that stands on %(software)s: %(starts)s to %(ends)s."), **params)
    fault = N_("Its period overlaps that of contract %(contract)s on %(software)s: %(starts)s to %(ends)s.")
    return Invalid(fault, contract=span.of.called, **params)


def _row(line: Line, known: _Contracts) -> Result:
    customer = known.customer(line)
    if known.by is not None and not workflow.may_draft(known.by, customer):
        raise Invalid(N_("This customer is in somebody else's care."))
    wanted, terms = known.installed.meant(customer, line), _terms(line)
    held = known.held(line, customer, wanted)
    if held is None:
        known.must_be_free(wanted, terms, None)
        known.make(line, customer, wanted, terms)
        return Result(created=1)
    changes = {name: value for name, value in terms.items() if held.values.get(name) != value}
    more = [one for one in wanted if one.key not in held.covers]
    _check(held, customer, changes, more)
    _may(known.by, held, changes, more)
    paid = _paid_more(held, line)
    name = line.values.get("contact_name", "")
    if not (changes or more or paid or (name and not known.parties.knows(customer, name))):
        return Result(unchanged=1)
    known.must_be_free(more, terms, held)
    known.change(line, customer, held, changes, more)
    return Result(updated=1)


def _check(held: Held, customer: Customer, changes: dict[str, Any], more: Sequence[Have]) -> None:
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


def _may(by, held: Held, changes: dict[str, Any], more: Sequence[Have]) -> None:
    """What is in another's hands, or partly paid, no list changes: as on its page."""
    if not changes and not more or by is None:
        return
    if not by.may(Permission.CONTRACT_WORK_ANY) and held.owner_id not in (by.id, None):
        raise Invalid(N_("Contract %(contract)s is in somebody else's care."), contract=held.called)
    if "amount_fen" in changes and held.paid:
        raise Invalid(N_("Something was paid of contract %(contract)s: its amount stays."), contract=held.called)


def _paid_more(held: Held, line: Line) -> bool:
    """Whether the list now says what was paid, of a contract that said nothing of it. What comes in later is noted on it."""
    if "paid" not in line.values or held.state != State.RUNNING:
        return False
    if held.paid is not None and cells.fen(line.values["paid"]) > held.paid:
        raise Invalid(N_("More was paid than stands on contract %(contract)s: note the payment there, with its day."),
                      contract=held.called)  # fmt: skip
    return held.paid is None


def take(lines: Sequence[Line], *, by=None, file: str = "", known: _Contracts | None = None) -> Result:
    """Carry out one batch inside the caller's unit of work."""
    known = known or _Contracts(by, file)
    return listed.take(lines, known, lambda line: _row(line, known))


KIND = kinds.Kind(
    "contracts", Plan, take, lambda: _Contracts(keep=False), Permission.CONTRACT_WORK,
    title=N_("Import contracts"), of=N_("Contracts"), back=N_("To the contracts"),
    says=N_("Service contracts that are in force, or were. A contract is known again by its number; its customer by code or "
            "name, its software by the product's name. What has ended is listed, and nobody is written to; importing the same "
            "file again changes nothing."),
)  # fmt: skip
