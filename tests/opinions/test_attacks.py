"""Ways round the rules of complaints that somebody tried."""

from datetime import timedelta

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.duties import queries as duties
from crm.duties import workflow as rulebook
from crm.duties.reading import shipped
from crm.duties.rulebook import RulebookError
from crm.errors import Forbidden, Invalid, Refused
from crm.opinions import workflow
from crm.opinions.models import Opinion, State
from crm.reports import satisfaction
from tests import make
from tests.reading import text_of
from tests.seen import owed

pytestmark = pytest.mark.usefixtures("sound")


def test_a_call_about_a_complaint_is_read_by_whoever_reads_that(app, browser):
    with unit_of_work():
        row = make.complaint(upto="answered", title="挂电话")
        call = make.called_about(row)
    for who, sees in (("manager", True), ("followup", True), ("specialist", True), ("specialist2", False)):
        page = browser(who)
        assert page.get(call.path).status_code == (200 if sees else 404), who
        listed = page.get("/callbacks/all").text + page.get("/callbacks/all/export.csv").text + page.get("/search?q=挂电话").text
        assert (call.number in listed) == sees, who
        assert (call.number in page.get(make.customer_of(row).path).text) == sees, who
    with unit_of_work():
        workflow.review(db.session.get(Opinion, row.id), by=make.who("director"), reason="再听一遍")
    assert browser("followup").get(call.path).status_code == 404


def test_answered_anew_a_complaint_keeps_what_was_decided(app, browser):
    with unit_of_work():
        row = make.complaint(upto="answered")
        workflow.reopen(row, by=make.who("director"), reason="客户不满意")
    assert (row.state, row.follows) == (State.CONFIRMED, ["7.1.first"])
    assert browser("specialist").get(row.path).status_code == 200, "who was heard goes on reading it"
    with pytest.raises(Refused), unit_of_work():
        workflow.withdraw(row, by=make.who("manager"), reason="不提了")
    with unit_of_work():
        workflow.answer(row, by=make.who("manager"), answer="再次道歉")
    assert row.state == State.ANSWERED


def test_a_withdrawn_complaint_is_called_about(app, browser):
    with unit_of_work():
        row = make.complaint()
        workflow.withdraw(row, by=make.who("manager"), reason="客户说算了")
    assert owed(row).keys() == {"call.opinion"}
    shown = text_of(browser("followup").get(row.path).text)
    assert "ask whether that is so" in shown and "张伟" not in shown


def test_nobody_answers_what_is_said_of_themselves_under_another_name(app):
    me = make.who("specialist")
    with unit_of_work():
        row = make.opinion(category="letter", by=me, against=me)
    assert row.owner_id is None and owed(row)["opinion.answer"].pool == "manager"
    with pytest.raises(Forbidden), unit_of_work():
        workflow.answer(row, by=me, answer="没有的事")


def corrected(row: Opinion, **details) -> None:
    known = {"category": row.category, "about": row.about, "against": None, "said_on": row.said_on, "reason": "写错了", **details}
    with unit_of_work():
        workflow.correct(row, by=make.who("manager"), **known)


def test_what_was_taken_in_wrongly_is_put_right_by_who_leads(app):
    with unit_of_work():
        row = make.opinion(category="letter")
    corrected(row, category="complaint", about="attitude", against=make.who("specialist"))
    assert (row.state, row.owner_id, row.concerned_id) == (State.TO_INVESTIGATE, None, make.who("specialist").id)
    assert owed(row).keys() == {"opinion.investigate"}
    with unit_of_work():
        workflow.investigate(row, by=make.who("manager"))
        workflow.hear(row, by=make.who("manager"), words="不是我")
    corrected(row, about="attitude", against=make.who("specialist2"))
    assert row.state == State.INVESTIGATING, "another person is heard first"
    assert owed(row).keys() == {"opinion.decide"}
    corrected(row, category="suggestion")
    assert (row.state, row.about, owed(row).keys()) == (State.TO_ANSWER, "", {"opinion.answer"})


def test_no_day_lies_further_back_than_anybody_remembers(app):
    with pytest.raises(Invalid) as refused, unit_of_work():
        make.complaint(said_on=clock.today() - timedelta(days=367))
    assert "said_on" in refused.value.fields


@pytest.mark.parametrize(("against", "pool"), [("specialist", "manager"), ("manager", "director"), ("director", "manager")])
def test_a_complaint_about_one_who_leads_is_owed_by_the_other(app, browser, against, pool):
    with unit_of_work():
        row = make.complaint(against=make.who(against))
    [duty] = owed(row).values()
    assert (duty.pool, duty.rule.startswith("opinion.investigate")) == (pool, True)
    if against in ("manager", "director"):
        assert row.number not in browser(against).get("/").text


def test_who_is_here_is_not_told_to_who_reads_in_part(app, browser):
    with unit_of_work():
        row = make.complaint(upto="answered")
    assert browser("specialist").send(f"/presence/{row.number}").status_code == 200
    assert browser("followup").send(f"/presence/{row.number}").status_code == 404


def test_the_marks_of_such_a_call_are_of_nobodys_service(app):
    with unit_of_work():
        make.called_about(make.complaint(upto="answered"), attitude=1, skill=1, result=1, doubt="不满意")
    found = satisfaction.figures(satisfaction.Scope.of({}, make.who("director")), make.who("director"))
    assert found.specialists == []


def test_an_edition_without_what_the_program_names_is_refused(app):
    with pytest.raises(RulebookError, match="7.1.first"):
        rulebook.check_rulebook(shipped().replace('[penalty."7.1.first"]', '[penalty."7.1.renamed"]'))


def test_a_duty_of_a_complaint_is_not_looked_at_by_its_number(app, browser):
    with unit_of_work():
        row = make.complaint(upto="founded")
    [answer] = [duty for duty in duties.of_subject(row) if duty.rule == "opinion.answer"]
    assert browser("followup").get(f"/duties/{answer.id}/extension").status_code == 404
