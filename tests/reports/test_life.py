"""What is owed, by whom and until when; submitted, received or verified, given back, frozen."""

from datetime import date

import pytest

from crm import clock, sweep
from crm.db import db, unit_of_work
from crm.duties import reading
from crm.duties import workflow as duties
from crm.duties.models import Duty, Event
from crm.errors import Forbidden, Invalid, WrongState
from crm.permissions import Role
from crm.reports import opening, workflow
from crm.reports.models import Kind, Report, Returned, State
from crm.reports.periods import Period
from crm.staff import workflow as staff
from tests import make
from tests.browsing import together
from tests.reports.work import close_november

DECEMBER = clock.parse("2026-12-01T09:00")
NOVEMBER = Period.month(date(2026, 11, 1))
pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture
def december(app):
    """The first sweep of December has been, and November's statement is closed."""
    with unit_of_work():
        make.served_customer()
    sweep.tick(DECEMBER)
    with clock.frozen(DECEMBER):
        close_november()
        yield
    db.session.rollback()


def one(kind: Kind, login: str = "") -> Report:
    db.session.rollback()
    rows = db.session.query(Report).filter_by(category=kind)
    return (rows.filter_by(owner_id=make.who(login).id) if login else rows).one()


def act(verb: str, row: Report, login: str, **said):
    with unit_of_work():
        getattr(workflow, verb)(db.session.get(Report, row.id), by=make.who(login), **said)


def owed(row: Report) -> dict[str, tuple]:
    """Rule → whose, until when."""
    open_now = [duty for duty in db.session.query(Duty).filter_by(subject_id=row.id) if duty.open]
    return {duty.rule: (duty.pool or db.session.get(make.User, duty.owner_id).login, f"{clock.local(duty.due_at):%m-%d %H:%M}") for duty in open_now}


def test_each_month_and_week_has_its_reports_and_each_is_somebodys(december):
    found = {(row.category, row.number): owed(row) for row in db.session.query(Report)}
    me, other = (f"M2611-{1000 + int(make.who(login).number[1:])}" for login in ("specialist", "specialist2"))
    assert found == {
        (Kind.CALLBACKS, "M2611-0001"): {"report.submit": ("followup", "12-08 18:00")},
        (Kind.PENALTIES, "M2611-0005"): {"report.penalties": ("manager", "12-10 18:00")},
        (Kind.SPECIALIST, me): {"report.specialist": ("specialist", "12-04 18:00")},
        (Kind.SPECIALIST, other): {"report.specialist": ("specialist2", "12-04 18:00")},
        (Kind.SERVICES, "M2611-0002"): {"report.services": ("manager", "12-08 18:00")},
        (Kind.SATISFACTION, "M2611-0003"): {"report.satisfaction": ("manager", "12-08 18:00")},
        (Kind.FRIDAY, "M2611-0125"): {"report.friday": ("manager", "12-01 18:00")},
        (Kind.COMPANY, "M2611-0004"): {"report.company": ("director", "12-15 18:00")},
    }


def test_the_fridays_figures_are_due_on_thursday_before_closing_time(app):
    sweep.tick(clock.parse("2026-11-26T00:01"))
    row = one(Kind.FRIDAY)
    assert (row.title, owed(row)) == ("2026-11-19 – 11-25", {"report.friday": ("manager", "11-26 18:00")})
    sweep.tick(clock.parse("2026-12-03T00:01"))
    assert [row.until.day for row in db.session.query(Report).filter_by(category=Kind.FRIDAY).order_by(Report.until)] == [25, 2]


HANDS = [
    (Kind.CALLBACKS, "", "followup", "manager", "receive", State.RECEIVED), (Kind.SPECIALIST, "specialist", "specialist", "manager", "receive", State.RECEIVED),
    (Kind.SERVICES, "", "manager", "director", "verify", State.VERIFIED), (Kind.SATISFACTION, "", "manager", "director", "receive", State.RECEIVED),
    (Kind.FRIDAY, "", "manager", "director", "receive", State.RECEIVED),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "whose", "by", "to", "verb", "state"), HANDS)
