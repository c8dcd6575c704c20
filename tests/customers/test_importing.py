"""Customers come in from spreadsheets: known ones are compared, new ones made, refused rows named, the rest goes in."""

import csv
import json

import pytest
from sqlalchemy import func, select

from crm.customers import importing, queries
from crm.customers import workflow as customers
from crm.customers.models import Contact, Customer, CustomerEvent
from crm.db import db, unit_of_work
from crm.duties.models import Duty, Event
from crm.importing import Result
from tests import make
from tests.browsing import together
from tests.customers.sheets import DATA, shared, text, xlsx
from tests.shares import LARGE

pytestmark = pytest.mark.usefixtures("sound")
SHENZHEN = {"A股代码": "code", "A股简称": "short_name"}
SHANGHAI = {"A股代码": "code", "证券简称": "short_name"}


def run(content: bytes, name: str, mapping: dict[str, str], *, say=str, dry_run: bool = False) -> Result:
    db.session.rollback()  # what the test has looked at was a reading transaction
    return importing.KIND.run(content, name, mapping, dry_run=dry_run, say=say)


def bring(*rows: str, dry_run: bool = False, **mapping: str) -> str:
    """Import these lines of text; the last line that is said."""
    said: list[str] = []
    run(text(*rows), "list.csv", mapping, dry_run=dry_run, say=said.append)
    return said[-1]


def refusals(*rows: str) -> dict[int, str]:
    result = run(text(*rows), "list.csv", {})
    return {number: refusal.message % refusal.params for number, refusal in result.refused}


def unit(**wanted) -> Customer:
    return db.session.scalars(select(Customer).filter_by(**wanted)).one()


def events(kind: str) -> list[Event]:
    return list(db.session.scalars(select(Event).where(Event.kind == kind).order_by(Event.id)))


def count(model=Customer) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


# ── Units ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_unit_gets_a_number_a_state_and_its_history(app):
    bring("简称,全称,代码,等级", "宏远,宏远机械有限公司,000123,a")
    made = unit(code="000123")
    assert (made.number, made.title, made.full_name, made.grade) == ("K0001", "宏远", "宏远机械有限公司", "A")
    assert (made.state, made.customer_id, made.owner_id) == ("active", made.id, None)
    (event,) = events(CustomerEvent.IMPORTED)
    assert (event.subject_id, event.via, event.facts) == (made.id, "import", {"file": "list.csv", "row": 2})
    assert not db.session.scalars(select(Duty).where(Duty.subject_id == made.id)).all()


def test_a_missing_full_name_takes_the_short_one_and_the_other_way_round(app):
    bring("简称,全称", "甲,", ",乙有限公司")
    assert unit(title="甲").full_name == "甲"
    assert unit(full_name="乙有限公司").title == "乙有限公司"


def test_a_second_import_changes_nothing(app):
    rows = [
        "简称,全称,代码,电话,服务专员,联系人,部门",
        "甲,甲公司,01,1,张伟,王一,财务部",
        "乙,,,,specialist2,,",
        "丙,丙公司,,,,赵二,",
    ]
    assert bring(*rows) == "created 3, updated 0, unchanged 0, refused 0"
    before = count(Event)
    assert bring(*rows) == "created 0, updated 0, unchanged 3, refused 0"
    assert count(Event) == before


def test_a_changed_value_is_an_edit_with_before_and_after(app):
    bring("简称,代码,电话,等级", "甲,01,1,")
    version = unit(code="01").version
    assert bring("简称,代码,电话,等级", "甲,01,2,B") == "created 0, updated 1, unchanged 0, refused 0"
    (event,) = events(CustomerEvent.UPDATED)
    assert event.facts == {"changes": {"phone": ["1", "2"], "category": ["", "B"]}}
    assert unit(code="01").version == version + 1


def test_an_empty_cell_never_wipes_what_is_there(app):
    bring("简称,代码,电话,备注", "甲,01,1,好")
    assert bring("简称,代码,电话,备注", "甲,01,-,") == "created 0, updated 0, unchanged 1, refused 0"
    assert unit(code="01").phone == "1"


