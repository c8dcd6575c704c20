"""Bringing in contracts that are in force, or were: known by the number on the paper and compared, a new one taken over, what
is refused named. Run again, it changes nothing."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import selectinload

from crm import clock
from crm.contracts import adoption, following, paying, periods, sums, workflow
from crm.contracts.held import (
    DAYS,
    TAKEN,
    WORDS,
    Held,
    Key,
    Span,
    check,
    held_of,
    may_change,
    overlaps,
    paid_more,
    values_of,
)
from crm.contracts.models import AHEAD, GONE, Contract, ContractEvent, Kind, covered
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
        for of in held.values():
            if of.state in AHEAD and of.values["starts_on"]:
                for key in of.covers:
                    self._spans.setdefault(key, []).append(Span(of.values["starts_on"], of.values["ends_on"], of))
        return installed

    def _read(self, lines: Sequence[Line], installed: Iterable[int]) -> dict[int, Held]:
        """Those the rows name, and those that cover what their customers have; nobody works on them from here on."""
        keys = [line.key for line in lines if not line.refusal]
        numbers, refs = ({number for kind, number in keys if kind == name} for name in ("paper_number", "external_ref"))
        served = select(ServicePeriod.contract_id).where(ServicePeriod.installation_id.in_(installed))
        ahead = select(covered.c.contract_id).where(covered.c.installation_id.in_(installed))
        ahead = and_(Contract.id.in_(ahead), Contract.state.in_(AHEAD), Contract.category == Kind.SERVICE)
        named = Contract.paper_number.in_(numbers), Contract.external_ref.in_(refs)
        which = or_(*named, Contract.id.in_(served), ahead)
        ids = db.session.scalars(select(Contract.id).where(Contract.kind == "contract", which)).all()
        if self.keep:
            lock_all(Subject.id.in_(ids))
        rows = select(Contract).where(Contract.id.in_(ids)).options(selectinload(Contract.installations))
        paid, drafted = sums.paid_of(ids), select(Event.subject_id).where(Event.kind == ContractEvent.DRAFTED)
        ours = set(db.session.scalars(drafted.where(Event.subject_id.in_(ids))))
        found = db.session.scalars(rows.execution_options(populate_existing=True))
        return {one.id: self._changed.get(one.id) or held_of(one, paid.get(one.id, 0), one.id in ours) for one in found}

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
                gone = span.of is not None and span.of.state in GONE
                if span.meets(*days) and not loose and not gone and (span.of is None or span.of is not mine):
                    raise overlaps(one, span)

    def make(self, line: Line, customer: Customer, wanted: Sequence[Have], terms: dict[str, Any]) -> None:
        terms = {"title": adoption.title_of(one.title for one in wanted), **terms}
        kept = self._kept(line, customer, wanted)
        held = Held(None, "", customer.id, values_of(terms), {one.key for one in kept})
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


def _rows(kept: Iterable[Have]) -> list[Installation]:
    return [db.session.get_one(Installation, one.key[1]) for one in kept]


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
    check(held, customer, changes, more)
    may_change(known.by, held, changes, more)
    paid = paid_more(held, line)
    name = line.values.get("contact_name", "")
    if not (changes or more or paid or (name and not known.parties.knows(customer, name))):
        return Result(unchanged=1)
    known.must_be_free(more, terms, held)
    known.change(line, customer, held, changes, more)
    return Result(updated=1)


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