def test_each_goes_from_hand_to_hand_as_the_rulebook_says(december, kind, whose, by, to, verb, state):
    for login in set(make.CAST) - {by}:
        with pytest.raises(Forbidden):
            act("submit", one(kind, whose), login)
    act("submit", one(kind, whose), by, remark="数字之外")
    row = one(kind, whose)
    assert (row.state, row.remark) == (State.SUBMITTED, "数字之外") and [who for who, _due in owed(row).values()] == [to]
    for login in set(make.CAST) - {to}:
        for taken in ("receive", "verify"):
            with pytest.raises(Forbidden):
                act(taken, row, login)
        with pytest.raises(Forbidden):
            act("send_back", row, login, reason="x")
    act(verb, row, to)
    assert one(kind, whose).state == state and not owed(row)


def test_the_report_to_the_company_is_the_directors_words_and_nobody_inside_receives_it(december):
    with pytest.raises(Invalid):
        act("submit", one(Kind.COMPANY), "director", remark="  ")
    act("submit", one(Kind.COMPANY), "director", remark="本月平稳")
    row = one(Kind.COMPANY)
    assert row.state == State.SUBMITTED and not owed(row)
    for login in make.CAST:
        with pytest.raises(Forbidden):
            act("receive", row, login)


def test_what_is_given_back_is_submitted_again_and_both_are_kept(december, browser):
    act("submit", one(Kind.SERVICES), "manager", remark="第一次")
    first = one(Kind.SERVICES).body
    act("send_back", one(Kind.SERVICES), "director", reason="缺了一个人")
    row = one(Kind.SERVICES)
    assert (row.state, row.body, owed(row)) == (State.OPEN, None, {"report.again": ("manager", "12-03 18:00")})
    told = browser("manager").get(row.path).text
    assert "缺了一个人" in told.split('<dl class="numbers">')[0], "what is to be put right stands on top"
    with unit_of_work():
        make.ticket(db.session.query(make.Customer).first())
        db.session.query(make.Ticket).one().opened_at = clock.parse("2026-11-30T10:00")
    act("submit", row, "manager", remark="第二次")
    row, (kept,) = one(Kind.SERVICES), db.session.query(Returned)
    assert (kept.remark, kept.body, kept.reason) == ("第一次", first, "缺了一个人") and row.body["number"]["records"] == 1
    assert owed(row) == {"report.services_verify": ("director", "12-04 18:00")}
    page = browser("manager")
    assert f"{row.path}?version=1" in page.get(row.path).text and "What is to be put right" not in page.get(row.path).text
    earlier = page.get(f"{row.path}?version=1").text
    assert "缺了一个人" in earlier and "第一次" in earlier and "第二次" not in earlier.split('id="timeline"')[0]
    assert page.get(f"{row.path}?version=2").status_code == 404


def test_what_was_submitted_no_longer_changes_and_is_not_submitted_twice(december):
    act("submit", one(Kind.SPECIALIST, "specialist"), "specialist")
    before = one(Kind.SPECIALIST, "specialist").body
    with unit_of_work():
        make.customer("后来的")
    assert workflow.figures(one(Kind.SPECIALIST, "specialist")) == before
    assert len(workflow.as_now(one(Kind.SPECIALIST, "specialist"))["customers"]) == len(before["customers"]) + 1
    with pytest.raises(WrongState):
        act("submit", one(Kind.SPECIALIST, "specialist"), "specialist")


