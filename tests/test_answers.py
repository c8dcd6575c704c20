"""The table of answers: each refusal has its status and its page, and every response its headers."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from crm.db import Counter, db, doubled, unit_of_work
from crm.staff import queries as staff
from tests import make


@pytest.mark.parametrize("path", ["/", "/login", "/static/app.css", "/nowhere", "/customers/K9999"])
def test_every_response_carries_the_policy(browser, path):
    for page in (browser(), browser("manager")):
        headers = page.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy and "unsafe" not in policy and "object-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        if not path.startswith("/static"):
            assert headers["Cache-Control"] == "no-store"


def test_cookies_are_for_the_server_alone_and_secure_under_https(browser, served):
    page = browser("specialist")
    cookie = page.client.get_cookie("crm")
    assert cookie.http_only and cookie.same_site == "Lax" and not cookie.secure
    assert served.config["SESSION_COOKIE_NAME"] == "crm"


def test_a_database_that_is_away_is_a_503_with_a_page_and_a_time_to_try_again(browser, served, monkeypatch):
    page = browser("specialist")

    def away(_token):
        raise OperationalError("select", {}, Exception("server closed the connection"))

    monkeypatch.setattr(staff, "session_of", away)
    answer = page.get("/")
    assert answer.status_code == 503 and answer.headers["Retry-After"] and "Busy for a moment" in answer.text
    monkeypatch.undo()
    assert page.get("/").status_code == 200


def test_an_unforeseen_error_is_a_page_that_tells_nothing_and_saves_nothing(browser, app, monkeypatch):
    from crm.customers import workflow

    app.config["PROPAGATE"] = False
    page = browser("specialist")

    def burst(*_args, **_kwargs):
        make.who("specialist").title = "half"
        db.session.flush()
        raise RuntimeError("secret detail")

    monkeypatch.setattr(workflow, "add_customer", burst)
    answer = page.send("/customers/new", short_name="甲")
    assert answer.status_code == 500 and "secret" not in answer.text and "Traceback" not in answer.text
    assert make.who("specialist").title == "张伟"


def test_a_clash_in_the_database_is_a_409(browser, app, monkeypatch):
    from crm.customers import workflow

    def clash(*_args, **_kwargs):
        for _ in range(2):
            db.session.execute(Counter.__table__.insert().values(prefix="Z", last=1))

    page = browser("specialist")
    monkeypatch.setattr(workflow, "add_customer", clash)
    assert page.send("/customers/new", short_name="甲").status_code == 409


@pytest.mark.parametrize("statement, clash", [
    ("INSERT INTO counters (prefix, last) VALUES ('Z', 1), ('Z', 2)", True),
    ("INSERT INTO steps (name, tried_at) VALUES ('Z', NULL)", False),
    ("INSERT INTO user_roles (user_id, role) VALUES (99999, 'manager')", False),
])  # fmt: skip
def test_a_clash_is_known_by_the_code_of_the_database_whatever_language_it_speaks(app, statement, clash):
    with pytest.raises(IntegrityError) as refused, unit_of_work():
        db.session.execute(text(statement))
    assert doubled(refused.value) is clash


@pytest.mark.parametrize(("method", "path", "status"), [
    ("post", "/tickets", 405), ("get", "/tickets/T2611-0001/closure", 405), ("delete", "/tickets/new", 405),
    ("put", "/customers/K0001/edit", 405), ("get", "/tickets/", 404), ("get", "//tickets", 404), ("get", "/TICKETS", 404),
])  # fmt: skip
def test_other_ways_to_ask_are_refused(browser, method, path, status):
    page = browser("manager")
    answer = getattr(page.client, method)(path, headers=page.headers)
    assert answer.status_code in (status, 400, 308)


def test_a_head_or_options_changes_nothing(app, browser):
    with unit_of_work():
        path = make.ticket().path
    page = browser("specialist")
    for way in ("head", "options"):
        assert getattr(page.client, way)(path, headers=page.headers).status_code == 200


def test_what_was_typed_is_shown_and_never_run(app, browser):
    nasty = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"
    with unit_of_work():
        unit = make.customer(nasty[:90], full_name=nasty, address=nasty, remark=nasty)
        make.contact(unit, nasty[:50], nasty, qq=nasty, mobile=nasty)
        make.installation(unit, modules=nasty, edition=nasty)
        ticket = make.ticket(unit, category="bug", title=nasty, description=nasty)
        make.tickets.fill(ticket, by=make.who("specialist"), fields={"steps": nasty, "error_message": nasty})
        make.tickets.escalate(ticket, by=make.who("specialist"), story=nasty)
        make.tickets.note(ticket, by=make.who("specialist"), words=nasty)
        paths = ["/", "/tickets", ticket.path, f"{ticket.path}/edit", "/customers", unit.path, f"{unit.path}/edit",
                 "/installations", "/tickets/new?customer=" + unit.number]  # fmt: skip
    page = browser("manager")
    for path in paths:
        text = page.get(path).text
        assert "<script>alert" not in text and "<img src=x" not in text and "&lt;script&gt;" in text, path
