"""The present password, asked for again: counted, compared with nothing locked, and needed for what hands an account over."""

import re
import time
import uuid
from collections import Counter
from datetime import timedelta

import pyotp
import pytest

from crm import clock
from crm.db import _open, _writing, db, unit_of_work
from crm.duties.models import Event
from crm.staff import factor, links, passwords
from crm.staff.models import Access, Login, SecondFactor
from tests import make
from tests.browsing import Browser, together

GOOD = "four unrelated words 7"
PASSWORD = "/account/password"
CHANGE = {"present": make.PASSWORD, "password": GOOD, "again": GOOD}
LATER = make.MONDAY + timedelta(minutes=11)


def at_once(app, page, many: int, fields: dict) -> Counter:
    """One log-in's form, sent by so many threads at once."""
    name, token = app.config["SESSION_COOKIE_NAME"], page.token(PASSWORD)
    cookie = f"{name}={page.client.get_cookie(name).value}"

    def send(i: int) -> int:
        data = {"csrf_token": token, "request_id": uuid.uuid4().hex} | fields
        return app.test_client(use_cookies=False).post(PASSWORD, data=data, headers={"Cookie": cookie}).status_code

    return Counter(together(many, send))


def rows(kind: str) -> list[Access]:
    db.session.rollback()
    return db.session.query(Access).filter_by(kind=kind).all()


@pytest.mark.parametrize("hard", ["4@8({[<369&!|17$50+%2" * 4, "p4$$w0rd!1|7+%2@8({[<369&50zx" * 3, "1!|7+" * 40])
def test_whatever_is_typed_its_guessing_takes_a_moment(hard):
    passwords.fault("warmed up 1234", [])
    began = time.process_time()
    passwords.fault(hard[: passwords.MOST], ["specialist"])
    assert time.process_time() - began < 0.2


def test_nothing_is_locked_while_passwords_are_compared_or_made(app, browser, monkeypatch):
    locked, calls = [], Counter()

    def watched(name):
        original = getattr(passwords, name)

        def watching(*args):
            calls[name] += 1
            if _writing.get() or _open.get():
                locked.append(name)
            return original(*args)

        monkeypatch.setattr(passwords, name, watching)

    with unit_of_work():
        token = links.make(make.who("followup"), by=make.who("admin"))
    for name in ("matches", "hashed", "fault"):
        watched(name)
    specialist = browser()
    specialist.log_in("specialist")
    assert specialist.send(PASSWORD, **CHANGE).status_code == 303
    welcome = f"/welcome/{token}"
    assert browser().send(welcome, page=welcome, password=GOOD, again=GOOD).status_code == 303
    admin, person = browser("admin"), make.who("manager").path
    with clock.frozen(LATER):
        typed = {"password": GOOD, "present": make.PASSWORD}
        assert admin.send(f"{person}/password", page=person, **typed).status_code == 303
    added = admin.send("/staff/new", login="new.one", title="新人", roles=["specialist"], password=GOOD)
    assert added.status_code == 303
    assert not locked and calls["matches"] == 3 and calls["hashed"] >= 4 and calls["fault"] == 4


def test_fifty_guesses_at_the_present_password_at_once_are_fifty(served, monkeypatch):
    page, calls, original = Browser(served, "specialist"), [], passwords.matches

    def counted(password, against):
        calls.append(password)
        return original(password, against)

    monkeypatch.setattr(passwords, "matches", counted)
    assert at_once(served, page, 50, CHANGE | {"present": "wrong"}) == {422: 10, 429: 40}
    assert len(calls) == 10


def test_a_right_present_password_counts_too(browser):
    page, same = browser("specialist"), {"password": make.PASSWORD, "again": make.PASSWORD}
    answers = [page.send(PASSWORD, present=make.PASSWORD, **same).status_code for _ in range(12)]
    assert answers == [422] * 10 + [429] * 2


def test_a_change_that_is_sent_eight_times_is_made_once(served):
    page = Browser(served, "specialist")
    answers = at_once(served, page, 8, CHANGE | {"request_id": uuid.uuid4().hex})
    assert answers[303] and {*answers} <= {303, 302}  # whoever comes once it is made has a token that is good no more
    with served.app_context():
        assert db.session.query(Event).filter_by(kind="user.password_changed").count() == 1


