from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from dateutil.relativedelta import relativedelta
from sqlalchemy import Row, Select, or_, select

from crm import lists
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Event, Subject
from crm.errors import NotThere
from crm.penalties.models import PENDING, STANDING, Penalty, PenaltyEvent, Sanction, State
from crm.permissions import Permission

_OWN = Penalty.__table__.c
GROUPS = {"pending": PENDING, "standing": STANDING}


def get(number: str, user) -> Penalty:
    """A penalty as far as `user` may see it."""
    found = db.session.scalar(select(Penalty).where(Penalty.number == number, Penalty.visible(user)))
    if found is None:
        raise NotThere()
    return found


def seen(penalty: Penalty, user) -> bool:
    return db.session.scalar(select(Penalty.id).where(Penalty.id == penalty.id, Penalty.visible(user))) is not None


def read_whole(penalty: Penalty, user) -> bool:
    """Whether `user` reads more than that there is something to sign."""
    return db.session.scalar(select(Penalty.id).where(Penalty.id == penalty.id, Penalty.whole(user))) is not None


def of_duties(keys: Iterable[int], user) -> dict[int, Penalty]:
    """What became of missed duties: the penalty each was proposed as, where `user` reads it."""
    rows = db.session.scalars(select(Penalty).where(Penalty.duty_id.in_(list(keys)), Penalty.whole(user)))
    return {row.duty_id: row for row in rows if row.duty_id}


def signing(penalty: Penalty) -> list[Event]:
    """How it was signed, its signature refused, and that witnessed, in their order."""
    kinds = PenaltyEvent.SIGNED, PenaltyEvent.REFUSED, PenaltyEvent.CONFIRMED
    rows = select(Event).where(Event.subject_id == penalty.id, Event.kind.in_(kinds))
    return list(db.session.scalars(rows.order_by(Event.id)))


def to_witness(user) -> list[Penalty]:
    """The notices that wait for one's signature as a witness."""
    refused = select(Penalty).where(Penalty.state == State.REFUSED, or_(Penalty.first_witness_id == user.id,
                                                                       Penalty.second_witness_id == user.id))  # fmt: skip
    return [one for one in db.session.scalars(refused.order_by(Penalty.id)) if user.id not in one.witnessed]


def origin(number: str, user) -> Subject | None:
    """What a penalty is entered from: anything `user` reads all of."""
    return db.session.scalar(select(Subject).where(Subject.number == number, duties.whole(user))) if number else None


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed by; `state` also knows what is pending, and what stands. `month`: that of the breach, or those
    `since` one and `until` another."""

    state: str = ""
    person: int | None = None
    key: str = ""
    sanction: str = ""
    month: date | None = None
    since: date | None = None
    until: date | None = None

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        person = lists.key(args, "person") if user.may(Permission.PENALTY_READ_ANY) else None
        return cls(
            lists.one_of(args, "state", [*GROUPS, *State]), user.id if args.get("person") == "me" else person,
            lists.words(args, "key")[:40], lists.one_of(args, "sanction", Sanction), lists.month(args, "month"),
            lists.month(args, "since"), lists.month(args, "until"),
        )  # fmt: skip

    @property
    def any(self) -> bool:
        return self != type(self)()


def ids(user, wanted: Filter) -> Select:
    """The keys of all that fit."""
    ids = select(Subject.id).where(Subject.kind == "penalty", Penalty.visible(user))
    if wanted.state:
        ids = ids.where(Subject.state.in_(GROUPS.get(wanted.state, (wanted.state,))))
    if wanted.person:
        ids = ids.where(Subject.concerned_id == wanted.person)
    if wanted.key:
        ids = ids.where(Subject.category == wanted.key)
    first, last = wanted.month or wanted.since, wanted.month or wanted.until
    if wanted.key or wanted.sanction or first or last:
        ids = ids.where(Penalty.whole(user))  # else what a witness finds by it tells what it is for
    if wanted.sanction or first or last:
        own = select(_OWN.id)
        if wanted.sanction:
            own = own.where(_OWN.sanction == wanted.sanction)
        last = last and last + relativedelta(months=1, days=-1)
        ids = ids.where(Subject.id.in_(own.where(*duties.fell_due(first, last, _OWN.happened_at))))
    return ids


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty penalties, the newest first."""
    rows, after, count = lists.page_of(ids(user, wanted), lambda ids: _loaded(ids, user), before=before, size=size)
    return lists.Page(rows, after, count, duties.names(row.concerned_id for row in rows))


def _loaded(ids: list[int], user) -> list[Row[Any]]:
    shown = (Subject.id, Subject.number, Subject.title, Subject.state, Subject.category, Subject.concerned_id,
             _OWN.clause, _OWN.sanction, _OWN.fen, _OWN.reduced_fen, _OWN.happened_at, _OWN.witnessed,
             Penalty.whole(user).label("whole"))  # fmt: skip
    rows = select(*shown).join(Penalty.__table__, _OWN.id == Subject.id).where(Subject.id.in_(ids))
    return list(db.session.execute(rows.order_by(Subject.id.desc())))
