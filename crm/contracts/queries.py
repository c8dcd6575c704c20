from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, true
from sqlalchemy.orm import selectinload

from crm import clock, lists
from crm.contracts import paying, sums
from crm.contracts.models import AHEAD, GONE, OWING, PAYING, Contract, Kind, Payment, State
from crm.customers import queries as customers
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.errors import NotThere

_OWN = Contract.__table__.c
MOST = 500  # contracts of one month


def get(number: str, user) -> Contract:
    """A contract as far as `user` may see it, with what it covers and what was paid."""
    found = select(Contract).where(Contract.number == number, Contract.visible(user))
    contract = db.session.scalar(found.options(selectinload(Contract.installations), selectinload(Contract.payments)))
    if contract is None:
        raise NotThere()
    return contract


def unpaid() -> ColumnElement[bool]:
    """Signed by both, and not paid in full."""
    paid = select(func.coalesce(func.sum(Payment.fen), 0)).where(Payment.contract_id == _OWN.id).scalar_subquery()
    return and_(Subject.state.in_(sorted(OWING)), _OWN.returned_on.is_not(None), _OWN.amount_fen > paid)


def ended() -> ColumnElement[bool]:
    """Its period is over, and nothing followed."""
    service = Subject.category == Kind.SERVICE
    return and_(service, Subject.state.in_(sorted(PAYING)), _OWN.ends_on < clock.today())


@dataclass(frozen=True)
class Filter:
    """What the list of contracts is narrowed by; empty means all. `since` and `until`: when the period ends; `state` may
    be `ahead`: not yet signed by both; `paid` and `paid_until` are the days a payment came in on."""

    kind: str = ""
    state: str = ""
    owner: int | None = None
    customer: str = ""
    since: date | None = None
    until: date | None = None
    unpaid: bool = False
    ended: bool = False
    paid: date | None = None
    paid_until: date | None = None

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        mine = user.id if args.get("owner") == "me" else None
        return cls(
            lists.one_of(args, "kind", Kind), lists.one_of(args, "state", ["ahead", *State]), mine or lists.key(args, "owner"),
            lists.words(args, "customer"), lists.day(args, "since"), lists.day(args, "until"), args.get("unpaid") == "1",
            args.get("ended") == "1", lists.day(args, "paid"), lists.day(args, "paid_until"),
        )  # fmt: skip

    @property
    def any(self) -> bool:
        return self != Filter()

    def narrow(self, rows: Select, user) -> Select:
        for value, column in ((self.kind, Subject.category), (self.owner, Subject.owner_id)):
            if value:
                rows = rows.where(column == value)
        if self.state:
            rows = rows.where(Subject.state.in_(sorted(AHEAD)) if self.state == "ahead" else Subject.state == self.state)
        if self.customer:
            rows = rows.where(customers.of_meant(self.customer, user))
        conditions = list(self._of_its_own())
        return rows.join(Contract.__table__, _OWN.id == Subject.id).where(*conditions) if conditions else rows

    def _of_its_own(self) -> Iterator[ColumnElement[bool]]:
        """What does not stand on `subjects`."""
        if self.since:
            yield _OWN.ends_on >= self.since
        if self.until:
            yield _OWN.ends_on <= self.until
        if self.unpaid:
            yield unpaid()
        if self.ended:
            yield ended()
        if self.paid or self.paid_until:
            yield _OWN.id.in_(select(Payment.contract_id).where(*paying.came_in(self.paid, self.paid_until)))


def ids(user, wanted: Filter) -> Select:
    """The keys of all contracts that fit."""
    return wanted.narrow(select(Subject.id).where(Subject.kind == "contract", Contract.visible(user)), user)


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty contracts, the newest first."""
    rows, after, count = lists.page_of(ids(user, wanted), _loaded, before=before, size=size)
    names = duties.names(id for row in rows for id in (row.customer_id, row.owner_id))
    return replace(lists.Page(rows, after, count, names), beside={"paid": sums.paid_of(row.id for row in rows)})


_SHOWN = (
    Subject.id, Subject.number, Subject.title, Subject.state, Subject.category, Subject.customer_id, Subject.owner_id,
    Subject.origin_id, Subject.opened_at, _OWN.paper_number, _OWN.amount_fen, _OWN.starts_on, _OWN.ends_on, _OWN.signed_on,
    _OWN.returned_on, _OWN.payment_due_on, _OWN.salesperson, _OWN.withheld_at, _OWN.answer,
)  # fmt: skip
_ROWS = select(*_SHOWN).select_from(Subject).join(Contract.__table__, _OWN.id == Subject.id).where(Subject.kind == "contract")


def _loaded(ids: list[int]) -> list[Row[Any]]:
    return list(db.session.execute(_ROWS.where(Subject.id.in_(ids)).order_by(Subject.id.desc())))


def of_customer(customer_id: int, user) -> Sequence[Row]:
    """A customer's latest contracts."""
    rows = _ROWS.where(Subject.customer_id == customer_id, Contract.visible(user))
    return db.session.execute(rows.order_by(Subject.id.desc()).limit(6)).all()


