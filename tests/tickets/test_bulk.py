"""Many records at once: one result a row, and one that cannot stops none."""

import pytest

from crm.db import db, unit_of_work
from crm.tickets import workflow
from crm.tickets.models import BulkRun, Ticket
from tests import make


@pytest.fixture
def three(app) -> list[str]:
    with unit_of_work():
        unit, me = make.served_customer(), make.who("specialist")
        made = [make.ticket(unit, title=f"第{i}个") for i in range(3)]
        workflow.cancel(made[1], by=me, reason="重复")
        return [one.number for one in made]


def state(number: str) -> str:
    db.session.rollback()
    return db.session.query(Ticket).filter_by(number=number).one().state


def test_reassigning_many_says_of_each_what_became_of_it(three, browser):
    page, to = browser("manager"), make.who("specialist2").id
    answer = page.send(
        "/tickets/bulk", page="/tickets", record=[*three, "T2611-9999"], verb="assign", to=str(to), reason="休假"
    )
    shown = page.get(answer.location).text
    assert "2 of 4 done" in shown and "not yours to see" in shown and "It was cancelled" in shown
    owners = {one.number: one.owner_id for one in db.session.query(Ticket)}
    assert [owners[number] == to for number in three] == [True, False, True]
    assert browser("director").get(answer.location).status_code in (403, 404)


def test_cancelling_and_closing_many(three, browser):
    page = browser("specialist")
    answer = page.send("/tickets/bulk", page="/tickets", record=three, verb="complete")
    assert "still lacks" in page.get(answer.location).text
    assert [state(number) for number in three] == ["new", "cancelled", "new"]
    answer = page.send("/tickets/bulk", page="/tickets", record=three, verb="cancel", reason="测试")
    assert "2 of 3 done" in page.get(answer.location).text
    assert {state(number) for number in three} == {"cancelled"}


def test_a_record_with_all_it_needs_is_closed_among_others(three, browser, app):
    with unit_of_work():
        one = db.session.query(Ticket).filter_by(number=three[0]).one()
        workflow.fill(one, by=make.who("specialist"), fields=make.FIELDS["inquiry"])
    page = browser("specialist")
    page.send("/tickets/bulk", page="/tickets", record=three, verb="complete")
    assert [state(number) for number in three] == ["complete", "cancelled", "new"]
    run = db.session.query(BulkRun).one()
    assert [one[1] for one in run.outcomes] == [True, False, False]


@pytest.mark.parametrize(
    "fields",
    [{"verb": "assign"}, {"verb": "cancel"}, {"verb": "nonsense"}, {}, {"verb": "cancel", "reason": "x", "record": []}],
)
def test_what_is_missing_is_asked_for_with_the_picks_kept(three, browser, fields):
    answer = browser("manager").send("/tickets/bulk", page="/tickets", **{"record": three, **fields})
    assert answer.status_code == 422
    assert ("record" in fields) or all(f'value="{number}"' in answer.text for number in three)
    assert [state(number) for number in three] == ["new", "cancelled", "new"]


def test_a_specialist_reassigns_nobodys_and_touches_no_others(three, browser):
    page = browser("specialist2")
    to = str(make.who("specialist2").id)
    assert (
        page.send("/tickets/bulk", page="/tickets", record=three, verb="assign", to=to, reason="x").status_code == 422
    )
    answer = page.send("/tickets/bulk", page="/tickets", record=three, verb="cancel", reason="x")
    shown = page.get(answer.location).text
    assert "0 of 3 done" in shown and shown.count("It is somebody else&#39;s: a manager can do this.") == 3
    assert [state(number) for number in three] == ["new", "cancelled", "new"]


def test_nothing_is_chosen_beforehand_and_nothing_chosen_is_refused_with_a_word(three, browser):
    page = browser("manager")
    form = next(one for one in page.forms("/tickets") if "/tickets/bulk" in one["actions"])
    assert form["fields"]["verb"] == ""
    answer = page.send("/tickets/bulk", page="/tickets", record=three, verb="", reason="x")
    assert answer.status_code == 422 and "Choose what to do with them." in answer.text


def test_who_has_it_already_is_not_given_it_again(three, browser):
    page, owner = browser("manager"), str(make.who("specialist").id)
    answer = page.send("/tickets/bulk", page="/tickets", record=three, verb="assign", to=owner, reason="x")
    shown = page.get(answer.location).text
    assert "0 of 3 done" in shown and shown.count("It is theirs already.") == 2 and "It was cancelled" in shown


def test_each_result_says_what_the_record_is_about_and_whose(three, browser):
    page = browser("manager")
    answer = page.send("/tickets/bulk", page="/tickets", record=[*three, "T2611-9999"], verb="cancel", reason="x")
    shown = page.get(answer.location).text
    assert all(f"第{i}个" in shown for i in range(3)) and shown.count("宏远机械") == 3
    refused = page.send("/tickets/bulk", page="/tickets", record=[*three, "T2611-9999"], verb="").text
    assert "第0个" in refused and "T2611-9999" in refused


@pytest.mark.parametrize("more", ["", "&before=99999&next=//evil.example"])
def test_the_way_back_leads_to_the_list_as_it_was_and_nowhere_else(three, browser, more):
    page = browser("manager")
    answer = page.send("/tickets/bulk", page=f"/tickets?state=open&category=inquiry{more}", record=three, verb="complete")
    assert '<a class="btn btn-outline-secondary" href="/tickets?state=open&amp;category=inquiry">' in page.get(answer.location).text
    assert 'href="/tickets">Back to the list' in page.get(answer.location.split("?")[0] + "?back=//evil.example").text


def test_more_than_two_hundred_are_refused(three, browser):
    many = [f"T2611-{i:04}" for i in range(1, 203)]
    assert (
        browser("manager").send("/tickets/bulk", page="/tickets", record=many, verb="cancel", reason="x").status_code
        == 422
    )


def test_the_page_offers_it_to_those_who_may(three, browser):
    assert 'id="bulk"' in browser("specialist").get("/tickets").text
    assert 'id="bulk"' not in browser("director").get("/tickets").text


def test_what_is_no_number_names_no_record(three, browser):
    page = browser("manager")
    junk = ["x" * 90_000, "FAKE\nPOST /login: admin", "<b>x</b>"]
    answer = page.send("/tickets/bulk", page="/tickets", record=[*three, *junk], verb="cancel", reason="测试")
    assert answer.status_code == 303
    assert [one[0] for one in db.session.query(BulkRun).one().outcomes] == three
    assert page.send("/tickets/bulk", page="/tickets", record=junk, verb="cancel", reason="测试").status_code == 422
