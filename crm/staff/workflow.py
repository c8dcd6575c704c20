"""Accounts are added, changed and made inactive; people log in, log out and change their password."""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update

from crm import clock, workdays
from crm.db import db, next_number, next_numbers, rows_of
from crm.duties import editions
from crm.duties.locks import lock
from crm.duties.many import Happened, open_all, record_all
from crm.duties.models import Duty, Edition
from crm.duties.record import open_subject, record
from crm.duties.workflow import ACKNOWLEDGE, let_go, present
from crm.errors import Forbidden, Invalid
from crm.labels import N_
from crm.moves import edit
from crm.permissions import Role
from crm.staff.models import (
    Department,
    DepartmentEvent,
    Link,
    Login,
    RequiredFactor,
    SecondFactor,
    User,
    UserEvent,
    UserRole,
    UserState,
)
from crm.workdays import CalendarOverride

LONGEST = timedelta(hours=12)  # a session's life, however busy
LATELY = timedelta(minutes=10)  # so long a password once given is not asked for again
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")


def login_name(text: str) -> str:
    """The one spelling of a log-in name: folded, plain letters, digits, dot, dash; Invalid for any other."""
    folded = unicodedata.normalize("NFKC", text).strip().casefold()
    if not _LOGIN.fullmatch(folded):
        raise Invalid(fields={"login": N_("Two to 32 letters a–z, digits, dots or dashes.")})
    return folded


def add_user(login: str, name: str, roles, hash: str, *, by=None, must_change: bool = True, **details) -> User:
    """A new account, which at once owes the acknowledgement of the rulebook (8). Without a password's hash nobody may
    enter it until a one-time link has set one."""
    login = login_name(login)
    if db.session.scalar(select(User.id).where(User.login == login)):
        raise Invalid(fields={"login": N_("There is an account of this name already.")})
    user = User(
        login=login, title=name, state=UserState.ACTIVE, must_change=must_change and bool(hash), password_hash=hash,
        held=[UserRole(role=Role(role)) for role in roles], **details,
    )  # fmt: skip
    user.number = next_number("U")
    open_subject(user, at=clock.now())
    user.owner_id = user.id
    review_factor(user)
    record(UserEvent.ADDED, user, by=by, login=login, roles=sorted(user.roles))
    _present_due(user)
    return user


def add_former(names: Sequence[str]) -> list[User]:
    """People a log names: accounts nobody can log in with, which owe nothing; by `external_ref` they are known again."""
    numbers = next_numbers("U", len(names)) if names else []
    users = [
        User(title=name, external_ref=name, number=number, login=f"imported-{number.lower()}", held=[],
             state=UserState.INACTIVE, opened_at=clock.now())
        for name, number in zip(names, numbers, strict=True)
    ]  # fmt: skip
    open_all(users)
    for user in users:
        user.owner_id = user.id
    facts = [{"login": user.login, "roles": []} for user in users]
    record_all(
        Happened(UserEvent.ADDED, user, clock.now(), None, said) for user, said in zip(users, facts, strict=True)
    )
    return users


def _present_due(user: User) -> None:
    """Show a person the edition that holds and those already issued for later, once each (8)."""
    holds = db.session.get_one(Edition, editions.edition_id(clock.now()))
    later = select(Edition).where(Edition.holds_from > clock.now()).order_by(Edition.holds_from)
    owes = (Duty.subject_id == user.id, Duty.rule == ACKNOWLEDGE, Duty.dropped_by_id.is_(None))
    known = set(db.session.scalars(select(Duty.slot).where(*owes)))
    for edition in [holds, *db.session.scalars(later)]:
        if edition.number not in known:
            present(edition, user)


def required_factors() -> frozenset[str]:
    """The roles that need the second factor."""
    return frozenset(db.session.scalars(select(RequiredFactor.role)))


def needs_factor(roles: Iterable[str]) -> bool:
    return bool(required_factors() & set(roles))


def review_factor(user: User) -> None:
    """Whether the person must set up the second factor before anything else."""
    user.must_enrol = needs_factor(user.roles) and db.session.get(SecondFactor, user.id) is None
    db.session.flush()


def edit_user(user: User, *, by: User, roles, active: bool, **details) -> None:
    """Change an account; nobody changes their own roles or shuts themselves out."""
    roles, state = {str(role) for role in roles}, UserState.ACTIVE if active else UserState.INACTIVE
    if user.id == by.id and (roles != user.roles or state != user.state):
        raise Forbidden(N_("Nobody changes their own roles or makes their own account inactive."))
    before = sorted(user.roles)
    changes = edit(user, {**details, "state": state})
    if roles != set(before):
        user.held = [held for held in user.held if held.role in roles] + [
            UserRole(role=Role(role)) for role in sorted(roles - set(before))
        ]
        user.version += 0 if changes else 1
        changes["roles"] = [before, sorted(roles)]
    if changes:
        record(UserEvent.EDITED, user, by=by, changes=changes)
    if "state" in changes:
        user.epoch += 0 if active else 1  # no one-time link comes back with the account
        record(UserEvent.BACK if active else UserEvent.LEFT, user, by=by)
    if not active or "roles" in changes:
        end_logins(user)
        review_factor(user)
        let_go(user, lost=set(before) - roles if active else tuple(Role), by=by)
    if active:
        _present_due(user)


