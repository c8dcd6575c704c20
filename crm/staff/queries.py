from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from flask_babel import gettext as _
from sqlalchemy import Row, Select, bindparam, or_, select
from sqlalchemy.orm import joinedload, selectinload

from crm import clock, lists
from crm.db import Instant, db
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.models import Event, Subject
from crm.errors import NotThere
from crm.permissions import Role
from crm.staff.models import Access, Department, Login, User, UserRole, UserState
from crm.staff.workflow import LONGEST, hash_token

_SESSION = (
    select(Login, editions.holding(bindparam("now", type_=Instant)).scalar_subquery())
    .where(Login.token_hash == bindparam("token"))
    .options(joinedload(Login.user, innerjoin=True).joinedload(User.held))
)


def session_of(token: str) -> Login | None:
    """The living session of a token: not ended, not older than twelve hours, its account active. With it, in the one
    statement each request begins with, come the roles and the edition that holds."""
    given = {"token": hash_token(token), "now": clock.now()}
    login, today = db.session.execute(_SESSION, given).unique().first() or (None, None)
    editions.known_today(today)
    if login is None or login.ended_at or login.started_at + LONGEST < clock.now() or not login.user.is_active:
        return None
    return login


def sessions(user: User) -> list[Login]:
    """The living log-ins of a person, the latest first."""
    living = (Login.user_id == user.id, Login.ended_at.is_(None), Login.started_at > clock.now() - LONGEST)
    return list(db.session.scalars(select(Login).where(*living).order_by(Login.id.desc())))


def own_session(user: User, session_id: int) -> Login:
    found = next((one for one in sessions(user) if one.id == session_id), None)
    if found is None:
        raise NotThere()
    return found


RESPONSIBLE = (Role.SPECIALIST, Role.FOLLOWUP, Role.MANAGER)  # who may own a customer or a record


def everybody() -> list[User]:
    return list(db.session.scalars(select(User).order_by(User.state, User.id)))


def entered() -> list[Row]:
    """Whoever ever stood in the access log, `id` and `name`, by name: not people an imported log only names."""
    people = select(Subject.id, Subject.title.label("name")).where(Subject.kind == "user")
    noted = select(Access.id).where(Access.user_id == Subject.id).exists()
    return list(db.session.execute(people.where(or_(Subject.state == UserState.ACTIVE, noted)).order_by(Subject.title)))


@dataclass(frozen=True)
class Filter:
    """Whose accounts: those active, or the others, among them people an imported log only names."""

    q: str = ""
    role: str = ""
    state: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str], _user) -> Self:
        state = lists.one_of(args, "state", [UserState.INACTIVE])
        return cls(lists.words(args), lists.one_of(args, "role", Role), state)


def ids(_user, wanted: Filter) -> Select:
    """The keys of all accounts that fit."""
    ids = select(Subject.id).where(Subject.kind == "user", Subject.state == (wanted.state or UserState.ACTIVE))
    if wanted.q:
        name = or_(*(one.contains(wanted.q, autoescape=True) for one in (User.title, User.login, User.number)))
        ids = ids.where(Subject.id.in_(select(User.id).where(name)))
    if wanted.role:
        ids = ids.where(Subject.id.in_(select(UserRole.user_id).where(UserRole.role == wanted.role)))
    return ids


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty accounts, the newest first."""
    return lists.Page(*lists.page_of(ids(user, wanted), _loaded, before=before, size=size))


def _loaded(ids: list[int]) -> list[User]:
    rows = select(User).where(User.id.in_(ids)).order_by(User.id.desc()).options(selectinload(User.held))
    return list(db.session.scalars(rows))


def get(number: str) -> User:
    user = db.session.scalar(select(User).where(User.number == number))
    if user is None:
        raise NotThere()
    return user


def with_role(roles: Iterable[str]) -> list[User]:
    """Active people who hold one of these roles, by name: for choosing whom to assign to."""
    holds = select(UserRole.user_id).where(UserRole.role.in_(list(roles)))
    return list(
        db.session.scalars(
            select(User).where(User.id.in_(holds), User.state == UserState.ACTIVE).order_by(User.title)
            .options(selectinload(User.held))
        )
    )


_HOLD = select(UserRole.user_id).where(UserRole.role.in_(bindparam("roles", expanding=True)))
_CHOICES = (
    select(Subject.id, Subject.title.label("name"))
    .where(Subject.id.in_(_HOLD), Subject.state == UserState.ACTIVE)
    .order_by(Subject.title)
)


def choices(roles: Iterable[str] = RESPONSIBLE) -> list[Row]:
    """The same people, `id` and `name` alone: for a list to choose from."""
    return list(db.session.execute(_CHOICES, {"roles": list(roles)}))


_AWAY = select(Subject.owner_id).where(Subject.kind == "absence", Subject.state == "away")


def offered(people: Iterable[Any], but: Collection[int | None] = ()) -> list[tuple[int, str]]:
    """People as a list to choose from has them; of whoever is on leave it says so."""
    away = set(db.session.scalars(_AWAY))
    marked = ((one.id, _("%(name)s (on leave)", name=one.name) if one.id in away else one.name) for one in people)
    return [(id, name) for id, name in marked if id not in but]


def department() -> Department | None:
    """The one there is, once something was changed for everybody."""
    return db.session.scalar(select(Department).limit(1))


def story(subject: Subject) -> list[Event]:
    """What happened to an account, or to the department's settings, itself, the latest first; not what it owes."""
    return [event for event in duties.timeline(subject) if event.kind in set(subject.EVENTS)]


def choice(value: str | None) -> User | None:
    """The person a form's list of people names."""
    return next((one for one in with_role(tuple(Role)) if str(one.id) == value), None)


def anybody() -> bool:
    """Whether there is any account at all: else the program has not been set up."""
    return db.session.scalar(select(Subject.id).where(Subject.kind == "user").limit(1)) is not None


def called(names: Iterable[str]) -> dict[str, int]:
    """Which account each name means, log-in or name, whether it still logs in or not; left out where none or several do."""
    names = set(names)
    rows = select(User.id, User.login, User.title).where(or_(User.login.in_(names), User.title.in_(names)))
    found: dict[str, set[int]] = {}
    for id, *said in db.session.execute(rows):
        for name in names.intersection(said):
            found.setdefault(name, set()).add(id)
    return {name: next(iter(ids)) for name, ids in found.items() if len(ids) == 1}
