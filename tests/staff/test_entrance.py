"""The door: how often it may be tried, the second factor, one-time links, log-ins of one's own, and what is noted."""

import re
import subprocess
import sys
from datetime import timedelta

import pyotp
import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.staff import access, factor, links, passwords, throttle
from crm.staff.entrance import Visitor
from crm.staff.models import Access, AccessKind, Attempt, Link, Login, SecondFactor
from tests import make
from tests.browsing import together
from tests.reading import FormReader

GOOD = "four unrelated words 7"


def forms_of(text: str, path: str) -> list[dict]:
    """The forms of an answer that lead to `path`."""
    reader = FormReader(path)
    reader.feed(text)
    return [form for form in reader.forms if form["method"] == "post" and path in form["actions"]]


def noted() -> list[str]:
    db.session.rollback()
    return [row.kind for row in db.session.query(Access).order_by(Access.id)]


def try_in(page, login: str, password: str) -> int:
    return page.send("/login", login=login, password=password).status_code


def test_ten_tries_a_quarter_of_an_hour_then_it_waits(browser, app):
    page = browser()
    answers = [try_in(page, "specialist", f"wrong {i}") for i in range(13)]
    assert answers == [422] * 10 + [429] * 3
    assert try_in(page, "specialist", make.PASSWORD) == 429
    assert noted() == ["wrong"] * 10 + ["too_often"]
    with clock.frozen(make.MONDAY + timedelta(minutes=16)):
        assert try_in(page, "specialist", make.PASSWORD) == 303


def test_fifty_tries_at_once_are_fifty(served):
    calls: list[int] = []
    original = passwords.matches

    def counted(password, against):
        calls.append(1)
        return original(password, against)

    clients = [served.test_client() for _ in range(50)]
    tokens = []
    for client in clients:
        page = client.get("/login").text
        tokens.append(page.split('name="csrf_token" value="')[1].split('"')[0])
    passwords.matches = counted
    try:
        answers = together(
            50,
            lambda i: (
                clients[i]
                .post("/login", data={"csrf_token": tokens[i], "login": "manager", "password": f"no {i}"})
                .status_code
            ),
        )
    finally:
        passwords.matches = original
    assert sorted(answers) == [422] * 10 + [429] * 40 and len(calls) == 10


def strangers_try(browser) -> None:
    """From more places than one account's limit for all of them has room for."""
    for place in range(4):
        thief = browser()
        thief.client.environ_base["REMOTE_ADDR"] = f"198.51.100.{place}"
        for i in range(10):
            try_in(thief, "specialist", f"wrong {i}")


def test_strangers_elsewhere_do_not_lock_out_a_browser_that_was_in_before(browser, served, app):
    owner = browser()
    owner.log_in("specialist")
    owner.send("/logout")
    strangers_try(browser)
    another = browser()
    another.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert try_in(another, "specialist", make.PASSWORD) == 429  # slowed down for all who are not known
    assert try_in(owner, "specialist", make.PASSWORD) == 303


def test_whoever_goes_on_trying_at_one_place_holds_up_nobody_elsewhere(browser, app):
    thief, owner = browser(), browser()
    assert [try_in(thief, "director", f"wrong {i}") for i in range(40)] == [422] * 10 + [429] * 30
    owner.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert try_in(owner, "director", make.PASSWORD) == 303


def test_a_mark_is_void_once_the_password_changes_and_who_changed_it_has_a_new_one(browser, app):
    held, owner = browser(), browser()
    for page in (held, owner):
        page.log_in("specialist")
    held.send("/logout")
    good = "a fresh wind over 7 hills"
    assert owner.send("/account/password", page="/account/password", present=make.PASSWORD, password=good, again=good).status_code == 303
    owner.send("/logout")
    strangers_try(browser)
    for page in (held, owner):
        page.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert try_in(held, "specialist", good) == 429, "it is a stranger's again"
    assert try_in(owner, "specialist", good) == 303


def test_one_password_on_many_accounts_is_held_up_by_its_address(browser, app):
    page = browser()
    answers = [try_in(page, f"person{i}", "spring 2026 spring") for i in range(throttle.ADDRESS + 5)]
    assert answers == [422] * throttle.ADDRESS + [429] * 5


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.9", "203.0.113.9"), ("::ffff:203.0.113.9", "203.0.113.9"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"), ("2001:db8:1:3::1", "2001:db8:1:3::/64"), ("fe80::1%eth0", "fe80::/64"),
        ("", ""), ("unix:", "unix:"),
    ],
)  # fmt: skip
def test_whoever_has_one_address_of_a_network_of_ipv6_has_all_of_them(address, place):
    assert Visitor(address).place == place