def test_a_unit_is_known_by_its_code_before_its_name(app):
    bring("代码,全称", "01,甲公司", "02,乙公司")
    assert bring("代码,全称", "01,新名公司").startswith("created 0, updated 1")
    assert unit(code="01").full_name == "新名公司"


def test_a_unit_without_code_is_known_by_its_full_name_and_gets_its_code(app):
    bring("全称", "甲公司")
    assert bring("代码,全称", "007,甲公司") == "created 0, updated 1, unchanged 0, refused 0"
    assert unit(full_name="甲公司").code == "007"
    assert bring("代码,全称", ",甲公司") == "created 0, updated 0, unchanged 1, refused 0"


def test_two_codes_under_one_full_name_are_two_units(app):
    assert bring("代码,全称", "1,甲公司", "2,甲公司").startswith("created 2")
    assert refusals("代码,全称,电话", ",甲公司,1") == {
        2: "Several units have its full name: give it the code of the one that is meant."
    }


def test_a_code_of_one_unit_with_the_full_name_of_another_is_refused(app):
    bring("代码,全称", "1,甲公司", ",乙公司")
    assert refusals("代码,全称", "1,乙公司") == {2: "Its code is that of K0001, its full name that of K0002."}


def test_codes_keep_their_zeros_and_are_compared_with_them(app):
    assert bring("代码,简称", "000001,甲", "1,乙", "0001,丙").startswith("created 3")
    assert run(xlsx(["代码", "简称"], ["000001", "甲"]), "a.xlsx", {}).unchanged == 1


def test_the_same_unit_again_in_a_file_is_compared_with_what_was_just_imported(app):
    rows = ["代码,简称,电话,传真", "1,甲,10,", "1,甲,10,", "1,甲,,20"]
    assert bring(*rows) == "created 1, updated 1, unchanged 1, refused 0"
    assert bring(*rows) == "created 0, updated 0, unchanged 3, refused 0"
    assert (unit(code="1").phone, unit(code="1").fax) == ("10", "20")


def test_a_full_name_that_only_repeats_the_short_one_follows_it(app):
    bring("代码,简称", "1,甲")
    bring("代码,简称", "1,*ST甲")
    assert (unit(code="1").title, unit(code="1").full_name) == ("*ST甲", "*ST甲")
    bring("代码,简称,全称", "1,*ST甲,甲公司")
    bring("代码,简称", "1,甲")
    assert (unit(code="1").title, unit(code="1").full_name) == ("甲", "甲公司")


def test_a_unit_added_by_hand_is_known_again(app):
    with unit_of_work():
        make.customer("宏远", full_name="宏远公司", phone="1")
    assert bring("全称,电话", "宏远公司,2") == "created 0, updated 1, unchanged 0, refused 0"


def test_the_responsible_specialist_is_known_by_name_or_log_in(app):
    bring("简称,服务专员", "甲,张伟", "乙,Specialist2")
    assert unit(title="甲").owner_id == make.who("specialist").id
    assert unit(title="乙").owner_id == make.who("specialist2").id
    bring("简称,服务专员", "甲,李娜")
    (event,) = events(CustomerEvent.ASSIGNED)
    assert event.facts == {"from": make.who("specialist").id, "to": make.who("specialist2").id}


@pytest.mark.parametrize("name", ["没有这个人", "赵磊", "admin"])
def test_somebody_who_looks_after_no_customers_is_refused(app, name):
    assert refusals("简称,服务专员", f"甲,{name}", "乙,") == {
        2: f"{name} is nobody who looks after customers here."
    }  # fmt: skip
    assert count() == 1


def test_of_two_people_with_one_name_the_log_in_is_asked(app):
    with unit_of_work():
        make.who("specialist2").title = "张伟"
    assert "log-in" in refusals("简称,服务专员", "甲,张伟")[2]


def test_contacts_are_added_known_again_and_changed(app):
    head = "简称,联系人,部门,手机"
    bring(head, "甲,王一,财务部,138", "甲,赵二,信息部,139")
    assert [person.name for person in queries.contacts(unit(title="甲").id)] == ["王一", "赵二"]
    assert bring(head, "甲,王一,,137") == "created 0, updated 1, unchanged 0, refused 0"
    (event,) = events(CustomerEvent.CONTACT_EDITED)
    assert event.facts["changes"] == {"mobile": ["138", "137"]}
    assert (count(Contact), count()) == (2, 1)


