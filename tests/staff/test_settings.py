"""The working calendar as the administrator keeps it."""

import io
from datetime import date

from crm import workdays
from crm.db import db
from crm.duties.models import Event

NOTICE = '{"papers": ["某号文"], "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}'


def test_a_day_is_set_and_who_set_it_stays_written(app, browser):
    page = browser("admin")
    for kind in ("off", "worked"):
        assert page.send("/settings/calendar", day="2026-11-24", kind=kind, name="停电").status_code == 303
    assert workdays.calendar().works(date(2026, 11, 24))
    events = db.session.query(Event).filter_by(kind="calendar.day_set").order_by(Event.id).all()
    assert [(e.facts["before"], e.facts["working"]) for e in events] == [(None, False), (False, True)]
    assert events[0].actor_id and "停电" in page.get("/settings/calendar").text


def test_the_yearly_notice_comes_in_as_a_file_and_anything_else_changes_nothing(app, browser):
    page = browser("admin")
    assert "2027" in page.get("/settings/calendar").text, "a projection is called one"
    taken = page.send(
        "/settings/calendar/notice",
        page="/settings/calendar",
        files={"notice": (io.BytesIO(NOTICE.encode()), "2027.json")},
    )
    assert taken.status_code == 303 and "2027-01-01" in page.get("/settings/calendar").text
    for bad in (b"", b"{}", b"\xff\xfe", b"[1]"):
        answer = page.send(
            "/settings/calendar/notice", page="/settings/calendar", files={"notice": (io.BytesIO(bad), "x.json")}
        )
        assert answer.status_code == 422, bad


def test_a_bad_day_is_refused(app, browser):
    page = browser("admin")
    for bad in ({"day": ""}, {"day": "2026-13-01"}, {"day": "1900-01-01"}, {"day": "2026-11-24", "kind": "eaten"}):
        assert page.send("/settings/calendar", **bad).status_code == 422, bad
