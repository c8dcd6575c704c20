"""Every page a role can walk to, seen in a real browser: `make eyes` as each role, in each language and width; else each page
once by its main role, looks in turn. Pictures are kept under build/."""

import os
import re
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from crm.db import unit_of_work
from crm.desk import listing
from crm.permissions import Role
from tests.browsing import Browser
from tests.nets.crawl import Crawl
from tests.nets.world import populate

PICTURES = Path(__file__).parents[2] / "build" / "pictures"
ALL = os.environ.get("CRM_EYES") == "all"
WIDTHS = (1280, 390)
ROLES = [*map(str, Role), "stranger"]
LOOKS = [(language, width) for language in ("zh", "en") for width in WIDTHS]
# a page is first of all whose comes first here; two pages no link leads to besides
MAIN = ["specialist", "followup", "manager", "admin", "director", "archivist", "developer", "stranger"]
BESIDES = {"specialist": ["/nowhere"]}
TURNS = [("zh", 390, "light"), ("en", 1280, "dark"), ("zh", 1280, "light"), ("en", 390, "light"), ("zh", 390, "dark")]
# what is the same in every language: names of things, and what people typed or the browser says of itself
PLAIN = re.compile(
    r"QQ|PDF|Excel|CSV|MB|kB|XLSX?|xlsx?|csv|JSON|json|IP|E1001|Werkzeug|English|list\.csv|[\w.-]+\.(?:pdf|csv|xlsx?)|https?://\S+|otpauth\S*"
)
WORDS = "() => document.body.innerText + ' ' + [...document.querySelectorAll('[placeholder],[title],[aria-label]')].map(" \
        "e => [e.placeholder, e.title, e.getAttribute('aria-label')].filter(Boolean).join(' ')).join(' ')"  # fmt: skip
OURS = "() => [...document.querySelectorAll('code,pre,time,input,textarea,.login,[lang=en]')].map(e => e.innerText || '').join(' ')"


def pages_of(app, role: str) -> dict[str, str]:
    """One address for each page, as the crawl finds them, by endpoint and whether anything is asked; no files."""
    crawl = Crawl(app, Browser(app, role).get, roughly=not ALL)
    assert not crawl.broken, f"{role} is led to what is not there for them: {crawl.broken}"
    found: dict[str, str] = {}
    for address, endpoint in crawl.pages.items():
        if address in crawl.shown:
            found.setdefault(f"{endpoint}?{bool(urlsplit(address).query)}", address)
    return found


def left_in_english(page) -> list[str]:
    """Words of a Chinese page that are English and are not what somebody typed."""
    typed = set(re.findall(r"[A-Za-z]{3,}", page.evaluate(OURS)))
    words = set(re.findall(r"(?<![\w./@-])[A-Z]?[a-z]{3,}(?![\w/@-])", PLAIN.sub(" ", page.evaluate(WORDS))))
    return sorted(words - typed - NAMES)


NAMES = {
    "specialist",
    "followup",
    "manager",
    "director",
    "developer",
    "archivist",
    "admin",
    "stranger",
    "short",
    "name",
    "Chrome",
    "Linux",
}


def faults(page, language: str, complaints: list[str]) -> list[str]:
    """What is wrong with the page that is open, and what the console said."""
    wrong = [f"axe {v['id']}: {v['nodes'][0]['html'][:120]}" for v in Axe().run(page).response["violations"]
             if v["impact"] in ("serious", "critical")]  # fmt: skip
    aside = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if aside > 0:
        wrong.append(f"scrolls {aside} pixels sideways")
    if language == "zh" and (english := left_in_english(page)):
        wrong.append(f"in English: {english}")
    wrong += [f"console: {said}" for said in complaints]
    complaints.clear()
    return wrong


def look_at(page, address: str, language: str, complaints: list[str], name: str) -> list[tuple[str, str]]:
    page.goto(address)
    page.wait_for_load_state("load")
    PICTURES.mkdir(parents=True, exist_ok=True)
    words = re.sub(r"\W+", "-", address).strip("-") or "today"
    page.screenshot(path=PICTURES / f"{words[:80]}-{name}.png", full_page=True)
    if address == "/nowhere":
        complaints.clear()
    return [(address, name, fault) for fault in faults(page, language, complaints)]


@pytest.fixture
def department(served, monkeypatch):
    monkeypatch.setattr(listing, "MOST", 1_000)  # the crawl takes a file of every list and filter it meets
    with served.app_context(), unit_of_work():
        populate()


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not ALL, reason="all looks of each page are for `make eyes`")
@pytest.mark.parametrize(("role", "language", "width"), [(role, *look) for role in ROLES for look in LOOKS])
def test_every_page_of_a_role_is_whole(department, served, open_page, complaints, role, language, width):
    pages, wrong = pages_of(served, role), []
    assert len(pages) > 4
    page = open_page(role, language, width)
    for address in pages.values():
        wrong += look_at(page, address, language, complaints, f"{role}-{language}-{width}")
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.timeout(600)
@pytest.mark.skipif(ALL, reason="`make eyes` sees more")
def test_each_page_is_whole_for_its_main_role(department, served, open_page, complaints):
    seen, wrong, turns = set(), [], cycle(TURNS)
    for role in MAIN:
        pages = {name: at for name, at in pages_of(served, role).items() if name not in seen or at == "/"}
        seen |= pages.keys()
        windows = {}  # the language is that of the log-in
        for address, (language, width, scheme) in zip([*pages.values(), *BESIDES.get(role, [])], turns, strict=False):
            page = windows[language] = windows.get(language) or open_page(role, language)
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(color_scheme=scheme)
            wrong += look_at(page, address, language, complaints, f"{role}-{language}-{width}-{scheme}")
    assert len(seen) > 50
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize(("language", "width", "scheme"), TURNS[:2])
def test_the_door_is_whole(open_page, complaints, language, width, scheme):
    page = open_page(None, language, width, scheme)
    assert not look_at(page, "/login", language, complaints, f"{language}-{width}-{scheme}")
