from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from crm import clock, lists
from crm.callbacks import marks
from crm.callbacks.models import Callback, State
from crm.callbacks.workflow import CALLS
from crm.contracts.models import Answer
from crm.customers.models import Contact, Customer
from crm.db import db
from crm.duties import queries as duties
from crm.duties.message import Message, MessageState
from crm.duties.models import Duty, Subject, open_now
from crm.errors import NotThere
from crm.labels import Labelled
from crm.letters import queries as letters
from crm.opinions.models import Opinion
from crm.permissions import Permission
from crm.serials import queries as serials
from crm.tickets.models import Ticket
from crm.visits.models import Visit

MOST = 200  # lines of the desk


def get(number: str, user) -> Callback:
    """A callback as far as `user` may see it."""
    found = db.session.scalar(
        select(Callback).where(Callback.number == number, Callback.visible(user)).options(joinedload(Callback.contact))
    )
    if found is None:
        raise NotThere()
    return found


def duty(duty_id: int, user) -> Duty:
    """A line of the desk: a call that is owed, or was."""
    found = duties.get(duty_id, user)
    if not found.rule.startswith(CALLS):
        raise NotThere()
    return found


@dataclass(frozen=True)
class Line:
    """One call of the desk: what is owed, whom to ask for, and what was tried."""

    duty: Duty
    customer: Customer | None
    contact: Contact | None
    begun: Row[Any] | None
    mine: bool
    taken: bool  # by another

    @property
    def nearness(self) -> int:
        """0 overdue, 1 due today, 2 later."""
        return 0 if self.duty.overdue else 1 if self.duty.due_at <= clock.end_of(clock.today()) else 2


def lines(user, *, everybody: bool = False) -> list[Line]:
    """Whom to call: one's own, and what falls to one's roles; with `everybody`, all there is. The longest overdue first."""
    owed = select(Duty).join(Duty.subject).options(contains_eager(Duty.subject)).where(_waits(user, everybody))
    owed = owed.order_by(Duty.due_at, Duty.id).limit(MOST)
    found = list(db.session.scalars(owed))
    units = {one.id: one for one in _rows(Customer, {duty.subject.customer_id for duty in found})}
    asked, begun = contacts({duty.subject_id: duty.subject.customer_id for duty in found}), _begun(found)
    return [
        Line(one, units.get(one.subject.customer_id or 0), asked.get(one.subject_id), begun.get((one.subject_id, one.rule)),
             one.owner_id == user.id, one.owner_id not in (None, user.id))
        for one in found
    ]  # fmt: skip


def _waits(user, everybody: bool) -> ColumnElement[bool]:
    whose: list[ColumnElement[bool]] = [] if everybody else [or_(duties.mine(user), Duty.pool.in_(sorted(user.roles)))]
    seen = select(Subject.id).where(Subject.id == Duty.subject_id, duties.visible(user)).correlate(Duty).exists()
    return and_(Duty.rule.startswith(CALLS), open_now(), Duty.show_from <= clock.now(), seen, *whose)


def waiting(user) -> int:
    """How many calls wait at one's desk, up to as many as it shows."""
    owed = select(Duty.id).where(_waits(user, False)).limit(MOST).subquery()
    return db.session.scalar(select(func.count()).select_from(owed)) or 0


def _rows(kind: type[Any], ids: set[int | None]) -> Sequence[Any]:
    known = sorted(id for id in ids if id)
    return db.session.scalars(select(kind).where(kind.id.in_(known))).all() if known else ()


def contacts(units: Mapping[int, int | None]) -> dict[int, Contact]:
    """Whom to ask for, of what a call is owed on and its customer: who was met or called there, else who is responsible
    for the software."""
    found: dict[int, Contact] = {}
    responsible = select(Contact).where(Contact.customer_id.in_({*units.values()} - {None}), Contact.active)
    best: dict[int | None, Contact] = {}
    for one in db.session.scalars(responsible.order_by(Contact.software_responsible, Contact.id.desc())):
        best[one.customer_id] = one
    for kind in (Visit, Ticket, Opinion):
        met = select(kind.__table__.c.id, Contact).join(Contact, Contact.id == kind.__table__.c.contact_id)
        found |= dict(db.session.execute(met.where(kind.__table__.c.id.in_(units))).all())
    return {id: found.get(id) or best[unit] for id, unit in units.items() if id in found or unit in best}


def _begun(owed: Sequence[Duty]) -> dict[tuple[int | None, str], Row[Any]]:
    """Callbacks under way: what was tried, and when the customer asked to be called."""
    rows = select(
        Callback.number, Callback.origin_id, Callback.category, Callback.attempts, Callback.try_at, Callback.owner_id
    ).where(Callback.origin_id.in_({duty.subject_id for duty in owed}), Callback.state == State.CALLING)
    return {(row.origin_id, row.category): row for row in db.session.execute(rows)}


@dataclass(frozen=True)
class Story:
    """What one should know before calling: what it is about, and what came before it."""

    about: Subject
    before: Subject | None  # what that came of
    calls: Sequence[Any]  # earlier callbacks of the customer
    open: Sequence[Any]  # records of the customer that are not over
    people: Sequence[Contact]
    ask_for: int | None  # which of them was met there, or answers for the software
    customer: Customer
    letters: Sequence[Message] = ()  # of a contract
    answers: type[Labelled] = Answer  # what its customer may say
    outcomes: type[Labelled] = MessageState


