"""All that was due, and how it fared."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from crm import clock, sweep
from crm.db import db, unit_of_work
from crm.desk.tables import TABLES
from crm.duties import owed
from crm.duties.models import Duty
from crm.penalties import fairness
from crm.tickets import workflow as tickets
from tests import make

LATER = clock.parse("2026-11-25T09:00")
TABLE = TABLES["owed"]


@pytest.fixture
def fared(app):
    """Of three records one complete in time, one late, one not: each may cost something."""
    me, other = make.who("specialist"), make.who("specialist2")
    with unit_of_work():
        rows = [make.filled(make.ticket(make.served_customer(), by=by, category="bug"), by) for by in (me, me, other)]
        for row, by in zip(rows, (me, me, other), strict=True):
            tickets.start(row, by=by)
            tickets.end(row, by=by)
        tickets.complete(rows[0], by=me)
    sweep.tick(LATER)
    with clock.frozen(LATER):
        with unit_of_work():
            tickets.complete(rows[1], by=me)
        yield [row.number for row in rows]
    db.session.rollback()


def numbers(login: str = "manager", **asked: str) -> list[tuple[str, str]]:
    page = TABLE.asked(make.who(login), asked)[1]
    return [(duty.subject.number, owed.how(duty) or "") for duty in page.rows if duty.rule == "ticket.complete"]


def test_each_stands_under_how_it_fared(fared):
    assert {how: [number for number, _how in numbers(fared=how)] for how in owed.Fared} == dict(zip(owed.Fared, ([one] for one in fared), strict=True))
    assert sorted(numbers()) == sorted(zip(fared, owed.Fared, strict=True)), "and all of them together"


def test_people_see_their_own_and_those_who_watch_over_others_everybodys(fared):
    assert {number for number, _how in numbers("specialist")} == {*fared[:2]} and {number for number, _how in numbers("specialist2")} == {fared[2]}
    assert {number for number, _how in numbers("specialist", person=str(make.who("specialist2").id))} == {*fared[:2]}
    assert {number for number, _how in numbers("manager", person=str(make.who("specialist2").id))} == {fared[2]}
    assert {number for number, _how in numbers("manager", person="me")} == set()


def test_who_missed_it_has_missed_it_though_another_has_it_now(fared):
    with unit_of_work():
        row = db.session.query(make.Ticket).filter_by(number=fared[2]).one()
        tickets.assign(row, by=make.who("manager"), to=make.who("specialist"), reason="请假")
    assert {number for number, _how in numbers("manager", person=str(make.who("specialist2").id))} == {fared[2]}


def test_what_is_not_due_yet_or_on_other_days_is_not_there(fared):
    with unit_of_work():
        make.ticket(make.served_customer("新单位"))
    assert db.session.query(Duty).filter(Duty.due_at > LATER).count(), "something is due later"
    assert all(duty.due_at <= LATER for duty in TABLE.asked(make.who("manager"), {})[1].rows)
    day = LATER.date() - timedelta(days=60)
    assert numbers(until=str(day)) == []


def test_the_figures_of_fairness_are_those_of_this_list_and_of_plain_sql(fared, browser):
    scope = fairness.Scope.of({})
    lines = {line.key: line for line in fairness.lines(scope)}
    plain = text("SELECT fine_clause, count(*), sum(CASE WHEN breached_by_id IS NULL AND kept_by_id IS NOT NULL THEN 1 ELSE 0 END) FROM duties"
                 " WHERE fine_clause IS NOT NULL AND due_at <= :now GROUP BY fine_clause")  # fmt: skip
    counted = {key: (count, kept) for key, count, kept in db.session.execute(plain, {"now": clock.now()})}
    assert {key: (line.owed, line.kept) for key, line in lines.items() if line.owed} == counted and counted
    for line in lines.values():
        for how, count in (("", line.owed), (owed.Fared.KEPT, line.kept), (owed.Fared.LATE, line.kept_late), (owed.Fared.MISSED, line.missed)):
            address = scope.due(line.key, how)
            asked = dict(part.split("=") for part in address.partition("?")[2].split("&"))
            assert TABLE.asked(make.who("director"), asked)[1].count == count, address
            assert not count or address.replace("&", "&amp;") in browser("director").get("/penalties/fairness").text
    assert sum(line.kept_late + line.missed for line in lines.values()) >= 2, "there was something to follow"


def test_its_page_says_so_and_its_files_hold_the_same(fared, browser):
    page = browser("manager")
    shown = page.get("/duties/owed?fine=any").text
    assert all(number in shown for number in fared) and "Kept late" in shown and "Not kept" in shown
    found = {fine: len(numbers(fine=fine)) for fine in ("any", "7.5", "7.4")}
    assert found == {"any": 3, "7.5": 3, "7.4": 0}, "by what a miss costs"
    rows = page.get("/duties/owed/export.csv").text
    assert all(number in rows for number in fared)
    assert "Nothing was due that fits" in browser("developer").get("/duties/owed").text


def test_a_deadline_of_what_somebody_may_not_see_is_not_there(app):
    with unit_of_work():
        make.ticket(make.served_customer(), by=make.who("specialist2"), category="admin_password")
    friday = clock.parse("2026-11-27T09:00")
    sweep.tick(friday)
    with clock.frozen(friday):
        seen = {login: {duty.subject.kind for duty in TABLE.asked(make.who(login), {})[1].rows} for login in ("manager", "followup")}
    assert "ticket" in seen["manager"] and "ticket" not in seen["followup"], "a password record is its owner's and theirs who lead"
