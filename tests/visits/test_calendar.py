"""Visits by day: a week or a month, trips across their days, who is in two places at once, which days are off."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event

from crm import workdays
from crm.db import db, unit_of_work
from crm.visits import calendar, workflow
from crm.visits.calendar import Wanted
from tests import make

HERE = "/visits/calendar"


def week(user="specialist", **args) -> calendar.Shown:
    return calendar.shown(make.who(user), Wanted.of({"day": "2026-11-25", **args}, make.who(user)))


def days_with(shown: calendar.Shown, number: str) -> list[int]:
    return [day.day.day for day in shown.days if any(one.visit.number == number for one in day.entries)]


@pytest.mark.parametrize(
    ("args", "first", "last", "before", "after"),
    [
        ({"day": "2026-11-25"}, "2026-11-23", "2026-11-29", "2026-11-22", "2026-11-30"),
        ({"day": "2026-11-25", "view": "month"}, "2026-10-26", "2026-12-06", "2026-10-31", "2026-12-01"),
        ({"day": "2026-02-15", "view": "month"}, "2026-01-26", "2026-03-01", "2026-01-31", "2026-03-01"),
        ({"day": "2026-12-31", "view": "month"}, "2026-11-30", "2027-01-03", "2026-11-30", "2027-01-01"),
        ({"day": "2026-99-99", "view": "year"}, "2026-11-23", "2026-11-29", "2026-11-22", "2026-11-30"),
    ],
)
def test_a_calendar_begins_on_a_monday_and_leads_on_and_back(app, args, first, last, before, after):
    wanted = Wanted.of(args, make.who("specialist"))
    found = [str(one) for one in (wanted.days[0], wanted.days[-1], wanted.before, wanted.after)]
    assert found == [first, last, before, after]


def test_a_trip_stands_on_each_of_its_days(app):
    with unit_of_work():
        trip = make.visit(category="trip", place="南京", starts_in=30, ends_at=make.MONDAY + timedelta(hours=78))
    shown = week()
    assert days_with(shown, trip.number) == [24, 25, 26]
    entries = [day.entries[0] for day in shown.days if day.entries]
    assert [(one.begins, one.ends) for one in entries] == [(True, False), (False, False), (False, True)]


def test_one_that_ends_at_midnight_does_not_stand_on_the_next_day(app):
    with unit_of_work():
        visit = make.visit(starts_in=33, ends_at=make.MONDAY + timedelta(hours=39))  # Tuesday 18:00 to 24:00
    assert days_with(week(), visit.number) == [24]


def test_what_does_not_take_place_is_left_out(app):
    unit = make.served_customer
    with unit_of_work():
        rejected, cancelled, stays = (make.visit(unit(f"单位{i}"), starts_in=24 + 5 * i) for i in range(3))
        workflow.reject(rejected, by=make.who("manager"), reason="先远程")
        workflow.cancel(cancelled, by=make.who("specialist"), reason="改期")
    assert [one.visit.number for day in week().days for one in day.entries] == [stays.number]


def test_one_person_in_two_places_is_marked_and_two_persons_are_not(app):
    with unit_of_work():
        long = make.visit(starts_in=24, ends_at=make.MONDAY + timedelta(hours=34))
        unit = db.session.get(make.Customer, long.customer_id)
        short = make.visit(unit, starts_in=25)
        later = make.visit(unit, starts_in=30)  # after the short one, within the long one
        after = make.visit(unit, starts_in=34)  # begins as the others end
        other = make.visit(unit, by=make.who("specialist2"), starts_in=25)
    clashing = {one.visit.number for day in week().days for one in day.entries if one.clash}
    assert clashing == {long.number, short.number, later.number}
    assert not clashing & {after.number, other.number}


def test_days_off_are_those_of_the_working_calendar(app):
    with unit_of_work():
        workdays.override(date(2026, 11, 26), working=False)
        workdays.override(date(2026, 11, 28), working=True)
    db.session.remove()
    assert [day.day.day for day in week().days if not day.works] == [26, 29]


def test_a_month_asks_as_little_for_a_hundred_visits_as_for_one(app):
    def statements() -> int:
        asked: list[str] = []
        listen = lambda conn, cursor, statement, *rest: asked.append(statement)  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listen)
        calendar.shown(me, Wanted.of({"view": "month"}, me))
        event.remove(db.engine, "before_cursor_execute", listen)
        return len(asked)

    me = make.who("specialist")
    assert me.roles and workdays.calendar()
    with unit_of_work():
        unit = make.served_customer()
        make.visit(unit)
    few = statements()
    with unit_of_work():
        for hours in range(60):
            make.visit(unit, starts_in=2 + hours)
    assert statements() == few


def test_the_page_is_narrowed_and_linked(app, browser):
    with unit_of_work():
        mine = make.visit()
        make.visit(db.session.get(make.Customer, mine.customer_id), by=make.who("specialist2"), starts_in=40)
    page = browser("specialist")
    both, own = page.get(HERE).text, page.get(f"{HERE}?owner=me").text
    assert both.count('class="visit-at') == 2 and own.count('class="visit-at') == 1
    assert f'href="/visits/{mine.number}"' in own and 'href="/visits/calendar' in page.get("/visits").text
    for args in ("view=month", "day=1990-01-01", "day=2100-12-31&view=month", "view=x&day=y&owner=z", "owner=999999999"):
        assert page.get(f"{HERE}?{args}").status_code == 200, args
    assert "My visits on the phone" in own and "My visits on the phone" not in browser("manager").get(HERE).text
    assert browser("developer").get(HERE).status_code == 403
