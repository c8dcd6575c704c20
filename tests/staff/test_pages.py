"""What the pages of accounts ask of a browser."""

import re

import pyotp
import pytest

from crm import clock
from crm.staff import queries
from crm.staff.forms import CodeForm
from tests import make


@pytest.mark.parametrize("path", ["/staff/new", "/staff/U0001", "/settings/access"])
def test_nobody_needs_every_role(app, browser, path):
    boxes = re.findall(r'<input[^>]*name="roles"[^>]*>', browser("admin").get(path).text)
    assert len(boxes) == 7 and not any("required" in box for box in boxes)


def test_a_spare_code_can_be_typed_on_a_phone(app):
    with app.test_request_context():
        assert "inputmode" not in CodeForm().code()


def test_the_access_log_offers_whoever_ever_came_in(app):
    assert {person.name for person in queries.entered()} >= {"张伟", "周敏"}


def test_the_key_is_read_in_groups_of_four_and_copied_without_blanks(app, browser):
    shown = browser("specialist").get("/account/second-factor").text
    read, copied = re.search(r'<code class="secret">.*?<span>([^<]+)</span>.*?data-copy="([^"]+)"', shown, re.S).groups()
    assert re.fullmatch(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", read) and read.replace(" ", "") == copied


def test_the_spare_codes_are_copied_all_at_once_or_printed(app, browser):
    page = browser("specialist")
    key = re.search(r'data-copy="(\w{32})"', (shown := page.get("/account/second-factor").text))[1]
    fields = {name: re.search(rf'name="{name}"[^>]*value="([^"]+)"', shown)[1] for name in ("csrf_token", "request_id", "sealed")}
    typed = {"present": make.PASSWORD, "code": pyotp.TOTP(key).at(clock.now())}
    given = page.post("/account/second-factor", fields | typed).text
    codes = re.findall(r"<li><code>(\w+)</code>", given)
    assert len(codes) == 8 and re.search(r'data-copy="([^"]+)"', given)[1].split("\n") == codes and "data-print" in given
