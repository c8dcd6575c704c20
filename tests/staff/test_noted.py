"""What stands in the access log, who is still here, and owners whom no stranger keeps out."""

import io
import uuid
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy.exc import OperationalError

from crm import clock
from crm.answers import own_units
from crm.db import db, unit_of_work
from crm.permissions import Permission, needs
from crm.staff import access, factor, links, throttle
from crm.staff.models import Access, Login
from tests import make
from tests.browsing import Browser

GOOD = "four unrelated words 7"


def rows(kind: str) -> list[Access]:
    db.session.rollback()
    return db.session.query(Access).filter_by(kind=kind).all()


# ── the access log ──


def test_what_was_typed_for_a_name_is_not_kept_for_it_may_be_the_password(app, browser):
    page = browser()
    page.log_in("my secret password", "wrong")
    page.log_in("specialist", "wrong")
    kept = [[getattr(row, column.key) for column in Access.__table__.columns] for row in rows("wrong")]
    assert len(kept) == 2 and "secret" not in repr(kept)
    assert [row.user_id for row in rows("wrong")] == [None, make.who("specialist").id]


def test_a_living_link_is_not_written_down(app, browser):
    with unit_of_work():
        token = links.make(make.who("specialist"), by=make.who("admin"))
    path = f"/welcome/{token}"
    for _ in range(throttle.DOOR + 1):
        answer = browser().send(path, page=path, password="short", again="short")
    assert answer.status_code == 429
    assert [row.path for row in rows("too_often")] == ["POST /welcome/…"]


def test_records_beyond_ones_scope_among_many_stand_there(app, browser):
    with unit_of_work():
        mine, hidden = make.ticket().number, make.ticket(category="admin_password").number
    page = browser("specialist2")
    sent = page.send("/tickets/bulk", page="/tickets", record=[mine, hidden], verb="cancel", reason="重复")
    assert sent.status_code == 303
    assert [row.path for row in rows("beyond")] == [f"POST /tickets/bulk: {hidden}"]


@pytest.mark.parametrize("title", ["怎么结账", ""])
def test_anothers_draft_on_ones_own_form_stands_there_whether_the_form_is_taken_or_not(app, browser, title):
    drafted = browser("specialist").send("/files", page="/account", files={"file": (io.BytesIO(make.PDF), "a.pdf")})
    key = drafted.text.split('value="')[1][:32]
    with unit_of_work():
        unit = make.served_customer()
    fields = {"customer": unit.number, "channel": "phone", "asked_at": "2026-11-23T08:50", "title": title,
              "category": "inquiry", "priority": "normal", "contact_name": "赵会计", "department": "财务部"}  # fmt: skip
    page = browser("specialist2")
    sent = fields | {"files": [key], "csrf_token": page.token("/account"), "request_id": uuid.uuid4().hex}
    assert page.post("/tickets/new", sent).status_code == (303 if title else 422)
    assert [(row.user_id, row.path) for row in rows("beyond")] == [(make.who("specialist2").id, "POST /tickets/new")]


def test_no_list_is_given_as_a_file_unless_it_is_written_down(app, browser, monkeypatch):
    page = browser("specialist")

    def fail(*_args, **_kwargs):
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(access, "note_request", fail)
    assert page.get("/customers/export.csv").status_code == 503


# ── still here ──


def test_a_page_left_open_keeps_no_session_alive(app, browser):
    with unit_of_work():
        number = make.ticket().number
    page = browser("specialist")
    token = page.token(f"/tickets/{number}")
    for minutes in (10, 20, 29):
        with clock.frozen(make.MONDAY + timedelta(minutes=minutes)):
            assert page.post(f"/presence/{number}", {"csrf_token": token}).status_code == 200
    with clock.frozen(make.MONDAY + timedelta(minutes=31)):
        assert page.post(f"/presence/{number}", {"csrf_token": token}).status_code == 302
        assert page.get("/account").status_code == 302


def test_a_minute_of_idleness_ends_no_session_that_is_busy(app, browser):
    app.config["IDLE"] = timedelta(minutes=1)
    page = browser("specialist")
    for seconds in range(25, 301, 25):
        with clock.frozen(make.MONDAY + timedelta(seconds=seconds)):
            assert page.get("/account").status_code == 200, seconds
    with clock.frozen(make.MONDAY + timedelta(seconds=300 + 62)):
        assert page.get("/account").status_code == 302


# ── owners and strangers ──


def strangers_try(browser, login: str) -> None:
    for place in range(8):
        thief = browser()
        thief.client.environ_base["REMOTE_ADDR"] = f"198.51.100.{place}"
        for i in range(5):
            thief.log_in(login, f"wrong {i}")


def test_strangers_do_not_keep_out_who_chose_a_password_by_a_link(app, browser):
    with unit_of_work():
        token = links.make(make.who("specialist"), by=make.who("admin"))
    owner, path = browser(), f"/welcome/{token}"
    assert owner.send(path, page=path, password=GOOD, again=GOOD).status_code == 303
    strangers_try(browser, "specialist")
    other = browser()
    other.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert other.log_in("specialist", GOOD).status_code == 429
    assert owner.log_in("specialist", GOOD).status_code == 303


def test_wrong_codes_of_whoever_knows_the_password_do_not_keep_the_owner_out(app, browser):
    owner = browser()
    owner.log_in("specialist")
    with unit_of_work():
        secret = factor.new_secret()
        factor.set_up(make.who("specialist"), secret, pyotp.TOTP(secret).at(clock.now()))
    thief = browser()
    thief.log_in("specialist")
    answers = [thief.send("/login/code", page="/login/code", code=f"{i:06}").status_code for i in range(11)]
    assert answers == [422] * 10 + [429]
    with clock.frozen(make.MONDAY + timedelta(minutes=2)):
        owner.log_in("specialist")
        code = pyotp.TOTP(secret).at(clock.now())
        assert owner.send("/login/code", page="/login/code", code=code).status_code == 303


def test_a_stolen_mark_is_counted_as_well(app, browser):
    """A known browser's codes are no more free than a stranger's."""
    owner = browser("specialist")
    with unit_of_work():
        secret = factor.new_secret()
        factor.set_up(make.who("specialist"), secret, pyotp.TOTP(secret).at(clock.now()))
    owner.log_in("specialist")
    answers = [owner.send("/login/code", page="/login/code", code=f"{i:06}").status_code for i in range(12)]
    assert answers == [422] * 10 + [429] * 2


# ── units of work ──


def test_a_unit_within_a_unit_is_an_error_and_nothing_is_half_done(app):
    with pytest.raises(RuntimeError, match="open already"), unit_of_work():
        make.who("specialist").title = "half done"
        db.session.flush()
        with unit_of_work():
            pass
    assert make.who("specialist").title == "张伟"
    with unit_of_work():
        make.who("specialist").title = "done"
    assert make.who("specialist").title == "done"


def test_a_route_that_says_so_opens_its_units_itself(served, app):
    def in_parts():
        with unit_of_work():
            db.session.query(Login).delete()
        return "", 422

    served.add_url_rule("/in-parts", "in_parts", needs(Permission.PUBLIC)(own_units(in_parts)), methods=["POST"])
    page = Browser(served, "specialist")
    sent = page.post("/in-parts", {"csrf_token": page.token("/account"), "request_id": uuid.uuid4().hex})
    assert sent.status_code == 422
    db.session.rollback()
    assert db.session.query(Login).count() == 0, "what it committed stays"