def test_a_specialist_remarks_on_the_customers_in_their_care_alone(december, browser):
    row = one(Kind.SPECIALIST, "specialist")
    with unit_of_work():
        other = make.customer("别人的", owner_id=make.who("specialist2").id)
    act("remark", row, "specialist", customer="K0001", words="换了会计")
    act("remark", row, "specialist", customer="K0001", words="新会计已会月结")
    with pytest.raises(Invalid):
        act("remark", row, "specialist", customer=other.number, words="x")
    for login in ("specialist2", "manager"):
        with pytest.raises(Forbidden):
            act("remark", row, login, customer="K0001", words="x")
    page = browser("specialist")
    answer = page.send(f"{row.path}/remarks", customer="K0001", words="", version=str(one(Kind.SPECIALIST, "specialist").version))
    assert answer.status_code == 303 and one(Kind.SPECIALIST, "specialist").remarks == {}
    act("remark", one(Kind.SPECIALIST, "specialist"), "specialist", customer="K0001", words="=停用仓库")
    act("submit", one(Kind.SPECIALIST, "specialist"), "specialist")
    assert [unit["remark"] for unit in one(Kind.SPECIALIST, "specialist").body["customers"]] == ["=停用仓库"]
    assert "=停用仓库" in page.get(row.path).text
    with pytest.raises(Forbidden):
        act("remark", one(Kind.SERVICES), "manager", customer="K0001", words="x")


def test_none_is_needed_of_somebody_who_has_left_and_the_manager_says_so(december):
    row = one(Kind.SPECIALIST, "specialist2")
    with unit_of_work():
        left = make.who("specialist2")
        staff.edit_user(left, by=make.who("admin"), roles=left.roles, active=False)
    for login in ("specialist", "director", "followup"):
        with pytest.raises(Forbidden):
            act("waive", row, login, reason="已离职")
    act("waive", row, "manager", reason="已离职")
    assert db.session.get(Report, row.id).state == State.WAIVED and not owed(row)
    sweep.tick(clock.parse("2027-01-04T09:00"))
    assert db.session.query(Report).filter_by(category=Kind.SPECIALIST, owner_id=left.id).count() == 1, "nobody asks who is gone"


def test_nobody_has_their_own_next_whatever_roles_they_come_to_hold(december):
    with unit_of_work():
        me = make.who("manager")
        staff.edit_user(me, by=make.who("admin"), roles=[Role.MANAGER, Role.DIRECTOR, Role.SPECIALIST], active=True)
    act("submit", one(Kind.SERVICES), "manager")
    for verb, more in (("verify", {}), ("send_back", {"reason": "x"})):
        with pytest.raises(Forbidden):
            act(verb, one(Kind.SERVICES), "manager", **more)
    with unit_of_work():
        mine = workflow.prepare(Kind.SPECIALIST, NOVEMBER, make.who("manager"))
    with pytest.raises(Forbidden):
        act("waive", mine, "manager", reason="x")


def test_who_came_after_the_month_owes_none_for_it(app):
    with clock.frozen(DECEMBER), unit_of_work():
        staff.add_user("late", "新人", [Role.SPECIALIST], "!")
    sweep.tick(DECEMBER)
    assert len(db.session.query(Report).filter_by(category=Kind.SPECIALIST).all()) == 2
    sweep.tick(clock.parse("2027-01-01T09:00"))
    assert len(db.session.query(Report).filter_by(category=Kind.SPECIALIST).all()) == 5


def test_a_kind_that_no_rule_asks_for_is_not_prepared_and_one_that_is_asked_later_begins_then(app):
    rules = reading.shipped()
    start = rules.index('[duty."report.services"]')
    without = rules[:start] + rules[rules.index('[duty."report.services_verify"]') :]
    with clock.frozen(clock.parse("2026-11-24T09:00")), unit_of_work():
        duties.issue_edition(without, clock.now())
    sweep.tick(DECEMBER)
    assert not db.session.query(Report).filter_by(category=Kind.SERVICES).count() and one(Kind.SATISFACTION)
    with clock.frozen(clock.parse("2027-01-10T09:00")), unit_of_work():
        duties.issue_edition(rules, clock.now())
    sweep.tick(clock.parse("2027-02-01T09:00"))
    assert [row.since.month for row in db.session.query(Report).filter_by(category=Kind.SERVICES)] == [1], "not for the months before"


def test_four_sweeps_at_once_prepare_each_once(app):
    def sweeps(_i: int) -> int:
        with app.app_context():
            return opening.open_due(DECEMBER)

    with clock.frozen(DECEMBER):
        assert sum(together(4, sweeps)) == db.session.query(Report).count() == 7
    assert db.session.query(Event).filter_by(kind="report.opened").count() == 7


