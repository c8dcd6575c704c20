"""The register in the browser: entered, handed over, found again by its code."""

import re

import pytest

from crm.db import db, unit_of_work
from crm.papers import queries, workflow
from crm.papers.models import Paper, State
from crm.tickets import workflow as tickets
from crm.visits import workflow as visits
from tests import make


def approved():
    visit = make.visit()
    visits.approve(visit, by=make.who("manager"))
    return visit


def application(by=None, category: str = "data_cleanup"):
    by = by or make.who("specialist")
    return make.ticket(by=by, category=category, files=[make.application(by)])


def test_a_paper_is_entered_from_its_visit_handed_over_and_archived(app, browser):
    with unit_of_work():
        visit = approved()
    mine, archivists = browser("specialist"), browser("archivist")
    offered = re.search(r'href="(/papers/new\?[^"]+)"', mine.get(visit.path).text)
    assert offered, "the visit says what is expected of it"
    sent = mine.send("/papers/new", page=offered[1].replace("&amp;", "&"), sheets="2")
    path = sent.location
    assert sent.status_code == 303 and path.startswith("/papers/P2611-")
    assert mine.send(f"{path}/offer", to=str(make.who("archivist").id), words="已签字").status_code == 303
    assert archivists.get("/papers?offered=me").text.count(path) > 0
    assert archivists.send(f"{path}/archiving", place="").status_code == 422
    assert archivists.send(f"{path}/archiving", place="甲柜二层").status_code == 303
    paper = db.session.query(Paper).one()
    assert (paper.state, paper.sheets, paper.place) == (State.ARCHIVED, 2, "甲柜二层")
    assert "甲柜二层" in mine.get(visit.path).text


def test_the_code_leads_to_the_paper_or_to_entering_it_with_everything_filled_in(app, browser):
    with unit_of_work():
        visit = approved()
    page = browser("archivist")
    code = f"/papers/find/visit_request/{visit.number}"
    form = page.get(code)
    assert form.location == f"/papers/new?of={visit.number}&kind=visit_request"
    assert page.send("/papers/new", page=form.location).status_code == 303
    paper = db.session.query(Paper).one()
    assert (paper.category, paper.origin_id, paper.owner_id) == ("visit_request", visit.id, make.who("archivist").id)
    assert page.get(code).location == paper.path
    for wrong in (f"/papers/find/napkin/{visit.number}", "/papers/find/visit_request/V2611-9999"):
        assert page.get(wrong).status_code == 404


def test_a_number_typed_by_hand_leads_as_far(app, browser):
    with unit_of_work():
        visit, other = approved(), make.visit()
        paper = make.paper(visit)
        archived = make.paper(other, kind="other")
    page = browser("specialist")
    for typed, to in ((paper.number, paper.path), (visit.number.lower(), f"/papers/find/visit_request/{visit.number}"),
                      (other.number, f"/papers?belongs={other.number}"), ("K0001", "/papers/new?of=K0001")):  # fmt: skip
        assert page.get("/papers/find", query_string={"q": typed}).location == to, typed
    for typed in ("P2611-9999", "", "没有", "x" * 300):
        answer = page.get("/papers/find", query_string={"q": typed}, follow_redirects=True)
        assert answer.status_code == 200, typed
    assert archived.number in page.get(f"/papers?belongs={other.number}").text


def test_the_archivist_reads_titles_and_is_led_nowhere_they_may_not_go(app, browser):
    with unit_of_work():
        visit = approved()
        paper = make.paper(visit)
        free = make.visit()
    page = browser("archivist")
    for path in (paper.path, "/papers", "/papers/expected"):
        text = page.get(path).text
        assert visit.title in text and f'href="{visit.path}"' not in text and 'href="/customers' not in text, path
    assert f'href="{visit.path}"' in browser("specialist").get(paper.path).text
    assert page.get(f"/papers/find/visit_request/{free.number}").status_code == 404, "no paper of it comes to the archive"


def test_what_is_expected_stands_in_a_list_the_longest_first_with_where_it_is(app, browser):
    with unit_of_work():
        first, second = approved(), application()
        paper = make.paper(second, kind="cleanup_application")
    text = browser("archivist").get("/papers/expected").text
    assert text.index(first.number) < text.index(second.number)
    assert paper.number in text and "nobody has said that they have it" in text
    assert first.number not in browser("archivist").get("/papers/expected?to=relations").text


def test_a_password_application_is_expected_only_before_who_may_know(app, browser):
    with unit_of_work():
        ticket = application(category="admin_password")
    for login, seen in (("archivist", True), ("manager", True), ("specialist", True), ("followup", False), ("specialist2", False)):
        page = browser(login)
        assert (ticket.number in page.get("/papers/expected").text) == seen, login
        assert (page.get(f"/papers/find/password_application/{ticket.number}").status_code == 404) != seen, login


