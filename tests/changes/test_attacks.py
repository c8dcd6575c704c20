"""Ways round the rules of changes that somebody tried: whoever asked neither approves nor builds, whoever built never tests,
a promise moves by being told of alone, and nothing owed is stranded."""

import pytest

from crm import clock
from crm.changes import workflow
from crm.changes.models import Promise, State
from crm.db import db, unit_of_work
from crm.duties import queries as duties
from crm.duties.models import Notice
from crm.errors import Forbidden, Invalid, Refused
from crm.permissions import Role
from crm.staff import workflow as staff
from tests import make
from tests.changes.people import DAY, developer, later, manager, me
from tests.seen import owed

pytestmark = pytest.mark.usefixtures("sound")


def also(login: str, role: Role) -> None:
    user = make.who(login)
    staff.edit_user(user, by=make.who("admin"), roles=[*user.roles, role], active=True)


def test_whoever_asked_never_approves_though_it_was_given_away(app):
    with unit_of_work():
        change = make.change(upto="submitted")
        also("specialist", Role.MANAGER)
        workflow.assign(change, by=manager(), to=make.who("specialist2"), reason="换人")
    for act in (
        lambda: workflow.approve(change, by=me(), opinion="行", expected_on=clock.today() + DAY),
        lambda: workflow.reject(change, by=me(), reason="不行"),
    ):
        with pytest.raises(Forbidden), unit_of_work():
            act()


def test_whoever_asked_never_builds_and_whoever_built_never_tests(app):
    with unit_of_work():
        change = make.change(upto="approved")
        also("specialist", Role.DEVELOPER)
        also("developer", Role.SPECIALIST)
        workflow.assign(change, by=manager(), to=make.who("specialist2"), reason="换人")
    with pytest.raises(Forbidden), unit_of_work():
        workflow.take(change, by=me())
    with unit_of_work():
        workflow.take(change, by=developer())
        workflow.deliver(change, by=developer(), changed="改了", how_to_test="看看")
        other = make.other_developer()
    with unit_of_work():
        workflow.rebuild(change, by=manager(), to=other, reason="病假")
    with pytest.raises(Refused), unit_of_work():
        workflow.assign(change, by=manager(), to=developer(), reason="绕一圈")


def test_a_promise_does_not_vanish_with_a_changed_letter(app):
    with unit_of_work():
        change = make.change(upto="building")
        day = change.expected_on
        workflow.change_request(change, by=me(), installation=None, category=change.category, title=change.title + "。",
                                requirement=change.requirement, agreed=change.agreed)  # fmt: skip
    assert change.state == State.DRAFT and owed(change)["change.promise"].due_at == clock.end_of(day)
    with unit_of_work():
        workflow.submit(change, by=me(), agreed=change.agreed)
    with pytest.raises(Invalid) as refused, unit_of_work():
        workflow.approve(change, by=manager(), opinion="行", expected_on=day + 300 * DAY)
    assert refused.value.fields.keys() == {"reason", "told"}
    with unit_of_work():
        workflow.approve(change, by=manager(), opinion="行", expected_on=day + DAY, reason="改了内容", told="电话，客户同意")
    last = db.session.query(Promise).order_by(Promise.id.desc()).first()
    assert (last.day, last.reason, last.told) == (day + DAY, "改了内容", "电话，客户同意")
    assert owed(change)["change.promise"].due_at == clock.end_of(day + DAY)
    assert not [duty for duty in duties.of_subject(change) if duty.breached_by_id]


def test_left_as_it_is_a_promise_is_missed_though_the_text_is_being_agreed_anew(app):
    with unit_of_work():
        change = make.change(upto="building")
        workflow.change_request(change, by=me(), installation=None, category=change.category, title="另一样",
                                requirement=change.requirement, agreed=change.agreed)  # fmt: skip
    with later(8), unit_of_work():
        workflow.withdraw(change, by=manager(), reason="算了")
    missed = [duty.rule for duty in duties.of_subject(change) if duty.breached_by_id]
    assert "change.promise" in missed


