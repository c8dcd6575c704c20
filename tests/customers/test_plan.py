"""What an import makes of a file before it is done: its header, its columns, its rows, and which are refused."""

import io

import openpyxl
import pytest

from crm.customers.columns import COLUMNS, FIELDS
from crm.customers.plan import Plan
from crm.errors import Invalid
from tests.customers.sheets import text


def plan(*rows: str, **mapping: str) -> Plan:
    return Plan.read(text(*rows), "list.csv", mapping)


def fields(*headers: str, **mapping: str) -> dict[str, str]:
    return {column.header: column.field for column in plan(",".join(headers), "x" * 3, **mapping).columns}


# ── Columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("field", "headers"), [
    ("short_name", "简称/客户 简 称/Short name/short_name/单位简称："),
    ("full_name", "公司全称/FULL NAME/单位\u3000全称*/客户名称"),
    ("code", "代码/Code/客户编码"), ("region", "省    份/省/地区/Region/Province"), ("grade", "客户等级/Ｇｒａｄｅ"),
    ("address", "注册地址/Address"), ("phone", "电话：/Phone/联系电话"), ("fax", "传真/Fax"), ("email", "E-mail/电子邮箱/email"),
    ("invoice_title", "开票抬头/Invoice title"), ("tax_number", "税 号/Tax number"), ("bank", "开户银行/Bank"),
    ("bank_account", "银行账号/Bank account"), ("remark", "备注/Remark/Notes"), ("owner", "服务专员/Responsible specialist"),
    ("contact_name", "联系人/联系人(必填)/Contact"),
    ("contact_department", "部门/Department"), ("contact_position", "职务/Position"),
    ("contact_phone", "联系人电话/contact phone"), ("contact_mobile", "手机/Mobile"), ("contact_qq", "QQ号/qq"),
    ("contact_wechat", "微信/WeChat"), ("contact_email", "联系人邮箱/Contact's e-mail"), ("", "所属行业/A股代码/B股 简 称"),
])  # fmt: skip
def test_headers_are_known_in_both_languages_whatever_their_spaces(field, headers):
    for header in headers.split("/"):
        assert COLUMNS.assigned([header], {})[0][0] == field, header


def test_every_field_is_known_by_its_key_and_its_label():
    for key, field in FIELDS.items():
        assert COLUMNS.assigned([key], {}) == COLUMNS.assigned([field.label], {}) == [(key, False)]


def test_a_mere_name_is_the_full_one_unless_there_is_a_full_one():
    assert fields("名称", "电话")["名称"] == "full_name"
    assert fields("简称", "客户名称") == {"简称": "short_name", "客户名称": "full_name"}
    assert fields("客户名称", "客户全称") == {"客户名称": "short_name", "客户全称": "full_name"}


def test_a_field_is_taken_once_by_the_column_that_says_it_best():
    assert fields("简称", "地区", "省 份") == {"简称": "short_name", "地区": "", "省 份": "region"}
    assert COLUMNS.assigned(["电话", "简称", "电话"], {}) == [("phone", False), ("short_name", False), ("", False)]
    assert fields("简称", "省份", "片区", 片区="region")["省份"] == ""


def test_a_mapped_column_is_found_whatever_its_spaces():
    assert fields("简称", "所 属 片 区", 所属片区="region")["所 属 片 区"] == "region"


def test_titles_may_stand_above_the_header():
    found = plan("客户名单,,", "2026 年 11 月,单位：家,", "", "序号,客户简称,电话", "1,甲,010")
    assert (found.header, found.lines[0].number, dict(found.lines[0].values)) == (
        4, 5, {"short_name": "甲", "phone": "010"},
    )  # fmt: skip


def test_a_column_without_a_header_goes_by_its_letter_and_can_be_mapped():
    assert fields("简称,,", ) == {"简称": "short_name"}  # fmt: skip
    found = plan("简称,,", "甲,,010", C="phone")
    assert [(column.header, column.field) for column in found.columns] == [("简称", "short_name"), ("C", "phone")]
    assert found.lines[0].values["phone"] == "010"


def test_a_header_that_is_repeated_on_each_page_is_no_customer():
    assert [line.full_name for line in plan("简称,电话", "甲,1", "简称,电话", "乙,2").lines] == ["甲", "乙"]


