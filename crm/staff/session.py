"""Who is asking: sessions kept in the database, the permission each route needs, and the reader's language."""

import re
from urllib.parse import urlsplit

from flask import (
    Flask,
    abort,
    after_this_request,
    current_app,
    g,
    has_request_context,
    redirect,
    request,
    session,
    url_for,
)
from flask_babel import Babel
from flask_login import AnonymousUserMixin, LoginManager, current_user

from crm import clock
from crm.catalogue import CHINESE, ENGLISH, locale_of
from crm.permissions import Permission
from crm.staff import noted, queries, workflow
from crm.staff.models import Login

LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
_PORT = re.compile(r":[0-9]{1,5}$", re.ASCII)
LANGUAGES = {CHINESE: "中文", ENGLISH: "English"}


class Nobody(AnonymousUserMixin):
    """Not logged in: no id, no role, no permission."""

    id = None
    roles: frozenset[str] = frozenset()
    language = None

    def may(self, permission: Permission) -> bool:
        return False


def begin(token: str) -> None:
    """A fresh cookie for a fresh session: whatever the browser carried before is gone, but for the chosen language."""
    language = session.get("language")
    session.clear()
    session.permanent = True
    session.update({"token": token, "seen": int(clock.now().timestamp())})
    if language:
        session["language"] = language


def present_login() -> Login | None:
    """The session this request belongs to."""
    current_user.is_authenticated  # noqa: B018 (loads it)
    return g.get("login")


def renew() -> None:
    """A new token for the log-in of this request: no copy of the old one is good any more. The browser has it once all of it
    is saved."""
    login = present_login()
    if login is None:
        return
    token = workflow.renewed(login)

    @after_this_request
    def tell(response):
        if response.status_code < 400:
            session["token"] = token
        return response


def waiting_login() -> Login | None:
    """The session that still waits for its second factor."""
    current_user.is_authenticated  # noqa: B018 (loads it)
    return g.get("waiting")


def ended() -> bool:
    """Whether the browser carries a session that is no longer good; one who was never let in carries none."""
    unreadable = not session and current_app.config["SESSION_COOKIE_NAME"] in request.cookies  # of a former key
    return ("token" in session or unreadable) and present_login() is None and waiting_login() is None


def _load(_request):
    token, seen = session.get("token"), session.get("seen")
    if not isinstance(token, str) or not isinstance(seen, int):
        return None
    if clock.now().timestamp() - seen > current_app.config["IDLE"].total_seconds():
        return None
    login = queries.session_of(token)
    if login is None:
        return None
    if login.awaits_code:
        g.waiting = login
        return None
    g.login = login
    return login.user


def _still_here() -> None:
    """Each click puts off the idle end. The cookie is not written anew for every one, but within a sixtieth of the idle
    time, so that it is never much older than the last click."""
    now = int(clock.now().timestamp())
    if abs(now - session.get("seen", 0)) >= current_app.config["IDLE"].total_seconds() / 60:
        session["seen"] = now


ALWAYS = ("door.logout", "door.language")


def _allowed():
    """Deny by default: a route's permission is looked at before its view is."""
    view = current_app.view_functions.get(request.endpoint or "")
    permission = getattr(view, "permission", None)
    if view is None or permission == Permission.PUBLIC:
        return None
    if not current_user.is_authenticated:
        return to_login()
    if not current_user.may(permission):
        abort(403)
    if current_user.must_change and request.endpoint not in ("own.password", *ALWAYS):
        return redirect(url_for("own.password"))
    if current_user.must_enrol and request.endpoint not in ("own.password", "own.second_factor", "own.spare", *ALWAYS):
        return redirect(url_for("own.second_factor"))
    if not getattr(view, "unattended", False):
        _still_here()
    return None


def to_login():
    """To the log-in page and, after it, back to where the person was."""
    if request.headers.get("HX-Request"):  # a part of a page cannot be a log-in page
        return "", 401, {"HX-Redirect": url_for("door.login")}
    if request.accept_mimetypes.best == "application/json":
        return {"error": "login"}, 401
    back = request.full_path.rstrip("?") if request.method == "GET" else _referring_path()
    return redirect(url_for("door.login", next=back if back != "/" else None))


def _referring_path() -> str:
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return "/"
    return local_path(parts.path + (f"?{parts.query}" if parts.query else "")) if parts.path else "/"


def base() -> str:
    """The address people reach the program at. The request's own word on it is a stranger's: it is taken only if it names
    this machine or what the settings name; else there is none."""
    ours = {*LOOPBACK, *current_app.config["HOSTS"].replace(",", " ").split()}
    asked = request.host_url.rstrip("/") if _PORT.sub("", request.host) in ours else ""
    return current_app.config["CRM_URL"].rstrip("/") or asked


def local_path(target: str | None) -> str:
    """`target` if it is a path on this host and nothing else, else `/`."""
    target = target or "/"
    plain = target.isprintable() and target.isascii() and "\\" not in target
    if not plain or not target.startswith("/") or target.startswith("//"):
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc else target


def language() -> str:
    """What the person chose, else what the browser asks for, else Chinese, as wherever nobody asks."""
    if not has_request_context():
        return CHINESE
    chosen = (current_user.language if current_user.is_authenticated else None) or session.get("language")
    if chosen in LANGUAGES:
        return chosen
    return locale_of(request.accept_languages.best_match(["zh-CN", "zh", "zh-Hans", "zh-TW", ENGLISH]))


def init_app(app: Flask) -> None:
    manager = LoginManager()
    manager.session_protection = None  # addresses change behind the office's router; the token is what counts
    manager.anonymous_user = Nobody
    manager.request_loader(_load)
    manager.unauthorized_handler(to_login)
    manager.init_app(app)
    app.before_request(_allowed)
    noted.init_app(app)
    Babel(app, locale_selector=language)
