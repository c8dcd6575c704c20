"""What may happen once happens once, however many send it at the same moment; and a stale form overwrites nothing."""

import uuid
from collections import Counter

import pytest

from crm import clock, sweep
from crm.db import db, unit_of_work
from crm.duties.models import Duty, Event
from crm.tickets import workflow
from crm.tickets.models import State, Ticket
from tests import make
from tests.browsing import Browser, together

LATER = clock.parse("2026-11-24T09:00")


def new_record(unit) -> dict:
    return {"customer": unit.number, "channel": "phone", "asked_at": "2026-11-23T08:50", "title": "怎么结账",
            "category": "inquiry", "priority": "normal", "contact_name": "赵会计", "department": "财务部"}  # fmt: skip


@pytest.fixture
def unit(app):
    with unit_of_work():
        return make.served_customer()


@pytest.fixture
def working(app, unit) -> str:
    with unit_of_work():
        ticket = make.ticket(unit)
        workflow.start(ticket, by=make.who("specialist"))
        return ticket.number


def test_eight_submits_of_one_form_make_one_record(served, unit):
    once, fields = uuid.uuid4().hex, new_record(unit)
    eight = [Browser(served, "specialist") for _ in range(8)]
    tokens = [one.token("/tickets/new?customer=K0001") for one in eight]
    answers = together(
        8, lambda i: eight[i].post("/tickets/new", fields | {"request_id": once, "csrf_token": tokens[i]})
    )
    assert Counter(a.status_code for a in answers) == {303: 8}
    assert len({a.location for a in answers}) == 1
    db.session.rollback()
    assert db.session.query(Ticket).count() == 1
    assert db.session.query(Event).filter_by(kind="ticket.opened").count() == 1


def test_a_refused_form_may_be_sent_again_with_the_same_id(browser, unit):
    page, once = browser("specialist"), uuid.uuid4().hex
    refused = page.send("/tickets/new", request_id=once, **new_record(unit) | {"title": ""})
    assert refused.status_code == 422 and once in refused.text
    assert page.send("/tickets/new", request_id=once, **new_record(unit)).status_code == 303


def test_another_persons_request_id_gives_nothing_away(browser, unit):
    once = uuid.uuid4().hex
    assert browser("specialist").send("/tickets/new", request_id=once, **new_record(unit)).status_code == 303
    answer = browser("specialist2").send("/tickets/new", request_id=once, **new_record(unit))
    assert answer.status_code == 409 and "T2611" not in answer.text


def test_a_form_without_an_id_is_not_taken(browser, unit):
    page = browser("specialist")
    for bad in ("", "x", "0" * 33, "Ａ" * 32):
        assert page.send("/tickets/new", request_id=bad, **new_record(unit)).status_code == 400


def test_of_many_who_end_the_service_at_once_one_does(served, app, working):
    many = [Browser(served, "specialist") for _ in range(8)]
    forms = [one.forms(f"/tickets/{working}") for one in many]
    path = f"/tickets/{working}/ending"
    fields = [next(f["fields"] for f in found if path in f["actions"]) for found in forms]
    answers = together(8, lambda i: many[i].post(path, fields[i] | {"request_id": uuid.uuid4().hex}))
    assert Counter(a.status_code for a in answers) == {303: 1, 409: 7}
    db.session.rollback()
    assert db.session.query(Event).filter_by(kind="ticket.ended").count() == 1
    assert db.session.query(Duty).filter_by(rule="ticket.complete").count() == 1


def test_four_sweeps_at_once_mark_each_missed_duty_once(served, app, unit):
    with unit_of_work():
        for _ in range(20):
            ticket = make.ticket(unit, category="bug")
            workflow.start(ticket, by=make.who("specialist"))
            workflow.end(ticket, by=make.who("specialist"))

    def run(_i: int) -> int:
        with served.app_context():
            return sweep.breach_overdue(LATER)

    with clock.frozen(LATER):
        assert sum(together(4, run)) == 20
    db.session.rollback()
    assert db.session.query(Event).filter_by(kind="duty.breached").count() == 20
    assert sweep.tick(LATER)["duties marked as missed"] == 0


def test_a_stale_edit_is_refused_with_both_texts_and_saved_once_both_were_seen(browser, app, working):
    path = f"/tickets/{working}/edit"
    first, second = browser("specialist"), browser("manager")
    opened = next(f["fields"] for f in second.forms(path) if path in f["actions"] and f["method"] == "post")
    saved = first.send(path, title="先保存的")
    assert saved.status_code == 303, saved.text[saved.text.index('id="wrong"') :][:600]
    refused = second.post(path, opened | {"title": "后保存的"})
    assert refused.status_code == 409
    assert "先保存的" in refused.text and "后保存的" in refused.text
    again = second.post(path, opened | {"title": "后保存的", "version": str(int(opened["version"]) + 1),
                                        "request_id": uuid.uuid4().hex})  # fmt: skip
    assert again.status_code == 303
    assert db.session.query(Ticket).one().title == "后保存的"


def test_notes_make_no_form_stale(browser, app, working):
    page = browser("specialist")
    opened = next(
        f["fields"] for f in page.forms(f"/tickets/{working}") if f"/tickets/{working}/ending" in f["actions"]
    )
    assert browser("manager").send(f"/tickets/{working}/notes", words="看过了").status_code == 303
    assert page.post(f"/tickets/{working}/ending", opened).status_code == 303
    assert db.session.query(Ticket).one().state == State.ENDED


def test_a_page_that_is_only_looked_at_cannot_write(served, app):
    @served.get("/writes")
    def writes():
        make.who("specialist").title = "changed"
        db.session.flush()
        return "wrote"

    writes.permission = served.view_functions["desk.healthz"].permission
    served.config["PROPAGATE"] = False
    assert Browser(served).get("/writes").status_code == 500
    assert make.who("specialist").title == "张伟"