def test_the_sheet_with_a_known_header_is_taken():
    book = openpyxl.Workbook()
    book.active.append(["说明", "这不是名单"])
    book.create_sheet("名单").append(["客户简称"])
    book["名单"].append(["甲"])
    content = io.BytesIO()
    book.save(content)
    found = Plan.read(content.getvalue(), "a.xlsx", {})
    assert (found.sheet, [line.full_name for line in found.lines]) == ("名单", ["甲"])


def test_without_a_name_the_refusal_names_the_columns_and_how_to_map_them():
    with pytest.raises(Invalid) as refusal:
        plan("单位号,片区", "1,北").check()
    how = refusal.value.fields["columns"]
    assert how.params == {"columns": "单位号, 片区", "column": "单位号"}
    assert "--map" in how.message


@pytest.mark.parametrize(("mapping", "words"), [
    ({"没有": "code"}, "no column"), ({"简称": "wrong"}, "cannot become"), ({"简称": "code", "电话": "code"}, "Two columns"),
])  # fmt: skip
def test_a_mapping_of_what_is_not_there_is_refused(mapping, words):
    with pytest.raises(Invalid) as refusal:
        plan("简称,电话", "甲,1", **mapping)
    assert words in refusal.value.message % refusal.value.params


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cells_are_composed_and_trimmed_and_nothing_else_of_them_is_touched():
    values = plan("简称,地址,备注", '\u3000万  科Ａ ,"北京\r\ne\u0301"," 一\n二 "').lines[0].values
    assert values == {"short_name": "万  科Ａ", "address": "北京 é", "remark": "一\n二"}


@pytest.mark.parametrize("nothing", ["-", "—", "——", " － ", "--", "", " "])
def test_a_dash_means_nothing(nothing):
    assert dict(plan("简称,电话", f"甲,{nothing}").lines[0].values) == {"short_name": "甲"}


def test_rows_that_say_nothing_are_no_rows():
    assert len(plan("简称,电话", "-,—", " , ", "甲,1").lines) == 1


@pytest.mark.parametrize(("grade", "kept"), [("a", "A"), ("Ｂ", "B"), ("C级", "C"), ("B类", "B")])
def test_grades_are_known_however_they_are_written(grade, kept):
    assert plan("简称,等级", f"甲,{grade}").lines[0].values["grade"] == kept


@pytest.mark.parametrize(("header", "cell", "reason"), [
    ("等级", "D", "none of A, B and C"), ("等级", "AA", "none of A, B and C"), ("邮箱", "不是邮箱", "no e-mail"),
    ("联系人邮箱", "a@b@c", "no e-mail"), ("电话", "1" * 51, "longer than 50"), ("代码", "9" * 51, "longer than 50"),
    ("备注", "长" * 2001, "longer than 2,000"), ("电话", "1\x072", "cannot be stored"), ("手机", "138", "contact has no name"),
])  # fmt: skip
def test_a_row_is_refused_with_its_reason(header, cell, reason):
    found = plan(f"简称,{header}", f"甲,{cell}", "乙,").lines
    assert found[0].number == 2
    assert reason in found[0].refusal.message % found[0].refusal.params
    assert found[1].refusal is None


def test_a_row_without_any_name_is_refused():
    refusal = plan("简称,全称,电话", ",-,010").lines[0].refusal
    assert refusal and "neither" in refusal.message


def test_a_full_name_too_long_to_be_a_short_one_needs_one():
    long = "很" * 101
    assert plan("简称,全称", f",{long}").lines[0].refusal
    assert not plan("简称,全称", f"短,{long}").lines[0].refusal


def test_what_contradicts_an_earlier_row_on_the_same_unit_is_refused():
    found = plan("代码,简称,电话", "1,甲,10", "1,甲,20", "1,甲,", "1,甲,10").lines
    assert [bool(line.refusal) for line in found] == [False, True, False, False]
    assert found[1].refusal.params == {"row": 2, "theirs": "10", "value": "20"}


def test_a_row_without_code_is_ambiguous_where_the_file_gives_its_name_two_codes():
    found = plan("代码,全称", "1,甲", "2,甲", ",甲").lines
    assert [bool(line.refusal) for line in found] == [False, False, True]
