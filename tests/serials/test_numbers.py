"""Serial numbers (5.6): one owner each, a new one for a new period, every one kept, and shown to those who hand them out."""

from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta

from crm import clock
from crm.contracts import workflow
from crm.customers import workflow as customers
from crm.db import db, unit_of_work
from crm.desk.search import find
from crm.duties.models import Event, Subject
from crm.errors import Forbidden, Invalid, WrongState
from crm.serials import faults, numbers
from crm.serials.coverage import Coverage, Verdict, verdict
from crm.serials.faults import Fault
from crm.serials.models import Serial, Standing
from tests import make
from tests.browsing import together

YEAR = timedelta(days=365)


@pytest.fixture
def installation(app):
    with unit_of_work():
        unit = make.customer(by=make.who("specialist"))
        unit.owner_id = make.who("specialist").id
        made = make.installation(unit)
        make.contact(unit)
    return made


def issue(installation, number: str = "JY-2026-0001", *, by: str = "specialist", ends_in: int = 200, users: int | None = None):
    return numbers.issue(installation, by=make.who(by), number=number, starts_on=clock.today() - timedelta(days=1),
                         ends_on=clock.today() + timedelta(days=ends_in), users=users)


def test_a_new_number_replaces_the_one_in_use_and_every_one_stays(installation, sound):
    with unit_of_work():
        first, second = issue(installation), issue(installation, "jy-2026-0002 ")
    assert [one.number for one in db.session.query(Serial).order_by(Serial.id)] == ["JY-2026-0001", "JY-2026-0002"]
    assert first.replaced_by_id == second.id and numbers.in_use(installation).id == second.id


def test_a_customer_given_to_another_takes_their_serial_numbers_along(installation):
    other = make.who("specialist2")
    with unit_of_work():
        unit = db.session.get_one(make.Customer, installation.customer_id)
        customers.change_customer(unit, {"owner_id": other.id}, by=make.who("manager"))
    with pytest.raises(Forbidden), unit_of_work():
        issue(installation)
    with unit_of_work():
        assert issue(installation, by="specialist2").issued_by_id == other.id


@pytest.mark.parametrize("again", ["JY-2026-0001", "jy-2026-0001", "ＪＹ-2026-0001", " JY-2026 -0001"])
def test_a_number_has_one_owner_however_it_is_written(installation, again):
    with unit_of_work():
        issue(installation)
        other = make.installation(make.customer("别家"))
    with pytest.raises(Invalid), unit_of_work():
        issue(other, again, by="manager")


def test_it_is_handed_over_once_to_somebody_of_this_customer(installation):
    me = make.who("specialist")
    with unit_of_work():
        made, who = issue(installation), make.contact(make.customer("别家"))
        to = db.session.query(make.Contact).filter_by(customer_id=installation.customer_id).first()
    with pytest.raises(Invalid), unit_of_work():
        numbers.give(made, by=me, to=who, on=clock.today())
    with unit_of_work():
        numbers.give(made, by=me, to=to, on=clock.today())
    with pytest.raises(WrongState), unit_of_work():
        numbers.give(made, by=me, to=to, on=clock.today())


def test_of_eight_who_issue_the_same_number_at_once_one_does(app, served, installation):
    kind, which = type(installation), installation.id
    db.session.rollback()

    def at_once(_i: int) -> str:
        with served.app_context():
            try:
                with unit_of_work():
                    issue(db.session.get_one(kind, which))
                return "issued"
            except Invalid:
                return "refused"

    assert sorted(together(8, at_once)) == ["issued", *["refused"] * 7]


def test_another_specialist_and_follow_up_issue_none(installation):
    for who in ("specialist2", "followup", "director"):
        with pytest.raises(Forbidden), unit_of_work():
            issue(installation, by=who)


@pytest.mark.parametrize(("who", "clear"), [("specialist2", True), ("manager", True), ("director", False), ("followup", False)])
def test_the_number_is_shown_to_those_who_hand_them_out_and_masked_for_all_others(installation, browser, who, clear):
    with unit_of_work():
        issue(installation)
    page = browser(who)
    told = (page.get(f"{installation.path}/serials").text, page.get("/serials").text, page.get("/serials/export.csv").text,
           )  # fmt: skip
    for text in told:
        assert ("JY-2026-0001" in text) == clear and ("••••••01" in text) == (not clear)
    assert all("JY-2026-0001" not in str(event.facts) for event in db.session.query(Event))


@pytest.mark.parametrize(("who", "found"), [("specialist", True), ("manager", True), ("followup", False)])
def test_part_of_a_serial_number_finds_its_installation_for_those_who_may_know_it(installation, who, found):
    with unit_of_work():
        issue(installation, "QX88-AB12-77ZZ")
    hits = find(make.who(who), "ab12")
    assert any(hit.subject.id == installation.id for hit in (*hits.first, *hits.newest)) == found