@pytest.mark.parametrize("act", [lambda page: page.send(PASSWORD, **CHANGE), lambda page: set_up(page)], ids=["password", "factor"])
def test_whoever_copied_the_cookie_is_out_once_the_account_is_made_safe(browser, act):
    page, thief = browser("specialist"), browser()
    thief.client.set_cookie("crm", page.client.get_cookie("crm").value)
    assert thief.get("/account").status_code == 200
    act(page)
    assert thief.get("/account").status_code == 302
    assert page.get("/account").status_code == 200


def test_who_logs_in_again_ends_the_log_in_before(browser):
    page, copied = browser(), browser()
    page.log_in("specialist")
    copied.client.set_cookie("crm", page.client.get_cookie("crm").value)
    page.log_in("specialist")
    assert copied.get("/account").status_code == 302 and page.get("/account").status_code == 200


@pytest.mark.parametrize("weak", ["specialist specialist", "jinyang2026jinyang", "张伟张伟张伟张伟 123", "JinYang-CRM jinyang"])
def test_a_password_of_names_alone_is_too_easy(weak):
    assert passwords.fault(weak, ["specialist", "张伟"])
    assert not passwords.fault(f"{weak} teapot gravel", ["specialist", "张伟"])


def test_a_change_that_is_sent_again_by_reloading_is_said_again_and_not_tried(browser):
    page = browser("specialist")
    form = next(form["fields"] for form in page.forms(PASSWORD) if "again" in form["fields"]) | CHANGE
    assert [page.post(PASSWORD, form).status_code for _ in range(12)] == [303] * 12


def test_guesses_at_the_present_password_stand_in_the_access_log(app, browser):
    page = browser("specialist")
    for i in range(12):
        page.send(PASSWORD, **CHANGE | {"present": f"wrong {i}"})
    me = make.who("specialist").id
    assert [(row.user_id, row.path) for row in rows("present_wrong")] == [(me, f"POST {PASSWORD}")] * 10
    assert [row.user_id for row in rows("too_often")] == [me]


# ── the second factor ──


def set_up(page) -> str:
    path = "/account/second-factor"
    form = next(form["fields"] for form in page.forms(path) if "sealed" in form["fields"])
    text = page.post(path, form | {"present": make.PASSWORD, "code": "000000"}).text
    secret = re.search(r'data-copy="(\w{32})"', text)[1]
    answer = page.post(path, form | {"present": make.PASSWORD, "code": pyotp.TOTP(secret).at(clock.now())})
    assert answer.status_code == 200 and answer.text.count("<code>") == factor.SPARE
    return secret


def test_setting_it_up_and_removing_it_end_all_other_log_ins(browser):
    here, there = browser("specialist"), browser("specialist")
    set_up(here)
    assert here.get("/").status_code == 200 and there.get("/").status_code == 302


def test_removing_it_ends_them_whoever_removes_it(app, browser):
    here, there = browser("specialist"), browser("specialist")
    set_up(here)
    with unit_of_work():
        db.session.query(Login).update({"ended_at": None})
    path = "/account/second-factor/removal"
    assert here.send(path, page=path, present=make.PASSWORD).status_code == 303
    assert here.get("/").status_code == 200 and there.get("/").status_code == 302
    set_up(here)
    with unit_of_work():
        factor.remove(make.who("specialist"), by=make.who("admin"))
    assert here.get("/").status_code == 302


def test_a_secret_is_taken_only_from_the_page_of_the_same_log_in(app, browser):
    path, strange = "/account/second-factor", browser("specialist2")
    sealed = next(form["fields"]["sealed"] for form in strange.forms(path) if "sealed" in form["fields"])
    secret = strange.post(path, {"csrf_token": strange.token(path), "request_id": uuid.uuid4().hex, "sealed": sealed})
    code = pyotp.TOTP(re.search(r'data-copy="(\w{32})"', secret.text)[1]).at(clock.now())
    page = browser("specialist")
    for given in (sealed, sealed[:-1], "x", "1.2.3"):
        assert page.send(path, page=path, sealed=given, code=code, present=make.PASSWORD).status_code == 422
    db.session.rollback()
    assert db.session.query(SecondFactor).count() == 0


def in_the_cookie(app, page) -> str:
    name = app.config["SESSION_COOKIE_NAME"]
    serializer = app.session_interface.get_signing_serializer(app)
    return repr(serializer.loads(page.client.get_cookie(name).value))


