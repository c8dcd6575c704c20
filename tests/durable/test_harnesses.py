"""A short share of the harnesses in bench/, which are run at full length by hand."""

import pytest

from bench import backups, kills
from bench import letters as posts
from tests.postgres import available
from tests.shares import by_turns, leave_out


@pytest.fixture
def kind(database) -> str:
    if database == "postgresql" and not available():
        leave_out("postgresql", "its programs are not installed")
    return database


@pytest.mark.takes_long
@by_turns(1)
def test_backups_while_four_write_are_whole_and_hold_all_that_was_acknowledged(kind):
    rounds = backups.run(1, kind)
    assert [one["wrong"] for one in rounds] == [[]] and all(one["records"] for one in rounds)


@by_turns(0)
def test_after_a_kill_nothing_acknowledged_is_lost_and_nothing_is_half_done(kind):
    rounds = kills.run(2, kind)
    assert [one["wrong"] for one in rounds] == [[], []]
    assert all(one["ready"] < 30 for one in rounds)


@pytest.mark.takes_long
@by_turns(1)
def test_of_letters_whose_workers_are_killed_none_is_lost_and_none_sent_twice(kind):
    seen = posts.run(40, 4, kind, workers=2)
    assert seen["wrong"] == [] and seen["states"].total() == 40
    assert seen["cut"] <= 4 and seen["states"]["sent"] > 20
