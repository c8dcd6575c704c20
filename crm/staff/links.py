"""One-time links: the first password, or a new one where it was forgotten. Made by the administrator, good for three
days, once, and only while the password is the one it was made under and the account was not made inactive."""

import secrets
from datetime import timedelta

from sqlalchemy import select, update

from crm import clock
from crm.db import db, rows_of
from crm.duties.locks import lock
from crm.duties.record import record
from crm.errors import Forbidden, NotThere
from crm.labels import N_
from crm.staff.models import Link, User, UserEvent, UserState
from crm.staff.workflow import end_logins, hash_token

LIVES = timedelta(days=3)


def make(user: User, *, by: User) -> str:
    """A new link's token; the older ones of this account are void. Nobody makes one for themselves."""
    if user.id == by.id:
        raise Forbidden(N_("Your own password is changed under My account."))
    lock(user)
    void(user)
    token = secrets.token_urlsafe(24)
    now = clock.now()
    row = Link(user_id=user.id, token_hash=hash_token(token), epoch=user.epoch, made_at=now, expires_at=now + LIVES)
    db.session.add(row)
    record(UserEvent.LINK_MADE, user, by=by)
    return token


def void(user: User) -> None:
    db.session.execute(update(Link).where(Link.user_id == user.id, Link.used_at.is_(None)).values(used_at=clock.now()))


class LinkGone(NotThere):
    title = N_("This link is no longer good")

    def __init__(self) -> None:
        super().__init__(N_("It was used already, has run out, or was replaced: ask the administrator for a new one."))


def of(token: str) -> tuple[Link, User]:
    """The living link of a token and its account; LinkGone for any other."""
    found = db.session.execute(
        select(Link, User).join(User, User.id == Link.user_id).where(
            Link.token_hash == hash_token(token), Link.used_at.is_(None), Link.expires_at > clock.now(),
            Link.epoch == User.epoch, User.state == UserState.ACTIVE,
        )
    ).first()  # fmt: skip
    if found is None:
        raise LinkGone()
    link, user = found
    return link, user


def use(token: str, hash: str) -> User:
    """Set the chosen password; the link is used up, and every log-in of the account ends."""
    link, user = of(token)
    once = update(Link).where(Link.id == link.id, Link.used_at.is_(None)).values(used_at=clock.now())
    if not rows_of(db.session.execute(once.execution_options(synchronize_session=False))):
        raise LinkGone()
    lock(user)
    if link.epoch != user.epoch or user.state != UserState.ACTIVE:  # changed since it was looked at
        raise LinkGone()
    user.password_hash, user.must_change = hash, False
    user.epoch += 1
    end_logins(user)
    record(UserEvent.LINK_USED, user, by=user)
    return user
