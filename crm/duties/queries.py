from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Self

from sqlalchemy import ColumnElement, Select, and_, bindparam, or_, select
from sqlalchemy.orm import contains_eager, joinedload, load_only, selectinload

from crm import clock, lists
from crm.db import db
from crm.duties import editions
from crm.duties.events import DutyEvent
from crm.duties.message import MessageEvent
from crm.duties.models import Acknowledgement, Duty, Edition, Event, Extension, Notice, Subject, open_now
from crm.duties.seeing import named, to_the_bottom, visible, whole
from crm.errors import NotThere
from crm.permissions import Permission

MOST = 200  # rows of a list that is not paged
LONGEST = 300  # events of a timeline


class Name(NamedTuple):
    """What a row needs to say of another subject."""

    id: int
    kind: str
    number: str
    title: str

    @property
    def path(self) -> str:
        return f"/{noun_of(self.kind)}/{self.number}"


NAME = (Subject.id, Subject.kind, Subject.number, Subject.title)
_NAMES = select(*NAME).where(Subject.id.in_(bindparam("ids", expanding=True)))


def names(ids: Iterable[int | None]) -> dict[int, Name]:
    """Number and title of each subject, in one statement."""
    wanted = {id for id in ids if id is not None}
    if not wanted:
        return {}
    return {row.id: Name(*row) for row in db.session.execute(_NAMES, {"ids": sorted(wanted)})}


WITHDRAWN = "withdrawn"  # the state, of any kind, of what counts as if it had never been asked for


def came_of(subject: Subject, kind: str) -> str | None:
    """The number of one of a `kind` that was opened from `subject`, is of its category, and stands."""
    its = Subject.kind == kind, Subject.category == subject.category
    mine = Subject.origin_id == subject.id, *its, Subject.state != WITHDRAWN
    return db.session.scalar(select(Subject.number).where(*mine).order_by(Subject.id.desc()).limit(1))


def noun_of(kind: str) -> str:
    return Subject.__mapper__.polymorphic_map[kind].class_.noun


def names_in(events: Iterable[Event], user, *others: int | None, origin: int | None = None) -> dict[int | str, Name]:
    """The people a timeline's lines name, and `others`; of another subject (`Event.about`, and the `origin`) what it is
    called if `user` may know it."""
    events = list(events)
    known: dict[int | str, Name] = {**names([*others, *(id for event in events for id in event.people)])}
    if of := {origin, *(event.about for event in events)} - {None}:
        either = Subject.id.in_([one for one in of if isinstance(one, int)]) | Subject.number.in_(
            [one for one in of if isinstance(one, str)]
        )
        for name in (Name(*row) for row in db.session.execute(select(*NAME).where(either, named(user)))):
            known |= dict.fromkeys((name.id, name.number), name)
    return known


_BELOW = select(Subject.kind).where(Subject.origin_id == bindparam("origin")).distinct()


def below(subject: Subject) -> frozenset[str]:
    """Of which kinds is what came of a subject, whoever may see it. Nothing came of most: asked before anything longer is."""
    return frozenset(db.session.scalars(_BELOW, {"origin": subject.id}))


def opened_from(subject: Subject, user) -> list[Name]:
    """What came of a subject, as far as `user` may know of it, the latest first."""
    rows = select(*NAME).where(Subject.origin_id == subject.id, named(user)).order_by(Subject.id.desc())
    return [Name(*row) for row in db.session.execute(rows.limit(MOST))]


def owing(rule: str) -> ColumnElement[bool]:
    """Subjects on which something is owed by a rule: few of all there are, and found first."""
    owed = select(Duty.subject_id).where(Duty.rule == rule, open_now()).cte()
    return Subject.id.in_(select(owed.prefix_with("MATERIALIZED", dialect="postgresql").c.subject_id))


def mine(user) -> ColumnElement[bool]:
    """One's own duties, and those of one's roles that nobody owns."""
    return of_whom(user.id, sorted(user.roles))


