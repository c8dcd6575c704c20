"""Several sweeps and several people at the same moment: one penalty, one statement, one decision."""

from collections import Counter

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.errors import Refused
from crm.fund import workflow as fund
from crm.fund.models import FundEntry, Month
from crm.penalties import workflow
from crm.penalties.models import Penalty, PenaltyLine
from crm.penalties.proposing import propose_due
from crm.sweep import breach_overdue, tick
from tests import make
from tests.browsing import together
from tests.penalties.making import lost_application, penalty, returned_visit
from tests.shares import DATABASES

MANY = 8


def each(served, act):
    """What came of so many at once."""

    def one(i: int) -> str:
        with served.app_context():
            try:
                act(i)
                return "done"
            except Refused as no:
                return type(no).__name__
            finally:
                db.session.remove()

    with clock.frozen(clock.parse("2026-12-02T10:00")):
        return Counter(together(MANY, one))


@pytest.mark.parametrize("database", DATABASES, indirect=False)
def test_of_several_sweeps_at_once_one_proposes(served, database):
    with served.app_context():
        with unit_of_work():
            returned_visit()
            lost_application(2)
        with clock.frozen(clock.parse("2026-12-02T10:00")):
            breach_overdue(clock.now())
        each(served, lambda i: propose_due(clock.now()))
        assert sorted(row.category for row in db.session.query(Penalty)) == ["7.3", "7.4"]


@pytest.mark.parametrize("database", DATABASES, indirect=False)
def test_of_several_who_close_a_month_at_once_one_deducts(served, database):
    with served.app_context():
        with unit_of_work():
            penalty("signed")
        with clock.frozen(clock.parse("2026-12-02T10:00")):
            tick()
        month = db.session.query(Month.id).filter_by(title="2026-11").scalar()
        db.session.rollback()

        def close(_i: int) -> None:
            with unit_of_work():
                fund.close(db.session.get_one(Month, month), by=make.who("director"))

        assert each(served, close)["done"] == 1
        assert (db.session.query(PenaltyLine).count(), db.session.query(FundEntry).count(), fund.balance()) == (1, 1, 2000)


@pytest.mark.parametrize("database", DATABASES, indirect=False)
def test_of_several_who_spend_the_last_at_once_as_many_do_as_there_is_for(served, database):
    with served.app_context():
        with unit_of_work():
            penalty("signed")
        with clock.frozen(clock.parse("2026-12-02T10:00")):
            tick()
            with unit_of_work():
                fund.close(db.session.query(Month).filter_by(title="2026-11").one(), by=make.who("director"))

        def spend(_i: int) -> None:
            with unit_of_work():
                fund.spend(by=make.who("director"), fen=900, on=clock.today(), purpose="水果")

        assert each(served, spend) == {"done": 2, "Invalid": MANY - 2}
        assert fund.balance() == 200


@pytest.mark.parametrize("database", DATABASES, indirect=False)
def test_issued_and_waived_at_once_it_is_one_of_the_two(served, database):
    with served.app_context():
        with unit_of_work():
            id = penalty().id

        def act(i: int) -> None:
            with unit_of_work():
                row = db.session.get_one(Penalty, id)
                if i % 2:
                    workflow.waive(row, by=make.who("manager"), reason="算了")
                else:
                    workflow.issue(row, by=make.who("manager"), facts="迟到")

        done = each(served, act)["done"]
        db.session.rollback()
        assert db.session.get_one(Penalty, id).state in ("issued", "waived")
        assert done in (1, 2), "what is issued may be waived after it"


@pytest.mark.parametrize("database", DATABASES, indirect=False)
def test_both_witnesses_at_once_are_both_there(served, database):
    """Who signed is read of the locked row, so the second to come in knows the first."""
    with served.app_context():
        with unit_of_work():
            id = penalty("refused").id

        def act(i: int) -> None:
            with unit_of_work():
                workflow.confirm(db.session.get_one(Penalty, id), by=make.who(("archivist", "followup")[i % 2]))

        assert each(served, act)["done"] == 2
        db.session.rollback()
        row = db.session.get_one(Penalty, id)
        assert len(set(row.witnessed)) == 2 and row.state == "witnessed"
