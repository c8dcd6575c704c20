"""Log in and out, accounts and passwords."""

from datetime import timedelta

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.staff.models import Login, User
from tests import make


def cookie(page) -> str:
    return page.client.get_cookie("crm").value


def test_a_copied_cookie_dies_with_the_log_out(browser, served):
    page, thief = browser("specialist"), browser()
    thief.client.set_cookie("crm", cookie(page))
    assert thief.get("/").status_code == 200
    page.send("/logout")
    assert page.get("/").status_code == 302 and thief.get("/").status_code == 302


def test_logging_in_gives_a_fresh_session(browser, app):
    page = browser()
    page.get("/login")
    before = cookie(page)
    page.log_in("specialist")
    assert cookie(page) != before
    assert db.session.query(Login).count() == 1 and len(db.session.query(Login).one().token_hash) == 64


@pytest.mark.parametrize(
    ("login", "password"), [("specialist", "wrong"), ("nobody", "wrong"), ("", ""), ("specialist", "x" * 5000)]
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(browser, login, password):
    page = browser()
    answer = page.log_in(login, password)
    assert answer.status_code == 422 and page.get("/").status_code == 302
    if login and password != "":
        assert "Log-in name or password is wrong." in answer.text


@pytest.mark.parametrize("login", ["SPECIALIST", "ｓpecialist", " specialist "])
def test_other_spellings_of_a_name_are_the_same_account(browser, login):
    page = browser()
    assert page.log_in(login).status_code == 303


@pytest.mark.parametrize(("minutes", "there"), [(29, True), (31, False)])
def test_half_an_hour_without_a_click_ends_the_session(browser, minutes, there):
    page = browser("specialist")
    with clock.frozen(clock.now() + timedelta(minutes=minutes)):
        assert (page.get("/account").status_code == 200) == there


def test_twelve_hours_end_it_however_busy(browser):
    page = browser("specialist")
    for minutes in range(20, 12 * 60, 20):
        with clock.frozen(make.MONDAY + timedelta(minutes=minutes)):
            assert page.get("/account").status_code == 200, minutes
    with clock.frozen(make.MONDAY + timedelta(hours=12, minutes=5)):
        assert page.get("/account").status_code == 302


def test_an_account_made_inactive_is_out_at_once_and_its_password_opens_nothing(browser, app):
    page, admin = browser("specialist"), browser("admin")
    form = next(f["fields"] for f in admin.forms("/staff/U0001") if "title" in f["fields"])
    form.pop("active")
    assert admin.post("/staff/U0001", form).status_code == 303
    assert page.get("/").status_code == 302
    assert page.log_in("specialist").status_code == 422


def test_the_administrator_adds_an_account_whose_password_is_changed_first(browser, app):
    admin = browser("admin")
    added = admin.send(
        "/staff/new", login="New.One", title="新人", roles=["specialist", "followup"], password="first password 1"
    )
    assert added.status_code == 303
    user = db.session.query(User).filter_by(login="new.one").one()
    assert user.roles == {"specialist", "followup"} and user.must_change
    page = browser()
    page.log_in("new.one", "first password 1")
    assert page.get("/tickets").location == "/account/password"
    changed = page.send(
        "/account/password", present="first password 1", password="a second password", again="a second password"
    )
    assert changed.status_code == 303 and page.get("/tickets").status_code == 200


@pytest.mark.parametrize(("present", "new", "again", "said"), [
    ("wrong one entirely", "a new long password", "a new long password", "not your present password"),
    (make.PASSWORD, "short", "short", "At least 12"),
    (make.PASSWORD, make.PASSWORD, make.PASSWORD, "This is the old one"),
    (make.PASSWORD, "a new long password", "another long password", "not the same"),
    (make.PASSWORD, "specialist123", "specialist123", "Too easy to guess"),
])  # fmt: skip
def test_a_bad_new_password_is_refused(browser, present, new, again, said):
    page = browser("specialist")
    answer = page.send("/account/password", present=present, password=new, again=again)
    assert answer.status_code == 422 and said in answer.text and new not in answer.text


def test_changing_the_password_ends_every_other_session(browser):
    page, other = browser("specialist"), browser("specialist")
    assert (
        page.send(
            "/account/password", present=make.PASSWORD, password="a new long password", again="a new long password"
        ).status_code
        == 303
    )
    assert page.get("/").status_code == 200 and other.get("/").status_code == 302


def test_nobody_changes_their_own_roles(browser, app):
    admin = browser("admin")
    number = make.who("admin").number
    form = next(f["fields"] for f in admin.forms(f"/staff/{number}") if "title" in f["fields"])
    assert "roles" not in form and "active" not in form
    assert admin.post(f"/staff/{number}", form | {"roles": ["admin", "director"], "active": ""}).status_code == 303
    assert make.who("admin").roles == {"admin"} and make.who("admin").is_active


@pytest.mark.parametrize("login", ["specialist", "Specialist", "a", "аdmin", "admin\u200b", "a b", "x" * 33, "ą"])
def test_a_name_that_is_taken_or_could_be_mistaken_is_refused(browser, app, login):
    answer = browser("admin").send(
        "/staff/new", login=login, title="新人", password="four unrelated words 7", roles=["specialist"]
    )
    assert answer.status_code == 422
    assert db.session.query(User).count() == len(make.CAST)


def test_a_stale_account_form_shows_both(browser, app):
    admin = browser("admin")
    opened = next(f["fields"] for f in admin.forms("/staff/U0001") if "title" in f["fields"])
    with unit_of_work():
        user = make.who("specialist")
        user.title, user.version = "张伟（新）", user.version + 1
    answer = admin.post("/staff/U0001", opened | {"title": "张大伟"})
    assert answer.status_code == 409 and "张伟（新）" in answer.text and "张大伟" in answer.text