def story(origin: Subject, user, but: int = 0) -> Story:
    """The whole story beside the telephone number; of the callbacks all `but` one."""
    at = Callback.__table__.c
    earlier = (
        select(Subject.number, Subject.title, Subject.state, at.attitude, at.skill, at.result, at.comment, at.doubt)
        .join(Callback.__table__, at.id == Subject.id)
        .where(Subject.kind == "callback", Subject.customer_id == origin.customer_id, Subject.state != State.CALLING,
               Subject.id != but, Callback.visible(user)).order_by(Subject.id.desc()).limit(5)
    )  # fmt: skip
    records = (
        select(Subject.number, Subject.title, Subject.state)
        .where(Subject.kind == "ticket", Subject.customer_id == origin.customer_id, Subject.id != origin.id,
               Subject.state.not_in(["complete", "cancelled"]), Ticket.visible(user))
        .order_by(Subject.id.desc()).limit(10)
    )  # fmt: skip
    came_of = select(Subject).where(Subject.id == origin.origin_id, duties.visible(user))
    before = db.session.scalar(came_of) if origin.origin_id else None
    people = select(Contact).where(Contact.customer_id == origin.customer_id, Contact.active)
    met = contacts({origin.id: origin.customer_id}).get(origin.id)
    ask_for = met.id if met else None
    return Story(
        origin, before, db.session.execute(earlier).all(), db.session.execute(records).all(),
        db.session.scalars(people.order_by(Contact.id != ask_for, Contact.software_responsible.desc(), Contact.id)).all(),
        ask_for,
        db.session.get_one(Customer, origin.customer_id), letters.of(origin) if origin.kind == "contract" else (),
    )  # fmt: skip


@dataclass(frozen=True)
class Filter:
    """What the list of callbacks is narrowed by; empty means all. `since` and `until` are the days they were begun on,
    `spoken` and `spoken_until` those the customer was spoken with on, `concluded` and `concluded_until` those on which that, or
    that nobody could be reached, was written down; `marked`: with marks, or with a bad one; `unrecorded`: they found a service
    without a record."""

    owner: int | None = None
    served: int | None = None
    state: str = ""
    bad: bool = False
    since: date | None = None
    until: date | None = None
    spoken: date | None = None
    spoken_until: date | None = None
    product: str = ""
    marked: str = ""
    concluded: date | None = None
    concluded_until: date | None = None
    unrecorded: bool = False

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        return cls(
            user.id if args.get("owner") == "me" else lists.key(args, "owner"), lists.whose(args, "served"),
            lists.one_of(args, "state", State), args.get("bad") == "1", lists.day(args, "since"), lists.day(args, "until"),
            lists.day(args, "spoken"), lists.day(args, "spoken_until"), serials.product_asked(args),
            lists.one_of(args, "marked", lists.MARKED), lists.day(args, "concluded"), lists.day(args, "concluded_until"),
            args.get("unrecorded") == "1",
        )  # fmt: skip

    @property
    def any(self) -> bool:
        return self != Filter()


def ids(user, wanted: Filter) -> Select:
    """The keys of all callbacks that fit."""
    ids = select(Subject.id).where(Subject.kind == "callback", Callback.visible(user))
    if wanted.owner:
        ids = ids.where(Subject.owner_id == wanted.owner)
    if wanted.served is not None:
        ids = ids.where(Subject.concerned_id == (wanted.served or None))
    if wanted.state:
        ids = ids.where(Subject.state == wanted.state)
    if wanted.bad:
        ids = ids.where(Subject.state.in_([State.ESCALATED, State.ASSIGNED]))
    if wanted.since:
        ids = ids.where(Subject.opened_at >= clock.moment(wanted.since))
    if wanted.until:
        ids = ids.where(Subject.opened_at < clock.end_of(wanted.until))
    if wanted.spoken or wanted.spoken_until or wanted.product or wanted.marked:
        ids = ids.where(Subject.id.in_(_said(wanted)))
    if wanted.concluded or wanted.concluded_until:
        ids = ids.where(Subject.id.in_(marks.concluded(wanted.concluded, wanted.concluded_until)))
    if wanted.unrecorded:
        ids = ids.where(marks.unrecorded())
    return ids


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty callbacks, the newest first."""
    rows, after, count = lists.page_of(ids(user, wanted), _loaded, before=before, size=size)
    names = duties.names(id for row in rows for id in (row.customer_id, row.owner_id, row.concerned_id))
    return lists.Page(rows, after, count, names)


def _said(wanted: Filter) -> Select:
    """Which callbacks fit by what was said in them."""
    rows = marks.with_product(marks.SAID.id)
    if wanted.spoken:
        rows = rows.where(marks.SAID.reached_at >= clock.moment(wanted.spoken))
    if wanted.spoken_until:
        rows = rows.where(marks.SAID.reached_at < clock.end_of(wanted.spoken_until))
    if wanted.product:
        rows = rows.where(serials.of_product(wanted.product))
    if wanted.marked:
        rows = rows.where(marks.bad() if wanted.marked == lists.BAD else marks.MARKED)
    return rows


def _loaded(ids: list[int]) -> list[Row[Any]]:
    table, at = Subject.__table__.c, Callback.__table__.c
    shown = (table.id, table.number, table.title, table.state, table.category, table.customer_id, table.owner_id,
             table.concerned_id, table.opened_at, at.attempts, at.reached_at, at.attitude, at.skill, at.result)  # fmt: skip
    rows = select(*shown).join(Callback.__table__, at.id == table.id).where(table.id.in_(ids))
    return list(db.session.execute(rows.order_by(table.id.desc())))


def everybodys(user) -> bool:
    return user.may(Permission.DUTY_READ_ANY)