def test_a_network_of_ipv6_counts_as_one_address(browser, app):
    page = browser()
    answers = []
    for i in range(throttle.DOOR + 2):
        page.client.environ_base["REMOTE_ADDR"] = f"2001:db8::{i + 1:x}"
        answers.append(try_in(page, "specialist", "wrong wrong wrong"))
    assert answers == [422] * throttle.DOOR + [429] * 2


def test_a_forwarded_address_that_nobody_vouches_for_helps_nobody(browser, app):
    page = browser()
    answers = []
    for i in range(12):
        page.headers["X-Forwarded-For"] = f"192.0.2.{i}"
        answers.append(try_in(page, "specialist", f"wrong {i}"))
    assert answers == [422] * 10 + [429] * 2


def test_coming_in_starts_the_count_afresh_and_old_counts_are_swept(browser, app):
    page = browser()
    for i in range(9):
        try_in(page, "specialist", f"wrong {i}")
    assert try_in(page, "specialist", make.PASSWORD) == 303
    page.send("/logout")
    assert [try_in(page, "specialist", f"wrong {i}") for i in range(9)] == [422] * 9
    assert throttle.forget(clock.now() + timedelta(minutes=16)) > 0
    db.session.rollback()
    assert db.session.query(Attempt).count() == 0


# ── the second factor ──


def with_factor(login: str = "specialist") -> str:
    """Set up in the last log-in there is."""
    secret = factor.new_secret()
    with unit_of_work():
        me = make.who(login)
        here = db.session.query(Login).filter_by(user_id=me.id).order_by(Login.id.desc()).first()
        factor.set_up(me, secret, pyotp.TOTP(secret).at(clock.now()), keep=here)
    return secret


def test_it_is_set_up_by_scanning_and_a_code(browser, app):
    page = browser("specialist")
    shown = page.get("/account/second-factor").text
    secret = re.search(r'data-copy="(\w{32})"', shown)[1]
    assert "<svg" in shown and "<script" not in shown.split('class="qr"')[1].split("</div>")[0]
    path, form = "/account/second-factor", forms_of(shown, "/account/second-factor")[0]["fields"]
    wrong = page.post(path, form | {"code": "000000", "present": make.PASSWORD})
    assert wrong.status_code == 422 and secret in wrong.text
    right = form | {"code": pyotp.TOTP(secret).at(clock.now())}
    for present in ("", "wrong"):
        assert page.post(path, right | {"present": present}).status_code == 422
    answer = page.post(path, right | {"present": make.PASSWORD})
    assert answer.text.count("<code>") == factor.SPARE
    again = page.post(path, right | {"present": make.PASSWORD})
    assert again.status_code == 303 and "<code>" not in page.get(again.location).text  # once


def test_the_password_alone_opens_nothing_then(browser, app):
    secret = with_factor()
    page = browser()
    answer = page.log_in("specialist")
    assert answer.location.startswith("/login/code")
    for path in ("/", "/tickets", "/account", "/customers"):
        assert page.get(path).status_code == 302
    with clock.frozen(make.MONDAY + timedelta(minutes=2)):
        code = pyotp.TOTP(secret).at(clock.now())
        assert page.send("/login/code", page="/login/code", code=f" {code[:3]} {code[3:]} ").status_code == 303
        assert page.get("/").status_code == 200


def test_a_code_is_taken_once(browser, app):
    secret = with_factor()
    first, second = browser(), browser()
    first.log_in("specialist"), second.log_in("specialist")
    with clock.frozen(make.MONDAY + timedelta(minutes=2)):
        code = pyotp.TOTP(secret).at(clock.now())
        assert first.send("/login/code", page="/login/code", code=code).status_code == 303
        assert second.send("/login/code", page="/login/code", code=code).status_code == 422
        wide = code.translate({ord(str(i)): chr(0xFF10 + i) for i in range(10)})
        assert second.send("/login/code", page="/login/code", code=wide).status_code == 422


def test_codes_are_not_guessed(browser, app):
    with_factor()
    page = browser()
    page.log_in("specialist")
    answers = [page.send("/login/code", page="/login/code", code=f"{i:06}").status_code for i in range(12)]
    assert answers == [422] * 10 + [429] * 2
    assert noted().count("code_wrong") == 10


def test_a_spare_code_works_once(app):
    with unit_of_work():
        user = make.who("specialist")
        secret = factor.new_secret()
        spare = factor.set_up(user, secret, pyotp.TOTP(secret).at(clock.now()))
    for right in (True, False):
        with unit_of_work():
            assert factor.takes(make.who("specialist").id, spare[0].upper()) is right
    assert len(db.session.get(SecondFactor, make.who("specialist").id).codes) == factor.SPARE - 1


