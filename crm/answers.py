"""The table of answers: what each refusal looks like to a browser, and what every response carries."""

import logging
import re
import unicodedata
from collections.abc import Callable

from flask import Flask, Response, abort, current_app, g, redirect, render_template, request, session
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from crm.db import db, doubled, transactions, unit_of_work
from crm.errors import Refused
from crm.labels import N_
from crm.lists import Id, Number
from crm.permissions import Permission
from crm.submissions import Submission, answer, claim

log = logging.getLogger(__name__)
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
LONGEST_VALUE = 100_000  # characters
LONGEST_FORM = 1_000_000  # of all values together
_REQUEST_ID = re.compile(r"[0-9a-f]{32}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

TITLES = {
    400: N_("That did not arrive as it should"),
    403: N_("Your role may not do this"),
    404: N_("There is nothing here"),
    405: N_("That cannot be done here"),
    409: N_("Somebody was faster"),
    413: N_("That is too large"),
    429: N_("Too many attempts"),
    500: N_("That was our fault"),
    503: N_("Busy for a moment"),
}
WORDS = {
    400: N_("Go back and load the page again; what you typed is still there."),
    403: N_("If you need it for your work, ask your manager, or the administrator for your account."),
    404: N_("Either it was never here, or it is not yours to see."),
    405: N_("Follow the links and buttons of the pages."),
    409: N_("It changed while you were at it. Go back, load the page again and look at it as it is now."),
    413: N_("One request may hold 32 MB, one file 15 MB. Send fewer or smaller files."),
    429: N_("Wait a little and try again."),
    500: N_("It is in our log. Nothing of what you sent was saved, and nothing was half saved."),
    503: N_("Please send it again in a few seconds; nothing was saved yet."),
}


def repeatable(view):
    """What may be sent again and again, and means the same each time: it carries no id of its own."""
    view.repeatable = True
    return view


def unattended(view):
    """What a page sends by itself, with nobody before it: it does not put off a session's idle end."""
    view.unattended = True
    return view


def own_units(view):
    """What opens its units of work itself: while a password is compared none is open, and nothing before is undone."""
    view.own_units = True
    return view


class Answered(Exception):
    """Carries an answer out of a unit of work, which rolls back."""

    def __init__(self, response: Response) -> None:
        self.response = response


def request_id() -> str | None:
    """The form's id, for which it takes effect once. Every form of somebody who is logged in carries one."""
    given = request.form.get("request_id", "")
    view = current_app.view_functions.get(request.endpoint or "")
    if not current_user.is_authenticated or getattr(view, "repeatable", False):
        return None
    if not _REQUEST_ID.fullmatch(given):
        abort(400)
    return given


def again(earlier: Submission) -> Response:
    """The same form was sent before: its answer, if it was the same person and page."""
    if earlier.user_id != current_user.id or earlier.path != request.path or not earlier.answer:
        return page(409)
    return redirect(earlier.answer, 303)  # type: ignore[return-value]


def turn_back() -> None:
    """Before anything else is looked at: a form that took effect is led where it led, and nothing is tried again."""
    given = request_id()
    if given and (earlier := db.session.get(Submission, given)):
        raise Answered(again(earlier))


def once(act: Callable) -> Response:
    """`act` in one unit of work, and the form's id taken with it: below 400 it commits, any other answer rolls back."""
    given = request_id()
    with unit_of_work():
        if given and (earlier := claim(given, current_user.id, request.path)):
            raise Answered(again(earlier))
        response = current_app.make_response(act())
        if response.status_code >= 400:
            raise Answered(response)
        if given:
            answer(given, response.location or response.headers.get("Content-Location"))
            session["saved"] = given  # tells the next page which form it was, so that the browser lets go of its words
        return response


def shown_once(html: str, again: str) -> Response:
    """A page with something nobody can ask for twice, and nothing of it in a cookie. Its form, sent again, leads to
    `again`, which says so."""
    return Response(html, headers={"Content-Location": again})


def page(status: int, message: str = "", title: str = "", /, **params) -> Response:
    """An error's page; it never says more than its status does, but for a refusal's own words."""
    with transactions(read_only=True):
        try:
            response = _rendered(status, title, message, params)
        except SQLAlchemyError:  # the database is away, and with it who is asking
            db.session.rollback()
            g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]
            response = _rendered(status, title, message, params)
    return response


