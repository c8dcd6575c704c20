"""A duplicate is cancelled and linked; each names the other."""

import re

import pytest

from crm.db import db, unit_of_work
from crm.duties.models import Event
from crm.duties.record import record
from crm.errors import Invalid, WrongState
from crm.tickets import workflow
from crm.tickets.models import Ticket, TicketEvent
from tests import make


@pytest.fixture
def two(app):
    with unit_of_work():
        unit = make.served_customer()
        return [make.ticket(unit, title=title).number for title in ("先登记的", "又登记的")]


def get(number: str) -> Ticket:
    return db.session.query(Ticket).filter_by(number=number).one()


def test_it_is_cancelled_and_both_name_each_other(two, browser):
    page = browser("specialist")
    shown = page.get(f"/tickets/{two[1]}").text
    assert f"{two[0]} 先登记的 · New · 2026-11-23" in shown and "This record is cancelled and names that one" in shown
    answer = page.send(f"/tickets/{two[1]}/duplicate", of=two[0])
    assert answer.status_code == 303 and get(two[1]).state == "cancelled"
    assert get(two[1]).duplicate_of_id == get(two[0]).id
    for one, other in (two, two[::-1]):
        shown = page.get(f"/tickets/{one}").text
        assert f'href="/tickets/{other}"' in shown and "Duplicates" in shown
    kinds = [event.kind for event in db.session.query(Event).filter_by(subject_id=get(two[0]).id)]
    assert kinds.count("ticket.duplicate") == 1


def test_reopening_lets_go_of_the_link(two):
    with unit_of_work():
        me = make.who("specialist")
        workflow.duplicate(get(two[1]), by=me, of=get(two[0]))
        workflow.reopen(get(two[1]), by=me, reason="不是重复")
    assert get(two[1]).duplicate_of_id is None


def test_not_of_itself_nor_of_anothers_nor_of_a_duplicate(two):
    with unit_of_work():
        other = make.ticket(make.served_customer("别家")).number
    for of in (two[1], other):
        with pytest.raises(Invalid), unit_of_work():
            workflow.duplicate(get(two[1]), by=make.who("specialist"), of=get(of))
    with unit_of_work():
        workflow.duplicate(get(two[1]), by=make.who("specialist"), of=get(two[0]))
    with pytest.raises(Invalid), unit_of_work():
        workflow.duplicate(get(two[0]), by=make.who("specialist"), of=get(two[1]))
    with pytest.raises(WrongState), unit_of_work():
        workflow.duplicate(get(two[1]), by=make.who("specialist"), of=get(two[0]))


def test_without_another_record_it_is_not_offered(app, browser):
    with unit_of_work():
        path = make.ticket().path
    assert f"{path}/duplicate" not in browser("specialist").get(path).text


def test_a_record_that_one_may_not_see_is_not_named_to_one(app, browser):
    with unit_of_work():
        unit = make.served_customer()
        first = make.ticket(unit, title="先登记的", by=make.who("specialist2"))
        secret = make.ticket(unit, title="密码", category="admin_password", by=make.who("specialist"))
        workflow.duplicate(secret, by=make.who("specialist"), of=first)
        shown, hidden, customer = first.path, secret.number, unit.path
    for page in (shown, customer, "/notices"):
        assert hidden not in browser("specialist2").get(page).text
    for login in ("specialist", "manager"):
        assert browser(login).get(shown).text.count(f'href="/tickets/{hidden}"') >= 2, "among the twins, and in the timeline"
    assert browser("specialist").get(customer).text.count(f'href="/tickets/{first.number}"') >= 1


def test_an_event_of_before_names_the_other_by_its_number(two, browser):
    with unit_of_work():
        record(TicketEvent.DUPLICATE, get(two[0]), by=make.who("specialist"), of=two[1])
    shown = browser("specialist").get(f"/tickets/{two[0]}").text
    assert re.search(rf'linked it as a duplicate\s+· <a href="/tickets/{two[1]}"', shown)


def test_what_is_owed_is_not_offered_to_be_dropped(app, browser):
    with unit_of_work():
        unit, me = make.served_customer(), make.who("specialist")
        ticket = make.ticket(unit)
        make.ticket(unit, title="另一个")
        workflow.start(ticket, by=me)
        workflow.end(ticket, by=me)
        path = ticket.path
    verbs = [f"{path}/duplicate", f"{path}/cancellation"]
    assert not set(verbs) & {one for form in browser("specialist").forms(path) for one in form["actions"]}
    assert set(verbs) <= {one for form in browser("manager").forms(path) for one in form["actions"]}
