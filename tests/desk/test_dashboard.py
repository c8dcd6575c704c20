"""At a glance: what each role sees, every number with its rows, in as many statements however much there is."""

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.desk import dashboard
from crm.permissions import Role
from crm.plans.models import Plan
from crm.staff import workflow as staff
from tests import make
from tests.reports.work import DECEMBER, november, record, rows_at

LOGINS = ["specialist", "followup", "manager", "director", "developer", "archivist", "admin"]


@pytest.fixture
def world():
    return november


@pytest.fixture
def work(app):
    with clock.frozen(DECEMBER), unit_of_work():
        make.visit(db.session.query(make.Customer).first())
        make.change(db.session.query(make.Customer).first(), upto="submitted")
        make.change(make.served_customer("另一家"), upto="building")
        make.paper(make.visit(db.session.query(make.Customer).first()))
    with clock.frozen(DECEMBER):
        yield


def shown(login: str) -> tuple[list, dict]:
    user = make.who(login)
    found = dashboard.parts(user)
    return found, dashboard.counts(user, found)


def test_each_number_is_how_many_rows_its_list_has(work, subtests):
    for login in LOGINS:
        with subtests.test(login):
            leads(login)


def leads(login: str) -> None:
    found, counts = shown(login)
    assert counts
    for address, count in counts.items():
        assert rows_at(address, login) == count, address
    tables = [(row, table) for part in found for table in part.layout.tables for row in table.rows(part.figures)]
    for row, table in tables:
        for column in table.columns:
            if (address := row["at"].get(column.key)) and rows_at(address, login) is not None:
                assert rows_at(address, login) == row[column.key], (row["name"], column.key)


@pytest.mark.takes_long
def test_all_numbers_lead_somewhere_one_may_go(work, browser, subtests):
    for login in LOGINS:
        with subtests.test(login):
            opens(browser(login), login)


def opens(page, login: str) -> None:
    found, _counts = shown(login)
    text = page.get("/dashboard").text
    for part in found:
        for address in [card.at for card in part.cards] + [path for _label, path in part.links]:
            assert f'href="{address.replace("&", "&amp;")}"' in text and page.get(address).status_code == 200, address


def test_each_role_sees_what_concerns_it(work):
    said = {login: [part.title for part in shown(login)[0]] for login in LOGINS}
    assert said == {
        "specialist": ["My work"], "followup": ["Customer relations"], "manager": ["The team"], "director": ["The department"],
        "developer": ["Changes"], "archivist": ["Papers"], "admin": ["Accounts"],
    }  # fmt: skip
    counts = {login: dict(zip([card.label for part in shown(login)[0] for card in part.cards if not card.said], shown(login)[1].values(), strict=True))
              for login in ("specialist", "manager", "developer")}  # fmt: skip
    assert counts["specialist"]["Visits not written up"] == 2 and counts["specialist"]["Ended, not complete"] == 1
    assert counts["manager"]["Visits to approve"] == 2 and counts["manager"]["Changes to decide"] == 1
    assert counts["developer"]["I build"] == 1


def test_the_administrator_sees_nothing_of_the_business(work, browser):
    text = browser("admin").get("/dashboard").text.split("<main")[1]
    assert not [path for path in ("/tickets", "/visits", "/customers", "/contracts", "/changes", "/opinions", "/reports") if f'href="{path}' in text]
    assert "宏远" not in text and "张伟" not in text


def test_of_several_roles_each_has_its_part_and_of_none_there_is_a_word(work, browser):
    with unit_of_work():
        staff.edit_user(make.who("manager"), by=make.who("admin"), roles=[Role.MANAGER, Role.SPECIALIST], active=True)
    assert [part.title for part in shown("manager")[0]] == ["My work", "The team"]
    assert "You hold no role yet" in browser("stranger").get("/dashboard").text


@pytest.mark.takes_long
def test_more_of_everything_takes_no_more_statements(work, browser, statements):
    pages = {login: browser(login) for login in LOGINS}

    def counted() -> dict[str, int]:
        found = {}
        for login, page in pages.items():
            page.get("/dashboard")
            statements.clear()
            assert page.get("/dashboard").status_code == 200
            found[login] = len(statements)
        return found

    few = counted()
    for i in range(4):
        record(f"2026-11-30T1{i}:00", upto="ended", category="bug")
    with unit_of_work():
        for i in range(4):
            make.change(make.served_customer(f"第{i}家"), upto="building")
            make.paper(make.visit(db.session.query(make.Customer).first()))
    assert counted() == few and max(few.values()) <= 18, few


def test_the_director_sees_what_came_in_of_the_months_plan(work, browser):
    plan = db.session.query(Plan).filter_by(month=clock.today()).one()  # the sweep has proposed it
    text = browser("director").get("/dashboard").text
    assert f'href="{plan.path}"' in text and "Paid of the month" in text


def test_whoever_has_something_in_hand_is_among_who_has_how_much(app):
    def named() -> set[str]:
        part = next(one for one in dashboard.parts(make.who("manager")) if "load" in one.figures)
        return {row["name"] for row in part.figures["load"]}

    follower, specialist = make.who("followup").title, make.who("specialist").title
    assert specialist in named() and follower not in named()
    with unit_of_work():
        make.ticket(by=make.who("followup"))
    assert {specialist, follower} <= named()
