"""Implementations (5.7.3, 7.6): from the end on three papers are owed; the form within three days, or it costs."""

from datetime import timedelta

import pytest

from crm import clock, sweep
from crm.db import db, unit_of_work
from crm.duties.models import Duty, Event, Notice
from crm.errors import Forbidden, Invalid, WrongState
from crm.implementations import workflow as implementing
from crm.papers import workflow as papers
from tests import make

THREE = {"paper.implementation", "paper.acceptance", "paper.golive"}


@pytest.fixture
def begun(app):
    with unit_of_work():
        return implementing.begin(make.customer(), by=make.who("specialist"), title="上线总账", starts_on=clock.today())


def owed(made) -> dict[str, Duty]:
    db.session.rollback()
    return {duty.rule: duty for duty in db.session.query(Duty).filter_by(subject_id=made.id) if duty.open}


def test_another_installation_is_told_by_its_name_and_must_be_this_customers(begun):
    me = make.who("specialist")
    with unit_of_work():
        mine = make.installation(db.session.get_one(make.Customer, begun.customer_id))
        theirs = make.installation(make.customer("别家"))
    said = {"title": begun.title, "starts_on": begun.starts_on, "remark": ""}
    with pytest.raises(Invalid), unit_of_work():
        implementing.change(begun, by=me, installation=theirs, **said)
    with unit_of_work():
        implementing.change(begun, by=me, installation=mine, **said)
    event = db.session.query(Event).filter_by(subject_id=begun.id).order_by(Event.id.desc()).first()
    assert event.facts["changes"] == {"installation": [None, mine.title]}


def test_its_end_opens_three_papers_and_one_of_them_has_a_price(begun):
    assert set(owed(begun)) == {"implementation.end"}, "somebody says that it ended (ours)"
    with unit_of_work():
        implementing.end(begun, by=make.who("specialist"), ended_on=clock.today())
    due = owed(begun)
    assert set(due) == THREE
    form = due["paper.implementation"]
    assert (form.fine_clause, form.fine_fen, form.due_at) == ("7.6", 50000, clock.end_of(clock.today() + timedelta(days=3)))
    assert due["paper.acceptance"].fine_fen is None


def test_the_form_handed_over_in_time_costs_nothing_though_it_is_confirmed_late(begun, sound):
    me, archivist = make.who("specialist"), make.who("archivist")
    with unit_of_work():
        implementing.end(begun, by=me, ended_on=clock.today())
        paper = papers.enter(begun, "implementation", by=me)
        papers.offer(paper, by=me, to=archivist)
    with clock.frozen(clock.now() + timedelta(days=6)):
        sweep.tick()
        with unit_of_work():
            papers.archive(paper, by=archivist, place="甲柜")
    assert db.session.query(Duty).filter_by(rule="paper.implementation").one().breached_by_id is None


def test_a_form_that_did_not_come_is_missed_by_its_owner(begun):
    with unit_of_work():
        implementing.end(begun, by=make.who("specialist"), ended_on=clock.today())
    with clock.frozen(clock.now() + timedelta(days=6)):
        sweep.tick()
    missed = db.session.query(Duty).filter_by(rule="paper.implementation").one()
    assert missed.breached_owner_id == make.who("specialist").id and missed.fine_fen == 50000


def test_it_ends_once_and_not_before_it_began(begun):
    with pytest.raises(Invalid), unit_of_work():
        implementing.end(begun, by=make.who("specialist"), ended_on=clock.today() - timedelta(days=1))
    with unit_of_work():
        implementing.end(begun, by=make.who("specialist"), ended_on=clock.today())
    with pytest.raises(WrongState), unit_of_work():
        implementing.end(begun, by=make.who("specialist"), ended_on=clock.today())


def test_on_pages_it_is_begun_at_a_customer_put_right_and_ended(app, browser):
    with unit_of_work():
        unit = make.customer()
    page, where = browser("specialist"), f"/implementations/new?customer={unit.number}"
    assert f'href="{where}"' in page.get(unit.path).text
    begun = page.send("/implementations/new", page=where, title="上线总账", starts_on=str(clock.today()), customer=unit.number)
    assert begun.status_code == 303
    path = begun.location
    assert page.send(f"{path}/edit", page=f"{path}/edit", title="上线总账和报表").status_code == 303
    wrong = page.send(f"{path}/end", ended_on="2020-01-01")
    assert wrong.status_code == 422 and "2020-01-01" in wrong.text
    assert page.send(f"{path}/end", ended_on=str(clock.today())).status_code == 303
    done = page.get(path).text
    assert "three papers are owed" in done and "¥500" in done and "上线总账和报表" in done
    listed = page.get("/implementations").text
    assert "上线总账和报表" in listed and "宏远机械" in listed
    assert page.get("/implementations/new").location == "/customers"


def test_only_whoever_is_fined_by_it_or_who_leads_ends_it(begun):
    for login in ("specialist2", "followup"):
        with pytest.raises(Forbidden), unit_of_work():
            implementing.end(begun, by=make.who(login), ended_on=clock.today())
    with unit_of_work():
        implementing.end(begun, by=make.who("manager"), ended_on=clock.today())
    assert set(owed(begun)) == THREE


def test_given_to_another_its_papers_are_owed_by_them_who_are_told(begun, browser):
    other = make.who("specialist2")
    with unit_of_work():
        implementing.end(begun, by=make.who("specialist"), ended_on=clock.today())
    assert browser("specialist").send(f"{begun.path}/assignment", to=str(other.id), reason="换人").status_code == 403
    page = browser("manager")
    assert page.send(f"{begun.path}/assignment", to=str(make.who("followup").id), reason="换人").status_code == 422
    assert page.send(f"{begun.path}/assignment", to=str(other.id), reason="换人").status_code == 303
    assert {duty.owner_id for duty in owed(begun).values()} == {other.id}
    assert {one.user_id for one in db.session.query(Notice)} == {other.id, make.who("specialist").id}


def test_a_form_in_a_colleagues_hands_is_not_brought_back_and_one_that_is_lost_is_signed_anew(begun, sound):
    me = make.who("specialist")
    with unit_of_work():
        implementing.end(begun, by=me, ended_on=clock.today())
        paper = papers.enter(begun, "implementation", by=me)
        papers.offer(paper, by=me, to=make.who("specialist2"))
    assert "paper.implementation" in owed(begun), "a colleague is not the archive (7.6)"
    with unit_of_work():
        papers.take(paper, by=make.who("specialist2"))
        papers.lose(paper, by=make.who("specialist2"), words="搬家丢了")
    assert "paper.implementation" in owed(begun)


def test_whoever_would_owe_its_papers_does_not_cancel_it(begun):
    with pytest.raises(Forbidden), unit_of_work():
        implementing.cancel(begun, by=make.who("specialist"), reason="不做了")
