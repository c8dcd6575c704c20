"""When the customer asked and was answered: neither lies ahead, nor the answer before the question."""

import pytest

from crm.db import db, unit_of_work
from crm.tickets.models import Ticket
from tests import make


@pytest.fixture
def path(app):
    with unit_of_work():
        return make.ticket().path


@pytest.mark.parametrize(
    ("asked", "answered", "said"),
    [
        ("2026-11-23T09:01", "", "lies in the future"),
        ("2026-11-23T08:00", "2026-11-23T09:01", "lies in the future"),
        ("2026-11-23T08:00", "2026-11-23T07:59", "before the customer asked"),
        ("1989-12-31T23:59", "", "Not a valid"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_its_reason(path, browser, asked, answered, said):
    answer = browser("specialist").send(f"{path}/edit", page=f"{path}/edit", asked_at=asked, answered_at=answered)
    assert answer.status_code == 422 and said in answer.text and asked in answer.text


def test_times_up_to_now_are_taken(path, browser):
    page = browser("specialist")
    answer = page.send(f"{path}/edit", page=f"{path}/edit", asked_at="2026-11-23T08:59", answered_at="2026-11-23T09:00")
    assert answer.status_code == 303
    db.session.rollback()
    assert db.session.query(Ticket).one().asked_at < db.session.query(Ticket).one().answered_at


def test_the_question_is_not_moved_behind_an_answer_that_is_kept(path, browser):
    page = browser("specialist")
    page.send(f"{path}/edit", page=f"{path}/edit", asked_at="2026-11-23T08:00", answered_at="2026-11-23T08:10")
    fields = next(f["fields"] for f in page.forms(f"{path}/edit") if f"{path}/edit" in f["actions"] and f["method"] == "post")
    without = {key: value for key, value in fields.items() if key != "answered_at"} | {"asked_at": "2026-11-23T08:30"}
    answer = page.post(f"{path}/edit", without)
    assert answer.status_code == 422 and "before the customer asked" in answer.text
