"""What the access log says, and the stories of accounts and settings."""

import io
import re
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy.exc import OperationalError

from crm import clock, sweep
from crm.db import db, unit_of_work
from crm.staff import access, factor, links
from crm.staff.models import Access, Login
from crm.staff.places import place
from tests import make


def last() -> Access:
    db.session.rollback()
    return db.session.query(Access).order_by(Access.id.desc()).first()


def attachment(app, browser) -> str:
    page = browser("specialist")
    with unit_of_work():
        ticket = make.ticket()
    page.send(f"{ticket.path}/notes", words="见附件", files={"file_": (io.BytesIO(make.PDF), "错误截图.pdf")})
    return re.search(r"/files/[0-9a-f]{32}", page.get(ticket.path).text)[0]


def form(app, _browser) -> str:
    with unit_of_work():
        return f"{make.visit().path}/request.pdf"


def report(app, _browser) -> str:
    with clock.frozen(clock.parse("2026-12-01T09:00")):
        sweep.tick(clock.now())
    return "/reports/M2611-0001/file.xlsx"


@pytest.mark.parametrize(("make_one", "kind", "name"), [(attachment, "taken", "错误截图.pdf"), (form, "taken", ".pdf"),
    (report, "taken", "2026-11.xlsx"),
    (lambda *_: "/tickets/export.csv?state=open", "exported", "state=open")])  # fmt: skip
def test_every_file_that_is_handed_out_is_noted_or_not_given(app, browser, monkeypatch, make_one, kind, name):
    path, page = make_one(app, browser), browser("manager")
    assert page.get(path).status_code == 200
    assert (last().kind, last().user_id) == (kind, make.who("manager").id) and name in last().path

    def fail(*_args, **_kwargs):
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(access, "note_request", fail)
    assert page.get(path).status_code == 503


@pytest.mark.parametrize(("path", "said"), [
    ("POST /login", "Log in"), ("POST /account/password", "Change the password"), ("POST /welcome/…", "One-time link"),
    ("POST /tickets/T2611-0007/start", "Service record T2611-0007"), ("/customers/export.csv?q=a", "Customer"),
    ("POST /tickets/bulk: T2611-0001", "Service record T2611-0001"), (f"GET /files/{'a' * 32}: a: b.pdf", "File a: b.pdf"),
    ("GET /", "Today"), ("GET /nowhere/at/all", ""), ("", ""),
])  # fmt: skip
def test_an_address_is_said_in_words_where_it_is_known(app, path, said):
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert place(path) == said


def test_the_log_says_where_in_words_with_the_address_beside_it(app, browser):
    browser().log_in("specialist", "wrong")
    shown = browser("admin", "zh-CN").get("/staff/access").text
    assert '登录 <code class="detail">POST /login</code>' in shown


def test_the_log_is_narrowed_by_days(app, browser):
    for day in range(3):
        with clock.frozen(make.MONDAY + timedelta(days=day)), unit_of_work():
            db.session.add(Access(at=clock.now(), kind="wrong", path=f"POST /day-{day}"))
    page = browser("admin")
    shown = page.get("/staff/access?since=2026-11-24&until=2026-11-24").text
    assert [f"/day-{day}" in shown for day in range(3)] == [False, True, False]
    assert "day-1" in page.get("/staff/access/export.csv?since=2026-11-24").text


def test_ending_ones_other_log_in_is_called_that(app, browser):
    browser("specialist")
    page = browser("specialist")
    other = db.session.query(Login).order_by(Login.id.desc()).offset(1).first()
    assert page.send(f"/account/sessions/{other.id}/end", page="/account").status_code == 303
    assert (last().kind, last().user_id) == ("ended", make.who("specialist").id)
    assert page.send("/account/sessions/others/end", page="/account").status_code == 303
    assert db.session.query(Access).filter_by(kind="ended").count() == 1, "there was no other any more"


def test_an_accounts_page_tells_what_happened_to_it(app, browser):
    with unit_of_work():
        me, admin = make.who("specialist"), make.who("admin")
        links.make(me, by=admin)
        secret = factor.new_secret()
        factor.set_up(me, secret, pyotp.TOTP(secret).at(clock.now()))
        factor.remove(me, by=admin)
        path = me.path
    page = browser("admin")
    page.send(path, title="张伟", roles=["specialist", "followup"], active="y")
    shown = page.get(path).text.partition("What happened to the account")[2]
    for said in ("made a one-time link", "set up the second factor", "removed the second factor", "changed the account"):
        assert f"{said}" in shown
    assert "owed" not in shown and "Follow-up" in shown


def test_a_change_of_the_required_factor_is_told_where_it_is_made(app, browser):
    page = browser("admin")
    page.send("/settings/access", roles=["manager"])
    shown = page.get("/settings/access").text.partition("What was changed for everybody")[2]
    assert "changed which roles need the second factor" in shown and "nobody → Service manager" in shown
