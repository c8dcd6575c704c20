"""Who reads what (RULES, chapter 4); every route × identity is in `nets/test_matrix.py`."""

import re
import uuid

import pytest

from crm import NotSetUp, create_app
from crm.db import unit_of_work
from crm.duties.models import Subject
from crm.permissions import GRANTS, Role
from crm.tickets import workflow
from tests import make
from tests.models import settings

KNOWN = {"number": "T2611-0001", "key": "0" * 32, "duty_id": "1", "extension_id": "1", "contact_id": "1",
         "filename": "app.css", "message_id": "1", "token": "0" * 32}  # fmt: skip
FOR = {"drafts": "W0001", "suggestions": "W0001", "absences": "A2611-0001", "letters": "L0001", "customers": "K0001", "desk": "K0001", "serials": "I0001", "staff": "U0001", "duties": "R0001", "tickets": "T2611-0001", "visits": "V2611-0001", "changes": "G2611-0001", "opinions": "Y2611-0001", "penalties": "F2611-0001", "statements": "N2611-0001", "callbacks": "B2611-0001", "reports": "M2611-0001", "papers": "P2611-0001", "plans": "H2611-0001",
       "imports": "K0001"}  # fmt: skip


def paths(app):
    """Each (endpoint, method, path) with something that is there put in."""
    for rule in app.url_map.iter_rules():
        number = FOR.get(rule.endpoint.split(".")[0], "T2611-0001")
        if "/customers/" in rule.rule:
            number = "K0001"
        values = {name: KNOWN.get(name, "1") for name in rule.arguments} | (
            {"number": number} if "number" in rule.arguments else {}
        )
        _, path = rule.build(values, append_unknown=False)
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield rule.endpoint, method, path


def test_the_app_does_not_start_with_a_route_that_declares_nothing(database_url, tmp_path, monkeypatch):
    from crm.desk import views

    monkeypatch.delattr(views.healthz, "permission")
    with pytest.raises(NotSetUp, match="desk.healthz"):
        create_app(settings(database_url, tmp_path))


WHAT = {
    "specialist": "callback:read callback:work change:read change:work contract:read contract:work customer:edit customer:read letter:read opinion:read opinion:work paper:hold paper:read report:write serial:issue serial:read ticket:read ticket:work visit:read visit:work",
    "followup": "callback:read callback:work change:read contract:read customer:edit customer:read letter:read notice:send opinion:read opinion:work paper:hold paper:read penalty:enter report:read report:write ticket:read ticket:work visit:read watch",
    "manager": "absence:decide callback:read callback:work change:decide change:read contract:read contract:release contract:work contract:work:any customer:edit customer:read duty:read:any filter:share fund:read letter:read notice:send opinion:investigate opinion:read opinion:work paper:hold paper:read penalty:appoint penalty:enter penalty:issue penalty:read:any penalty:weigh report:read report:receive report:write rulebook:drafts serial:issue serial:issue:any serial:read statement:read ticket:assign ticket:read ticket:work ticket:work:any time:grant visit:decide visit:read watch",
    "director": "absence:decide callback:read callback:work change:decide change:read contract:read customer:edit customer:read duty:read:any filter:share fund:read fund:spend letter:edit letter:read month:close opinion:investigate opinion:read opinion:work paper:hold paper:read penalty:appoint penalty:decide penalty:enter penalty:read:any penalty:weigh plan:sign report:read report:receive report:send report:verify report:write rulebook:drafts rulebook:issue statement:read ticket:assign ticket:read time:grant visit:decide visit:read watch",
    "developer": "change:build change:read paper:hold paper:read ticket:read", "archivist": "paper:archive paper:hold paper:read statement:read statement:take", "admin": "settings:edit staff:edit",
}  # fmt: skip


@pytest.mark.parametrize("role", Role)
def test_a_role_holds_what_is_written_down_here_a_second_time(role):
    """The matrix holds the routes to the table; this holds the table."""
    assert " ".join(sorted(GRANTS[role])) == WHAT[role]


def test_a_post_without_a_token_is_refused_everywhere(app, browser):
    page = browser("manager")
    for endpoint, method, path in list(paths(app)):
        if method == "POST" and endpoint != "static":
            assert page.post(path, {"request_id": uuid.uuid4().hex}).status_code == 400, path


def test_a_password_application_is_seen_by_its_owner_the_manager_and_the_director(app, browser):
    with unit_of_work():
        ticket = make.ticket(category="admin_password", title="忘了超级管理员密码")
        make.filled(ticket)
        number, customer = ticket.number, "K0001"
    for role, status in (
        ("specialist", 200),
        ("manager", 200),
        ("director", 200),
        ("specialist2", 404),
        ("followup", 404),
    ):
        page = browser(role)
        assert page.get(f"/tickets/{number}").status_code == status, role
        for place in ("/tickets", f"/customers/{customer}", "/", "/duties"):
            assert (number in page.get(place).text) <= (status == 200), (role, place)
    scan = re.search(r"/files/([0-9a-f]{32})", browser("specialist").get(f"/tickets/{number}").text)
    assert scan and browser("specialist2").get(scan[0]).status_code == 404


def test_nobody_else_acts_on_anothers_record_by_posting_to_it(app, browser):
    with unit_of_work():
        ticket = make.ticket()
        workflow.start(ticket, by=make.who("specialist"))
        path, version = ticket.path, str(ticket.version)
    for noun in ("ending", "closure", "cancellation", "escalation"):
        answer = browser("specialist2").send(f"{path}/{noun}", reason="x", story="x", version=version)
        assert answer.status_code == 403, noun
    assert browser("followup").send(f"{path}/assignment", to="2", reason="x", version=version).status_code == 403


@pytest.mark.parametrize("target", ["//e.example", "/\\e.example", "\\\\e.example", "////e.example", "https:e.example", "/%09/e",
                                    "javascript:alert(1)", "http://e.example/", "/\te", "@e.example", "／／e.example"])  # fmt: skip
def test_log_in_leads_to_a_page_of_ours_only(browser, target):
    page = browser()
    form = page.forms("/login")[0]["fields"]
    answer = page.client.post(
        "/login", query_string={"next": target}, data={**form, "login": "specialist", "password": make.PASSWORD}
    )
    assert answer.status_code == 303 and re.fullmatch(r"/(%09/e)?", answer.location), answer.location


def test_each_verb_says_what_was_done_in_words_of_its_own():
    for kind in Subject.__subclasses__():
        for name, move in kind.MOVES.items():
            assert kind.noun == "rulebook" or move.done.endswith("."), (kind.noun, name)