def _rendered(status: int, title: str, message: str, params: dict) -> Response:
    said = _(message, **params) if message else _(WORDS.get(status, WORDS[400]))
    html = render_template("error.html", status=status, title=_(title or TITLES.get(status, TITLES[400])), said=said)
    return Response(html, status)


def _storable() -> None:
    """What no database keeps (NUL, half of a surrogate pair), what is far too long for any field, and heaps of accents
    that take minutes to put in order, are refused before anybody looks at them. Werkzeug bounds the fields of a
    multipart form, not those of a plain one, whose every letter is decoded: that is as long as it may be, too."""
    if request.mimetype != "multipart/form-data":
        request.max_content_length = current_app.config["MAX_FORM_MEMORY_SIZE"]
    pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
    if any(name is None for name, _value in pairs):  # a part of a multipart form may come without one
        abort(400)
    names = [file.filename or "" for _field, file in request.files.items(multi=True)]
    texts = [request.path, *names, *(text for pair in pairs for text in pair)]
    if sum(map(len, texts)) > LONGEST_FORM:
        abort(413)
    for text in texts:
        if len(text) > LONGEST_VALUE:
            abort(413)
        if _UNSTORABLE.search(text) or (not text.isascii() and _heaped(text)):
            abort(400)


def _heaped(text: str) -> bool:
    run = 0
    for letter in text:
        run = run + 1 if unicodedata.combining(letter) else 0
        if run > 30:
            return True
    return False


def _busy(error: OperationalError) -> Response:
    """Locked, full or away: to be tried again. Any other such error is ours."""
    db.session.rollback()
    log.warning("the database: %s", error.orig)
    return page(500 if "readonly" in str(error) or "no such" in str(error) else 503)


def _broken(error: DBAPIError) -> Response:
    """Two wrote the same at once: the second is told so. Anything else the database refuses is ours."""
    db.session.rollback()
    clash = isinstance(error, IntegrityError) and doubled(error)
    if not clash:
        log.error("the database refused", exc_info=error)
    return page(409 if clash else 500)


def _failed(error: Exception) -> Response:
    db.session.rollback()
    return page(500)


def without_token(path: str) -> str:
    """An address without the token of a secret link, which may be good still."""
    token = (request.view_args or {}).get("token")
    return path.replace(token, "…") if token else path


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if response.status_code in (429, 503):
        response.headers.setdefault("Retry-After", "900" if response.status_code == 429 else "5")
    if request.endpoint != "static" or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    return response


def init_app(app: Flask) -> None:
    app.url_map.converters |= {"number": Number, "id": Id}
    app.before_request(_storable)
    app.after_request(_headers)

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        db.session.rollback()
        return page(error.status, error.message, error.title, **error.params)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        if error.code is None or error.code < 400:  # a redirect the router asks for
            return error.get_response()  # type: ignore[return-value]
        if isinstance(error, SecurityError):  # by a name that is not ours: no page has addresses then
            return Response("This name is not answered here.\n", 400, mimetype="text/plain")
        response = page(413 if isinstance(error, RequestEntityTooLarge) else error.code)
        if error.code == 405 and "Allow" in error.get_response().headers:
            response.headers["Allow"] = error.get_response().headers["Allow"]
        return response

    @app.errorhandler(CSRFError)
    def csrf(error: CSRFError) -> Response:
        view = app.view_functions.get(request.endpoint or "")
        if not current_user.is_authenticated and getattr(view, "permission", None) != Permission.PUBLIC:
            return app.make_response(app.login_manager.unauthorized())  # type: ignore[attr-defined]
        return page(400, N_("The page was opened in another log-in. Load it again; what you typed is still there."))

    app.register_error_handler(OperationalError, _busy)
    app.register_error_handler(DBAPIError, _broken)
    app.register_error_handler(Exception, _logged(app))


def _logged(app: Flask):
    def failed(error: Exception) -> Response:
        if app.testing and app.config.get("PROPAGATE"):
            raise error
        app.logger.exception("unforeseen: %s %r", request.method, without_token(request.path))
        return _failed(error)

    return failed
