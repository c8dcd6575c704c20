"""Who leaves owes no more what only they could do; who comes back owes it again."""

from crm.db import db, unit_of_work
from crm.duties.models import Duty, open_now
from crm.staff import workflow
from tests import make


def owed(login: str) -> list[str]:
    return [duty.rule for duty in db.session.query(Duty).filter(Duty.owner_id == make.who(login).id, open_now())]


def test_leaving_drops_the_acknowledgement_and_coming_back_opens_it(app):
    assert owed("specialist2") == ["rulebook.acknowledge"]
    for active, left in ((False, []), (True, ["rulebook.acknowledge"]), (False, []), (True, ["rulebook.acknowledge"])):
        with unit_of_work():
            user = make.who("specialist2")
            workflow.edit_user(user, by=make.who("admin"), roles=user.roles, active=active)
        assert owed("specialist2") == left
