"""Every page a role can walk to, seen in a real browser; `make eyes` in each language and width, else one look each."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from crm.db import unit_of_work
from crm.permissions import Role
from tests.conftest import Browser
from tests.nets.crawl import Crawl
from tests.nets.world import populate

PICTURES = Path(__file__).parents[2] / "build" / "pictures"
ALL = os.environ.get("CRM_EYES") == "all"
WIDTHS = (1280, 390)
ROLES = [*map(str, Role), "stranger"]
LOOKS = [(language, width) for language in ("zh", "en") for width in WIDTHS]
JOBS = (
    [(role, *look) for role in ROLES for look in LOOKS] if ALL else [("specialist", "zh", 390), ("admin", "zh", 1280)]
)
# what is the same in every language: names of things, and what people typed or the browser says of itself
PLAIN = re.compile(
    r"QQ|PDF|Excel|CSV|MB|kB|XLSX?|xlsx?|csv|JSON|json|IP|E1001|Werkzeug|English|list\.csv|[\w.-]+\.(?:pdf|csv|xlsx?)|https?://\S+|otpauth\S*"
)
WORDS = "() => document.body.innerText + ' ' + [...document.querySelectorAll('[placeholder],[title],[aria-label]')].map(" \
        "e => [e.placeholder, e.title, e.getAttribute('aria-label')].filter(Boolean).join(' ')).join(' ')"  # fmt: skip
OURS = "() => [...document.querySelectorAll('code,pre,time,input,textarea,.login,[lang=en]')].map(e => e.innerText || '').join(' ')"


def pages_of(app, role: str) -> list[str]:
    """One address for each page, as the crawl finds them; what is not a page is left out."""
    crawl = Crawl(app, Browser(app, role).get)
    found: dict[str, str] = {}
    for address, endpoint in crawl.pages.items():
        if address in crawl.shown:
            found.setdefault(f"{endpoint}?{bool(urlsplit(address).query)}", address)
    return list(found.values())


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


def faults(page, language: str) -> list[str]:
    """What is wrong with the page that is open."""
    wrong = [f"axe {v['id']}: {v['nodes'][0]['html'][:120]}" for v in Axe().run(page).response["violations"]
             if v["impact"] in ("serious", "critical")]  # fmt: skip
    aside = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if aside > 0:
        wrong.append(f"scrolls {aside} pixels sideways")
    if language == "zh" and (english := left_in_english(page)):
        wrong.append(f"in English: {english}")
    return wrong


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("role", "language", "width"), JOBS)
def test_every_page_of_a_role_is_whole(served, open_page, complaints, role, language, width):
    with served.app_context(), unit_of_work():
        populate()
    pages, wrong = pages_of(served, role), []
    assert len(pages) > 4
    page = open_page(role, language, width)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for address in pages:
        page.goto(address)
        page.wait_for_load_state("load")
        name = re.sub(r"\W+", "-", address).strip("-") or "today"
        page.screenshot(path=PICTURES / f"{name[:80]}-{role}-{language}-{width}.png", full_page=True)
        wrong += [(address, fault) for fault in faults(page, language)]
        wrong += [(address, "console", said) for said in complaints]
        complaints.clear()
    assert not wrong, "\n".join(map(str, wrong))
