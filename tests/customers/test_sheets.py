"""Spreadsheets become rows of text with the numbers people see; whatever is none is refused in plain words."""

import io
import struct
import time
import zipfile
from datetime import date, datetime, timedelta

import openpyxl
import pytest

from crm.errors import Invalid
from crm.sheets import reading as sheets
from crm.sheets import workbook
from tests.customers.sheets import DATA, saved, shared, xlsx


def rows(content: bytes, name: str = "list.csv") -> list:
    return sheets.read(content, name).rows


def refused(content: bytes, name: str = "list.xlsx") -> str:
    with pytest.raises(Invalid) as refusal:
        sheets.read(content, name)
    return refusal.value.message % refusal.value.params


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_text_is_read_in_every_usual_encoding_and_with_every_line_end(encoding, ends):
    text = ends.join(["简称,电话", "万  科Ａ,010-1", "镕（中）,"]) + ends
    assert rows(text.encode(encoding)) == [(1, ["简称", "电话"]), (2, ["万  科Ａ", "010-1"]), (3, ["镕（中）"])]


def test_a_character_only_gb18030_has_is_read():
    assert rows("简称\n𠮷田\n".encode("gb18030")) == [(1, ["简称"]), (2, ["𠮷田"])]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_commas_semicolons_and_tabs_part_columns(mark):
    text = "\n".join(mark.join(row) for row in (["Short name", "Address", "Phone"], ["宏远", "北京", "1"]))
    assert rows(text.encode())[1] == (2, ["宏远", "北京", "1"])


def test_tabs_win_over_the_commas_of_numbers_and_company_names():
    assert rows(b"a\tb\nX Co., Ltd., Inc.\t1,234,567\n")[1] == (2, ["X Co., Ltd., Inc.", "1,234,567"])


def test_row_numbers_are_those_a_spreadsheet_shows():
    text = '名单\n\n简称,备注\n甲,"一\n二"\n\n乙,三\n'
    assert [number for number, _ in rows(text.encode())] == [1, 3, 4, 6]


def test_row_numbers_and_columns_of_a_workbook_that_does_not_begin_in_its_corner():
    book = openpyxl.Workbook()
    book.active["C3"], book.active["D6"] = "简称", "x"
    assert rows(saved(book), "a.xlsx") == [(3, ["", "", "简称"]), (6, ["", "", "", "x"])]


def test_numbers_dates_and_truth_become_what_their_author_saw():
    moment = datetime(2020, 1, 2, 3, 4, 5)
    values = [13800000000, 1.5, 0.0000001, 0.1 + 0.2, date(2020, 1, 2), moment, True, timedelta(hours=30), " 一 "]
    assert rows(xlsx(values))[0][1] == [
        "13800000000", "1.5", "0.0000001", "0.3", "2020-01-02", "2020-01-02 03:04:05", "TRUE", "30:00:00", " 一 ",
    ]  # fmt: skip


def test_a_long_number_is_never_written_with_an_exponent():
    assert rows(xlsx([6222021234567890, 1e22]))[0][1] == ["6222021234567890", "10000000000000000000000"]


def test_a_number_that_is_shown_with_zeros_in_front_keeps_them():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "客户 & 联系人"
    for at, (value, shown) in enumerate([(1, "000000"), (7, "General"), (1234567, "000000"), ("02", "000000")], 2):
        sheet.cell(at, 2, value).number_format = shown
    sheet["A6"], sheet["B6"].number_format = "x", "000000"
    assert [cells for _, cells in rows(saved(book))] == [["", "000001"], ["", "7"], ["", "1234567"], ["", "02"], ["x"]]


def test_the_first_wanted_sheet_is_taken_else_the_first_that_holds_anything():
    book = openpyxl.Workbook()
    book.create_sheet("Second").append(["b"])
    book.create_sheet("Third").append(["简称"])
    book.create_sheet("Hidden").append(["简称"])
    book["Hidden"].sheet_state = "hidden"
    content = saved(book)
    assert sheets.read(content, "a.xlsx").name == "Second"
    assert sheets.read(content, "a.xlsx", lambda table: table.rows[0][1] == ["简称"]).name == "Third"


def test_the_content_says_what_it_is_whatever_its_name():
    assert rows(xlsx(["简称"]), "list.csv") == [(1, ["简称"])]
    assert rows("简称\n".encode("gbk"), "list.xlsx") == [(1, ["简称"])]


def test_a_cell_comes_cut_so_that_its_row_can_be_refused():
    for content in (f"简称\n{'长' * 5000}\n".encode(), xlsx(["简称"], ["长" * 5000])):
        assert len(rows(content)[1][1][0]) == sheets.LONGEST_CELL + 1


def test_an_empty_or_blank_file_is_refused():
    assert refused(b"") == refused(b" \r\n\t") == "list.xlsx is empty."
    assert refused(xlsx()) == "list.xlsx holds no rows."
    assert refused(b",,,\n , \n") == "list.xlsx holds no rows."


@pytest.mark.parametrize("content", [
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"%PDF-1.4\n1 0 obj<<>>endobj\n", b"\0" * 100, b"PK\x03\x04 and no more",
    b"PK\x05\x06" + b"\0" * 18, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 600, bytes(range(256)) * 20,
    zipped({"word/document.xml": b"<w/>"}), b"\xff\xfe\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
])  # fmt: skip
def test_what_is_no_table_is_refused_in_words(content):
    assert "list.xlsx" in refused(content)


def test_a_web_page_under_a_spreadsheets_name_is_called_one():
    assert "web page" in refused(b"\xef\xbb\xbf <html><table><tr><td>1</td></tr></table>")


def test_a_header_that_begins_like_a_web_page_is_none():
    assert rows("<简称>\n甲\n".encode())[0] == (1, ["<简称>"])


