"""Word of a report: to whom the director says, on the day they say, once each, and never to who may not read it."""

import email
from datetime import date, timedelta
from email import policy

import pytest

from crm import clock, sweep
from crm.db import db, unit_of_work
from crm.duties.message import Message, MessageState
from crm.duties.models import Event
from crm.errors import Forbidden, Invalid
from crm.files import store
from crm.reports import sending, workflow
from crm.reports.models import Kind, Reader, Report
from crm.reports.periods import Period
from crm.staff import workflow as staff
from tests import make
from tests.browsing import together

NOVEMBER = Period.month(date(2026, 11, 1))
TENTH = clock.parse("2026-12-10T10:00")  # a Thursday
pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture
def told(app):
    """The manager and the director are told of the services on the tenth; both have an address."""
    with unit_of_work():
        for login in ("manager", "director", "followup"):
            make.who(login).email = f"{login}@example.com"
        name("manager", "director")
    with clock.frozen(clock.parse("2026-12-01T09:00")), unit_of_work():
        workflow.prepare(Kind.SERVICES, NOVEMBER)
    return app


def name(*logins: str, kind: Kind = Kind.SERVICES, days: int = 10, by: str = "director") -> None:
    sending.name_readers({kind: ([make.who(login).id for login in logins], days)}, by=make.who(by))


def report() -> Report:
    db.session.rollback()
    return db.session.query(Report).filter_by(category=Kind.SERVICES).one()


def submitted(at: str = "2026-12-03T10:00") -> None:
    with clock.frozen(clock.parse(at)), unit_of_work():
        workflow.submit(report(), by=make.who("manager"))


def letters() -> list[Message]:
    db.session.rollback()
    return db.session.query(Message).filter_by(rule=sending.RULE).order_by(Message.id).all()


def test_each_is_told_on_the_day_once_by_a_link_that_says_nothing_of_the_figures(told):
    submitted()
    sweep.tick(TENTH - timedelta(days=1))
    assert not letters()
    for hours in (0, 1, 30):
        sweep.tick(TENTH + timedelta(hours=hours))
    found = letters()
    assert [(one.slot, one.address, one.state) for one in found] == [
        (str(make.who(login).id), f"{login}@example.com", MessageState.SENT) for login in ("manager", "director")
    ]
    mail = email.message_from_bytes(store.read(found[0].mail_sha256), policy=policy.default)
    said = mail.get_body().get_content()
    assert mail["To"] == "manager@example.com" and "当月服务" in mail["Subject"] and f"/reports/{report().number}" in said and "刘强" in said
    assert db.session.query(Event).filter_by(kind="report.posted").count() == 2


def test_what_is_submitted_late_is_told_of_then_and_what_is_not_never(told):
    sweep.tick(TENTH)
    assert not letters(), "nothing is submitted"
    submitted("2026-12-14T10:00")
    sweep.tick(clock.parse("2026-12-14T11:00"))
    assert len(letters()) == 2


def test_four_sweeps_at_once_tell_each_once(told):
    submitted()

    def tell(_i: int) -> int:
        with told.app_context():
            return sending.tell_due(TENTH)

    with clock.frozen(TENTH):
        together(4, tell)
    assert len(letters()) == 2 and db.session.query(Event).filter_by(kind="report.posted").count() == 2


def test_nobody_is_told_anew_of_what_was_over_when_they_were_named(told):
    submitted()
    with clock.frozen(clock.parse("2026-12-11T09:00")), unit_of_work():
        name()
        name("manager")
    sweep.tick(clock.parse("2026-12-11T10:00"))
    assert not letters(), "its day was the tenth"


def test_given_back_and_submitted_again_they_are_not_told_twice(told):
    submitted()
    sweep.tick(TENTH)
    with clock.frozen(TENTH), unit_of_work():
        workflow.send_back(report(), by=make.who("director"), reason="缺一行")
    with clock.frozen(TENTH + timedelta(hours=1)), unit_of_work():
        workflow.submit(report(), by=make.who("manager"))
    sweep.tick(TENTH + timedelta(days=1))
    assert len(letters()) == 2


