"""The service department's program: `create_app`, and the edge of a request."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf import CSRFProtect
from sqlalchemy.orm import configure_mappers
from werkzeug.middleware.proxy_fix import ProxyFix

from crm import answers, keys, migrating
from crm.db import asides, db, transactions, unit_of_work, wire
from crm.duties.record import via
from crm.permissions import Permission

HERE = Path(__file__).parent
ROOT = HERE if (HERE / "templates").is_dir() else HERE.parent  # installed from a wheel, or a checkout
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class NotSetUp(RuntimeError):
    """The program cannot start as it is; the message says what to do."""


class Crm(Flask):
    """A request is one unit of work: an answer below 400 commits, any other rolls back."""

    def full_dispatch_request(self) -> Response:
        with transactions(read_only=request.method in SAFE or self._in_units_of_its_own(), singly=True):
            return super().full_dispatch_request()

    def _in_units_of_its_own(self) -> bool:
        return getattr(self.view_functions.get(request.endpoint or ""), "own_units", False)

    def dispatch_request(self) -> Response:  # type: ignore[override]
        token = via.set(("page", request.remote_addr or ""))
        try:
            with asides():
                return self._in_a_unit(super().dispatch_request)
        except answers.Answered as given:
            return given.response
        finally:
            via.reset(token)

    def _in_a_unit(self, view: Callable) -> Response:
        safe = request.method in SAFE
        if self._in_units_of_its_own():
            if not safe:
                answers.turn_back()
            return self.make_response(view())
        if not safe:
            return answers.once(view)
        with unit_of_work(read_only=True):
            return self.make_response(view())


def _configure(app: Flask, settings: Mapping[str, Any]) -> None:
    packaged = HERE / "_config_default.py"
    app.config.from_pyfile(str(packaged if packaged.exists() else ROOT / "config.py"))
    app.config.update(settings)
    url = app.config["SQLALCHEMY_DATABASE_URI"].replace("postgres://", "postgresql+psycopg://", 1)
    app.config["SQLALCHEMY_DATABASE_URI"] = url.replace("postgresql://", "postgresql+psycopg://", 1)
    lying = keys.read(keys.path(Path(app.config["INSTANCE"])))
    own = app.config["SECRET_KEY"] or next(iter(lying), None)
    if not own:
        raise NotSetUp("No secret key: run `crm init --admin LOGIN` first, or set CRM_SECRET_KEY.")
    if len(own) < keys.SHORTEST:
        raise NotSetUp(f"The secret key is too short: {keys.SHORTEST} signs at least, such as `openssl rand -hex 32` gives.")
    app.config.update(SECRET_KEY=own, FORMER_KEYS=[key for key in lying if key != own])
    secure = app.config["CRM_URL"].startswith("https://")
    app.config["SESSION_COOKIE_SECURE"] = secure
    app.config["SESSION_COOKIE_NAME"] = "__Host-crm" if secure else "crm"
    if host := urlsplit(app.config["CRM_URL"]).hostname:  # no other name is answered, so none gets into a link
        app.config["TRUSTED_HOSTS"] = [host, *app.config["HOSTS"].replace(",", " ").split()]
    if proxies := app.config["PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]


def _declared(app: Flask) -> None:
    """Refuse to start if a route does not say which permission it needs."""
    silent = [rule.endpoint for rule in app.url_map.iter_rules()
              if not isinstance(getattr(app.view_functions[rule.endpoint], "permission", None), Permission)]  # fmt: skip
    if silent:
        raise NotSetUp(f"routes that declare no permission: {', '.join(sorted(set(silent)))}")


def create_app(settings: Mapping[str, Any] | None = None) -> Crm:
    """The program on its database. `settings` win over the environment's."""
    from crm import desk, pages, shown
    from crm.letters import delivery
    from crm.staff import session

    app = Crm("crm", template_folder=str(ROOT / "templates"), static_folder=str(HERE / "static"))
    _configure(app, settings or {})
    db.init_app(app)
    migrating.init_app(app, ROOT / "migrations")
    answers.init_app(app)  # first: it looks at the size of what came before anybody reads it
    CSRFProtect(app)
    delivery.init_app(app)
    session.init_app(app)
    shown.init_app(app, assets_version())
    for blueprint in pages.BLUEPRINTS:
        app.register_blueprint(blueprint)
    desk.init_app(app)
    app.view_functions["static"].permission = Permission.PUBLIC  # type: ignore[attr-defined]
    _declared(app)
    configure_mappers()
    with app.app_context():
        wire(db.engine)
    return app


def assets_version() -> str:
    """Changes with any static file, so that browsers may keep them for long."""
    newest = max((path.stat().st_mtime_ns for path in (HERE / "static").rglob("*") if path.is_file()), default=0)
    return format(newest, "x")[-10:]
