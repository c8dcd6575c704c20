"""Each page as a picture: nothing to the side, nothing in the console, nothing serious for axe. Kept under build/."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from crm.customers import workflow as customers
from crm.db import unit_of_work
from crm.tickets import workflow as tickets
from crm.visits import workflow as visits
from tests import make

PICTURES = Path(__file__).parents[2] / "build" / "pictures"
# each page once by its main role; languages, widths and themes in turn
PAGES = [
    (None, "/login"), ("specialist", "/"), ("specialist", "/tickets"), ("specialist", "/tickets/new?customer=K0001"),
    ("specialist", "/tickets/T2611-0001"), ("manager", "/tickets/T2611-0002"), ("specialist", "/tickets/T2611-0001/edit"),
    ("manager", "/"), ("manager", "/duties"), ("director", "/rulebook"), ("specialist", "/customers"),
    ("specialist", "/customers?lacks=any"), ("specialist", "/customers/K0001"), ("specialist", "/customers/new"),
    ("specialist", "/customers/K0001/edit"), ("specialist", "/customers/K0001/contacts/new"), ("followup", "/installations"),
    ("specialist", "/customers/import"), ("specialist", "/customers/K0001/installations/new"),
    ("specialist", "/installations/I0001"), ("specialist", "/duties/11/extension"), ("admin", "/staff"),
    ("admin", "/staff/new"), ("admin", "/staff/U0001"), ("admin", "/settings/calendar"), ("developer", "/"),
    ("archivist", "/account"), ("specialist", "/search?q=凭证"), ("manager", "/search"), ("admin", "/staff/access"),
    ("admin", "/settings/access"), ("specialist", "/notices"), ("followup", "/account/second-factor"), ("stranger", "/account/password"), ("specialist", "/visits/V2611-0001"), ("specialist", "/visits/V2611-0001/signature"), ("specialist", "/visits/calendar"),
    ("manager", "/visits/calendar?view=month"), ("followup", "/nowhere"),
]  # fmt: skip
LOOKS = [("zh", 1280, "light"), ("en", 390, "light"), ("zh", 390, "dark"), ("en", 1280, "dark")]


@pytest.fixture
def populated(served):
    with served.app_context(), unit_of_work():
        specialist = make.who("specialist")
        unit = make.served_customer()
        customers.add_contact(unit, by=specialist, name="李主任", department="信息科", mobile="13900000001", qq="10001")
        make.ticket(unit, category="data_cleanup", description="凭证太多，打开很慢。")
        other = make.ticket(unit, category="bug", title="报表打开时报错", priority="urgent")
        tickets.start(other, by=specialist)
        tickets.escalate(other, by=specialist, story="客户不接受答复。")
        tickets.end(other, by=specialist)
        tickets.note(other, by=specialist, words="已电话说明。")
        visit = make.visit(unit)
        visits.approve(visit, by=make.who("manager"))
        for step in (visits.depart, visits.arrive):
            step(visit, by=specialist)
        make.feedback_of(visit, signed=True)


@pytest.mark.parametrize(("turn", "role", "path"), [(i, *page) for i, page in enumerate(PAGES)], ids=lambda v: str(v))
def test_a_page_is_whole(populated, open_page, complaints, turn, role, path):
    language, width, scheme = LOOKS[turn % len(LOOKS)]
    page = open_page(role, language, width, scheme)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    PICTURES.mkdir(parents=True, exist_ok=True)
    name = f"{path.strip('/').replace('/', '_').replace('?', '-') or 'today'}-{role}-{language}-{width}-{scheme}.png"
    page.screenshot(path=PICTURES / name, full_page=True)
    aside = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert aside <= 0, f"scrolls {aside} pixels sideways"
    serious = [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in Axe().run(page).response["violations"]
               if v["impact"] in ("serious", "critical")]  # fmt: skip
    assert not serious
    if path == "/nowhere":
        complaints.clear()