def test_text_marked_as_utf_8_is_never_taken_for_gbk():
    assert "neither UTF-8 nor GBK" in refused("\ufeff简称\n宏远".encode() + b"\xe4\xb8")


def test_quotation_marks_that_do_not_match_name_their_row():
    assert "row 3" in refused('简称,备注\n甲,好\n乙,"没有结束\n丙,好\n'.encode())


def test_every_truncation_of_a_workbook_is_refused_or_read():
    whole = xlsx(["简称"], ["甲"])
    for end in range(4, len(whole), 401):
        refused(whole[:end])


def test_a_workbook_with_damaged_insides_is_refused():
    members = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook><sheets><sheet", "_rels/.rels": b""}
    assert "cannot be read" in refused(zipped(members))


def test_too_many_rows_or_columns_are_refused():
    assert "100,000 rows" in refused(b"a\n" * (sheets.MOST_ROWS + 1))
    assert len(rows(b"a\n" * sheets.MOST_ROWS)) == sheets.MOST_ROWS
    assert "200 columns" in refused(b"a" + b",a" * sheets.MOST_COLUMNS)
    assert "200 columns" in refused(b"a" + b"," * 500 + b"far out")
    assert "200 columns" in refused(xlsx(["a"] * (sheets.MOST_COLUMNS + 1)))
    assert len(rows(xlsx(["a"] * sheets.MOST_COLUMNS))[0][1]) == sheets.MOST_COLUMNS


def test_empty_columns_without_end_do_no_harm():
    assert rows(b"a" + b"," * 5000 + b"\n" + b"," * 5000)[0] == (1, ["a"])


@pytest.mark.parametrize("content", [
    zipped({"xl/worksheets/sheet1.xml": b"0" * 60_000_000}),  # 60 kB that would be 60 MB
    zipped({f"{at}": b"" for at in range(sheets.MEMBERS + 1)}),
])  # fmt: skip
def test_a_zip_that_would_unpack_to_far_more_is_not_opened(content):
    begun = time.monotonic()
    assert "far more" in refused(content)
    assert time.monotonic() - begun < 1


def test_a_zip_that_says_it_is_locked_is_refused_as_such():
    content = xlsx(["简称"])
    at = content.index(b"PK\x01\x02")
    locked = content[: at + 8] + bytes([content[at + 8] | 1]) + content[at + 9 :]
    assert "password" in refused(locked)


def test_a_cell_in_the_last_corner_kills_only_the_child():
    """Laid out as a rectangle it would be 500 GB: the library aborts its whole process."""
    book = openpyxl.Workbook()
    book.active["A1"] = book.active["XFD1048576"] = "简称"
    assert "too large" in refused(saved(book))


def test_a_child_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(sheets, "PATIENCE", 0.001)
    assert "too long" in refused(xlsx(["简称"]))


@shared
def test_an_old_workbook_with_a_cell_in_the_last_corner_kills_only_the_child():
    content = bytearray((DATA / "customers" / "SSE_GPLIST.xls").read_bytes())
    at = content.index(b"\xfd\x00\x0a\x00")  # a text cell: row, column
    struct.pack_into("<HH", content, at + 4, 65535, 65535)
    assert "too large" in refused(bytes(content), "list.xls")


@shared
def test_locked_workbooks_are_refused_as_such():
    content = (DATA / "spreadsheets" / "converter03.xls").read_bytes()
    at = content.index(b"\x09\x08\x10\x00\x00\x06\x05\x00") + 20
    old = bytearray(content)
    struct.pack_into("<H2xH", old, at, 0x2F, 1)
    assert "password" in refused(bytes(old))
    new = bytearray(content)
    at = content.index("Workbook".encode("utf-16-le"))
    new[at : at + 32] = "EncryptedPackage".encode("utf-16-le")
    new[at + 64] = 34
    assert "password" in refused(bytes(new))


@shared
@pytest.mark.parametrize(("name", "sheet", "count", "last"), [
    ("simple07.xlsx", "simple ", 2, ["张三"]), ("no_bom.csv", "", 11, ["姓名9", "20"]),
    ("office_bom.csv", "", 11, ["姓名9", "20"]),
    ("multiplesheets.xls", "Sheet1", 2, ["表1数据"]), ("multiplesheets.xlsx", "Sheet1", 2, ["表1数据"]),
])  # fmt: skip
def test_the_odd_files_of_others_are_read(name, sheet, count, last):
    table = sheets.read((DATA / "spreadsheets" / name).read_bytes(), name)
    assert (table.name, len(table.rows), table.rows[-1][1]) == (sheet, count, last)


@shared
@pytest.mark.parametrize("name", ["converter03.xls", "converter07.xlsx"])
def test_every_type_of_cell_is_read_alike_from_old_and_new_workbooks(name):
    (_, head), (number, cells) = rows((DATA / "spreadsheets" / name).read_bytes(), name)
    said = dict(zip(head, cells, strict=True))
    assert number == 2
    assert (said["大数的布尔"], said["大数的数字"], said["日期的数字"]) == ("TRUE", "1", "2020-01-01 01:01:01")
    assert (said["字符串的数字公式"], said["字符串的字符串公式"], said["字符串的错误"]) == ("2", "1测试", "")


def test_a_cell_of_every_kind_has_words():
    assert workbook.text_of(datetime(2020, 1, 2)) == "2020-01-02"
    assert workbook.text_of(datetime(2020, 1, 2, 3).time()) == "03:00:00"
    assert workbook.text_of(False) == "FALSE"
    assert workbook.text_of(100.0) == "100"


def test_a_row_of_millions_of_commas_is_refused_before_it_is_made():
    assert "too large to read" in refused(b"a" + b"," * 4_000_001, "a.csv")