def test_somebody_who_left_stays_away(app):
    with unit_of_work():
        person = make.contact(make.customer("甲"), "王一")
        customers.edit_contact(person, by=make.who("specialist"), active=False)
    bring("简称,联系人,部门", "甲,王一,财务部")
    assert [person.active for person in db.session.scalars(select(Contact))] == [False]


# ── The whole ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_refused_rows_are_named_and_the_good_ones_go_in(app):
    said: list[str] = []
    rows = text("客户名单", "简称,邮箱", "甲,a@b.cn", "乙,坏", "丙,", ",c@d.cn")
    run(rows, "list.csv", {}, say=said.append)
    assert said == [
        "list.csv: header in row 2, 4 rows.",
        "taken: 简称 = short_name, 邮箱 = email",
        "row 4: 邮箱: 坏 is no e-mail address.",
        "row 6: It has neither a short nor a full name.",
        "created 2, updated 0, unchanged 0, refused 2",
    ]
    assert count() == 2


def test_what_is_left_out_is_named_and_how_far_it_is_is_said(app, monkeypatch):
    monkeypatch.setattr("crm.sheets.plan.BATCH", 2)
    said: list[str] = []
    run(text("简称,行业", "甲,1", "乙,2", "丙,3"), "list.csv", {}, say=said.append)
    assert said[2:] == [
        "left out: 行业 (to take one: --map COLUMN=field)", "2 of 3 rows", "created 3, updated 0, unchanged 0, refused 0",
    ]  # fmt: skip


def test_a_dry_run_counts_right_across_batches_and_keeps_nothing(app, monkeypatch):
    monkeypatch.setattr("crm.sheets.plan.BATCH", 2)
    rows = ["代码,简称,电话", "1,甲,", "2,乙,", "1,甲,", "2,乙,20", "3,丙,"]
    tried = bring(*rows, dry_run=True)
    assert (tried, count(), len(events(CustomerEvent.IMPORTED))) == (
        "created 3, updated 1, unchanged 1, refused 0", 0, 0,
    )  # fmt: skip
    assert bring(*rows) == tried
    assert unit(code="1").number == "K0001"


ACROSS = [
    "代码,简称,全称,电话,服务专员,联系人,手机",
    "1,甲,,,,王一,138", "2,乙,,,张伟,,",
    ",丙,丙公司,,,赵二,139", "9,旧,新名公司,,,,",  # a unit of the database gets another name
    "1,甲,,,,王一,", ",丙,丙公司,7,,,",
    "3,丁,,,没有这个人,,", ",,老名公司,,,,",  # which nobody has any more
    "1,甲,,10,,王一,138", "4,丙,丙公司,,,赵二,139",  # now the third has a code
    "4,丙,丙公司,,,钱三,", "5,甲五,甲,,,,",  # of one name with the first, and of another code
    ",,庚公司,,,,", "9,旧,,,,,", "8,,庚公司,,,,",  # the code of one, the name of another
]  # fmt: skip


def test_a_dry_run_says_to_the_word_what_the_import_then_says(app, monkeypatch):
    monkeypatch.setattr("crm.sheets.plan.BATCH", 2)
    with unit_of_work():
        make.customer("旧", full_name="老名公司", code="9")
        make.customer("辛", code="8")
    tried: list[str] = []
    done: list[str] = []
    run(text(*ACROSS), "list.csv", {}, say=tried.append, dry_run=True)
    assert (count(), count(Contact), unit(code="9").full_name) == (2, 0, "老名公司")
    run(text(*ACROSS), "list.csv", {}, say=done.append)
    tried.remove("a dry run: nothing was kept.")
    assert tried == done
    assert "row 16: Its code is that of K0002, its full name that of K0008." in done
    assert done[-1] == "created 6, updated 5, unchanged 2, refused 2", done
    assert run(text(*ACROSS), "list.csv", {}, dry_run=True).created == 0


def test_a_dry_run_holds_nobody_up_between_its_batches(app, monkeypatch, others_write):
    monkeypatch.setattr("crm.sheets.plan.BATCH", 2)
    run(text("简称", "甲", "乙", "丙", "丁", "戊"), "list.csv", {}, dry_run=True, say=others_write)
    assert others_write.written == 6, "twice before, twice between the batches, twice after"


