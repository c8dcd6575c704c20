"""Leave on its pages: who sees it, what it says, and nothing typed lost."""

import pytest

from crm import clock, sweep
from crm.absences import workflow
from crm.absences.models import Absence, State
from crm.db import db, unit_of_work
from crm.papers import workflow as papers
from crm.staff import workflow as accounts
from crm.visits import workflow as visits
from tests import make
from tests.reading import text_of

ASKED = {"kind": "annual", "starts_on": "2026-11-24", "ends_on": "2026-11-25", "words": "回老家", "to_do": "周三宏远来电"}


def only() -> Absence:
    db.session.expire_all()
    return db.session.query(Absence).one()


def leave(**details) -> Absence:
    with unit_of_work():
        return make.absence(**details)


def seen(browser, path: str) -> set[str]:
    return {who for who in make.CAST if browser(who).get(path).status_code == 200}


def test_everybody_with_an_account_asks_for_their_own(app, browser):
    to = str(make.who("manager").id)
    for who in make.CAST:
        answer = browser(who).send("/absences/new", **ASKED, stand_in=to if who != "manager" else str(make.who("director").id))
        assert answer.status_code == 303, who
    assert {one.owner_id for one in db.session.query(Absence)} == {make.who(who).id for who in make.CAST}


def test_nothing_typed_is_lost_and_a_stand_in_is_needed(app, browser):
    page = browser("specialist")
    answer = page.send("/absences/new", **ASKED | {"ends_on": "2026-11-23"}, stand_in="")
    assert answer.status_code == 422 and "回老家" in answer.text and "周三宏远来电" in answer.text
    answer = page.send("/absences/new", **ASKED, stand_in="")
    assert answer.status_code == 422 and "This is needed." in answer.text
    note = {"file_": (__import__("io").BytesIO(make.PDF), "病假条.pdf")}
    answer = page.send("/absences/new", **ASKED | {"kind": "sick"}, stand_in=str(make.who("specialist2").id), files=note)
    assert answer.status_code == 303 and "病假条.pdf" in page.get(only().path).text


def test_it_is_seen_by_the_person_the_stand_in_and_who_decides(app, browser):
    row = leave()
    assert seen(browser, row.path) == {"specialist", "specialist2", "manager", "director"}
    for who in make.CAST:
        listed = row.number in browser(who).get("/absences").text
        assert listed == (who in ("specialist", "specialist2", "manager", "director")), who
        assert (row.number in browser(who).get("/absences/export.csv").text) == listed, who
        if who not in ("stranger", "archivist", "admin"):
            assert (row.number in browser(who).get(f"/search?q={row.number}").text.partition("<main")[2].replace(f'value="{row.number}"', "")) >= listed


def test_who_declined_sees_it_no_more_and_is_led_to_their_own(app, browser):
    row = leave(upto="approved")
    answer = browser("specialist2").send(f"{row.path}/refusal", reason="那几天出差")
    assert answer.status_code == 303 and answer.location.endswith("/absences")
    assert browser("specialist2").get(row.path).status_code == 404
    assert "那几天出差" in browser("specialist").get(row.path).text


def test_the_whole_way_by_its_buttons(app, browser):
    with unit_of_work():
        record = make.ticket()
    row = leave(starts_in=0)
    path, number = row.path, record.number
    ahead = text_of(browser("specialist2").get(path).text)
    assert "What is handed over on the first day" in ahead and number in ahead
    assert browser("specialist").send(f"{path}/approval").status_code == 403
    assert browser("manager").send(f"{path}/approval", words="同意", unforeseen="").status_code == 303
    late = text_of(browser("specialist").get(path).text)
    assert "nobody has accepted to stand in: this leave has not begun" in late and "李娜 has yet to accept." in late
    assert browser("specialist2").send(f"{path}/acceptance").status_code == 303
    assert only().state == State.AWAY
    handed = text_of(browser("specialist").get(path).text)
    assert "What was handed over" in handed and number in handed and "has not begun" not in handed
    assert "as stand-in during leave" in text_of(browser("manager").get(record.path).text)
    assert browser("specialist").send(f"{path}/return").status_code == 303
    assert "Give back what is still open" in browser("specialist2").get(path).text
    assert browser("specialist").send(f"{path}/handback").status_code == 303
    done = browser("specialist").get(path).text
    assert "given back" in text_of(done) and "Give back what is still open" not in done
    assert browser("specialist").send(f"{path}/handback", version=str(only().version)).status_code == 409


def test_the_page_says_what_stays_and_why(app, browser):
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
        make.paper(visit, by=make.who("specialist"))
    row = leave(upto="away")
    text = text_of(browser("specialist").get(row.path).text)
    assert "Stays with them" in text and "The paper is in their own hands" in text and "Only they themselves can do this." in text


def test_a_role_that_nobody_else_has_is_pointed_out(app, browser):
    row = leave(by=make.who("archivist"), to=make.who("manager"))
    assert "Nobody else has this role: Archivist" in browser("manager").get(row.path).text
    with unit_of_work():
        other = make.who("developer")
        accounts.edit_user(other, by=make.who("admin"), roles=[*other.roles, "archivist"], active=True)
    assert "Nobody else has this role" not in browser("manager").get(row.path).text
    assert "Nobody else has this role" not in browser("director").get(leave(by=make.who("manager"), to=make.who("director")).path).text


