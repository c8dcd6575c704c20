"""The link by which a customer follows a request: it shows that request alone, runs out, and ends on every worker at once."""

import re
from datetime import timedelta

import pytest

from crm import clock, create_app
from crm.changes import workflow
from crm.changes.models import StatusLink
from crm.db import db, unit_of_work
from crm.duties.models import Event
from tests import make
from tests.models import settings
from tests.reading import text_of

SECRET = "这是别家的"


def made(page, path: str) -> str:
    answer = page.send(f"{path}/link")
    assert answer.status_code == 200
    return re.search(r"/changes/status/[\w-]{32}", answer.text).group()


def test_it_shows_how_far_the_request_has_come_and_nothing_of_ours(app, browser):
    with unit_of_work():
        change = make.change(upto="building", title="加一列")
        workflow.postpone(change, by=make.who("manager"), expected_on=clock.today() + timedelta(days=20), reason="内部排期紧", told="电话")
        make.change(title=SECRET)
        path, number = change.path, change.number
        customer = make.customer_of(change).title
    link = made(browser("specialist"), path)
    answer = browser().get(link)
    said = text_of(answer.text)
    assert answer.status_code == 200 and answer.headers["X-Robots-Tag"].startswith("noindex")
    for one in (number, "加一列", "费用表按部门汇总", "It is being built.", str(clock.today() + timedelta(days=20))):
        assert one in said, one
    for one in (SECRET, "内部排期紧", "张伟", "刘强", "赵磊", "改报表取数", customer):
        assert one not in said, one
    assert not re.findall(r'href="/(changes|customers|tickets)', answer.text)


def test_it_is_kept_as_a_hash_and_a_new_one_ends_the_one_before(app, browser):
    with unit_of_work():
        path = make.change().path
    page = browser("specialist")
    first = made(page, path)
    second = made(page, path)
    assert browser().get(first).status_code == 404 and browser().get(second).status_code == 200
    kept = db.session.query(StatusLink).all()
    assert len(kept) == 2 and all(first[-32:] not in one.token_hash for one in kept)
    assert first[-32:] not in repr([event.facts for event in db.session.query(Event)])


def test_ended_or_out_of_date_it_is_dead_on_every_worker_at_once(app, database_url, tmp_path, browser):
    with unit_of_work():
        path = make.change().path
    page = browser("specialist")
    ended = made(page, path)
    other = create_app(settings(database_url, tmp_path / "other")).test_client()  # another worker
    assert other.get(ended).status_code == 200
    assert page.send(f"{path}/unlinking").status_code == 303
    assert (browser().get(ended).status_code, other.get(ended).status_code) == (404, 404)
    assert page.send(f"{path}/unlinking").status_code == 409, "there is none any more"
    again = made(page, path)
    with clock.frozen(clock.now() + timedelta(days=90, seconds=-1)):
        assert other.get(again).status_code == 200
    with clock.frozen(clock.now() + timedelta(days=90)):
        assert (browser().get(again).status_code, other.get(again).status_code) == (404, 404)


@pytest.mark.parametrize("who", ["specialist2", "followup", "developer", "director"])
def test_nobody_but_who_reported_it_makes_one(app, browser, who):
    with unit_of_work():
        path = make.change().path
    assert browser(who).send(f"{path}/link").status_code == 403


def test_a_manager_ends_one_that_another_made(app, browser):
    with unit_of_work():
        path = make.change().path
    link = made(browser("specialist"), path)
    assert browser("specialist2").send(f"{path}/unlinking").status_code == 403
    assert browser("manager").send(f"{path}/unlinking").status_code == 303
    assert browser().get(link).status_code == 404


@pytest.mark.parametrize("token", ["0" * 32, "'" * 32, "%00" * 32, "../" * 10 + "ab"])
def test_a_token_that_was_never_made_opens_nothing(app, browser, token):
    assert browser().get(f"/changes/status/{token}").status_code == 404