READ = {
    "specialist": {"own"}, "specialist2": set(), "followup": {Kind.CALLBACKS}, "manager": {*Kind, "own"}, "director": {*Kind, "own"},
    "developer": set(), "archivist": set(), "admin": set(), "stranger": set(),
}  # fmt: skip


@pytest.mark.parametrize("login", READ)
def test_who_reads_which(december, browser, login):
    page, found = browser(login), set()
    for row in db.session.query(Report):
        kind = "own" if row.owner_id == make.who("specialist").id else Kind(row.category)
        if row.owner_id == make.who("specialist2").id and login == "specialist2":
            assert page.get(row.path).status_code == 200
            continue
        for path in (row.path, f"{row.path}/file.xlsx", f"{row.path}/file.pdf"):
            status = page.get(path).status_code
            assert status in ((200,) if kind in READ[login] else (403, 404)), (path, status)
        found |= {kind} if status == 200 else set()
    assert found == READ[login] - ({Kind.SPECIALIST} if login == "followup" else set())


def test_todays_button_leads_to_where_it_is_submitted(december, browser):
    row = one(Kind.SPECIALIST, "specialist")
    assert f'href="{row.path}#submit"' in browser("specialist").get("/").text
    assert one(Kind.COMPANY).path in browser("director").get("/").text


def test_the_list_shows_what_one_has_to_deal_with_oneself(december, browser):
    def mine(login: str) -> set[str]:
        text = browser(login).get("/reports?owes=me").text.split("<main")[1]
        return {row.category for row in db.session.query(Report) if f'href="/reports/{row.number}"' in text}

    assert mine("manager") == {Kind.SERVICES, Kind.SATISFACTION, Kind.FRIDAY, Kind.PENALTIES} and mine("director") == {Kind.COMPANY}
    assert mine("specialist") == {Kind.SPECIALIST} and mine("followup") == {Kind.CALLBACKS}
    act("submit", one(Kind.SERVICES), "manager")
    act("submit", one(Kind.SPECIALIST, "specialist"), "specialist")
    act("submit", one(Kind.COMPANY), "director", remark="本月平稳")
    assert mine("manager") == {Kind.SPECIALIST, Kind.SATISFACTION, Kind.FRIDAY, Kind.PENALTIES} and mine("director") == {Kind.SERVICES}
    assert mine("specialist") == set()


def test_the_lists_filters_narrow_it(december, browser):
    page = browser("manager")
    for query, numbers in (("kind=friday", ["M2611-0125"]), ("state=submitted", []), ("since=2026-12-01", []),
                           (f"person={make.who('specialist').id}", [one(Kind.SPECIALIST, "specialist").number])):  # fmt: skip
        text = page.get(f"/reports?{query}").text.split("<main")[1]
        assert [row.number for row in db.session.query(Report).order_by(Report.id) if f'href="/reports/{row.number}"' in text] == numbers, query
    mine = browser("specialist").get("/reports").text
    assert one(Kind.SPECIALIST, "specialist").number in mine and "M2611-0001" not in mine


def test_whoever_becomes_a_specialist_owes_no_month_before(app):
    with unit_of_work():
        staff.edit_user(make.who("developer"), by=make.who("admin"), roles=[Role.DEVELOPER], active=True)
    with clock.frozen(clock.parse("2027-02-10T09:00")), unit_of_work():
        roles = [Role.DEVELOPER, Role.SPECIALIST]
        staff.edit_user(make.who("developer"), by=make.who("admin"), roles=roles, active=True)
    sweep.tick(clock.parse("2027-03-01T09:00"))
    mine = db.session.query(Report).filter_by(category=Kind.SPECIALIST, owner_id=make.who("developer").id)
    assert [row.since for row in mine] == [date(2027, 2, 1)]


def test_the_month_s_penalties_are_reported_once_its_statement_is_closed(app):
    sweep.tick(DECEMBER)
    rows = db.session.query(Report).filter_by(category=Kind.PENALTIES)
    with clock.frozen(DECEMBER):
        assert rows.count() == 0
        close_november()
    assert rows.one().number == "M2611-0005"