def test_a_form_that_cannot_be_taken_keeps_every_word(app, browser):
    with unit_of_work():
        visit = approved()
    page = browser("specialist")
    again = page.send("/papers/new", page="/papers/new", of="V2611-9999", kind="visit_request", title="第二份", sheets="3")
    assert again.status_code == 422 and "V2611-9999" in again.text and "第二份" in again.text
    assert page.send("/papers/new", page="/papers/new", of=visit.number, kind="napkin").status_code == 422
    assert page.send("/papers/new", page="/papers/new", of=visit.number, kind="visit_request", sheets="0").status_code == 422
    with unit_of_work():
        make.paper(visit)
    twice = page.send("/papers/new", page="/papers/new", of=visit.number, kind="visit_request")
    assert twice.status_code == 409 and "P2611-0001" in twice.text


def test_a_manager_says_that_there_is_no_paper(app, browser):
    with unit_of_work():
        ticket = application()
    page = f"/papers/new?of={ticket.number}&kind=cleanup_application"
    assert browser("specialist").send("/papers/absence", page=page, of=ticket.number, reason="x").status_code == 403
    mine = browser("manager")
    assert mine.send("/papers/absence", page=page, reason="").status_code == 422
    assert mine.send("/papers/absence", page=page, reason="邮件发来的，没有纸质单据").status_code == 303
    assert ticket.number not in mine.get("/papers/expected").text


def test_one_scan_on_two_records_is_pointed_out_to_who_may_see_both(app, browser):
    with unit_of_work():
        first, second = application(), application()
        hidden = application(category="admin_password")
        paper = make.paper(first, kind="cleanup_application")
        workflow.note(paper, by=make.who("specialist"), words="扫描件", files=[make.application(make.who("specialist"))])
    told = "the same file is on"
    text = browser("specialist2").get(first.path).text
    assert told in text and second.number in text and hidden.number not in text
    assert hidden.number in browser("manager").get(first.path).text
    for _other in range(4):
        with unit_of_work():
            application()
    text = browser("specialist2").get(first.path).text
    assert text.count(told) == 3 and "and on others, too" in text
    own = browser("specialist").get(paper.path).text
    assert second.number in own[own.index(told) :] and f'{told} <a href="{first.path}"' not in own, "its own record is no other"
    with unit_of_work():
        alone = make.ticket()
        tickets.note(alone, by=make.who("specialist"), words="看", files=[])
    assert told not in browser("specialist").get(alone.path).text


@pytest.mark.parametrize("count", [1, 12])
def test_no_list_asks_more_for_more_papers(app, browser, statements, count):
    with unit_of_work():
        for _i in range(count):
            make.paper(approved())
    page = browser("archivist")
    asked = {}
    for path in ("/papers", "/papers/expected"):
        page.get(path)
        statements.clear()
        page.get(path)
        asked[path] = len(statements)
    assert asked["/papers"] <= 9 and asked["/papers/expected"] <= 10, asked


def test_the_list_is_narrowed_by_what_its_address_says(app):
    with unit_of_work():
        visit = approved()
        held, other = make.paper(visit), make.paper(visit, kind="other")
        workflow.lose(other, by=make.who("specialist"), words="不见了")
    me = make.who("specialist")

    def found(**args: str) -> set[str]:
        return {row.number for row in queries.listing(me, queries.Filter.of(args, me)).rows}

    assert found() == {held.number, other.number}
    assert found(state="lost") == {other.number} and found(kind="visit_request") == {held.number}
    assert found(belongs=visit.number) == found(customer="K0001") == found(owner="me") == {held.number, other.number}
    assert found(offered="me") == found(belongs="V2611-9999") == set()
    assert found(state="napkin") == {held.number, other.number}


def test_a_papers_page_shows_what_its_subject_owes_for_that_kind_of_form(app, browser):
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
        paper = make.paper(visit)
    page = browser("specialist")
    text = page.get(paper.path).text
    assert "Nothing is owed here" not in text and "Take the visit request to the archive" in text.partition("Owed here")[2][:400]
    with unit_of_work():
        row = db.session.get(Paper, paper.id)
        workflow.offer(row, by=make.who("specialist"), to=make.who("archivist"))
        workflow.archive(row, by=make.who("archivist"), place="A-1")
    assert "Nothing is owed here" in page.get(paper.path).text


def test_today_names_the_kind_of_form(app, browser):
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
        paper = make.paper(visit)
        workflow.offer(paper, by=make.who("specialist"), to=make.who("archivist"))
    text = browser("archivist").get("/").text
    assert f"{paper.number} · Visit request · " in text
