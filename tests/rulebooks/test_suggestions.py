"""Anybody may suggest a change to the rulebook or object to it, and is answered in writing (8, 9)."""

import pytest

from crm import clock, sweep
from crm.db import db, unit_of_work
from crm.duties.models import Duty, Notice
from crm.permissions import Role
from crm.rulebooks import suggesting
from crm.rulebooks.models import Suggestion
from crm.staff.models import User, UserRole
from tests import make
from tests.rulebooks.drafts import begun, events


def written(by: str = "specialist", category: str = "suggestion", **said) -> Suggestion:
    with unit_of_work():
        return suggesting.suggest(by=make.who(by), category=category, **{"words": "完成记录的期限太紧", "clause": "5.1.3", **said})


def owed(row: Suggestion) -> Duty:
    return db.session.query(Duty).filter_by(subject_id=row.id).one()


@pytest.mark.parametrize("role", [role for role in make.CAST if role != "director"])
def test_anybody_with_an_account_suggests_from_a_clause(app, browser, role):
    page = browser(role)
    assert "/suggestions/new?clause=5.1.3" in page.get("/rulebook").text
    asked = page.get("/suggestions/new?clause=5.1.3")
    assert 'value="5.1.3" selected' in asked.text or "selected value=\"5.1.3\"" in asked.text
    answer = page.send("/suggestions/new?clause=5.1.3", page="/suggestions/new?clause=5.1.3", kind="suggestion", clause="5.1.3", words="改成次日")
    assert answer.status_code == 303, answer.text
    row = db.session.query(Suggestion).one()
    assert (row.clause, row.words, row.owner_id, row.answers) == ("5.1.3", "改成次日", make.who(role).id, "director")
    assert page.get(row.path).status_code == 200 and row.number in page.get("/suggestions").text


@pytest.mark.parametrize(("by", "category", "role"), [
    ("specialist", "suggestion", "director"), ("specialist", "objection", "manager"), ("manager", "objection", "director"), ("director", "suggestion", "manager"),
])  # fmt: skip
def test_it_is_owed_an_answer_within_five_working_days_by_whoever_did_not_write_it(app, by, category, role):
    row = written(by, category)
    duty = owed(row)
    assert (duty.pool, duty.due_at, duty.fine_fen) == (role, clock.parse("2026-11-30T18:00"), None)
    other = {"director": "manager", "manager": "director"}[role]
    for login, may in ((role, True), (other, False), (by, False), ("followup", False)):
        assert row.MOVES["answer"].open_to(make.who(login), row) == (may and login != by)


def test_the_answer_is_in_writing_and_whoever_wrote_it_is_told(app, browser):
    row = written()
    director = browser("director")
    assert f"{row.path}#answer" in director.get("/").text
    assert director.send(f"{row.path}/answer", words=" ").status_code == 422
    assert director.send(f"{row.path}/answer", words="下一版改成次日").status_code == 303
    db.session.rollback()
    db.session.refresh(row)
    assert (row.state, row.answer) == ("answered", "下一版改成次日") and owed(row).kept_by_id
    told = db.session.query(Notice).filter_by(user_id=make.who("specialist").id).all()
    assert [notice.event_id for notice in told] == [events("suggestion.answered")[0].id]
    assert "下一版改成次日" in browser("specialist").get(row.path).text


def test_nobody_answers_their_own_whatever_roles_they_hold(app, browser):
    with unit_of_work():
        user = db.session.get(User, make.who("manager").id)
        user.held.append(UserRole(role=Role.DIRECTOR))
    row = written("manager", "objection")
    assert browser("manager").send(f"{row.path}/answer", words="不改").status_code == 403
    assert browser("director").send(f"{row.path}/answer", words="不改").status_code == 303


def test_the_manager_does_not_answer_suggestions_nor_the_director_others_objections(app, browser):
    suggestion, objection = written(), written(category="objection")
    assert browser("manager").send(f"{suggestion.path}/answer", words="好", version="1").status_code == 403
    assert browser("director").send(f"{objection.path}/answer", words="好", version="1").status_code == 403
    assert "Answer in writing" not in browser("manager").get(suggestion.path).text
    assert browser("manager").send(f"{objection.path}/answer", words="好").status_code == 303


def test_one_reads_ones_own_and_whoever_answers_reads_all(app, browser):
    mine, others = written(), written("followup", "objection")
    page = browser("specialist")
    assert page.get(mine.path).status_code == 200 and page.get(others.path).status_code == 404
    assert others.number not in page.get("/suggestions").text and others.number not in page.get("/suggestions/export.csv").text
    for role in ("manager", "director"):
        assert {number for number in (mine.number, others.number) if number in browser(role).get("/suggestions").text} == {mine.number, others.number}
    assert mine.number not in browser("manager").get("/suggestions?kind=objection").text


def test_the_director_takes_one_up_in_a_draft_and_it_stands_there(app, browser):
    row = written()
    with unit_of_work():
        draft = begun()
    director = browser("director")
    assert director.send(f"{row.path}/draft", draft="").status_code == 422
    assert director.send(f"{row.path}/draft", draft=draft.number).status_code == 303
    assert row.number in director.get(draft.path).text
    page = browser("specialist").get(row.path).text
    assert draft.number in page and draft.path not in page, "who may not read drafts sees its number"
    assert [notice.user_id for notice in db.session.query(Notice)] == [make.who("specialist").id]
    assert browser("manager").send(f"{row.path}/draft", draft=draft.number).status_code == 403


def test_it_may_be_withdrawn_by_whoever_wrote_it_and_then_nothing_is_owed(app, browser):
    row = written()
    assert browser("director").send(f"{row.path}/withdrawal").status_code == 403
    assert browser("specialist").send(f"{row.path}/withdrawal").status_code == 303
    db.session.rollback()
    assert owed(row).dropped_by_id
    assert browser("director").send(f"{row.path}/answer", words="好", version="2").status_code == 409


def test_what_is_not_answered_in_time_is_missed_and_fined_by_nobody(app):
    row = written()
    sweep.tick(clock.parse("2026-12-02T09:00"))
    assert owed(row).breached_by_id and owed(row).fine_fen is None


def test_blanks_and_clauses_that_are_not_there_are_refused(app, browser):
    page = browser("specialist")
    assert page.send("/suggestions/new", kind="suggestion", words="  ").status_code == 422
    assert page.send("/suggestions/new", kind="", words="好").status_code == 422
    assert page.send("/suggestions/new", kind="suggestion", clause="9.9", words="好").status_code == 422
    assert db.session.query(Suggestion).count() == 0


def test_notes_are_told_to_whoever_wrote_it(app, browser):
    row = written()
    assert browser("director").send(f"{row.path}/notes", page=row.path, words="再说具体些").status_code == 303
    assert db.session.query(Notice).one().user_id == make.who("specialist").id