def test_a_batch_asks_for_its_units_at_once(app, statements):
    lines = [f"{at:06d},单位{at},张伟,王{at}" for at in range(100)]
    bring("代码,简称,服务专员,联系人", *lines)
    db.session.expire_all()
    statements.clear()
    bring("代码,简称,服务专员,联系人", *lines)
    assert len(statements) <= 7, statements


def test_a_row_the_database_refuses_harms_no_other(app, monkeypatch):
    """Somebody adds the same code between our look and our row; on PostgreSQL a failed statement spoils its savepoint."""
    with unit_of_work():
        make.customer("别人的", code="2")
    monkeypatch.setattr(importing._Units, "of", lambda self, line: None)
    found = refusals("代码,简称", "1,甲", "2,乙", "3,丙")
    assert "same moment" in found[3]
    assert [one.code for one in db.session.scalars(select(Customer).order_by(Customer.id))] == ["2", "1", "3"]


def test_two_imports_at_once_make_each_unit_once(served):
    rows = text("全称", *[f"单位{at}" for at in range(300)])

    def act(_at: int) -> Result:
        with served.app_context():
            return importing.KIND.run(rows, "list.csv", {}, say=str)

    results = together(2, act)
    assert sum(result.created for result in results) == sum(result.unchanged for result in results) == 300


@pytest.mark.takes_long
@shared
@pytest.mark.parametrize("database", LARGE, indirect=True)
def test_shenzhens_list_comes_in_whole_and_again_changes_nothing(app):
    content = (DATA / "customers" / "szse_main_board_gbk_crlf.csv").read_bytes()
    tried = run(content, "szse.csv", SHENZHEN, dry_run=True)
    assert (str(tried), count()) == ("created 1486, updated 0, unchanged 0, refused 0", 0)
    assert run(content, "szse.csv", SHENZHEN).created == 1486
    rows = list(csv.DictReader(content.decode("gb18030").splitlines()))
    wanted = {
        row["A股代码"]: (row["A股简称"].strip(), row["公司全称"].strip(), row["省    份"].strip()) for row in rows
    }
    found = {one.code: (one.title, one.full_name, one.region) for one in db.session.scalars(select(Customer))}
    assert found == wanted
    assert found["000002"] == ("万  科Ａ", "万科企业股份有限公司", "广东")
    again = run(content, "szse.csv", SHENZHEN)
    assert str(again) == "created 0, updated 0, unchanged 1486, refused 0"


@pytest.mark.takes_long
@pytest.mark.takes_long
@shared
@pytest.mark.parametrize("database", LARGE, indirect=True)
def test_shanghais_old_workbook_comes_in_whole_and_again_changes_nothing(app):
    content = (DATA / "customers" / "SSE_GPLIST.xls").read_bytes()
    said: list[str] = []
    run(content, "SSE_GPLIST.xls", SHANGHAI, say=said.append)
    assert said[-1] == "created 1696, updated 0, unchanged 0, refused 0"
    assert said[2].startswith("left out: B股代码, 扩位证券简称, 公司英文全称, 上市日期")
    assert (unit(code="600000").title, unit(code="600000").full_name) == ("浦发银行", "浦发银行")
    assert db.session.scalar(select(func.count()).where(func.length(Customer.code) == 6)) == 1696
    again = run(content, "SSE_GPLIST.xls", SHANGHAI)
    assert str(again) == "created 0, updated 0, unchanged 1696, refused 0"


@shared
def test_no_string_breaks_an_import_and_a_second_one_changes_nothing(app):
    naughty = [word for word in json.loads((DATA / "naughty" / "blns.json").read_text("utf-8")) if "\0" not in word]
    rows = [
        ["简称", "全称", "地址", "备注", "联系人"],
        *([f"单位{at}", word, word, word, word] for at, word in enumerate(naughty)),
    ]
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    content = "\r\n".join(lines).encode("utf-8", "replace")
    first = run(content, "naughty.csv", {})
    assert first.created > 300
    again = run(content, "naughty.csv", {})
    assert (again.created, again.updated, len(again.refused)) == (0, 0, len(first.refused))
