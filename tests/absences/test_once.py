"""What may happen once happens once: two requests of one person, sweeps that come by together, a return during the hand-over."""

from collections import Counter
from datetime import timedelta

import pytest

from crm import clock
from crm.absences import days, handing, workflow
from crm.absences.models import Absence, Handed, State
from crm.db import db, unit_of_work
from crm.duties.models import Event, Subject
from crm.errors import Refused
from tests import make
from tests.browsing import together

pytestmark = pytest.mark.usefixtures("sound")


def at_once(app, act, count: int = 4) -> Counter:
    def call(i: int):
        with app.app_context():
            try:
                return act(i)
            except Refused as refusal:
                return refusal.status
            finally:
                db.session.remove()

    done = Counter(together(count, call))
    db.session.rollback()
    return done


def in_a_unit(act):
    def run(i: int):
        with unit_of_work():
            act(i)
        return "done"

    return run


def test_of_four_requests_for_the_same_days_one_is_there(app):
    done = at_once(app, in_a_unit(lambda i: make.absence()))
    assert done == {"done": 1, 422: 3} and db.session.query(Absence).count() == 1


def test_four_sweeps_at_once_hand_each_thing_over_once(app):
    with unit_of_work():
        for n in range(6):
            make.ticket(make.served_customer(f"单位{n}"))
        make.absence(upto="accepted")
    tomorrow = clock.now() + timedelta(days=1)
    with clock.frozen(tomorrow):
        at_once(app, lambda i: days.go_on(tomorrow))
    moved = db.session.query(Event).filter(Event.kind == "ticket.assigned").count()
    assert moved == 6 and db.session.query(Event).filter_by(kind="absence.begun").count() == 1
    assert Counter(one.how for one in db.session.query(Handed)) == {"matter": 6, "stays": 1}
    told = [event.facts["moved"] for event in db.session.query(Event).filter_by(kind="absence.handed_over")]
    assert sum(told) == 6


def test_of_four_who_give_back_one_does(app):
    with unit_of_work():
        record, row = make.ticket(), make.absence(upto="over")
    number = row.id
    done = at_once(app, in_a_unit(lambda i: workflow.give_back(db.session.get(Absence, number), by=make.who("specialist"))))
    assert done["done"] == 1 and set(done) <= {"done", 409}
    assert db.session.query(Event).filter_by(kind="absence.given_back").count() == 1
    assert db.session.get(Subject, record.id).owner_id == make.who("specialist").id


def test_nothing_goes_over_any_more_once_they_are_back(app):
    """The sweep had looked when they said that they are back: under the lock it looks again."""
    with unit_of_work():
        row = make.absence(upto="away")
        record = make.ticket()
    with unit_of_work():
        workflow.come_back(db.session.get(Absence, row.id), by=make.who("specialist"))
        assert not handing.hand(db.session.get(Absence, row.id), db.session.get(Subject, record.id))
    assert db.session.get(Subject, record.id).owner_id == make.who("specialist").id
    assert db.session.get(Absence, row.id).state == State.OVER