def test_what_the_stand_in_may_not_see_yet_has_no_name_on_the_page(app, browser):
    with unit_of_work():
        make.ticket(category="admin_password", title="忘了密码")
    row = leave()
    assert "忘了密码" in browser("specialist").get(row.path).text
    text = browser("specialist2").get(row.path).text
    assert "忘了密码" not in text and "You see what it is once it is yours." in text


def test_the_director_is_asked_why_but_for_a_managers_own(app, browser):
    row = leave()
    assert browser("director").send(f"{row.path}/approval").status_code == 422
    assert browser("director").send(f"{row.path}/approval", standing_in="经理出差").status_code == 303
    own = leave(by=make.who("manager"), starts_in=9)
    assert browser("director").send(f"{own.path}/approval").status_code == 303


def test_a_sick_leave_is_offered_as_one_nobody_could_foresee_and_a_planned_one_is_not(app, browser):
    row, sick = leave(), leave(by=make.who("followup"), to=make.who("manager"), category="sick", starts_in=0)
    for one, ticked in ((row, False), (sick, True)):
        form = next(f for f in browser("director").forms(one.path) if f"{one.path}/approval" in f["actions"])
        assert (form["fields"].get("unforeseen") == "y") == ticked


@pytest.mark.parametrize("who", sorted(make.CAST))
def test_today_says_who_is_away_but_not_why(app, browser, who):
    leave(upto="away", words="腰疼", category="sick")
    page = browser(who).get("/").text
    said = "On leave today:" in page
    assert said == (who not in ("admin", "stranger")) and "腰疼" not in page and "Sick leave" not in page
    if said:
        text = text_of(page)
        assert "张伟" in text and "2026-11-24" in text
        assert ("you stand in" in text) == (who == "specialist2")
        assert ('href="/absences/A2611-0001"' in page) == (who in ("specialist", "specialist2", "manager", "director"))


def test_today_leads_to_what_is_owed_for_a_leave(app, browser):
    row = leave()
    assert f'href="{row.path}#approve"' in browser("manager").get("/").text
    with unit_of_work():
        workflow.approve(db.session.get(Absence, row.id), by=make.who("manager"))
    assert f'href="{row.path}#accept"' in browser("specialist2").get("/").text


def test_lists_of_people_mark_who_is_away(app, browser):
    with unit_of_work():
        record = make.ticket()
        visit = make.visit(make.customer_of(record))
    leave(by=make.who("specialist2"), to=make.who("manager"), upto="away")
    for path in (record.path, visit.path):
        assert "李娜 (on leave)" in browser("manager").get(path).text
    assert "李娜 (on leave)" in browser("specialist").get("/absences/new").text


def test_the_list_is_narrowed_by_state_person_and_days(app, browser):
    first = leave(upto="away")
    second = leave(by=make.who("followup"), to=make.who("specialist"), starts_in=9)
    page, me = browser("manager"), make.who("specialist").id
    for query, found in (("state=away", {first}), ("state=going", {first, second}), (f"person={me}", {first}), (f"stand_in={me}", {second}),
                         ("since=2026-11-25", {second}), ("until=2026-11-24", {first}), ("kind=sick", set())):  # fmt: skip
        text = page.get(f"/absences?{query}").text
        assert {one for one in (first, second) if one.number in text} == found, query
    assert first.number in browser("specialist").get("/absences?person=me").text
    assert second.number in browser("specialist").get("/absences?stand_in=me").text


def test_the_list_asks_no_more_for_more_rows(app, browser, statements):
    page = browser("manager")
    counts = []
    for starts in (1, 5, 9):
        leave(starts_in=starts)
        page.get("/absences")
        statements.clear()
        page.get("/absences")
        counts.append(len(statements))
    assert counts[0] == counts[-1] and counts[0] < 12, counts


def test_the_page_asks_no_more_for_more_that_was_handed_over(app, browser, statements):
    counts = []
    for many in (2, 8):
        with unit_of_work():
            for n in range(many):
                make.ticket(make.served_customer(f"单位{many}{n}"))
            row = make.absence(upto="over", by=make.who("specialist"))
        page = browser("manager")
        page.get(row.path)
        statements.clear()
        page.get(row.path)
        counts.append(len(statements))
    assert counts[1] - counts[0] < 3, counts


def test_a_note_and_a_later_sick_note_hang_on_it(app, browser):
    row = leave(upto="away")
    page = browser("specialist")
    answer = page.send(f"{row.path}/notes", words="补病假条", files={"file_": (__import__("io").BytesIO(make.PDF), "病假条.pdf")})
    assert answer.status_code == 303 and "病假条.pdf" in page.get(row.path).text
    assert browser("followup").send(f"{row.path}/notes", words="x").status_code == 404


def test_a_lent_paper_stays_with_who_is_away(app, browser):
    with unit_of_work():
        paper = make.paper(make.visit(), by=make.who("specialist"))
        papers.offer(paper, by=make.who("specialist"), to=make.who("archivist"))
        papers.archive(paper, by=make.who("archivist"), place="甲柜")
        papers.lend(paper, by=make.who("archivist"), to=make.who("specialist"), until=clock.today())
    row = leave(upto="away")
    assert "The paper is in their own hands" in text_of(browser("specialist").get(row.path).text)
    assert paper.owner_id == make.who("specialist").id


def test_a_sweep_late_in_the_morning_does_what_midnight_would(app, browser):
    with unit_of_work():
        record = make.ticket()
    leave(upto="accepted")
    sweep.tick(clock.parse("2026-11-24T10:00"))
    db.session.expire_all()
    assert record.owner_id == make.who("specialist2").id and only().state == State.AWAY
    assert only().away_from == clock.parse("2026-11-24T00:00")
