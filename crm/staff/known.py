"""Browsers that were let in before: a signed mark for each account, so that strangers' tries do not hold its owner up there. It
opens nothing, and is void once the password changes."""

import secrets

from flask import Response, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from crm.staff.entrance import Visitor
from crm.staff.models import User

YEAR = 365 * 24 * 3600  # seconds
MOST = 5  # accounts one browser is remembered for


def _seal() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="known browser")


def _name() -> str:
    return current_app.config["SESSION_COOKIE_NAME"] + "-known"


def _held() -> dict[int, str]:
    """The accounts this browser was let into before, each with its mark."""
    try:
        held = _seal().loads(request.cookies.get(_name(), ""), max_age=YEAR)
        return {int(user_id): str(mark) for user_id, mark in held.items()}
    except (BadData, ValueError, AttributeError):
        return {}


def visitor() -> Visitor:
    return Visitor(request.remote_addr or "", request.user_agent.string, _held())


def remember(response: Response, user: User) -> Response:
    """This browser is known from now on; the mark it has for the account stays while the password does."""
    mark = visitor().mark(user.id, user.epoch) or f"{secrets.token_hex(8)}.{user.epoch}"
    held = {user.id: mark} | {other: theirs for other, theirs in _held().items() if other != user.id}
    response.set_cookie(
        _name(), _seal().dumps(dict(list(held.items())[:MOST])), max_age=YEAR, httponly=True, samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )  # fmt: skip
    return response