def test_the_customer_is_told_of_a_rejection_though_the_request_was_taken_up_again(app):
    with unit_of_work():
        change = make.change(upto="submitted")
        workflow.reject(change, by=manager(), reason="已有")
        workflow.change_request(change, by=me(), installation=None, category=change.category, title="另一样",
                                requirement=change.requirement, agreed=change.agreed)  # fmt: skip
        workflow.tell(change, by=me(), words="告诉了")
    assert change.state == State.DRAFT and owed(change).keys() == {"change.agree", "paper.change_request"}
    assert change.opinion == "", "of another text"


def test_another_requirement_needs_another_stamped_form_which_is_another_paper(app):
    with unit_of_work():
        change = make.change(upto="submitted")
        paper = make.papers.enter(change, "change_request", by=me())
        make.papers.offer(paper, by=me(), to=make.who("archivist"))
        make.papers.archive(paper, by=make.who("archivist"), place="卷一")
        workflow.change_request(change, by=me(), installation=None, category=change.category, title=change.title,
                                requirement=change.requirement, agreed="另一种做法")  # fmt: skip
        workflow.submit(change, by=me(), agreed="另一种做法")
    assert "paper.change_request" not in owed(change), "the customer's own words are those on the stamped form"
    with unit_of_work():
        workflow.change_request(change, by=me(), installation=None, category=change.category, title=change.title,
                                requirement="全都要", agreed="另一种做法")  # fmt: skip
    with pytest.raises(Invalid) as refused, unit_of_work():
        workflow.submit(change, by=me(), agreed="另一种做法")
    assert "file_form" in refused.value.fields
    with unit_of_work():
        workflow.submit(change, by=me(), agreed="另一种做法", files=[make.form_scan(me())])
    assert "paper.change_request" in owed(change)


def test_a_late_test_costs_the_developer_nothing(app):
    with unit_of_work():
        change = make.change(upto="testing")
    with later(9), unit_of_work():
        workflow.fail(change, by=me(), words="不对")
    mend = owed(change)["change.mend"]
    assert mend.owner_id == developer().id and mend.due_at > make.MONDAY + 9 * DAY and "change.deliver" not in owed(change)


def test_a_developer_who_is_away_hands_it_to_another_with_what_is_owed(app):
    with unit_of_work():
        change = make.change(upto="building")
        other = make.other_developer()
    with unit_of_work():
        workflow.rebuild(change, by=manager(), to=other, reason="离职")
    assert (change.concerned_id, owed(change)["change.deliver"].owner_id) == (other.id, other.id)
    with pytest.raises(Forbidden), unit_of_work():
        workflow.deliver(change, by=developer(), changed="改了", how_to_test="看看")
    with pytest.raises(Invalid), unit_of_work():
        workflow.rebuild(change, by=manager(), to=make.who("specialist2"), reason="不会写程序")


def test_nothing_reaches_the_customer_before_it_passed(app):
    with later(2), unit_of_work():
        change = make.change(upto="passed")
    with pytest.raises(Invalid), later(3), unit_of_work():
        workflow.update(change, by=me(), updated_on=clock.today() - 3 * DAY)


def test_a_director_moves_a_date_in_the_managers_place_and_says_why(app):
    with unit_of_work():
        change = make.change(upto="building")
    said = {"expected_on": clock.today() + 20 * DAY, "reason": "难", "told": "电话"}
    with pytest.raises(Invalid), unit_of_work():
        workflow.postpone(change, by=make.who("director"), **said)
    with unit_of_work():
        workflow.postpone(change, by=make.who("director"), standing_in="经理出差", **said)


def test_a_note_reaches_the_developer(app):
    with unit_of_work():
        change = make.change(upto="building")
        make.note(change, by=manager(), words="先做这个")
    told = {row.user_id for row in db.session.query(Notice)}
    assert developer().id in told


@pytest.mark.parametrize("words", ["\u200b", "\u2060\ufeff", " \u200b \n"])
def test_what_nobody_sees_is_nothing(app, browser, words):
    with unit_of_work():
        path = make.change(category="bug").path
    answer = browser("specialist").send(f"{path}/submission", agreed=words)
    assert answer.status_code == 422


def test_text_that_turns_others_about_is_refused(app, browser):
    with unit_of_work():
        path = make.change(category="bug").path
    answer = browser("specialist").send(f"{path}/submission", agreed="照办\u202e办不")
    assert answer.status_code == 422 and "cannot be stored" in answer.text
