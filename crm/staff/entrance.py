"""Coming in, and the password asked for again: throttle, password, second factor, session. A password takes long to
compare, so no transaction is open meanwhile: each step is a short unit of work of its own."""

import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

from sqlalchemy import select

from crm import clock
from crm.db import db, unit_of_work
from crm.duties.locks import lock
from crm.errors import Invalid, TooOften
from crm.labels import N_
from crm.staff import access, factor, passwords, throttle
from crm.staff.models import AccessKind, Login, SecondFactor, User
from crm.staff.workflow import hash_token, renewed


@dataclass(frozen=True)
class Visitor:
    """Who stands at the door: address, browser, and of each account this browser was let into before a mark of its own."""

    address: str = ""
    agent: str = ""
    known: Mapping[int, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """What tries are counted by: an address, of IPv6 the network (/64) that whoever has one of its addresses has whole."""
        try:
            address = ip_address(self.address)
        except ValueError:
            return self.address
        if isinstance(address, IPv6Address):
            return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))
        return self.address

    def mark(self, user_id: int, epoch: int) -> str | None:
        """This browser's mark for an account, if it was made under the present password."""
        mark = self.known.get(user_id, "")
        return mark if mark.endswith(f".{epoch}") else None


class Account(NamedTuple):
    """What is known of an account while no transaction is open."""

    id: int
    hash: str
    epoch: int
    active: bool
    words: tuple[str, ...]


def account_of(user: User) -> Account:
    return Account(user.id, user.password_hash, user.epoch, user.is_active, user.words)


def _account(login: str) -> Account | None:
    with unit_of_work(read_only=True):
        user = db.session.scalar(select(User).where(User.login == login))
        return account_of(user) if user else None


def _limits(login: str, account: Account | None, visitor: Visitor) -> dict[str, int]:
    """What a try counts for. A known browser has a count of its own; all others share the account's."""
    if account and (mark := visitor.mark(account.id, account.epoch)):
        return {throttle.key("known", login, mark): throttle.DOOR}
    return {
        throttle.key("door", login, visitor.place): throttle.DOOR,
        throttle.key("account", login): throttle.ACCOUNT,
        throttle.key("address", visitor.place): throttle.ADDRESS,
    }


def _hold_up(limits: dict[str, int], user_id: int | None) -> None:
    """Count the try. TooOften over the limit; only the first such try of a window is written down."""
    with unit_of_work():
        over = throttle.take(limits)
        if any(count == limits[name] + 1 for name, count in over.items()):
            access.note_request(AccessKind.TOO_OFTEN, user_id)
    if over:
        raise TooOften()


def _is_right(
    password: str, account: Account | None, limits: dict[str, int], wrong: AccessKind = AccessKind.WRONG
) -> bool:
    """The one way a password is tried: counted first, then compared, then written down if it was wrong."""
    user_id = account.id if account else None
    _hold_up(limits, user_id)
    if passwords.matches(password, account.hash if account else None) and account and account.active:
        return True
    with unit_of_work():
        access.note_request(wrong, user_id)
    return False


def log_in(login: str, password: str, visitor: Visitor) -> tuple[Login, str]:
    """A new session and its token. Invalid, in the same words whether account, password or both are wrong."""
    folded = unicodedata.normalize("NFKC", login).strip().casefold()
    account = _account(folded)
    limits = _limits(folded, account, visitor)
    if not _is_right(password, account, limits) or account is None:
        raise Invalid(N_("Log-in name or password is wrong."))
    stronger = passwords.renewed(password, account.hash)
    with unit_of_work():
        throttle.give_back(limits)
        throttle.clear(next(iter(limits)))
        return _begin(account, stronger, visitor)


def _begin(account: Account, stronger: str, visitor: Visitor) -> tuple[Login, str]:
    user = db.session.get_one(User, account.id)
    lock(user)
    if not user.is_active or user.epoch != account.epoch:  # changed while it was compared
        raise Invalid(N_("Log-in name or password is wrong."))
    user.password_hash = stronger or user.password_hash
    token = secrets.token_urlsafe(32)
    session = Login(
        user=user, token_hash=hash_token(token), started_at=clock.now(), confirmed_at=clock.now(),
        address=visitor.address, agent=visitor.agent[:200], awaits_code=db.session.get(SecondFactor, user.id) is not None,
    )  # fmt: skip
    db.session.add(session)
    db.session.flush()
    if not session.awaits_code:
        access.note_request(AccessKind.ENTERED, user.id)
    return session, token


def give_code(session: Login, code: str, visitor: Visitor) -> tuple[User, str]:
    """The second factor: whose session becomes a whole one, and its new token. Invalid for any but a fresh code."""
    user_id, session_id, epoch = session.user_id, session.id, session.user.epoch
    # as with passwords: whoever else knows the password does not lock the owner out of a browser known to the account
    name = throttle.key("code", user_id, *filter(None, [visitor.mark(user_id, epoch)]))
    _hold_up({name: throttle.DOOR}, user_id)
    with unit_of_work():
        if factor.takes(user_id, code):
            throttle.clear(name)
            session = db.session.get_one(Login, session_id)
            session.awaits_code = False
            token = renewed(session)
            access.note_request(AccessKind.ENTERED, user_id)
            return session.user, token
        access.note_request(AccessKind.CODE_WRONG, user_id)
    raise Invalid(fields={"code": N_("This code is wrong, or it was used before.")})


def confirm(account: Account, password: str) -> None:
    """The present password, asked for again inside; Invalid if it is another. Every try counts, a right one, too."""
    limits = {throttle.key("confirm", account.id): throttle.DOOR}
    if not _is_right(password, account, limits, AccessKind.PRESENT_WRONG):
        raise Invalid(fields={"present": N_("This is not your present password.")})


def stamp(account: Account, session: Login) -> None:
    """In the unit of what it was asked for: not if the password was changed while it was compared."""
    user = db.session.get_one(User, account.id)
    lock(user)
    db.session.refresh(user, ["epoch"])
    if not user.is_active or user.epoch != account.epoch:
        raise Invalid(fields={"present": N_("This is not your present password.")})
    session.confirmed_at = clock.now()


def new_password(password: str, account: Account) -> str:
    """The hash of an account's new password; Invalid if it is none to choose. Every try counts: each takes its time."""
    _hold_up({throttle.key("choose", account.id): throttle.DOOR}, account.id)
    return passwords.chosen(password, account.words)
