"""What settles something owed is refused where nothing is owed, whoever calls it."""

from datetime import timedelta

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.duties import workflow as duties
from crm.duties.models import Duty
from crm.duties.record import breach
from crm.errors import WrongState
from crm.files import workflow as files
from crm.tickets import workflow
from tests import make


@pytest.mark.parametrize(
    "verb",
    [
        lambda ticket, by: workflow.see(ticket, by=by),
        lambda ticket, by: workflow.settle(ticket, by=by, answer="好"),
        lambda ticket, by: workflow.tell(ticket, by=by, words="好"),
    ],
)
def test_nothing_owed_nothing_settled(app, verb):
    with pytest.raises(WrongState), unit_of_work():
        verb(make.ticket(), make.who("manager"))


def test_the_clock_does_not_breach_what_waits_for_a_decision(app):
    with unit_of_work():
        ticket, me = make.ticket(), make.who("specialist")
        owed = db.session.query(Duty).filter_by(subject_id=ticket.id).first()
        duties.ask_more_time(owed, by=me, reason="等数据", wanted=owed.due_at + timedelta(days=2))
        duty_id, later = owed.id, owed.due_at + timedelta(hours=1)
    with clock.frozen(later), unit_of_work():
        duty = db.session.get_one(Duty, duty_id)
        assert breach(duty, duty.subject) is False and duty.breached_by_id is None


def test_anothers_draft_is_passed_over(app):
    with unit_of_work():
        ticket = make.ticket()
        draft = files.draft("a.pdf", make.PDF, make.who("specialist2"))
        db.session.add(draft)
        db.session.flush()
        assert files.attach([draft.key], ticket, make.who("specialist")) == []
        assert draft.subject_id is None