def set_password(user: User, hash: str, *, by: User) -> None:
    """The administrator's new password for somebody, who must change it at the next log-in."""
    if user.id == by.id:
        raise Forbidden(N_("Your own password is changed under My account."))
    user.password_hash, user.must_change = hash, True
    user.epoch += 1
    end_logins(user)
    record(UserEvent.PASSWORD_SET, user, by=by)


def change_password(user: User, hash: str, *, keep: Login | None = None) -> None:
    """One's own password; every other session of the account ends."""
    user.password_hash, user.must_change = hash, False
    user.epoch += 1
    end_logins(user, but=keep)
    record(UserEvent.PASSWORD_CHANGED, user, by=user)


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def renewed(session: Login) -> str:
    """The new token of a log-in that goes on."""
    token = secrets.token_urlsafe(32)
    session.token_hash = hash_token(token)
    return token


def end_logins(user: User, *, but: Login | None = None) -> None:
    ending = update(Login).where(Login.user_id == user.id, Login.ended_at.is_(None))
    if but is not None:
        ending = ending.where(Login.id != but.id)
    db.session.execute(ending.values(ended_at=clock.now()))


def confirmed_lately(session: Login | None) -> bool:
    return bool(session and session.confirmed_at and clock.now() - session.confirmed_at < LATELY)


def log_out(session: Login) -> None:
    session.ended_at = clock.now()


def end_some(user: User, sessions: Iterable[Login], *, by: User) -> int:
    """End log-ins one no longer wants, such as on a lost phone; how many there were."""
    ending = [session for session in sessions if session.user_id == user.id and session.ended_at is None]
    for session in ending:
        session.ended_at = clock.now()
    if ending:
        record(UserEvent.SESSIONS_ENDED, user, by=by, count=len(ending))
    return len(ending)


def department() -> Department:
    """The one there is; made when something is first changed for everybody."""
    one = select(Department).limit(1)
    if found := db.session.scalar(one):
        return found
    number = next_number("D")  # of two at once the second waits here, and finds the first's
    if found := db.session.scalar(one):
        return found
    made = Department(number=number, title="服务部", opened_at=clock.now())
    open_subject(made)
    return made


def set_company(*, by, **changes: str) -> None:
    """What stands at the head of letters and forms."""
    ours = department()
    lock(ours)
    if differences := edit(ours, changes):
        record(DepartmentEvent.COMPANY_CHANGED, ours, by=by, changes=differences)


def restored(**facts: Any) -> None:
    """The place has just been restored: what ended since the backup was made would be good again. So every log-in ends and
    every link is void, one-time and lasting; spare codes stay, as half of a log-in (docs/decisions/12-after-a-restore.md)."""
    now = clock.now()
    logins = rows_of(db.session.execute(update(Login).where(Login.ended_at.is_(None)).values(ended_at=now)))
    links = rows_of(db.session.execute(update(Link).where(Link.used_at.is_(None)).values(used_at=now)))
    for table in db.metadata.tables.values():
        if {"token_hash", "ended_at"} <= set(table.c.keys()) and table is not Login.__table__:
            db.session.execute(table.update().where(table.c.ended_at.is_(None)).values(ended_at=now))
    db.session.execute(update(User).values(epoch=User.epoch + 1))  # what was made under a password, such as a calendar's link
    record(DepartmentEvent.RESTORED, department(), **facts, logins=logins, links=links)


def set_day(day: date, *, by=None, working: bool, name: str = "", source: str = "") -> None:
    """The administrator's word on one day of the calendar; deadlines already set stay."""
    before = db.session.get(CalendarOverride, day)
    facts = {"day": day, "before": before and before.working, "working": working, "name": name, "source": source}
    workdays.override(day, working=working, name=name, source=source)
    record(DepartmentEvent.DAY_SET, department(), by=by, **facts)


def take_notice(text: str, *, by=None) -> int:
    """The yearly notice of holidays and make-up days; how many days it set. ValueError leaves all as it was."""
    count = workdays.import_notice(text)
    record(
        DepartmentEvent.NOTICE_TAKEN, department(), by=by, days=count, sha256=hashlib.sha256(text.encode()).hexdigest()
    )
    return count


def present_to_all(edition: Edition) -> None:
    """Everybody is shown a new edition, and owes its acknowledgement (8)."""
    for user in db.session.scalars(select(User).where(User.state == UserState.ACTIVE)):
        present(edition, user)