def without_renewal(user) -> Sequence[Row]:
    """What has ended and was not renewed, the latest first."""
    rows = _ROWS.where(Contract.visible(user), ended()).order_by(_OWN.ends_on.desc(), Subject.id.desc())
    return db.session.execute(rows.limit(duties.MOST)).all()


def receivables(user) -> Sequence[Row]:
    """Sales contracts of which something is still to be paid, the longest due first (4.specialist.6)."""
    rows = _ROWS.where(Contract.visible(user), Subject.category == Kind.SALES, unpaid())
    return db.session.execute(rows.order_by(_OWN.payment_due_on, Subject.id).limit(duties.MOST)).all()


def parts_of(ids: Sequence[int]) -> dict[int, list[Payment]]:
    """What was paid of each, part by part."""
    found: dict[int, list[Payment]] = {}
    for one in db.session.scalars(select(Payment).where(Payment.contract_id.in_(ids)).order_by(Payment.paid_on, Payment.id)):
        found.setdefault(one.contract_id, []).append(one)
    return found


def renewal_of(contract: Contract) -> str | None:
    """The number of the contract that renews this one, unless that was declined or has lapsed."""
    follows = Subject.kind == "contract", Subject.origin_id == contract.id, Subject.state.not_in(GONE)
    return db.session.scalar(select(Subject.number).where(*follows).order_by(Subject.id.desc()).limit(1))


def _seen(user) -> ColumnElement[bool]:
    """What a reader may see; the program itself (None) sees all."""
    return true() if user is None else Contract.visible(user)


def ending_in(first: date, last: date, user=None, most: int | None = MOST) -> Sequence[Row]:
    """The service contracts whose period ends between two days, the first to end first."""
    held = Subject.state.in_([State.RETURNED, State.RUNNING, State.RENEWED, State.LAPSED])
    rows = _ROWS.where(_seen(user), Subject.category == Kind.SERVICE, held, _OWN.ends_on.between(first, last))
    return db.session.execute(rows.order_by(_OWN.ends_on, Subject.id).limit(most)).all()


def payments_due(first: date, last: date) -> Sequence[Row]:
    """The sales signed by both whose payment is due between two days, whatever has come in (4.specialist.6)."""
    sale = Subject.category == Kind.SALES, Subject.state.in_(sorted(PAYING)), _OWN.returned_on.is_not(None)
    rows = _ROWS.where(*sale, _OWN.payment_due_on.between(first, last))
    return db.session.execute(rows.order_by(_OWN.payment_due_on, Subject.id)).all()


def by_ids(ids: Iterable[int]) -> dict[int, Row]:
    return {row.id: row for row in _loaded(list(ids))}


def renewals_of(ids: Sequence[int], user=None) -> dict[int, Row]:
    """What renewed each of these contracts, whether it was drafted as its renewal or not; else the latest that was, though it
    may have been declined."""
    after = select(_OWN.id, _OWN.renewed_by_id).where(_OWN.id.in_(ids), _OWN.renewed_by_id.is_not(None))
    renewed: dict[int, int] = dict(db.session.execute(after).all())  # type: ignore[arg-type]
    rows = _ROWS.where(or_(Subject.origin_id.in_(ids), Subject.id.in_(renewed.values())), _seen(user)).order_by(Subject.id)
    found = {row.id: row for row in db.session.execute(rows)}
    drafted = {row.origin_id: row for row in found.values() if row.origin_id in set(ids)}
    return drafted | {id: found[after] for id, after in renewed.items() if after in found}
