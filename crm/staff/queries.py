from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.duties.models import Subject
from crm.errors import NotThere
from crm.permissions import Role
from crm.staff.models import Login, User, UserRole, UserState
from crm.staff.workflow import LONGEST, hash_token


def session_of(token: str) -> Login | None:
    """The living session of a token: not ended, not older than twelve hours, its account active."""
    login = db.session.scalar(select(Login).where(Login.token_hash == hash_token(token)))
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


def get(number: str) -> User:
    user = db.session.scalar(select(User).where(User.number == number))
    if user is None:
        raise NotThere()
    return user


def with_role(roles: Iterable[str]) -> list[User]:
    """Active people who hold one of these roles, by name: for choosing whom to assign to."""
    holds = select(UserRole.user_id).where(UserRole.role.in_(list(roles)))
    return list(
        db.session.scalars(select(User).where(User.id.in_(holds), User.state == UserState.ACTIVE).order_by(User.title))
    )


def choices(roles: Iterable[str] = RESPONSIBLE) -> list[Any]:
    """Id and name of the active people who hold one of these roles, for choosing from: one statement."""
    holds = select(UserRole.user_id).where(UserRole.role.in_(list(roles)))
    found = select(Subject.id, Subject.title.label("name")).where(
        Subject.id.in_(holds), Subject.state == UserState.ACTIVE
    )
    return list(db.session.execute(found.order_by(Subject.title)))


def anybody() -> bool:
    """Whether there is any account at all: else the program has not been set up."""
    return db.session.scalar(select(Subject.id).where(Subject.kind == "user").limit(1)) is not None
