"""The working calendar and where deadlines fall (RULES, "Days")."""

import json
from datetime import date
from pathlib import Path

import pytest

from crm import clock, workdays
from crm.db import unit_of_work
from crm.workdays import Calendar, Span

CALENDAR = Calendar()
SHARED = Path(__file__).parents[2] / "shared" / "data" / "workdays"


def falls(span: str, at: str, **kwargs) -> str:
    end = Span.parse(span).from_instant(clock.parse(at), CALENDAR, **kwargs)
    return f"{clock.local(end):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(("span", "at", "end"), [
    ("30m", "2026-11-20T17:50", "2026-11-20 18:20"),
    ("1 working hour", "2026-11-20T11:30", "2026-11-20 13:30"),  # over lunch
    ("1 working hour", "2026-11-20T17:30", "2026-11-23 09:30"),  # over the weekend
    ("1 working hour", "2026-11-22T15:00", "2026-11-23 10:00"),  # asked on a Sunday
    ("8 working hours", "2026-11-23T09:00", "2026-11-23 18:00"),
    ("0 working days", "2026-11-20T17:59", "2026-11-20 18:00"),  # 7.5: the day it ended
    ("0 working days", "2026-11-20T18:00", "2026-11-23 18:00"),  # or the next, after hours
    ("0 working days", "2026-11-21T10:00", "2026-11-23 18:00"),  # or on a day off
    ("1 working day", "2026-11-20T09:00", "2026-11-23 18:00"),
    ("1 working day", "2026-11-21T09:00", "2026-11-23 18:00"),
    ("2 working days", "2026-09-30T09:00", "2026-10-09 18:00"),  # over National Day; the 10th makes up
    ("3 days", "2026-11-23T15:00", "2026-11-27 00:00"),
    ("3 days", "2026-11-19T15:00", "2026-11-24 00:00"),  # ends on a Sunday: the next working day's midnight
    ("1 week", "2026-11-23T15:00", "2026-12-01 00:00"),
    ("1 month", "2027-01-31T10:00", "2027-03-02 00:00"),  # 28 February is a Sunday
])  # fmt: skip
def test_a_span_ends_where_the_rules_say(span, at, end):
    assert falls(span, at) == end


def test_a_notice_to_a_customer_moves_to_the_working_day_before():
    assert falls("3 days", "2026-11-19T15:00", notice=True) == "2026-11-21 00:00"


@pytest.mark.parametrize("day", [28, 29, 30, 31])
def test_a_month_before_the_last_days_of_march_is_the_last_day_of_february(day):
    every_day = Calendar({date(2027, 2, d): True for d in range(1, 29)})
    end = (-Span.parse("1 month")).from_instant(clock.moment(date(2027, 3, day)), every_day)
    assert end == clock.end_of(date(2027, 2, 28))


def test_a_make_up_saturday_is_worked_and_fifteen_working_days_reach_over_the_golden_week():
    assert CALENDAR.works(date(2026, 10, 10)) and not CALENDAR.works(date(2026, 10, 1))
    assert CALENDAR.add_days(date(2026, 9, 28), 15) == date(2026, 10, 23)


def test_a_year_whose_notice_is_not_out_is_called_a_projection():
    assert not CALENDAR.projected(2026) and CALENDAR.projected(2027)


@pytest.mark.parametrize("text", ["", "2 moons", "-1 days", "1.5 days", "99999 days", "tomorrow"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(ValueError):
        Span.parse(text)


def test_the_administrators_word_wins_over_the_shipped_calendar(app):
    with unit_of_work():
        workdays.override(date(2026, 11, 23), working=False, name="停电")
        assert not workdays.calendar().works(date(2026, 11, 23))
        workdays.override(date(2026, 11, 23), working=True)
        assert workdays.calendar().works(date(2026, 11, 23))


@pytest.mark.skipif(not SHARED.exists(), reason="the shared working-day notices are not here")
def test_the_yearly_notices_agree_with_the_shipped_calendar(app):
    for year in (2024, 2025, 2026):
        text = (SHARED / f"{year}.json").read_text(encoding="utf-8")
        for day in json.loads(text)["days"]:
            assert CALENDAR.works(date.fromisoformat(day["date"])) != day["isOffDay"], day
        with unit_of_work():
            assert workdays.import_notice(text) == len(json.loads(text)["days"])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"days": [{}]}', '{"days": [{"date": "x", "isOffDay": true, "name": ""}]}']
)
def test_what_is_no_notice_leaves_the_calendar_as_it_was(app, text):
    with pytest.raises(ValueError), unit_of_work():
        workdays.import_notice(text)
