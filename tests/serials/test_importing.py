"""Serial numbers come in from spreadsheets: one owner each, as they were issued, the newest in use, refused rows named."""

import io
from datetime import date

import pytest
from sqlalchemy import func, select

from crm.db import db, unit_of_work
from crm.duties.models import Event
from crm.serials import faults, numbers
from crm.serials.faults import Fault
from crm.serials.importing import KIND
from crm.serials.models import Installation, InstallationEvent, Serial
from tests import make
from tests.browsing import Browser
from tests.customers.sheets import text, xlsx

pytestmark = pytest.mark.usefixtures("sound")
HEAD = "序列号,客户名称,产品,有效期起,有效期止,用户数,发放人,发放日期,领用人,领用日期"
ONE = "JY-2026-0001,宏远机械,财务通,2026-1-1,2026-12-31,10,张伟,2026-1-2,王会计,2026-1-3"


@pytest.fixture
def installation(app):
    with unit_of_work():
        unit = make.customer("宏远机械", code="K-7")
        make.contact(unit)
        return make.installation(unit, starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31))


def bring(*rows: str | bytes, name: str = "list.csv", dry_run: bool = False) -> list[str]:
    db.session.rollback()
    said: list[str] = []
    content = rows[0] if isinstance(rows[0], bytes) else text(*rows)
    KIND.run(content, name, {}, dry_run=dry_run, say=said.append)
    db.session.expire_all()
    return said


def refused(*rows: str) -> list[str]:
    return [line for line in bring(*rows) if line.startswith("row ")]


def serials() -> list[Serial]:
    return list(db.session.scalars(select(Serial).order_by(Serial.number)))


def test_a_number_comes_in_as_it_was_issued_and_handed_over(installation):
    assert bring(HEAD, ONE)[-1] == "created 1, updated 0, unchanged 0, refused 0"
    [made] = serials()
    assert (made.installation_id, made.starts_on, made.ends_on, made.users) == (installation.id, date(2026, 1, 1), date(2026, 12, 31), 10)
    assert (made.issued_on, made.issued_by_id, made.given_on) == (date(2026, 1, 2), make.who("specialist").id, date(2026, 1, 3))
    assert db.session.get_one(make.Contact, made.given_to_id).name == "王会计" and made.replaced_by_id is None
    issued, given = db.session.scalars(select(Event).where(Event.kind.in_([InstallationEvent.SERIAL_IMPORTED, InstallationEvent.SERIAL_GIVEN_BEFORE])))
    assert (issued.via, issued.facts["row"], given.facts["name"]) == ("import", 2, "王会计")


def test_a_second_import_changes_nothing(installation):
    rows = [HEAD, ONE, ONE.replace("0001", "0002").replace("张伟", "早已离职").replace("王会计", "新来的").replace("2026-", "2025-", 4)]
    assert bring(*rows)[-1] == "created 2, updated 0, unchanged 0, refused 0"
    events = db.session.scalar(select(func.count()).select_from(Event))
    assert bring(*rows)[-1] == "created 0, updated 0, unchanged 2, refused 0"
    assert db.session.scalar(select(func.count()).select_from(Event)) == events
    assert "早已离职" in {one.facts.get("name") for one in db.session.scalars(select(Event))}


@pytest.mark.parametrize("order", [(2024, 2025, 2026), (2026, 2024, 2025), (2025, 2026, 2024)])
def test_each_is_replaced_by_the_next_and_the_newest_is_in_use_in_whatever_order_they_stand(installation, browser, order):
    head = "序列号,客户编号,有效期起,有效期止"
    bring(head, *(f"JY-{year}-0001,K-7,{year}-1-1,{year}-12-31" for year in order))
    first, second, third = serials()
    assert (first.replaced_by_id, second.replaced_by_id, third.replaced_by_id) == (second.id, third.id, None)
    page = browser("manager").get(f"{installation.path}/serials").text
    assert page.index("JY-2026-0001") < page.index("JY-2025-0001") < page.index("JY-2024-0001")


def test_one_issued_here_since_stays_in_use(installation):
    with unit_of_work():
        numbers.issue(installation, by=make.who("manager"), number="JY-2027-1", starts_on=date(2026, 11, 1), ends_on=date(2026, 12, 31))
    bring(HEAD, ONE)
    old, new = serials()
    assert (old.replaced_by_id, new.replaced_by_id) == (new.id, None)


@pytest.mark.parametrize("again", ["jy-2026-0001", "ＪＹ－２０２６－０００１", "JY 2026 0001".replace(" ", " - "), "JY—2026–0001"])
def test_a_number_has_one_owner_however_it_is_written(installation, again):
    with unit_of_work():
        make.installation(make.customer("别家"))
    bring(HEAD, ONE)
    assert refused(HEAD, ONE.replace("JY-2026-0001", again).replace("宏远机械", "别家")) == [
        "row 2: This serial number is that of another installation."
    ]
    assert bring(HEAD, ONE.replace("JY-2026-0001", again))[-1] == "created 0, updated 0, unchanged 1, refused 0"


def test_a_number_twice_in_a_file_is_named_and_if_the_two_differ_neither_is_taken(installation):
    said = refused(HEAD, ONE, ONE.replace("JY", "jy"), ONE.replace("0001", "0002"), ONE.replace("0001", "0002").replace("10", "20"))
    fault = "Rows 4 and 5 have the same serial number and say different things of it: 用户数."
    assert said == ["row 3: Row 2 has this serial number already.", f"row 4: {fault}", f"row 5: {fault}"]
    assert [one.number for one in serials()] == ["JY-2026-0001"]


