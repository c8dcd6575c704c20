"""On the return what is still open goes back by one press, with one result for each thing; nothing by itself."""

from datetime import timedelta

import pytest

from crm import clock, sweep
from crm.absences import handing, returning, workflow
from crm.absences.models import Absence, Back
from crm.contracts import workflow as contracts
from crm.customers import workflow as customers
from crm.db import db, unit_of_work
from crm.duties import queries as duties
from crm.errors import Forbidden, Refused
from crm.staff import workflow as staff
from crm.tickets import workflow as tickets
from crm.visits import workflow as visits
from tests import make
from tests.seen import owed

pytestmark = pytest.mark.usefixtures("sound")


def over(**details) -> Absence:
    """Away, and back within the day."""
    with unit_of_work():
        row = make.absence(upto="over", **details)
    db.session.expire_all()
    return row


def given_back(row: Absence, by=None) -> dict[str, str]:
    """What became of each thing, by its rule."""
    with unit_of_work():
        workflow.give_back(row, by=by or make.who("specialist"))
    db.session.expire_all()
    return {one.duty.rule: one.back for one in handing.handed(row)}


def test_nothing_comes_back_by_itself(app):
    with unit_of_work():
        record = make.ticket()
    row = over()
    sweep.tick(clock.now() + timedelta(hours=1))
    db.session.expire_all()
    assert record.owner_id == make.who("specialist2").id and returning.returnable(row)


@pytest.mark.parametrize("presses", ["specialist", "specialist2"])
def test_who_is_back_or_who_stood_in_gives_back_what_is_open(app, presses):
    me = make.who("specialist")
    with unit_of_work():
        record = make.ticket()
    row = over()
    assert given_back(row, make.who(presses))["ticket.progress"] == Back.BACK
    assert (record.owner_id, owed(record)["ticket.progress"].owner_id) == (me.id, me.id)
    [said] = [one.facts for one in duties.timeline(record) if one.facts.get("leave") == "back"]
    assert (said["from"], said["to"], said["of"]) == (make.who("specialist2").id, me.id, row.id)
    assert [one.facts["moved"] for one in duties.timeline(row) if one.kind == "absence.given_back"] == [1]
    with pytest.raises(Refused), unit_of_work():
        workflow.give_back(row, by=me)


def test_nobody_else_gives_back_and_nobody_during_the_leave(app):
    with unit_of_work():
        make.ticket()
        row = make.absence(upto="away")
    with pytest.raises(Refused), unit_of_work():
        workflow.give_back(row, by=make.who("specialist2"))
    with unit_of_work():
        workflow.come_back(row, by=make.who("specialist"))
    for login in ("manager", "followup"):
        with pytest.raises(Forbidden), unit_of_work():
            workflow.give_back(row, by=make.who(login))


def test_each_thing_says_what_became_of_it(app):
    me, other, manager = make.who("specialist"), make.who("specialist2"), make.who("manager")
    with clock.frozen(clock.now() - timedelta(days=28)), unit_of_work():
        unit = make.served_customer()
        customers.edit_customer(unit, by=me, owner_id=me.id, short_name=unit.title, grade="C")
    with unit_of_work():
        done, moved, visit = make.filled(make.ticket(unit)), make.ticket(unit), make.visit(unit)
        visits.approve(visit, by=manager)
    row = over(days=4)
    with unit_of_work():
        tickets.complete(done, by=other)
        tickets.assign(moved, by=manager, to=manager, reason="我来")
    given_back(row)
    by_matter = {(one.subject_id, one.duty.rule): one.back for one in handing.handed(row)}
    assert by_matter[done.id, "ticket.progress"] == Back.DONE and by_matter[moved.id, "ticket.progress"] == Back.ELSEWHERE
    assert by_matter[visit.id, "visit.back"] == by_matter[visit.id, "paper.visit_request"] == Back.BACK
    assert by_matter[unit.id, "call.regular"] == Back.BACK and owed(unit)["call.regular"].owner_id == me.id
    assert (done.owner_id, moved.owner_id, visit.owner_id) == (other.id, manager.id, me.id)


def test_a_contract_goes_back_to_who_is_in_charge_though_nothing_is_owed_for_it(app):
    me, other = make.who("specialist"), make.who("specialist2")
    with unit_of_work():
        contract = make.contract(upto="returned")
    row = over()
    assert contract.owner_id == other.id
    with unit_of_work():
        contracts.invoice(contract, by=other, posted_on=clock.today(), invoice_title="宏远", tax_number="9111", invoice_address="北京",
                          invoice_recipient="王会计", courier_number="SF1")  # fmt: skip
    given_back(row)
    assert contract.owner_id == me.id


def test_what_is_no_longer_among_what_they_work_on_stays_where_it_is(app):
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
        row = make.absence(upto="over")
        staff.edit_user(make.who("specialist"), by=make.who("admin"), roles=["followup"], active=True)
    assert not returning.returnable(row)
    with pytest.raises(Refused), unit_of_work():
        workflow.give_back(row, by=make.who("specialist"))
    assert visit.owner_id == make.who("specialist2").id


def test_what_was_elsewhere_goes_back_once_the_stand_in_has_it_again(app):
    me, other, manager = make.who("specialist"), make.who("specialist2"), make.who("manager")
    with unit_of_work():
        record, second = make.ticket(), make.ticket(make.served_customer("第二家"))
        row = make.absence(upto="over")
        tickets.assign(record, by=manager, to=manager, reason="我来")
    given_back(row)
    assert (record.owner_id, second.owner_id) == (manager.id, me.id)
    with unit_of_work():
        tickets.assign(record, by=manager, to=other, reason="还是你来")
    given_back(row)
    assert record.owner_id == me.id
