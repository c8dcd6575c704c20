"""The search: how words are folded and cut, what is found in which order, and what stays out of sight."""

import pytest

from crm import finding, search, words
from crm.customers import workflow as customers
from crm.db import db, unit_of_work
from crm.desk.search import FEW, NAMED, SIZE, find, rebuild
from crm.duties.models import Subject
from crm.tickets import queries
from crm.tickets import workflow as tickets
from crm.tickets.models import PASSWORD
from tests import make


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("ＡＢＣ１２３", "abc123"), ("T2611-0007", "t26110007"), ("宏远（机械）有限公司", "宏远 机械 有限公司"),
        ("U8+ 财务通", "u8 财务通"), ("a_b.c/d", "abcd"), ("  两  空 格 ", "两 空 格"), ("Straße", "strasse"), ("!?，。", ""), ("8,600元 和 8，600", "8600元 和 8600"), ("1,2 或 3,4567", "1 2 或 3 4567"),
    ],
)  # fmt: skip
def test_width_case_and_dashes_are_nothing(typed, folded):
    assert words.fold(typed) == folded


@pytest.mark.parametrize(
    ("shown", "query", "hit"),
    [
        ("凭证无法保存", "无法", ["无法"]), ("T2611-0007", "26110007", ["2611-0007"]), ("Ｕ８财务通", "u8", ["Ｕ８"]),
        ("结账，再结账", "结账", ["结账", "结账"]), ("没有", "别的", []), ("", "别的", []),
    ],
)  # fmt: skip
def test_what_was_searched_for_is_marked_as_it_was_written(shown, query, hit):
    parts = words.marked(shown, words.words_in(query))
    assert "".join(part for part, _on in parts) == shown
    assert [part for part, on in parts if on] == hit


def test_an_excerpt_shows_the_line_that_holds_the_words():
    text = "第一行\n" + "前" * 200 + "凭证号不连续" + "后" * 200
    shown = words.excerpt(text, ["凭证号"])
    assert "凭证号不连续" in shown and shown.startswith("…") and shown.endswith("…") and len(shown) < 130
    assert words.excerpt(text, ["没有的"]) == ""


def said(user: str, query: str, **kwargs) -> list[str]:
    found = find(make.who(user), query, **kwargs)
    return [hit.title for hit in found.first + found.newest]


@pytest.fixture
def filled(app):
    with unit_of_work():
        unit = make.customer("宏远机械", full_name="宏远机械制造有限公司", code="600123")
        make.contact(unit, "王小明", mobile="13800001234")
        make.customer("明珠商贸", full_name="明珠商贸公司")
        make.installation(unit)
        make.ticket(unit, title="凭证无法保存", description="点保存后报错 ORA-00942")
        make.ticket(unit, title="结账后凭证号不连续")
    return unit


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("凭证", "结账后凭证号不连续"), ("无法保存", "凭证无法保存"), ("ora-00942", "凭证无法保存"), ("ＯＲＡ００９４２", "凭证无法保存"),
        ("600123", "宏远机械"), ("6001", "宏远机械"), ("宏远", "宏远机械"), ("制造", "宏远机械"), ("K0001", "宏远机械"),
        ("王", "王小明"), ("小明", "王小明"), ("0001234", "王小明"), ("明", "王小明"), ("宏远 制造", "宏远机械"),
    ],
)  # fmt: skip
def test_what_is_found_first(filled, query, first):
    assert said("specialist", query)[0] == first


@pytest.mark.parametrize(
    "query", ["证凭", "不存在", "宏远 不存在", "凭证 保存 结账", "%", "_", "' OR 1=1", '"', "*", "", "NEAR(a b)"]
)
def test_what_is_not_there_is_not_found(filled, query):
    assert said("specialist", query) == []


def test_pairs_that_stand_apart_are_no_hit(app):
    with unit_of_work():
        make.ticket(title="甲乙丁，乙丙")
    assert said("specialist", "甲乙丙") == []
    assert said("specialist", "乙丙") == ["甲乙丁，乙丙"]


def test_an_exact_number_comes_before_all_that_hold_it(app):
    with unit_of_work():
        unit = make.served_customer("甲公司")
        ticket = make.ticket(unit)
        make.ticket(unit, title=f"还是 {ticket.number} 的问题")
        number, title = ticket.number, ticket.title
    assert said("specialist", number)[0] == title
    assert len(said("specialist", number)) == 2