def of_whom(user_id: Any, roles: Any) -> ColumnElement[bool]:
    return or_(Duty.owner_id == user_id, and_(Duty.owner_id.is_(None), Duty.pool.in_(roles)))


def seen(user, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Duties `user` may see, narrowed."""
    may = and_(visible(user), or_(to_the_bottom(user), mine(user)))  # of what one reads in part, what one owes oneself
    return and_(*where, select(Subject.id).where(Subject.id == Duty.subject_id, may).correlate(Duty).exists())


def _duties(user, *where: ColumnElement[bool]):
    return select(Duty).where(seen(user, *where)).options(joinedload(Duty.subject), selectinload(Duty.extensions))


def owed(user, *, everybody: bool = False) -> list[Duty]:
    """What is open now, the longest overdue first; one's own and one's roles', or everybody's."""
    whose = () if everybody else (mine(user),)
    shown = _duties(user, open_now(), Duty.show_from <= clock.now(), *whose)
    return list(db.session.scalars(shown.order_by(Duty.due_at, Duty.id).limit(MOST)))


def kept_since(user, since: datetime) -> list[Duty]:
    """One's own duties that were settled since an instant, the latest first."""
    kept = _duties(user, Duty.owner_id == user.id, Event.at >= since).join(Event, Duty.kept_by_id == Event.id)
    kept = kept.options(contains_eager(Duty.kept_by))
    return list(db.session.scalars(kept.order_by(Event.at.desc()).limit(50)))


@dataclass(frozen=True)
class Missed:
    """Whose, by which rule or family of rules (`call` is every `call.…`), due on which days: anybody's for those who watch over
    others (4.followup.3), else one's own."""

    person: int | None = None
    rule: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        watches, rules = user.may(Permission.WATCH) and args.get("person") != "me", editions.todays().rules
        families = {key.partition(".")[0] for key in rules}
        return cls(lists.whose(args, "person") if watches else user.id, lists.one_of(args, "rule", [*rules, *families]),
                   lists.day(args, "since"), lists.day(args, "until"))  # fmt: skip

    def narrow(self) -> Iterator[ColumnElement[bool]]:
        yield fell_through()
        if self.person is not None:
            yield Duty.breached_owner_id == (self.person or None)
        if self.rule:
            yield Duty.rule == self.rule if "." in self.rule else Duty.rule.startswith(f"{self.rule}.")
        yield from fell_due(self.since, self.until)


def fell_through() -> ColumnElement[bool]:
    """Missed by the department, not what a customer did not do in time."""
    return and_(Duty.breached_by_id.is_not(None), Duty.rule.not_in([k for k, r in editions.todays().rules.items() if r.theirs]))


def fell_due(since: date | None, until: date | None, at: Any = Duty.due_at) -> Iterator[ColumnElement[bool]]:
    """Duties of which the last day lies between two days, or what else happened `at` a deadline: one at 24:00 is of the day
    that it ends."""
    if since:
        yield at > clock.moment(since)
    if until:
        yield at <= clock.end_of(until)


def missed_ids(user, wanted: Missed) -> Select:
    """The keys of all that was missed and fits."""
    return select(Duty.breached_by_id).where(seen(user, *wanted.narrow()))


def missed(user, wanted: Missed, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """What was missed, the latest first."""
    rows = _duties(user, *wanted.narrow(), *([Duty.breached_by_id < before] if before else []))
    rows = rows.options(joinedload(Duty.kept_by)).order_by(Duty.breached_by_id.desc()).limit(size + 1)
    found, after = lists.cut(list(db.session.scalars(rows)), lambda duty: duty.breached_by_id or 0, size)
    ids = [id for duty in found for id in (duty.breached_owner_id, duty.subject.customer_id)]
    return lists.Page(found, after, names=names([*ids, wanted.person]))


_OF = (
    select(Duty).where(Duty.subject_id == bindparam("subject")).order_by(Duty.due_at, Duty.id)
    .options(joinedload(Duty.extensions))
)  # fmt: skip


def of_subject(subject: Subject) -> list[Duty]:
    """Every duty a subject ever had, in order of deadline."""
    return list(db.session.scalars(_OF, {"subject": subject.id}).unique())


def get(duty_id: int, user) -> Duty:
    duty = db.session.scalar(_duties(user, Duty.id == duty_id))
    if duty is None:
        raise NotThere()
    return duty


def request_for_time(extension_id: int, user) -> Extension:
    request = db.session.scalar(
        select(Extension).join(Extension.duty).join(Duty.subject).where(Extension.id == extension_id, visible(user))
        .options(contains_eager(Extension.duty).contains_eager(Duty.subject))
    )  # fmt: skip
    if request is None:
        raise NotThere()
    return request


_TIMELINE = (
    select(Event).where(Event.subject_id == bindparam("subject")).order_by(Event.at.desc(), Event.id.desc()).limit(LONGEST)
)


def timeline(subject: Subject) -> list[Event]:
    """What happened to one subject, the latest first."""
    return list(db.session.scalars(_TIMELINE, {"subject": subject.id}))


def history(customer_id: int, user, *, before: tuple[datetime, int] | None = None) -> list[tuple[Event, Name]]:
    """What happened to a customer and to all that belongs to it, the latest first, 51 at most from a place on."""
    rows = (
        select(Event, *NAME)
        .join(Subject, Subject.id == Event.subject_id)
        .where(Subject.customer_id == customer_id, whole(user))
        .order_by(Event.at.desc(), Event.id.desc())
        .limit(51)
    )
    if before:
        rows = rows.where(or_(Event.at < before[0], and_(Event.at == before[0], Event.id < before[1])))
    return [(event, Name(*name)) for event, *name in db.session.execute(rows)]


def notices(user, *, before: int | None = None) -> list[tuple[Notice, Event, Name]]:
    """One's notices of what one may still see, the latest first; fifty and one more. What one reads a part of has no title."""
    rows = (
        select(Notice, Event, whole(user), *NAME)
        .join(Event, Event.id == Notice.event_id).join(Subject, Subject.id == Event.subject_id)
        .where(Notice.user_id == user.id, visible(user)).order_by(Notice.id.desc()).limit(lists.SIZE + 1)
    )  # fmt: skip
    if before:
        rows = rows.where(Notice.id < before)
    found = ((notice, event, reads, Name(*name)) for notice, event, reads, *name in db.session.execute(rows))
    return [(notice, event, name if reads else name._replace(title="")) for notice, event, reads, name in found]


def by_number(number: str, user) -> Subject:
    """Any kind of subject that `user` may read all of."""
    found = db.session.scalar(select(Subject).where(Subject.number == number, whole(user)))
    if found is None:
        raise NotThere()
    return found


def issued() -> list[Edition]:
    return list(
        db.session.scalars(
            select(Edition)
            .options(load_only(Edition.number, Edition.title, Edition.state, Edition.holds_from, Edition.version))
            .where(Edition.holds_from.is_not(None)).order_by(Edition.holds_from.desc())
        )
    )


def edition(number: str) -> Edition:
    found = db.session.scalar(select(Edition).where(Edition.number == number))
    if found is None:
        raise NotThere()
    return found


def acknowledged(edition: Edition, user) -> datetime | None:
    return db.session.scalar(
        select(Acknowledgement.at).where(Acknowledgement.edition_id == edition.id, Acknowledgement.user_id == user.id)
    )


def said_as() -> dict[tuple[str, str], str]:
    """What the words of an event are, by its kind and the fact that holds them, where it has several."""
    kinds = {kind: facts for cls in Subject.__subclasses__() for kind, facts in cls.SAID.items()}
    return {(str(kind), fact): title for kind, facts in kinds.items() for fact, title in facts.items()}


def event_labels() -> dict[str, str]:
    """Every event kind of every package → its label."""
    enums = [DutyEvent, MessageEvent, *(cls.EVENTS for cls in Subject.__subclasses__() if cls.EVENTS)]
    return {str(kind): kind.label for members in enums for kind in members}