def test_a_role_that_needs_it_leads_there_before_anything_else(browser, app):
    page = browser("manager")
    assert browser("admin").send("/settings/access", page="/settings/access", roles=["manager"]).status_code == 303
    assert page.get("/").location == "/account/second-factor"
    assert page.get("/account/second-factor").status_code == 200
    assert browser("specialist").get("/").status_code == 200
    secret = with_factor("manager")
    assert secret and page.get("/").status_code == 200
    removal = page.send("/account/second-factor/removal", page="/account/second-factor/removal", present=make.PASSWORD)
    assert removal.status_code == 403


def test_one_may_remove_ones_own_with_the_password_and_the_administrator_a_lost_one(browser, app):
    page = browser("specialist")
    with_factor()
    path = "/account/second-factor/removal"
    assert page.send(path, page=path, present="wrong").status_code == 422
    assert page.send(path, page=path, present=make.PASSWORD).status_code == 303
    with_factor()
    person = make.who("specialist").path
    assert browser("admin").send(f"{person}/factor-removal", page=person).status_code == 303
    db.session.rollback()
    assert db.session.query(SecondFactor).count() == 0 and page.get("/").status_code == 302


# ── one-time links ──


def test_a_new_account_is_handed_a_link_and_chooses_its_password(browser, app):
    admin, guest = browser("admin"), browser()
    answer = admin.send(
        "/staff/new", page="/staff/new", login="new.one", title="新人", roles=["specialist"], password=""
    )
    path = "/welcome/" + answer.text.split("http://localhost/welcome/")[1][:32]
    assert "new.one" in guest.get(path).text
    assert guest.send(path, page=path, password="short", again="short").status_code == 422
    assert guest.send(path, page=path, password=GOOD, again="other").status_code == 422
    assert guest.send(path, page=path, password=GOOD, again=GOOD).location == "/login"
    assert guest.get(path).status_code == 404  # used up
    assert guest.log_in("new.one", GOOD).status_code == 303
    assert guest.get("/").status_code == 200


@pytest.mark.parametrize(
    "how", ["expired", "another made", "password changed", "made inactive", "inactive for a while", "used"]
)
def test_a_link_dies(app, browser, how):
    with unit_of_work():
        user, admin = make.who("specialist"), make.who("admin")
        token = links.make(user, by=admin)
    later = timedelta(days=4) if how == "expired" else timedelta()
    with unit_of_work():
        user, admin = make.who("specialist"), make.who("admin")
        if how == "another made":
            links.make(user, by=admin)
        if how == "password changed":
            make.staff.change_password(user, make.hashed(GOOD))
        if how == "made inactive":
            make.staff.edit_user(user, by=admin, roles=user.roles, active=False)
        if how == "inactive for a while":
            for active in (False, True):
                make.staff.edit_user(user, by=admin, roles=user.roles, active=active)
        if how == "used":
            links.use(token, make.hashed(GOOD))
    with clock.frozen(make.MONDAY + later):
        gone = browser().get(f"/welcome/{token}")
    assert gone.status_code == 404 and "This link is no longer good" in gone.text and "To the log-in" in gone.text
    assert db.session.query(Link).filter(Link.token_hash == token).count() == 0  # only hashes are kept


def test_of_eight_uses_at_once_one_counts(served):
    with served.app_context():
        with unit_of_work():
            token = links.make(make.who("specialist"), by=make.who("admin"))
        db.session.remove()

    def use(i: int) -> bool:
        with served.app_context():
            try:
                with unit_of_work():
                    links.use(token, f"hash {i}")
                return True
            except Exception:
                return False
            finally:
                db.session.remove()

    assert together(8, use).count(True) == 1


# ── one's own log-ins, and what is noted ──


def test_one_sees_and_ends_ones_own_log_ins(browser, app):
    here, there, other = browser("specialist"), browser("specialist"), browser("specialist2")
    page = here.get("/account").text
    assert page.count('class="session"') == 2 and page.count("/end") == 2
    strange = db.session.query(Login).filter_by(user_id=make.who("specialist2").id).one().id
    assert here.send(f"/account/sessions/{strange}/end", page="/account").status_code == 404
    assert other.get("/").status_code == 200
    db.session.rollback()
    own = db.session.query(Login).filter_by(user_id=make.who("specialist").id).order_by(Login.id.desc()).first().id
    assert here.send(f"/account/sessions/{own}/end", page="/account").status_code == 303
    assert there.get("/").status_code == 302 and here.get("/").status_code == 200


