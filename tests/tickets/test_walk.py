"""The main job: from the call to complete."""

import io
import re

import pytest

from crm import clock, sweep
from crm.customers.models import Contact
from crm.db import db, unit_of_work
from crm.duties.models import Duty, Event
from crm.tickets.models import State, Ticket
from tests import make


def new_form(unit, **fields) -> dict:
    return {"customer": unit.number, "channel": "phone", "asked_at": "2026-11-23T08:50", "title": "数据太多",
            "category": "data_cleanup", "priority": "normal", **fields}  # fmt: skip


def test_a_record_is_opened_for_a_customer_without_contacts_and_the_contact_is_added_on_the_way(app, browser):
    with unit_of_work():
        unit = make.customer()
        make.installation(unit)
    page = browser("specialist")
    answer = page.send("/tickets/new", **new_form(unit, contact_name="赵会计", department="财务部"))
    assert answer.status_code == 303
    ticket = db.session.query(Ticket).one()
    assert db.session.get(Contact, ticket.contact_id).name == "赵会计"
    assert (ticket.department, ticket.state) == ("财务部", State.NEW)
    assert "赵会计" in page.get(ticket.path).text


def test_a_data_cleanup_is_refused_with_every_gap_at_once_then_completed(app, browser):
    with unit_of_work():
        ticket = make.ticket(category="data_cleanup", answered_at=None)
    page = browser("specialist")
    refused = page.send(f"{ticket.path}/closure", f_data="2024 凭证")
    assert refused.status_code == 422
    for words in ("written application", "Data to be cleared", "Tool used", "When first answered"):
        assert words in refused.text
    assert "2024 凭证" in refused.text
    answer = page.send(f"{ticket.path}/closure", f_data="2024 凭证", f_tool="工具", answered_at="2026-11-23T09:00",
                       files={"file_application": (io.BytesIO(make.PDF), "申请.pdf")})  # fmt: skip
    assert answer.status_code == 303, answer.text
    db.session.rollback()
    assert db.session.get(Ticket, ticket.id).state == State.COMPLETE


def test_a_forgotten_one_is_breached_by_the_next_working_days_sweep_and_the_manager_sees_it(app, browser):
    with unit_of_work():
        ticket = make.ticket(category="bug")
        from crm.tickets import workflow

        workflow.start(ticket, by=make.who("specialist"))
        workflow.end(ticket, by=make.who("specialist"))
    assert "¥50" in browser("specialist").get("/").text
    done = sweep.tick(clock.parse("2026-11-24T09:00"))
    assert done["duties marked as missed"] == 1
    db.session.rollback()
    breach = db.session.query(Event).filter_by(kind="duty.breached").one()
    assert breach.at == clock.parse("2026-11-23T18:00") and breach.facts["fine_fen"] == 5000
    assert db.session.query(Duty).filter_by(breached_by_id=breach.id).one().open
    with clock.frozen(clock.parse("2026-11-24T09:00")):
        assert ticket.number in browser("manager").get("/").text
        assert ticket.number in browser("manager").get("/duties").text


@pytest.mark.parametrize("known", [True, False])
def test_who_calls_is_marked_as_needed_and_may_be_typed_instead_of_picked(app, browser, known):
    with unit_of_work():
        unit = make.served_customer() if known else make.customer()
    shown = browser("specialist").get(f"/tickets/new?customer={unit.number}").text
    name = "contact" if known else "contact_name"
    label = re.search(rf'<label class="form-label" for="{name}">.*?</label>', shown)[0]
    control = re.search(rf'<(?:select|input)[^>]* name="{name}"[^>]*>', shown)[0]
    assert 'class="needed"' in label and "required" not in control
    assert ('class="needed"' in re.search(r'<label class="form-label" for="contact_name">.*?</label>', shown)[0]) != known