def test_what_does_not_fit_is_listed_and_what_fits_is_not(installation):
    def kinds() -> list[Fault]:
        return [one.fault for one in faults.listing(make.who("manager")) if one.installation.id == installation.id]

    assert kinds() == [Fault.MISSING]
    with unit_of_work():
        issue(installation, ends_in=200)
    assert kinds() == []
    with unit_of_work():
        issue(installation, "JY-2027-0001", ends_in=400, users=1)
        installation.users = 5
    assert kinds() == [Fault.OUTLIVES, Fault.USERS]


def test_a_number_issued_for_the_next_period_leaves_todays_in_force(installation):
    def missing() -> bool:
        return any(one.fault == Fault.MISSING for one in faults.listing(make.who("manager")))

    day = clock.today()
    with unit_of_work():
        issue(installation)
        numbers.issue(installation, by=make.who("specialist"), number="JY-2027-0001", starts_on=day + YEAR, ends_on=day + 2 * YEAR)
    assert not missing()
    with unit_of_work():
        issue(installation, "JY-2027-0002", ends_in=-1)
    assert missing(), "one that replaces it now and holds no more does not"


@pytest.mark.parametrize(
    ("following", "standing", "coverage", "until"),
    [
        (1, Standing.SETTLED, Coverage.IN_SERVICE, 375),  # renewed and paid: nothing ends soon
        (2, Standing.SETTLED, Coverage.ENDING, 10),  # a gap
        (1, Standing.SIGNED, Coverage.ENDING, 10),
        (1, Standing.WITHHELD, Coverage.ENDING, 10),
    ],
)
def test_what_is_renewed_does_not_end_soon(following, standing, coverage, until):
    today = date(2026, 11, 23)
    ends = today + timedelta(days=10)
    periods = [(ends + timedelta(days=following), ends + YEAR, standing), (today - YEAR, ends, Standing.SETTLED)]
    assert verdict(True, periods, today) == Verdict(coverage, today + timedelta(days=until), until)


def test_the_list_of_what_does_not_fit_names_the_customer_and_the_installation_leads_to_its_numbers(installation, browser):
    page = browser("specialist")
    assert db.session.get(Subject, installation.customer_id).title in page.get("/serials").text.partition("What does not fit")[2]
    assert f'href="{installation.path}/serials"' in page.get(installation.path).text


def test_issuing_and_handing_over_on_the_page(installation, browser):
    page, path = browser("specialist"), f"{installation.path}/serials"
    day = clock.today()
    given = {"number": "JY9", "starts_on": str(day), "ends_on": str(day + YEAR), "users": "3"}
    short = page.send(path, page=path, **given)
    assert short.status_code == 422 and "JY9" in short.text
    assert page.send(path, page=path, **given | {"number": "JY-90001"}).status_code == 303
    to = db.session.query(make.Contact).filter_by(customer_id=installation.customer_id).first().id
    assert page.send(f"{path}/handover", page=path, to=str(to), on=str(day)).status_code == 303
    assert "handed to 王会计" in page.get(path).text
    assert browser("followup").post(path, given).status_code in (400, 403)


def test_whoever_had_the_customer_before_issues_none_and_whoever_has_it_now_does(installation):
    with unit_of_work():
        unit = db.session.get_one(make.Customer, installation.customer_id)
        customers.change_customer(unit, {"owner_id": make.who("specialist2").id}, by=make.who("manager"))
    with pytest.raises(Forbidden), unit_of_work():
        issue(installation)
    with unit_of_work():
        issue(installation, by="specialist2")


@pytest.mark.parametrize("verb", ["", "/handover"])
def test_a_page_from_before_neither_replaces_nor_hands_over_another_number(installation, browser, verb):
    """Who looks at one number must not hand over, unseen, the one a colleague has issued meanwhile."""
    with unit_of_work():
        issue(installation)
    page, path, day = browser("specialist"), f"{installation.path}/serials", clock.today()
    form = next(one for one in page.forms(path) if f"{path}{verb}" in one["actions"])
    with unit_of_work():
        issue(installation, "JY-2026-0002", by="manager")
    typed = {"number": "JY-2026-0003", "starts_on": str(day), "ends_on": str(day + YEAR), "to": str(to_of(installation)), "on": str(day)}
    answer = page.post(f"{path}{verb}", form["fields"] | typed)
    assert answer.status_code == 409 and (verb or "JY-2026-0003" in answer.text)
    db.session.rollback()
    used = numbers.in_use(installation)
    assert (used.number, used.given_on) == ("JY-2026-0002", None)


def to_of(installation) -> int:
    return db.session.query(make.Contact).filter_by(customer_id=installation.customer_id).first().id


