"""A person's visits in the calendar of their phone: by a secret link, their own only, and nothing a stranger should read."""

import re
from datetime import timedelta

from icalendar import Calendar

from crm.db import db, unit_of_work
from crm.duties.models import Event
from crm.staff import workflow as staff
from crm.staff.models import Access
from crm.visits import feed, workflow
from crm.visits.models import Feed
from tests import make


def link(page) -> str:
    """The path of a new link."""
    made = page.send("/visits/feed", page="/visits/calendar")
    assert made.status_code == 200
    return re.search(r"/visits/feed/[\w-]{32}\.ics", made.text)[0]


def told(browser, path: str) -> list:
    answer = browser().get(path)
    assert answer.status_code == 200 and answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    return list(Calendar.from_ical(answer.data).walk("VEVENT"))


def test_the_link_needs_no_log_in_and_shows_ones_own_visits(app, browser):
    with unit_of_work():
        unit = make.customer("宏远机械", address="南京西路1号", full_name="宏远机械有限公司", phone="021-5550000", remark="欠款")
        make.contact(unit, mobile="13900000001")
        make.installation(unit)
        visit = make.visit(unit, description="密码在抽屉里")
        make.visit(unit, by=make.who("specialist2"))
        workflow.cancel(make.visit(unit, starts_in=50), by=make.who("specialist"), reason="改期")
    path = link(browser("specialist"))
    (one,) = told(browser, path)
    assert (one["uid"], one["sequence"], one["status"]) == (f"{visit.number}@jinyang-crm", visit.version, "TENTATIVE")
    assert (one["summary"], one["location"]) == ("宏远机械 · 月结时到场", "南京西路1号")
    assert one["dtstart"].to_ical() == b"20261124T010000Z" and one.decoded("dtend") == visit.ends_at
    whole = browser().get(path).get_data(as_text=True)
    assert not [word for word in ("抽屉", "报表", "王会计", "1390000", "5550000", "欠款", "有限公司") if word in whole]


def test_a_change_keeps_the_visits_name_and_counts_on(app, browser):
    with unit_of_work():
        visit = make.visit()
    path = link(browser("specialist"))
    (before,) = told(browser, path)
    with unit_of_work():
        workflow.approve(visit, by=make.who("manager"))
    (after,) = told(browser, path)
    assert after["uid"] == before["uid"] and after["sequence"] > before["sequence"] and after["status"] == "CONFIRMED"


def test_what_is_long_over_is_left_out(app, browser, frozen):
    with unit_of_work():
        visit = make.visit()
        visit.arrive_at, visit.ends_at = (make.MONDAY - timedelta(days=61, hours=one) for one in (5, 1))
    assert told(browser, link(browser("specialist"))) == []


def test_a_new_link_ends_the_old_and_an_ended_one_is_not_there(app, browser):
    page = browser("specialist")
    first = link(page)
    second = link(page)
    assert browser().get(first).status_code == 404 and browser().get(second).status_code == 200
    assert page.send("/visits/feed/end", page="/visits/calendar").status_code == 303
    assert browser().get(second).status_code == 404
    happened = [kind for (kind,) in db.session.query(Event.kind).filter(Event.kind.like("user.feed%")).order_by(Event.id)]
    assert happened == ["user.feed_made", "user.feed_made", "user.feed_ended"]


def test_a_link_dies_with_the_account_and_with_the_right_to_see_visits(app, browser):
    me, admin = make.who("specialist"), make.who("admin")
    path = link(browser("specialist"))
    for roles, active in (([], True), (["specialist"], False)):
        with unit_of_work():
            staff.edit_user(me, by=admin, roles=roles, active=active)
        assert browser().get(path).status_code == 404
    with unit_of_work():
        staff.edit_user(me, by=admin, roles=["specialist"], active=True)
    assert browser().get(path).status_code == 404, "an account that was made inactive keeps no link"


def test_a_restore_ends_every_link_and_so_does_another_role(app, browser):
    path = link(browser("specialist"))
    with unit_of_work():
        staff.restored()
    assert browser().get(path).status_code == 404
    again = link(browser("specialist"))
    with unit_of_work():
        staff.edit_user(make.who("specialist"), by=make.who("admin"), roles=["followup"], active=True)
    assert browser().get(again).status_code == 404


def test_no_token_is_kept_in_the_clear(app, browser):
    page = browser("specialist")
    token = link(page)[-36:-4]
    assert db.session.query(Feed).one().token_hash not in ("", token)
    page.get(f"/visits/feed/{token[::-1]}.ics")
    assert not [row for row in db.session.query(Access) if token in row.path or token[::-1] in row.path]
    assert token not in page.get("/visits/calendar").text
    for guess in ("0" * 32, "%" * 32, "_" * 32, token.lower()):
        assert browser().get(f"/visits/feed/{guess}.ics").status_code == 404
    with unit_of_work():
        assert len({feed.make(make.who("specialist2")) for _one in range(50)}) == 50
