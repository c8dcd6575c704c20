"""Fifty managers at once decide one request: one decision, one event (ours.approval)."""

import pytest

from crm.db import db, unit_of_work
from crm.duties.models import Event
from crm.errors import Refused
from crm.visits import workflow
from crm.visits.models import State, Visit
from tests import make
from tests.browsing import together
from tests.shares import ALL

MANY = 50
ROUNDS = 20 if ALL else 2  # all twenty by `make nets`


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_fifty_approvals_and_rejections_make_one_decision(app, _round):
    with unit_of_work():
        visit_id = make.visit().id
    db.session.remove()

    def decide(i: int) -> str:
        with app.app_context():
            try:
                with unit_of_work():
                    visit, manager = db.session.get_one(Visit, visit_id), make.who("manager")
                    if i % 2:
                        workflow.approve(visit, by=manager)
                        return State.APPROVED
                    workflow.reject(visit, by=manager, reason="先远程看看")
                    return State.REJECTED
            except Refused:
                return ""
            finally:
                db.session.remove()

    decided = [one for one in together(MANY, decide) if one]
    assert len(decided) == 1
    assert db.session.get_one(Visit, visit_id).state == decided[0]
    kinds = [kind for (kind,) in db.session.query(Event.kind).filter_by(subject_id=visit_id).order_by(Event.id)]
    assert kinds in (["visit.requested", "visit.approved"], ["visit.requested", "visit.rejected"])
