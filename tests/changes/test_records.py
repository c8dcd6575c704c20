"""A record and its change request: the one needs the other (5.1.4.4, 5.1.4.5), and a developer reads both."""

import pytest

from crm.changes import workflow
from crm.db import unit_of_work
from crm.duties import queries as duties
from crm.errors import Invalid, Refused
from crm.tickets import bulk
from crm.tickets import workflow as tickets
from crm.tickets.models import State, Ticket
from crm.tickets.needs import Incomplete, gaps
from crm.visits import workflow as visits
from tests import make
from tests.reading import text_of

BUG = {"steps": "打开再关闭", "error_message": "E1001"}


def bug(**details) -> Ticket:
    return make.ticket(category="bug", title="报表不平", fields=dict(BUG), **details)


def wish(record: Ticket, **details):
    return make.change(make.customer_of(record), origin=record, category=record.category, **details)


def test_a_bug_is_complete_only_with_a_change_request_opened_from_it(app):
    me = make.who("specialist")
    with unit_of_work():
        record = bug()
        make.change(make.customer_of(record), category="bug")  # another's
    with pytest.raises(Incomplete) as refused, unit_of_work():
        tickets.complete(record, by=me)
    assert [gap.field.key for gap in refused.value.gaps] == ["change"]
    assert refused.value.gaps[0].clause == "5.1.4.5"
    with unit_of_work():
        wish(record)
        tickets.complete(record, by=me)
    assert record.state == State.COMPLETE


def test_a_withdrawn_request_counts_as_none_and_a_rejected_one_counts(app):
    with unit_of_work():
        record = bug()
        change = wish(record, upto="submitted")
        workflow.withdraw(change, by=make.who("manager"), reason="开错了")
        assert "change" in [gap.field.key for gap in gaps(record)]
        again = wish(record, upto="submitted")
        workflow.reject(again, by=make.who("manager"), reason="已经有了")
        assert "change" not in [gap.field.key for gap in gaps(record)]


def test_many_at_once_are_asked_for_it_as_well(app):
    me = make.who("specialist")
    with unit_of_work():
        first, second = bug(), bug()
        wish(second)
        for one in (first, second):
            tickets.fill(one, by=me, fields={})
    with unit_of_work():
        run = bulk.carry_out(bulk.Verb.COMPLETE, [first.number, second.number], by=me, to=None, reason="")
    assert {number: done for number, done, *_ in run.outcomes} == {first.number: False, second.number: True}


def test_the_page_says_what_is_wanting_and_leads_there(app, browser):
    with unit_of_work():
        record = bug()
    asked = f"/changes/new?record={record.number}"
    page = browser("specialist").get(record.path).text
    assert page.count(asked) == 1 and 'id="need-change"' in page
    answer = browser("specialist").send(f"{record.path}/closure")
    assert answer.status_code == 422 and 'href="#need-change"' in answer.text and 'id="need-change"' in answer.text


def test_who_opens_no_requests_is_told_who_does(app, browser):
    with unit_of_work():
        record = make.ticket(category="bug", by=make.who("followup"))
    page = browser("followup").get(record.path).text
    assert "/changes/new" not in page and "A specialist opens it." in text_of(page)


def test_a_visit_written_up_as_a_bug_owes_its_change_request(app):
    me = make.who("specialist")
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
        for step in (visits.depart, visits.arrive, visits.come_back):
            step(visit, by=me)
        record = visits.write_up(visit, by=me, category="bug", title="报错", description="", fields=dict(BUG))
    assert (visit.state, record.state) == ("written_up", State.ENDED)
    assert "ticket.complete" in [duty.rule for duty in duties.of_subject(record) if duty.open]
    with unit_of_work():
        wish(record)
        tickets.complete(record, by=me)
    assert record.state == State.COMPLETE


def test_a_developer_reads_the_records_that_changes_came_of_and_no_others(app, browser):
    with unit_of_work():
        wished, other = bug(), bug()
        secret = make.ticket(category="admin_password")
        wish(wished)
    with pytest.raises(Refused), unit_of_work():
        workflow.open_change(by=make.who("specialist"), customer=make.customer_of(secret), category="bug", title="密码",
                             requirement="密码", origin=secret)  # fmt: skip
    assert browser("specialist").get(f"/changes/new?record={secret.number}").status_code == 404, "none of it goes on"
    page = browser("developer")
    shown = page.get(wished.path)
    assert shown.status_code == 200 and "/customers/" not in shown.text
    assert [page.get(one.path).status_code for one in (other, secret)] == [404, 404]
    listed = page.get("/tickets").text
    assert wished.number in listed and other.number not in listed and secret.number not in listed
    found = page.get("/search?q=报表不平").text
    assert wished.number in found and other.number not in found
    assert page.send(f"{wished.path}/notes", words="看过了").status_code == 303
    assert page.send(f"{wished.path}/edit", title="改").status_code == 403


def test_a_request_of_another_kind_or_customer_completes_no_record(app):
    with unit_of_work():
        record = bug()
        make.change(make.customer_of(record), origin=record, category="program_change")
        assert "change" in [gap.field.key for gap in gaps(record)]
    with pytest.raises(Invalid), unit_of_work():
        make.change(make.served_customer("别家"), origin=record, category="bug")


def test_what_a_record_is_complete_with_only_a_manager_withdraws(app):
    me = make.who("specialist")
    with unit_of_work():
        record = bug()
        change = wish(record)
        tickets.complete(record, by=me)
    with pytest.raises(Refused), unit_of_work():
        workflow.withdraw(change, by=me, reason="凑数的")
    with unit_of_work():
        other = wish(record)
        workflow.withdraw(change, by=me, reason="开重了")
        workflow.withdraw(other, by=make.who("manager"), reason="客户不要了")
    assert (change.state, other.state) == ("withdrawn", "withdrawn")
