"""How values look in pages."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from crm import clock, shown
from crm.db import unit_of_work
from crm.duties.models import Subject
from tests import make

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("0514-05090570", "051405090570"), ("(0514) 8888 转 23", "05148888"), ("（0514）8888", "05148888"),
        ("13912345678/13900000000", "13912345678"), ("+86 139 1234 5678", "+8613912345678"), ("无", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_telephone_is_given_what_it_can_dial(written, dialled):
    assert shown.dialled(written) == dialled


def test_one_tap_on_a_number_dials_it(app, browser):
    with unit_of_work():
        unit = make.customer()
        make.contact(unit, mobile="139 1234 5678", phone="问前台")
    page = browser("specialist").get(unit.path).text
    assert 'href="tel:13912345678">139 1234 5678</a>' in page
    assert "<span>问前台</span>" in page, "what is no number is no link"


def test_every_icon_named_in_a_page_or_on_a_button_is_there(app):
    there = set(re.findall(r'id="([a-z0-9-]+)"', (ROOT / "crm/static/vendor/icons.svg").read_text(encoding="utf-8")))
    named = {name for page in (ROOT / "templates").rglob("*.html") for name in re.findall(r'icon\("([a-z0-9-]+)"', page.read_text(encoding="utf-8"))}
    named |= {move.icon for kind in Subject.__mapper__.self_and_descendants for move in kind.class_.MOVES.values() if move.icon}
    assert there and not named - there


def test_how_long_it_took_is_said_in_each_readers_language(served):
    said = {}
    for language in ("zh-CN", "en", "zh-CN"):
        with served.test_request_context("/", headers={"Accept-Language": language}):
            said.setdefault(language, set()).add((shown.lasting(3600 * 5), shown.relative(clock.now() + timedelta(hours=5))))
    assert said == {"zh-CN": {("5小时", "5小时后")}, "en": {("5 hours", "in 5 hours")}}


def test_a_story_tells_the_hour_of_what_happened_years_ago(app):
    with clock.frozen(make.MONDAY):
        once = clock.parse("2016-02-29T14:05:33")
        assert ">2016-02-29<" in shown.when(once) and ">2016-02-29 14:05<" in shown.when(once, hours=True)
        assert ">02-28 14:05<" in shown.when(clock.parse("2026-02-28T14:05:33"))


@pytest.mark.parametrize(
    ("login", "used"),
    [
        ("specialist", ["/", "/tickets", "/visits", "/changes"]), ("manager", ["/", "/tickets", "/visits", "/changes"]),
        ("followup", ["/", "/tickets", "/callbacks", "/contracts"]), ("director", ["/", "/dashboard", "/reports", "/penalties"]),
        ("developer", ["/", "/tickets", "/changes", "/papers"]), ("archivist", ["/", "/papers", "/penalties", "/absences"]),
        ("admin", ["/", "/staff", "/settings/company", "/settings/access"]),
    ],
)  # fmt: skip
def test_at_the_foot_of_a_phone_stand_the_four_pages_a_role_uses_most_and_all_others_under_more(browser, login, used):
    page = browser(login).get("/").text
    rail, foot = (page[page.index(f'<nav class="{name}"') :].partition("</nav>")[0] for name in ("rail", "bottom"))
    links = re.findall(r'class="bottom-link[^"]*" href="([^"]+)"', foot)
    assert links == used
    assert sorted(re.findall(r'<a [^>]*href="([^"]+)"', foot)) == sorted(re.findall(r'<a [^>]*href="([^"]+)"', rail))
