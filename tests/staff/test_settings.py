"""What the administrator keeps for everybody: the working calendar, the head of letters and forms."""

import io
from datetime import date

import pytest
from flask_babel import force_locale
from pypdf import PdfReader
from sqlalchemy import text

from crm import workdays
from crm.db import db, unit_of_work
from crm.duties.locks import lock
from crm.duties.models import Event
from crm.errors import NotThere
from crm.letters import queries, sample, sheet
from crm.letters.models import Letter
from crm.staff import links, workflow
from crm.staff.models import Department
from tests import make
from tests.browsing import together

NOTICE = '{"papers": ["某号文"], "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}'


def test_a_day_is_set_and_who_set_it_stays_written(app, browser):
    page = browser("admin")
    for kind in ("off", "worked"):
        assert page.send("/settings/calendar", day="2026-11-24", kind=kind, name="停电").status_code == 303
    assert workdays.calendar().works(date(2026, 11, 24))
    events = db.session.query(Event).filter_by(kind="calendar.day_set").order_by(Event.id).all()
    assert [(e.facts["before"], e.facts["working"]) for e in events] == [(None, False), (False, True)]
    assert events[0].actor_id and "停电" in page.get("/settings/calendar").text


def test_the_yearly_notice_comes_in_as_a_file_and_anything_else_changes_nothing(app, browser):
    page = browser("admin")
    assert "2027" in page.get("/settings/calendar").text, "a projection is called one"
    taken = page.send(
        "/settings/calendar/notice",
        page="/settings/calendar",
        files={"notice": (io.BytesIO(NOTICE.encode()), "2027.json")},
    )
    assert taken.status_code == 303 and "2027-01-01" in page.get("/settings/calendar").text
    for bad in (b"", b"{}", b"\xff\xfe", b"[1]"):
        answer = page.send(
            "/settings/calendar/notice", page="/settings/calendar", files={"notice": (io.BytesIO(bad), "x.json")}
        )
        assert answer.status_code == 422, bad


def test_a_bad_day_is_refused(app, browser):
    page = browser("admin")
    for bad in ({"day": ""}, {"day": "2026-13-01"}, {"day": "1900-01-01"}, {"day": "2026-11-24", "kind": "eaten"}):
        assert page.send("/settings/calendar", **bad).status_code == 422, bad


HEAD = {"company": "宏图软件", "company_en": "Hongtu Software", "address": "上海市延安路1号", "phone": "021-5555", "account": "工行 宏图 6222"}


def test_the_companys_head_stands_on_letters_and_forms_and_who_changed_it_stays_written(app, browser):
    page = browser("admin")
    assert page.send("/settings/company", **HEAD).status_code == 303
    assert page.send("/settings/company", page="/settings/company", **HEAD | {"phone": "021-6666"}).status_code == 303
    events = db.session.query(Event).filter_by(kind="settings.company_changed").order_by(Event.id).all()
    assert events[-1].facts["changes"] == {"phone": ["021-5555", "021-6666"]} and events[-1].actor_id
    demand = db.session.query(Letter).filter_by(category="demand", language="zh").one()
    with app.test_request_context(), force_locale("zh_Hans_CN"):
        demand = queries.get(demand.number, make.who("director"))
        said = "".join(PdfReader(io.BytesIO(sample.sheet_of(demand))).pages[0].extract_text().split())
        assert "宏图软件" in said and "上海市延安路1号021-6666" in said and "收款账户：工行宏图6222" in said
        assert (form := sheet.sheet("", "V1", "feedback", [])).department == "宏图软件 服务部" and "021-6666" in form.contact
    with app.test_request_context(), force_locale("en"):
        assert sheet.sheet("", "V1", "feedback", []).department.startswith("Hongtu Software")


def test_two_who_change_the_head_at_once_are_told_of_each_other(app, browser):
    page = browser("admin")
    page.send("/settings/company", **HEAD)
    stale = next(form["fields"] for form in page.forms("/settings/company") if "company" in form["fields"])
    assert page.send("/settings/company", **HEAD | {"phone": "1"}).status_code == 303
    answer = page.post("/settings/company", stale | {"phone": "2", "request_id": "f" * 32})
    assert answer.status_code == 409 and 'value="2"' in answer.text
    assert browser("specialist").get("/settings/company").status_code == 403


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_of_two_who_first_change_something_for_everybody_one_makes_the_department(served):
    def change(i: int) -> None:
        with served.app_context(), unit_of_work():
            workflow.set_company(by=make.who("admin"), phone=f"021-{i}")

    together(8, change)
    with served.app_context():
        assert db.session.query(Department).count() == 1


def test_a_link_is_void_once_the_password_changed_while_it_was_used(app, monkeypatch):
    with unit_of_work():
        token = links.make(make.who("specialist"), by=make.who("admin"))

    def slowly(user) -> None:
        db.session.execute(text("UPDATE users SET epoch = epoch + 1 WHERE login = 'specialist'"))
        lock(user)

    monkeypatch.setattr(links, "lock", slowly)
    with pytest.raises(NotThere), unit_of_work():
        links.use(token, "hash of a thief")
    assert make.who("specialist").password_hash != "hash of a thief"
