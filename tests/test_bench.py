"""What fills a database for the measurements keeps up with the program: its rows are listed, found and shown."""

from datetime import timedelta

import pytest

from bench import filling, notices, reports, trial
from bench.places import Place
from crm import clock
from crm.desk.search import find
from crm.tickets import queries
from tests import make


@pytest.mark.takes_long
def test_the_rows_of_a_filled_place_are_listed_and_found(tmp_path):
    place = Place(tmp_path, f"sqlite:///{tmp_path}/crm.db", lambda: None)
    filling.fill(place, 300)
    with place.app() as app, app.app_context():
        me = make.who("s3")
        assert queries.listing(me, queries.Filter()).count == 300
        assert 10 < len(find(me, "凭证").newest) <= 50
        assert queries.listing(me, queries.Filter(q="凭证")).rows


@pytest.mark.takes_long
def test_the_acts_and_the_outbox_are_measured(tmp_path):
    seconds = notices.run(700, "sqlite", say=lambda _line: None)
    assert len(seconds) == 6 and all(seconds.values())


@pytest.mark.takes_long
def test_a_months_reports_are_measured(tmp_path):
    seconds = reports.run(200, 100, "sqlite", say=lambda _line: None)
    assert {"services, PDF", "watch", "dashboard"} < seconds.keys() and all(seconds.values())


@pytest.mark.takes_long
def test_a_trial_is_measured_on_records_that_are_judged_as_they_were(tmp_path):
    """What is filled in is what the replay by the rules of the day gives: nothing is left out, and the draft differs."""
    said: list[str] = []
    with clock.frozen(make.MONDAY + timedelta(days=4)):  # three hundred records are three days, which had better not be a weekend
        took, _megabytes, tally = trial.run(300, "sqlite", say=said.append)
    assert took > 0 and tally.why == {} and tally.seen >= 300
    assert tally.rules["ticket.progress"][2] > tally.rules["ticket.progress"][0] > 0 and tally.what["refused"] > 0
    assert "300 records" in said[0]