@pytest.mark.parametrize("how", ["left", "lost the role", "no address"])
def test_who_may_not_read_it_any_more_or_has_no_address_is_not_told(told, how):
    submitted()
    with unit_of_work():
        manager = make.who("manager")
        if how == "no address":
            manager.email = ""
        else:
            roles = ["specialist"] if how == "lost the role" else ["manager"]
            staff.edit_user(manager, by=make.who("admin"), roles=roles, active=how != "left")
    sweep.tick(TENTH)
    assert [one.address for one in letters()] == ["director@example.com"]


def test_what_waited_when_the_role_was_lost_does_not_go_out(told):
    submitted()
    with clock.frozen(TENTH):
        sending.tell_due(TENTH)
    with unit_of_work():
        manager = make.who("manager")
        staff.edit_user(manager, by=make.who("admin"), roles=["specialist"], active=True)
    sweep.tick(TENTH + timedelta(minutes=1))
    assert [one.state for one in letters()] == [MessageState.QUEUED, MessageState.SENT]


@pytest.mark.parametrize(("login", "kind", "may"), [
    ("followup", Kind.CALLBACKS, True), ("followup", Kind.SERVICES, False), ("specialist", Kind.SPECIALIST, False), ("manager", Kind.COMPANY, True),
    ("developer", Kind.SERVICES, False), ("admin", Kind.CALLBACKS, False),
])  # fmt: skip
def test_only_who_reads_such_reports_is_named(app, login, kind, may):
    if may:
        with unit_of_work():
            name(login, kind=kind)
        assert db.session.query(Reader).one().user_id == make.who(login).id
        return
    with pytest.raises(Invalid), unit_of_work():
        name(login, kind=kind)
    assert not db.session.query(Reader).count()


def test_the_director_alone_says_who(app, browser):
    with unit_of_work(), pytest.raises(Forbidden):
        name("manager", by="manager")
    for login in ("manager", "followup", "specialist", "admin"):
        assert browser(login).get("/reports/readers").status_code == 403


def test_the_page_keeps_who_and_when_and_tells_what_was_changed(app, browser):
    page, manager = browser("director"), str(make.who("manager").id)
    assert "No e-mail address is known of: 刘强" in page.get("/reports/readers").text.replace("王芳, ", "")
    form = next(form for form in page.forms("/reports/readers") if "/reports/readers" in form["actions"])
    assert "to_services" in form["choices"] and make.who("specialist").id not in map(int, form["choices"]["to_services"])
    fields = {f"days_{kind}": "10" for kind in Kind} | {"to_services": manager, "days_services": "12"}
    assert page.send("/reports/readers", **fields).status_code == 303
    (row,) = db.session.query(Reader)
    assert (row.kind, row.days, row.named_on) == (Kind.SERVICES, 12, clock.today())
    text = page.get("/reports/readers").text
    assert "changed who is told of a report" in text and "nobody → 刘强" in text
    assert page.send("/reports/readers", **fields | {"days_services": "40"}).status_code == 422
    stale = page.send("/reports/readers", **fields | {"version": "1"})
    assert stale.status_code == 409 and db.session.query(Event).filter_by(kind="settings.report_readers").count() == 1


def test_the_outbox_shows_nobody_a_report_that_is_not_theirs(told, browser):
    submitted()
    sweep.tick(TENTH)
    number, (one, _other) = report().number, letters()
    with clock.frozen(TENTH):
        assert number in browser("manager").get("/outbox").text
        for login in ("specialist", "followup"):
            page = browser(login)
            assert number not in page.get("/outbox").text and page.get(f"/outbox/{one.id}").status_code == 404
            assert number not in page.get("/outbox/export.csv").text