@pytest.mark.parametrize(("row", "reason"), [
    (ONE.replace("JY-2026-0001", "-"), "It has no serial number."),
    (ONE.replace("JY-2026-0001", "J1"), "序列号: a serial number has 4 to 60 letters."),
    (ONE.replace("宏远机械", "没有这家"), "There is no customer 没有这家."),
    (ONE.replace("财务通", "不卖的"), "不卖的 is no product known here."),
    (ONE.replace("2026-12-31", "2025-12-31"), "The last day lies before the first."),
    (ONE.replace("2026-12-31", "永久"), "有效期止: 永久 is no day; write it like 2026-1-5."),
    (ONE.replace(",10,", ",不限,"), "用户数: 不限 is no number of users."),
    (ONE.replace("2026-1-3", "2027-1-3"), "It was handed over on a day that lies in the future."),
    (ONE.replace("王会计", ""), "It says when it was handed over, but not to whom."),
])  # fmt: skip
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_row_is_refused_with_its_reason_and_the_others_go_in(installation, row, reason):
    said = bring(HEAD, row, ONE.replace("0001", "0009"))
    assert f"row 2: {reason}" in said and said[-1] == "created 1, updated 0, unchanged 0, refused 1"
    assert "JY-" not in "".join(said), "serial numbers stand in no message"


def test_what_was_issued_stays_as_it_is_and_to_whom_it_was_handed_may_be_added(installation):
    bring(HEAD, ONE.replace("王会计,2026-1-3", ","))
    assert "was issued with other days" in refused(HEAD, ONE.replace("2026-12-31", "2027-12-31"))[0]
    assert bring(HEAD, ONE)[-1] == "created 0, updated 1, unchanged 0, refused 0"
    assert serials()[0].given_on == date(2026, 1, 3)
    assert "handed to somebody else" in refused(HEAD, ONE.replace("王会计", "李会计"))[0]


def test_what_does_not_fit_its_period_is_listed(installation):
    bring(HEAD, ONE.replace("2026-12-31", "2027-6-30"))
    assert Fault.OUTLIVES in {one.fault for one in faults.listing(make.who("manager"))}


def test_an_installation_is_known_by_its_number_and_a_missing_one_of_a_known_product_is_made(installation):
    with unit_of_work():
        make.installation(make.customer("两套"), starts_on=None, ends_on=None)
        make.installation(db.session.query(make.Customer).filter_by(title="两套").one(), starts_on=None, ends_on=None)
        make.customer("新单位")
    head = "序列号,安装编号,客户名称,产品,有效期起,有效期,用户数"
    said = refused(head, "JY-0001,i0002,,,2026-1-1,一年,", "JY-0002,,两套,财务通,2026-1-1,一年,", "JY-0003,,新单位,财务通,2026-1-1,一年,5",
                   "JY-0004,I0009,两套,,2026-1-1,一年,")  # fmt: skip
    assert said == [
        "row 3: K0002 has several installations of 财务通: give the number of the one that is meant.",
        "row 5: K0002 has no installation I0009.",
    ]
    assert [one.number for one in serials()] == ["JY-0001", "JY-0003"]
    assert db.session.scalars(select(Installation).order_by(Installation.id.desc())).first().users == 5


def test_a_dry_run_says_to_the_word_what_the_import_then_says(installation, monkeypatch):
    monkeypatch.setattr("crm.sheets.plan.BATCH", 1)
    with unit_of_work():
        make.customer("新单位")
    rows = [HEAD, ONE, ONE.replace("0001", "0002").replace("宏远机械", "新单位"), ONE.replace("0001", "0003").replace("宏远机械", "没有"),
            ONE.replace("0001", "0004").replace("宏远机械", "新单位")]  # fmt: skip
    tried = bring(*rows, dry_run=True)
    assert serials() == []
    tried.remove("a dry run: nothing was kept.")
    assert tried == bring(*rows) and tried[-1] == "created 3, updated 0, unchanged 0, refused 1"


def test_the_page_takes_ones_own_customers_and_shows_no_number_to_others(installation, browser):
    content = xlsx(HEAD.split(","), ONE.split(","))
    for login, words in (("specialist2", "in somebody else&#39;s care"), ("specialist", "Done.")):
        page = browser(login)
        path = page.send("/serials/import", files={"file": (io.BytesIO(content), "list.xlsx")}).location
        assert page.send(path, page=path, act="start").status_code == 303
        page.send(f"{path}/batch", page=path)
        assert words in page.get(path).text
    assert len(serials()) == 1
    for login in ("followup", "director"):
        assert browser(login).get("/serials/import").status_code == 403
        assert ("/serials/import" in browser(login).get("/serials").text) is False
    assert "JY-2026-0001" not in browser("followup").get("/serials").text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_program_s_own_list_comes_in_again_and_changes_nothing(installation, browser, language):
    bring(HEAD, "JY-0001,宏远机械,财务通,2025-1-1,2025-12-31,5,,2025-1-2,王会计,2025-1-3", "JY-0002,宏远机械,财务通,2026-1-1,2026-12-31,5,,2026-1-2,,")
    mine = Browser(browser("specialist").client.application, "specialist", "zh-CN" if language == "zh" else "en")
    assert bring(mine.get("/serials/export.xlsx").data, name="serials.xlsx")[-1] == "created 0, updated 0, unchanged 2, refused 0"


def test_a_number_that_is_void_here_does_not_come_back_by_a_list(installation):
    row = "JY-0001,宏远机械,财务通,2026-1-1,2026-12-31,5,,2026-1-2,,"
    bring(HEAD, row)
    with unit_of_work():
        numbers.void(serials()[0], by=make.who("manager"), reason="敲错了")
    assert "is void" in refused(HEAD, row)[0]
