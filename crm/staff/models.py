from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.db import db
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission, granted


class UserState(Labelled):
    ACTIVE = "active", N_("Active")
    INACTIVE = "inactive", N_("Inactive")


class UserEvent(Labelled):
    ADDED = "user.added", N_("added the account")
    EDITED = "user.edited", N_("changed the account")
    LEFT = "user.left", N_("made the account inactive")
    BACK = "user.back", N_("made the account active again")
    PASSWORD_SET = "user.password_set", N_("set a new password")
    PASSWORD_CHANGED = "user.password_changed", N_("changed the password")


class User(Subject):
    """A member of the department. `title` is the name people know them by."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str] = mapped_column(default="")
    must_change: Mapped[bool] = mapped_column(default=False)  # the password was set by another
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    language: Mapped[str | None]

    held: Mapped[list["UserRole"]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "user", "inherit_condition": id == Subject.id}
    noun = "staff"
    label = N_("Staff")
    EVENTS = UserEvent
    STATES = UserState

    # what Flask-Login asks
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.state == UserState.ACTIVE

    def get_id(self) -> str:
        raise NotImplementedError("a session is named by its token, not by its user")

    @property
    def name(self) -> str:
        return self.title

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(held.role for held in self.held)

    @property
    def permissions(self) -> frozenset[Permission]:
        return granted(self.roles)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        everybody = user.may(Permission.STAFF_EDIT) or user.may(Permission.DUTY_READ_ANY)
        return true() if everybody else Subject.id == user.id


class DepartmentEvent(Labelled):
    DAY_SET = "calendar.day_set", N_("set a day of the calendar")
    NOTICE_TAKEN = "calendar.notice_taken", N_("took in a yearly notice of holidays")


class Department(Subject):
    """The department itself: on it stands what is changed for everybody, such as the calendar."""

    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "department"}
    noun = "settings"
    label = N_("Department")
    EVENTS = DepartmentEvent

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.SETTINGS_EDIT) else false()


class UserRole(db.Model):
    __tablename__ = "user_roles"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class Login(db.Model):
    """A session: the cookie holds the token, this row its hash; ended here, it is dead everywhere."""

    __tablename__ = "logins"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)
    __table_args__ = (UniqueConstraint("token_hash"),)