def test_ending_all_others_leaves_this_one(browser):
    here, there, third = (browser("specialist") for _ in range(3))
    assert here.send("/account/sessions/others/end", page="/account").status_code == 303
    assert [page.get("/").status_code for page in (here, there, third)] == [200, 302, 302]


def test_log_ins_and_denials_are_noted_and_mistyped_addresses_are_not(browser, app):
    page = browser("specialist")
    page.get("/staff")
    page.get("/tickets/T2611-9999")
    page.get("/no/such/page")
    page.send("/logout")
    assert noted() == ["entered", "denied", "beyond", "left"]
    shown = browser("admin").get("/staff/access").text
    assert "GET /staff" in shown and "GET /tickets/T2611-9999" in shown
    assert browser("manager").get("/staff/access").status_code == 403
    with clock.frozen(make.MONDAY + timedelta(days=200)):
        assert access.forget(clock.now()) == 7


def test_the_access_log_is_filtered_and_paged(browser, app):
    with unit_of_work(), app.test_request_context():
        for _ in range(60):
            access.note_request(AccessKind.WRONG, None)
        access.note_request(AccessKind.LEFT, make.who("manager").id)
    assert len(access.listing(None, access.Filter()).rows) == 50 and access.listing(None, access.Filter()).next
    assert len(access.listing(None, access.Filter("left")).rows) == 1
    assert len(access.listing(None, access.Filter(person=make.who("manager").id)).rows) == 1


@pytest.mark.parametrize(
    "password", ["passwordpassword", "aaaaaaaaaaaaaa", "123456789012", "qwertyuiop[]", "specialist-12"]
)
def test_what_is_easily_guessed_is_no_password(password):
    assert passwords.fault(password, ["specialist"])


@pytest.mark.parametrize("password", [GOOD, "今天天气很好我们去爬山吧", "x8#kQ2!mZp0v"])
def test_what_is_not_is_one(password):
    assert passwords.fault(password, ["specialist"]) == ""


def test_the_present_password_is_not_guessed_inside_either(browser):
    page, path = browser("specialist"), "/account/password"
    typed = {"password": GOOD, "again": GOOD}
    answers = [page.send(path, page=path, present=f"wrong {i}", **typed).status_code for i in range(12)]
    assert answers == [422] * 10 + [429] * 2
    assert page.send(path, page=path, present=make.PASSWORD, **typed).status_code == 429
    with clock.frozen(make.MONDAY + timedelta(minutes=16)):
        assert page.send(path, page=path, present=make.PASSWORD, **typed).status_code == 303


ENDED = "Your log-in has ended; log in to go on."


@pytest.mark.parametrize("minutes", [0, 31])
def test_whose_log_in_was_ended_or_ran_out_is_told_so_at_the_door(app, browser, minutes):
    page = browser("specialist")
    if not minutes:
        browser("specialist").send("/account/sessions/others/end", page="/account")
    with clock.frozen(make.MONDAY + timedelta(minutes=minutes)):
        assert ENDED in page.get("/tickets", follow_redirects=True).text
        assert ENDED not in page.log_in("specialist", "wrong").text, "then that is what is said"
        page.log_in("specialist")
        assert ENDED not in page.get("/login").text


def test_strangers_and_whoever_logged_out_are_told_nothing_of_a_log_in(app, browser):
    assert ENDED not in browser().get("/tickets", follow_redirects=True).text
    page = browser("specialist")
    page.send("/logout", page="/account")
    assert ENDED not in page.get("/tickets", follow_redirects=True).text
    assert ENDED not in with_factor_waiting(browser).get("/login").text


def with_factor_waiting(browser):
    with unit_of_work():
        db.session.add(SecondFactor(user_id=make.who("manager").id, secret="x", since=clock.now()))
    page = browser("manager")
    assert page.get("/login/code").status_code == 200
    return page


def test_passwords_are_kept_as_is_advised_and_what_was_kept_otherwise_is_made_anew():
    """In a process of its own: tests themselves use a cheap one."""
    code = (
        "from argon2 import PasswordHasher; from crm.staff.passwords import hashed, renewed; now = hashed('x'); "
        "then = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash('x'); "
        "print(now, renewed('x', now) == '', renewed('x', then))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    now, same, anew = done.stdout.split()
    assert now.startswith("$argon2id$v=19$m=9216,t=4,p=1$") and same == "True" and anew.startswith("$argon2id$v=19$m=9216,t=4,p=1$")