def test_what_is_changed_is_found_anew_and_no_longer_as_it_was(filled):
    with unit_of_work():
        unit = db.session.merge(filled)
        customers.change_customer(unit, {"title": "新名字", "full_name": "新名字公司"}, by=make.who("specialist"))
    assert said("specialist", "宏远") == []
    assert said("specialist", "新名")[0] == "新名字"


def test_notes_and_filled_fields_are_found(app):
    with unit_of_work():
        ticket, me = make.ticket(category="bug"), make.who("specialist")
        tickets.note(ticket, by=me, words="客户说是打印机驱动")
        tickets.fill(ticket, by=me, fields={"steps": "先反过账再结转"})
    assert said("specialist", "打印机驱动") == ["凭证无法保存"]
    assert said("specialist", "反过账") == ["凭证无法保存"]


def test_only_what_the_searcher_may_see(filled):
    with unit_of_work():
        make.ticket(db.session.merge(filled), category="admin_password", title="超级口令重置")
    assert said("specialist", "口令") == ["超级口令重置"]
    assert said("manager", "口令") == ["超级口令重置"]
    assert said("specialist2", "口令") == []
    for nobody in ("admin", "developer", "stranger"):
        assert said(nobody, "凭证") == [] and said(nobody, "宏远") == []


def test_further_pages_go_on_by_key_and_leave_nothing_out(app):
    with unit_of_work():
        unit = make.served_customer("甲公司")
        numbers = {make.ticket(unit, title=f"凭证问题 {i}").number for i in range(SIZE * 2 + 5)}
    seen: list[str] = []
    found = find(make.who("specialist"), "凭证")
    while True:
        seen += [hit.subject.number for hit in found.newest]
        if not found.before:
            break
        found = find(make.who("specialist"), "凭证", before=found.before)
    assert len(seen) == len(set(seen)) and set(seen) == numbers
    assert seen == sorted(seen, reverse=True)


def test_many_of_one_name_do_not_push_out_the_words(app):
    with unit_of_work():
        for i in range(NAMED + 5):
            make.customer(f"同名公司{i}", code=f"c{i}")
        make.ticket(make.served_customer("别家"), title="同名公司的问题")
    found = find(make.who("specialist"), "同名公司")
    assert len(found.first) == NAMED
    assert "同名公司的问题" in [hit.title for hit in found.newest]


def test_the_page_marks_its_hits_and_keeps_what_is_not_html(app, browser):
    with unit_of_work():
        make.ticket(title="<b>凭证</b> & 科目")
    page = browser("specialist").get("/search?q=凭证").text
    assert "&lt;b&gt;<mark>凭证</mark>&lt;/b&gt;" in page
    assert "<b>凭证" not in page


def test_a_lists_filter_finds_by_the_same_words(filled, browser):
    page = browser("specialist")
    assert "凭证无法保存" in page.get("/tickets?q=ＯＲＡ").text
    assert "结账后" not in page.get("/tickets?q=ＯＲＡ").text
    assert "宏远机械" in page.get("/customers?q=制造").text
    assert "明珠" not in page.get("/customers?q=制造").text


def test_building_the_index_anew_finds_the_same(filled):
    before = {query: said("specialist", query) for query in ("凭证", "宏远", "王", "600123")}
    with unit_of_work():
        search.clear()
    assert said("specialist", "凭证") == []
    assert rebuild() == 2 + 2 + 1
    assert {query: said("specialist", query) for query in before} == before


@pytest.mark.parametrize(("windows", "few"), [((1, 2), 2), ((2, 1000), 1), ((), 1), ((3,), 100)])
def test_pages_are_the_same_however_the_index_is_asked(app, monkeypatch, windows, few):
    with unit_of_work():
        unit = make.served_customer("甲公司")
        for i in range(70):
            by = make.who(("specialist", "specialist2")[i % 2])
            make.ticket(unit, by=by, title=f"凭证问题 {i}" if i % 3 else f"别的 {i}")
            make.contact(unit, f"王凭证{i}") if i % 10 == 0 else None
    me = make.who("specialist")

    def pages() -> tuple[list, list]:
        hits, rows, before = [], [], None
        while True:
            found = find(me, "凭证", before=before)
            hits, before = hits + [hit.row_id for hit in found.newest], found.before
            if not before:
                break
        wanted = queries.Filter(q="凭证问", owner=me.id)
        while True:
            page = queries.listing(me, wanted, before=before, size=7)
            rows, before = rows + [row.number for row in page.rows], page.next
            if not before:
                return hits, rows

    usual = pages()
    monkeypatch.setattr(finding, "WINDOWS", windows)
    monkeypatch.setattr(finding, "FEW", few)
    assert pages() == usual
    assert len(usual[1]) == len(set(usual[1])) == 23 and usual[1] == sorted(usual[1], reverse=True)


