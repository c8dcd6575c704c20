"""Coming in: throttle, password, second factor, session. A password takes long to compare, so no transaction is open
meanwhile: each step is a short unit of work of its own."""

import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from crm import clock
from crm.db import db, unit_of_work
from crm.duties.record import lock
from crm.errors import Invalid, TooOften
from crm.labels import N_
from crm.staff import access, factor, passwords, throttle
from crm.staff.models import AccessKind, Login, SecondFactor, User
from crm.staff.workflow import hash_token


@dataclass(frozen=True)
class Visitor:
    """Who stands at the door: address, browser, and of each account this browser was let into before a mark of its own."""

    address: str = ""
    agent: str = ""
    known: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Account:
    id: int
    hash: str
    epoch: int
    active: bool


def _account(login: str) -> _Account | None:
    with unit_of_work(read_only=True):
        user = db.session.scalar(select(User).where(User.login == login))
        return _Account(user.id, user.password_hash, user.epoch, user.is_active) if user else None


def _limits(login: str, account: _Account | None, visitor: Visitor) -> dict[str, int]:
    """What a try counts for. A known browser has a count of its own; all others share the account's."""
    if account and account.id in visitor.known:
        return {throttle.key("known", login, visitor.known[account.id]): throttle.DOOR}
    return {
        throttle.key("door", login, visitor.address): throttle.DOOR,
        throttle.key("account", login): throttle.ACCOUNT,
        throttle.key("address", visitor.address): throttle.ADDRESS,
    }


def _hold_up(limits: dict[str, int], visitor: Visitor, *, login: str = "", user_id: int | None = None) -> None:
    """Count the try. TooOften over the limit; only the first such try of a window is written down."""
    with unit_of_work():
        over = throttle.take(limits)
        if any(count == limits[name] + 1 for name, count in over.items()):
            access.note(
                AccessKind.TOO_OFTEN, user_id=user_id, login=login, address=visitor.address, agent=visitor.agent
            )
    if over:
        raise TooOften()


def log_in(login: str, password: str, visitor: Visitor) -> tuple[Login, str]:
    """A new session and its token. Invalid, in the same words whether account, password or both are wrong."""
    folded = unicodedata.normalize("NFKC", login).strip().casefold()
    account = _account(folded)
    limits = _limits(folded, account, visitor)
    _hold_up(limits, visitor, login=login, user_id=account.id if account else None)
    right = passwords.matches(password, account.hash if account else None)
    if account is None or not right or not account.active:
        with unit_of_work():
            access.note(AccessKind.WRONG, login=login, address=visitor.address, agent=visitor.agent,
                        user_id=account.id if account else None)  # fmt: skip
        raise Invalid(N_("Log-in name or password is wrong."))
    with unit_of_work():
        throttle.give_back(limits)
        throttle.clear(next(iter(limits)))
        return _begin(db.session.get_one(User, account.id), account, password, visitor)


def _begin(user: User, account: _Account, password: str, visitor: Visitor) -> tuple[Login, str]:
    lock(user)
    if not user.is_active or user.epoch != account.epoch:  # changed while it was compared
        raise Invalid(N_("Log-in name or password is wrong."))
    if passwords.hasher.check_needs_rehash(user.password_hash):
        user.password_hash = passwords.hashed(password)
    token = secrets.token_urlsafe(32)
    session = Login(
        user=user, token_hash=hash_token(token), started_at=clock.now(), address=visitor.address,
        agent=visitor.agent[:200], awaits_code=db.session.get(SecondFactor, user.id) is not None,
    )  # fmt: skip
    db.session.add(session)
    db.session.flush()
    if not session.awaits_code:
        access.note(AccessKind.ENTERED, user_id=user.id, address=visitor.address, agent=visitor.agent)
    return session, token


def give_code(session: Login, code: str, visitor: Visitor) -> str:
    """The second factor: the session becomes a whole one, under a new token. Invalid for any but a fresh code."""
    user_id, session_id = session.user_id, session.id
    limits = {throttle.key("code", user_id): throttle.DOOR}
    _hold_up(limits, visitor, user_id=user_id)
    with unit_of_work():
        if factor.takes(user_id, code):
            throttle.clear(next(iter(limits)))
            token = secrets.token_urlsafe(32)
            session = db.session.get_one(Login, session_id)
            session.token_hash, session.awaits_code = hash_token(token), False
            access.note(AccessKind.ENTERED, user_id=user_id, address=visitor.address, agent=visitor.agent)
            return token
        access.note(AccessKind.CODE_WRONG, user_id=user_id, address=visitor.address, agent=visitor.agent)
    raise Invalid(fields={"code": N_("This code is wrong, or it was used before.")})