@pytest.fixture
def renewed(app):
    """In service by a contract, renewed ahead by another, a serial number issued for each period."""
    with unit_of_work():
        running = make.contract(upto="running")
        unit = make.customer_of(running)
        after = workflow.draft(
            by=make.who("specialist"), customer=unit, installations=running.installations, successor_of=running, title="续一年",
            amount_fen=1000, starts_on=running.ends_on + timedelta(days=1), ends_on=running.ends_on + relativedelta(years=1),
        )  # fmt: skip
        workflow.sign(after, by=make.who("specialist"), signed_on=clock.today(), representative_id=None, stamped=True)
        workflow.copy(after, by=make.who("specialist"), returned_on=clock.today())
        (installation,) = running.installations
        issue(installation, "JY-NOW-1")
        numbers.issue(installation, by=make.who("specialist"), number="JY-NEXT-2", starts_on=after.starts_on, ends_on=after.ends_on)
    return installation, running, after


def test_todays_number_stays_in_use_until_the_next_period_begins_on_pages_and_in_files(renewed, browser, sound):
    installation, _running, after = renewed
    page = browser("specialist")
    shown = page.get(f"{installation.path}/serials").text
    assert "in use" in shown.partition("JY-NOW-1")[2].partition("JY-NEXT-2")[0]
    assert "for the next period" in shown.partition("JY-NEXT-2")[2]
    used = page.get("/serials?used=1").text
    assert "JY-NOW-1" in used and "JY-NEXT-2" not in used
    lines = {line.split(",")[0]: line.strip() for line in page.get("/serials/export.csv").text.splitlines()}
    assert lines["JY-NOW-1"].endswith("in use") and lines["JY-NEXT-2"].endswith("for the next period")
    assert "JY-NEXT-2" not in page.get("/serials/export.csv?used=1").text
    with clock.frozen(clock.moment(after.starts_on) + timedelta(hours=10)):
        assert "JY-NEXT-2" in (used := browser("specialist").get("/serials?used=1").text) and "JY-NOW-1" not in used


def test_the_running_period_stands_first_then_the_next_with_its_contract(renewed, browser):
    installation, running, after = renewed
    page = browser("specialist")
    for path in (f"{installation.path}/serials", installation.path, f"/customers/{make.customer_of(running).number}"):
        text = page.get(path).text
        first, last = f"{running.starts_on} – {running.ends_on}", f"{after.starts_on} – {after.ends_on}"
        assert first in text and last in text.partition(first)[2], path
        assert f'href="{after.path}"' in text.partition(last)[2][:400], path
    assert str(running.ends_on) in page.get("/installations/export.csv").text.splitlines()[1]


def test_a_number_that_outlives_the_period_is_issued_with_a_warning(installation, browser):
    page, path, day = browser("specialist"), f"{installation.path}/serials", clock.today()
    page.send(path, page=path, number="JY-LONG-1", starts_on=str(day), ends_on=str(day + 2 * YEAR))
    assert "holds longer than the service period" in page.get(path).text
    page.send(path, page=path, number="JY-FITS-1", starts_on=str(day), ends_on=str(day + timedelta(days=200)))
    assert "holds longer" not in page.get(path).text


def test_a_number_typed_wrongly_is_void_with_a_reason_and_may_be_issued_where_it_belongs(installation, browser, sound):
    with unit_of_work():
        first, wrong = issue(installation), issue(installation, "JY-2026-0020")
        other = make.installation(make.customer("别家"))
    page, path = browser("specialist"), f"{installation.path}/serials"
    nothing = page.send(f"{path}/voiding", page=path, serial=str(wrong.id), reason=" ")
    assert nothing.status_code == 422
    assert page.send(f"{path}/voiding", page=path, serial=str(wrong.id), reason="末两位敲反了").status_code == 303
    db.session.rollback()
    assert numbers.in_use(installation).id == first.id, "the one before it counts again"
    text = page.get(path).text
    assert "JY-2026-0020" in text and ">void<" in text and "void 2" not in text, "it stays on record, as it was typed"
    assert "末两位敲反了" in page.get(f"/customers/{db.session.get(Subject, installation.customer_id).number}").text
    with unit_of_work():
        issue(other, "JY-2026-0020", by="manager")
    assert page.send(f"{path}/voiding", page=path, serial=str(wrong.id), reason="再来一次").status_code in (409, 422)


@pytest.mark.parametrize(("who", "given", "may"), [("specialist", False, True), ("specialist", True, False), ("manager", True, True)])
def test_what_the_customer_has_is_voided_by_a_manager_alone(installation, who, given, may):
    with unit_of_work():
        made = issue(installation)
        if given:
            numbers.give(made, by=make.who("specialist"), to=db.session.get(make.Contact, to_of(installation)), on=clock.today())
    assert numbers.may_void(made, make.who(who)) == may