def test_nothing_that_is_shown_once_is_carried_in_a_cookie(app, browser):
    page = browser("specialist")
    secret = set_up(page)
    assert secret not in in_the_cookie(app, page) and "spare" not in in_the_cookie(app, page)
    admin, person = browser("admin"), make.who("manager").path
    answer = admin.send(f"{person}/link", page=person)
    token = answer.text.split("/welcome/")[1][:32]
    assert token not in in_the_cookie(app, admin) and answer.headers["Cache-Control"] == "no-store"
    for path in (person, f"{person}?shown=link"):
        assert token not in admin.get(path).text


def test_a_link_that_is_asked_for_twice_with_one_form_is_shown_once(app, browser):
    admin, person = browser("admin"), make.who("manager").path
    form = next(form["fields"] for form in admin.forms(person) if f"{person}/link" in form["actions"])
    assert "/welcome/" in admin.post(f"{person}/link", form).text
    again = admin.post(f"{person}/link", form)
    assert again.status_code == 303
    shown = admin.get(again.location).text
    assert "shown once already" in shown and "/welcome/" not in shown


# ── what hands an account over ──


def acts() -> dict[str, tuple[str, dict]]:
    person = make.who("manager").path
    return {
        "link": (person, {}), "password": (person, {"password": GOOD}), "factor-removal": (person, {}),
        "access": ("/settings/access", {"roles": ["manager"]}),
    }  # fmt: skip


@pytest.mark.parametrize("act", ["link", "password", "factor-removal", "access"])
def test_after_ten_minutes_the_administrator_gives_the_password_again(app, browser, act):
    admin, (page, fields) = browser("admin"), acts()[act]
    path = page if act == "access" else f"{page}/{act}"
    with unit_of_work():
        db.session.add(SecondFactor(user_id=make.who("manager").id, secret="x", since=clock.now()))
    with clock.frozen(LATER):
        for present in ("", "wrong"):
            refused = admin.send(path, page=page, **fields, present=present)
            assert refused.status_code == 422 and 'name="present"' in refused.text
        if act == "access":
            assert 'checked' in refused.text.split('value="manager"')[0].rpartition("<input")[2] + refused.text.split(
                'value="manager"')[1].split(">")[0]  # fmt: skip
        assert db.session.query(SecondFactor).count() == 1 and len(rows("present_wrong")) == 1
        assert admin.send(path, page=page, **fields, present=make.PASSWORD).status_code in (200, 303)
        assert 'name="present"' not in admin.get(page).text, "it was given a moment ago"


def test_within_ten_minutes_nothing_more_is_asked(app, browser):
    admin, (page, _fields) = browser("admin"), acts()["link"]
    with clock.frozen(make.MONDAY + timedelta(minutes=9)):
        assert 'name="present"' not in admin.get(page).text
        assert "/welcome/" in admin.send(f"{page}/link", page=page).text


@pytest.mark.parametrize(("host", "whole"), [
    ("localhost", True), ("127.0.0.1:8000", True), ("[::1]:8000", True), ("10.0.0.5", True),
    ("evil.example", False), ("localhost.evil.example", False),
    ("evil@localhost", False), ("localhost:80@evil", False), ("[", False), ("localhost:x", False),
])  # fmt: skip
def test_a_strangers_word_on_the_host_gets_into_no_link(app, browser, host, whole):
    app.config["HOSTS"] = "10.0.0.5"
    admin, person = browser("admin"), make.who("manager").path
    form = next(form["fields"] for form in admin.forms(person) if f"{person}/link" in form["actions"])
    cookie = f"crm={admin.client.get_cookie('crm').value}"
    headers = {"Host": host, "Cookie": cookie, "Accept-Language": "en"}
    text = app.test_client(use_cookies=False).post(f"{person}/link", data=form, headers=headers).text
    assert "evil" not in text and "/welcome/" in text
    assert (f"http://{host}/welcome/" in text) == whole and ("CRM_URL" in text) != whole


def test_a_password_that_was_changed_while_it_was_compared_confirms_nothing(app, browser, monkeypatch):
    admin, person = browser("admin"), make.who("manager").path
    original = passwords.matches

    def meanwhile(password, against):
        with unit_of_work():
            make.staff.change_password(make.who("admin"), "a hash", keep=db.session.query(Login).one())
        return original(password, against)

    with clock.frozen(LATER):
        form = next(form["fields"] for form in admin.forms(person) if f"{person}/link" in form["actions"])
        monkeypatch.setattr(passwords, "matches", meanwhile)
        answer = admin.post(f"{person}/link", form | {"present": make.PASSWORD})
    assert answer.status_code == 422 and "/welcome/" not in answer.text
