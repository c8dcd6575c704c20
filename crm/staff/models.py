from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import JSON, ColumnElement, ForeignKey, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.db import db
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission, Role, granted


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
    LINK_MADE = "user.link_made", N_("made a one-time link")
    LINK_USED = "user.link_used", N_("set a password by a one-time link")
    FACTOR_SET = "user.factor_set", N_("set up the second factor")
    FACTOR_REMOVED = "user.factor_removed", N_("removed the second factor")
    FEED_MADE = "user.feed_made", N_("made a link to their visits")
    FEED_ENDED = "user.feed_ended", N_("ended the link to their visits")
    SESSIONS_ENDED = "user.sessions_ended", N_("ended log-ins")


class Cover(NamedTuple):
    """For whom somebody stands in now, and what they ever took over so."""

    people: frozenset[int] = frozenset()
    matters: frozenset[int] = frozenset()


class User(Subject):
    """A member of the department. `title` is the name people know them by."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str] = mapped_column(default="")
    must_change: Mapped[bool] = mapped_column(default=False)  # the password was set by another
    must_enrol: Mapped[bool] = mapped_column(default=False)  # a role of theirs needs the second factor, not yet set up
    epoch: Mapped[int] = mapped_column(default=1)  # of the password: what was made under an older one is void
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    language: Mapped[str | None]

    held: Mapped[list["UserRole"]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "user", "inherit_condition": id == Subject.id}
    noun = "staff"
    LASTING = True
    FACTS = ("edition",)
    label = N_("Staff")
    EVENTS = UserEvent
    STATES = UserState
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {
        "title": N_("Name"), "state": (N_("State"), UserState), "roles": (N_("Roles"), Role), "phone": N_("Phone"),
        "email": N_("E-mail"), "language": N_("Language"),
    }  # fmt: skip

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
    def words(self) -> tuple[str, ...]:
        """What others know of the person, which no password is built from."""
        return self.login, self.title, self.email

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(held.role for held in self.held)

    @property
    def permissions(self) -> frozenset[Permission]:
        return granted(self.roles)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    @property
    def cover(self) -> Cover:
        """What the absences know of it (`crm.absences.cover`)."""
        return Cover()

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        everybody = user.may(Permission.STAFF_EDIT) or user.may(Permission.DUTY_READ_ANY)
        return true() if everybody else Subject.id == user.id


class DepartmentEvent(Labelled):
    DAY_SET = "calendar.day_set", N_("set a day of the calendar")
    NOTICE_TAKEN = "calendar.notice_taken", N_("took in a yearly notice of holidays")
    FACTOR_REQUIRED = "settings.factor_required", N_("changed which roles need the second factor")
    RESTORED = "settings.restored", N_("restored everything from a backup")
    READERS_CHANGED = "settings.report_readers", N_("changed who is told of a report")
    COMPANY_CHANGED = "settings.company_changed", N_("changed the head of letters and forms")


class Department(Subject):
    """The department itself: on it stands what is changed for everybody, such as the calendar, and the head of its letters
    and forms."""

    __tablename__ = "departments"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    company: Mapped[str] = mapped_column(default="")
    company_en: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    account: Mapped[str] = mapped_column(default="")  # where customers pay to

    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "department"}
    noun = "settings"
    LASTING = True
    label = N_("Department")
    EVENTS = DepartmentEvent
    FIELDS: ClassVar[dict[str, str]] = {
        "company": N_("The company's name"), "company_en": N_("Its name in English"), "address": N_("Address"),
        "phone": N_("Telephone"), "account": N_("Bank account"),
    }  # fmt: skip

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
    awaits_code: Mapped[bool] = mapped_column(default=False)  # the password was right, the second factor is not yet in
    confirmed_at: Mapped[datetime | None]  # when its owner last gave the password in it

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)
    __table_args__ = (UniqueConstraint("token_hash"),)


class Link(db.Model):
    """A one-time link to choose a password: for the first log-in or when it was forgotten."""

    __tablename__ = "links"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    epoch: Mapped[int]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SecondFactor(db.Model):
    """A phone's generator of six digits. `codes` are hashes of the spare ones, each good once."""

    __tablename__ = "second_factors"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    secret: Mapped[str]
    last_step: Mapped[int] = mapped_column(default=0)  # of the last code taken: no code is taken twice
    codes: Mapped[list] = mapped_column(JSON, default=list)
    since: Mapped[datetime]


class RequiredFactor(db.Model):
    """A role that needs the second factor."""

    __tablename__ = "required_factors"
    role: Mapped[str] = mapped_column(primary_key=True)


class Attempt(db.Model):
    """How often something was tried since the window began. The key says by whom and on what, hashed."""

    __tablename__ = "attempts"
    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    since: Mapped[datetime] = mapped_column(index=True)


class AccessKind(Labelled):
    ENTERED = "entered", N_("logged in")
    WRONG = "wrong", N_("wrong name or password")
    PRESENT_WRONG = "present_wrong", N_("wrong present password")
    CODE_WRONG = "code_wrong", N_("wrong code")
    TOO_OFTEN = "too_often", N_("held up: too many attempts")
    LEFT = "left", N_("logged out")
    ENDED = "ended", N_("ended another log-in of their own")
    EXPORTED = "exported", N_("took a list as a file")
    TAKEN = "taken", N_("took a file")
    DENIED = "denied", N_("denied: the role may not")
    BEYOND = "beyond", N_("denied: not there, or not theirs to see")


class Access(db.Model):
    """A log-in, something denied, or a file taken. Apart from the events, so that no stranger makes those grow. What was typed
    for a log-in name is not kept: people type their password there."""

    __tablename__ = "access"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    address: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")
    path: Mapped[str] = mapped_column(default="")
