"""Notices, and who else has a page open."""

from datetime import timedelta

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.desk import presence
from crm.desk.models import Presence
from crm.duties.models import Notice
from crm.duties.workflow import forget_notices
from crm.tickets import workflow
from tests import make


@pytest.fixture
def mine(app):
    """A record of the specialist's, to which the manager added a note."""
    with unit_of_work():
        ticket = make.ticket()
        workflow.note(ticket, by=make.who("manager"), words="请先核对期初")
        workflow.note(ticket, by=make.who("specialist"), words="好的")
        return ticket.path


def test_what_others_do_to_mine_is_noticed_and_what_i_do_is_not(mine, browser):
    page = browser("specialist")
    shown = page.get("/notices").text
    assert shown.count('class="notice"') == 1 and "请先核对期初" in shown
    assert "1 new notice" in shown
    assert 'class="notice"' not in browser("specialist2").get("/notices").text


def test_reading_one_leads_there_and_it_is_seen(mine, browser):
    page, notice = browser("specialist"), db.session.query(Notice).one().id
    assert browser("specialist2").send(f"/notices/{notice}/reading", page="/notices").status_code == 404
    assert page.send(f"/notices/{notice}/reading", page="/notices").location == mine
    assert "new notice" not in page.get("/").text


def test_all_are_seen_at_once_and_swept_in_time(mine, browser, app):
    browser("specialist").send("/notices/reading", page="/notices")
    db.session.rollback()
    assert forget_notices(clock.now()) == 0
    assert forget_notices(clock.now() + timedelta(days=91)) == 1


def test_whom_a_record_is_given_to_and_taken_from_are_told(app, browser):
    with unit_of_work():
        ticket = make.ticket()
        workflow.assign(ticket, by=make.who("manager"), to=make.who("specialist2"), reason="休假")
    assert "休假" in browser("specialist2").get("/notices").text
    assert "休假" in browser("specialist").get("/notices").text
    assert 'class="notice"' not in browser("manager").get("/notices").text


def test_what_one_no_longer_sees_is_not_told_either(app, browser):
    with unit_of_work():
        ticket = make.ticket(category="admin_password")
        workflow.note(ticket, by=make.who("manager"), words="机密")
        workflow.assign(ticket, by=make.who("manager"), to=make.who("specialist2"), reason="换人")
    assert "机密" not in browser("specialist").get("/notices").text


def says(page, path: str, **fields) -> list:
    token = page.token("/account")
    return page.post(path.replace("/tickets/", "/presence/"), {"csrf_token": token, **fields}).json


def test_two_on_one_record_see_each_other(mine, browser, app):
    here, there = browser("specialist"), browser("manager")
    assert says(here, mine) == []
    assert says(there, mine) == ["张伟"] and says(here, mine) == ["刘强"]
    assert says(there, mine, leaving="1") == [] and says(here, mine) == []
    with clock.frozen(make.MONDAY + timedelta(minutes=2)):
        assert says(there, mine) == []  # silent for too long
        assert presence.forget(clock.now()) == 1
    db.session.rollback()
    assert db.session.query(Presence).count() == 1


def test_nobody_looks_in_on_what_they_may_not_see(app, browser):
    with unit_of_work():
        path = make.ticket(category="admin_password").path
    page = browser("specialist2")
    token = page.token("/account")
    assert page.post(path.replace("/tickets/", "/presence/"), {"csrf_token": token}).status_code == 404
    assert page.post(path.replace("/tickets/", "/presence/"), {}).status_code == 400  # no token