def test_a_list_looks_at_its_own_newest_whatever_was_imported_since(app, monkeypatch):
    with unit_of_work():
        unit = make.served_customer("甲公司")
        for i in range(5):
            make.ticket(unit, title=f"凭证问题 {i}")
        for i in range(10):
            make.customer(f"乙公司{i}")
    monkeypatch.setattr(finding, "WINDOWS", (4,))
    page = queries.listing(make.who("manager"), queries.Filter(q="凭证"), size=3)
    assert [row.title for row in page.rows] == ["凭证问题 4", "凭证问题 3", "凭证问题 2"]
    assert page.least == (db.engine.dialect.name == "postgresql")  # the window filled it


@pytest.mark.parametrize(("words", "common"), [("凭证", True), ("貔貅", False)])
def test_few_among_the_newest_say_little_of_a_word(app, monkeypatch, words, common):
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite walks its index until the page is full")
    with unit_of_work():
        for i in range(60):
            make.ticket(title=f"凭证问题 {i}")
    monkeypatch.setattr(finding, "SPOTS", 1)
    monkeypatch.setattr(finding, "WIDTH", 1000)
    monkeypatch.setattr(finding, "FEW", 2)
    monkeypatch.setattr(finding, "MANY", 10)
    top = search.row_id(db.session.query(Subject).count())
    for few in ([], [1, 2, 3]):
        assert finding._fills(few, 10, 50, words, top) == common
    assert finding._fills([1] * 6, 10, 50, words, top), "ten times as many fill it"


def test_the_order_of_what_is_found_does_not_depend_on_when_it_was_indexed(filled):
    before = said("specialist", "公司") + said("specialist", "凭证")
    with unit_of_work():
        search.clear()
    with unit_of_work():
        for kind in reversed(Subject.__subclasses__()):
            for subject in db.session.query(kind).order_by(kind.id.desc()) if kind.SEARCHED else ():
                search.put(subject.id, subject.searched())
    assert said("specialist", "公司") + said("specialist", "凭证") == before


def test_a_customers_name_finds_what_is_theirs(filled):
    hidden = "改密码"
    with unit_of_work():
        unit = db.session.get(Subject, filled.id)
        make.ticket(unit, title=hidden, category=PASSWORD, by=make.who("specialist2"))
        make.ticket(make.served_customer("远山电子"), title="结账报错")
    found = find(make.who("specialist"), "宏远机械")
    assert [hit.title for hit in found.first][0] == "宏远机械"
    assert [hit.title for hit in found.theirs][:2] == ["结账后凭证号不连续", "凭证无法保存"] and hidden not in [hit.title for hit in found.theirs]
    with unit_of_work():
        paper = make.paper(make.visit(db.session.get(Subject, filled.id)))
    for query in ("宏远机械", f"宏远 {paper.title}"):
        found = find(make.who("archivist"), query)
        assert paper.number in [hit.subject.number for hit in (*found.theirs, *found.newest)], "its customer's name stands on it"


@pytest.mark.parametrize("query, titles", [
    ("宏远 结账", ["结账后凭证号不连续"]), ("结账 宏远机械", ["结账后凭证号不连续"]), ("远山 结账", ["结账报错"]), ("宏远 没有的", []),
    ("没有的 结账", []), ("宏远 远山", []),
])  # fmt: skip
def test_words_may_be_parted_between_a_record_and_its_customers_name(filled, query, titles):
    with unit_of_work():
        make.ticket(make.served_customer("远山电子"), title="结账报错")
    assert [hit.title for hit in find(make.who("specialist"), query).newest] == titles


def test_a_name_that_many_bear_is_nobodys(app):
    with unit_of_work():
        for i in range(FEW + 1):
            make.ticket(make.served_customer(f"同名{i}"), title="打不开")
    assert not find(make.who("specialist"), "同名").theirs and not find(make.who("specialist"), "同名 打不开").newest


def test_the_archivist_searches_from_the_top_bar(app, browser):
    with unit_of_work():
        make.served_customer()
    for who, has in (("archivist", True), ("developer", True), ("admin", False)):
        assert ('class="top-search"' in browser(who).get("/").text) is has, who
