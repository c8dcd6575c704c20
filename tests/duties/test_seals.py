"""The chain of seals shows what was changed, put in, taken out or cut off."""

import pytest
from sqlalchemy import create_engine, text

from crm import clock
from crm.db import db, unit_of_work
from crm.duties import seals
from crm.duties.models import Event
from tests import make
from tests.conftest import together

LAST = "(SELECT max(event_id) FROM seals)"


@pytest.fixture
def sealed(app):
    with unit_of_work():
        make.ticket()
    seals.seal_events(clock.now())
    seals.anchor(clock.now())
    db.session.rollback()
    return app


def behind_its_back(app, *statements: str) -> None:
    """As somebody with the database's own password would."""
    engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER events_no_update"))
            connection.execute(text("DROP TRIGGER events_no_delete"))
        else:
            connection.execute(text("ALTER TABLE events DISABLE TRIGGER ALL"))
            connection.execute(text("ALTER TABLE duties DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
    db.session.rollback()


def test_every_event_is_sealed_once_and_the_chain_holds(sealed):
    found = seals.verify()
    assert found.faults == [] and found.waiting == 0
    assert found.sealed == db.session.query(Event).count() > 10
    assert seals.seal_events(clock.now()) == 0


def test_what_is_new_is_sealed_on_top(sealed):
    before = seals.verify().head
    with unit_of_work():
        make.ticket()
    assert seals.verify().waiting > 0
    seals.seal_events(clock.now())
    found = seals.verify()
    assert found.faults == [] and found.head != before


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE events SET at = recorded_at, kind = 'ticket.noted' WHERE id = 5", "event 5 is not as it was"),
        ("UPDATE events SET actor_id = 1 WHERE id = 7", "event 7 is not as it was"),
        ("UPDATE seals SET hash = 'x' WHERE seq = 4", "not as it was"),
        ("DELETE FROM seals WHERE seq = 6", "seal 6 is missing"),
        (f"DELETE FROM seals WHERE event_id = {LAST}", "is gone, and all after it"),
    ],
)
def test_whatever_is_done_to_it_shows(sealed, statement, said):
    behind_its_back(sealed, statement)
    assert any(said in fault for fault in seals.verify().faults)


def test_a_tail_cut_off_with_its_seals_shows_by_the_anchor(sealed):
    behind_its_back(
        sealed, f"DELETE FROM duties WHERE opened_by_id = {LAST} OR kept_by_id = {LAST}",
        "CREATE TABLE gone AS SELECT max(event_id) AS id FROM seals",
        "DELETE FROM seals WHERE event_id = (SELECT id FROM gone)", "DELETE FROM events WHERE id = (SELECT id FROM gone)",
    )  # fmt: skip
    assert ["is gone, and all after it" in fault for fault in seals.verify().faults] == [True]


def test_what_nobody_sealed_in_time_shows(sealed):
    with unit_of_work():
        make.ticket()
    with clock.frozen(make.MONDAY.replace(hour=5)):
        assert any("not sealed" in fault for fault in seals.verify().faults)


def test_the_anchor_is_written_once_a_day(sealed, tmp_path):
    seals.anchor(clock.now())
    assert len((tmp_path / "anchors.log").read_text().splitlines()) == 1
    with clock.frozen(make.MONDAY.replace(day=24)):
        assert seals.anchor(clock.now()) == 1
    assert seals.verify().faults == []


def test_eight_workers_at_once_make_one_chain(served):
    with served.app_context():
        with unit_of_work():
            for _ in range(5):
                make.ticket()
        db.session.remove()

    def work(_i: int) -> int:
        with served.app_context():
            try:
                return seals.seal_events(clock.now())
            finally:
                db.session.remove()

    done = together(8, work)
    with served.app_context():
        found = seals.verify()
        assert found.faults == [] and found.waiting == 0 and sum(done) == found.sealed
