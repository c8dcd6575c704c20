"""A sweep: one step that fails stops none of the others, and is seen."""

from datetime import timedelta

import pytest

from crm import clock, sweep
from crm.db import Step, db, unit_of_work
from crm.durable import checks
from tests import make
from tests.browsing import Browser

FAILS, AFTER = "events sealed", "seals anchored outside"


@pytest.fixture
def broken(app, monkeypatch):
    """A step that leaves half a thing behind and fails, each time."""

    def fails(_as_of) -> int:
        with unit_of_work():
            make.customer("halb")
            raise RuntimeError("no")

    monkeypatch.setitem(sweep.STEPS, FAILS, fails)
    return app


def found() -> list[str]:
    return [str(one) for one in checks.run() if one.mark == checks.BAD]


def test_all_the_other_steps_are_done_and_the_result_names_the_one_that_was_not(broken):
    done = sweep.tick()
    assert done.failed == (FAILS,) and list(done) == [name for name in sweep.STEPS if name != FAILS]
    assert not db.session.query(make.Customer).count()


def test_the_check_and_the_monitor_see_it_until_it_works_again(broken, served, monkeypatch):
    ready = Browser(served).get("/readyz").json
    assert ready == {"ok": True, "swept": None, "failing": []}
    sweep.tick()
    db.session.rollback()
    assert found() == [f"bad  every step of the sweep succeeded when it was last tried: 1 not so: {FAILS}"]
    assert f"{FAILS}: never done" in checks.swept() and f"{AFTER}: last done 2026-11-23 09:00" in checks.swept()
    assert Browser(served).get("/readyz").json == {"ok": True, "swept": clock.now().isoformat(), "failing": [FAILS]}
    monkeypatch.undo()
    sweep.tick()
    db.session.rollback()
    assert found() == [] and f"{FAILS}: last done 2026-11-23 09:00" in checks.swept()


def test_a_step_that_worked_once_keeps_when(app, monkeypatch):
    sweep.tick(clock.now() + timedelta(days=30))
    assert {step.done_at for step in db.session.query(Step)} == {clock.now()}, "when it was done, not as of when"
    monkeypatch.setitem(sweep.STEPS, FAILS, lambda _as_of: 1 // 0)
    with clock.frozen(clock.now() + timedelta(hours=1)):
        sweep.tick()
    db.session.rollback()
    assert db.session.get(Step, FAILS).done_at == clock.now() and found()
