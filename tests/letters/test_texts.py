"""The letters' texts: fields from a list and nothing else; the director changes them, what was sent stays."""

import pytest
from sqlalchemy.orm import selectinload

from crm.contracts import notices
from crm.db import db, unit_of_work
from crm.errors import Forbidden, Invalid
from crm.letters import filling, queries, sample, workflow
from crm.letters.models import Letter
from tests import make
from tests.letters.post import text_of

KNOWN = {"customer": "宏远机械", "ends_on": "2026-12-23", "specialist": "张伟", "phone": ""}


@pytest.fixture
def notice(app) -> Letter:
    return db.session.query(Letter).filter_by(category="notice", brand="", language="zh").one()


@pytest.mark.parametrize("text", [
    "{{ config }}", "{config}", "{0.__class__}", "{customer.__class__}", "{customer!r}", "{}", "{ customer }", "a { b", "a } b",
    "{% for x in y %}{% endfor %}", "{customer:>1000000000}", "{customer", "{'a'}", "{products}{nobody}",
])  # fmt: skip
def test_what_is_no_field_of_the_list_is_refused_by_name(text):
    with pytest.raises(Invalid):
        filling.checked(text)


@pytest.mark.parametrize("text", ["%(customer)s", "$customer", "${customer}".replace("{", "").replace("}", ""), "#eval(1)", "<b>{customer}</b>", "{customer}{ends_on}"])
def test_whatever_else_a_text_holds_is_only_words(text):
    assert "__" not in filling.filled(filling.checked(text), KNOWN)


def test_what_is_filled_in_is_never_looked_at_again():
    assert filling.filled("{customer}", {"customer": "{phone}{products}{{config}}", "phone": "123"}) == "{phone}{products}{{config}}"


def test_a_line_whose_fields_all_lack_a_value_is_left_out():
    body = "请与{specialist}联系。\n联系电话：{phone}\n{products}\n此致 {phone}{ends_on}\n特此通知。"
    assert filling.paragraphs(body, KNOWN) == ["请与张伟联系。", "{products}", "此致 2026-12-23", "特此通知。"]


def test_every_shipped_letter_can_be_filled_and_looked_at(app):
    for letter in queries.every(make.who("director")):
        assert sample.sheet_of(letter).startswith(b"%PDF"), letter.title
        said = " ".join(filling.paragraphs(letter.text.body, sample.about(letter).values)).replace("{products}", "")
        assert "{" not in said and "}" not in said


def test_a_change_is_a_version_of_its_own(app, notice):
    with unit_of_work():
        one = queries.get(notice.number, make.who("director"))
        workflow.change(one, by=make.who("director"), title=one.title, subject="新标题", body="到期 {ends_on}")
    with unit_of_work(read_only=True):
        one = queries.get(notice.number, make.who("director"))
        assert [version.n for version in one.versions] == [1, 2] and one.text.subject == "新标题"
        assert queries.text_for("notice", "", "zh").n == 2


def test_a_letter_out_of_use_gives_way_to_that_for_any_brand(app):
    with unit_of_work():
        kingdee = db.session.query(Letter).filter_by(brand="金蝶").one()
        assert queries.text_for("notice", "金蝶", "zh").letter_id == kingdee.id
        workflow.retire(kingdee, by=make.who("director"))
        assert queries.text_for("notice", "金蝶", "zh").letter_id != kingdee.id


def test_where_there_is_no_english_text_for_a_brand_the_english_one_for_any_is_taken(app):
    assert db.session.get_one(Letter, queries.text_for("notice", "启擎", "en").letter_id).language == "en"


def test_only_the_director_changes_them(app, notice):
    for login in ("specialist", "followup", "manager", "admin"):
        with pytest.raises(Forbidden), unit_of_work():
            workflow.add(by=make.who(login), template="notice", brand="别家", language="zh", title="x", subject="x", body="x")


def test_the_page_keeps_every_word_of_a_text_that_is_refused(app, browser, notice):
    page, path = browser("director"), f"/letters/{notice.number}"
    answer = page.send(f"{path}/text", page=path, title="通知函", subject="到期", body="到期 {ends} 请续签")
    assert answer.status_code == 422 and "到期 {ends} 请续签" in answer.text and "There is no field {ends}" in answer.text
    answer = page.send(f"{path}/text", page=path, title="通知函", subject="到期", body="到期 {ends_on} 请续签")
    assert answer.status_code == 303 and "请续签" in page.get(path).text
    stale = page.send(f"{path}/text", page=path, title="通知函", subject="到期", body="又改了", version="1")
    assert stale.status_code == 409 and "又改了" in stale.text and "请续签" in stale.text


def test_what_is_typed_is_looked_at_as_often_as_wanted_and_nothing_of_it_kept(app, browser, notice):
    page, path = browser("director"), f"/letters/{notice.number}"
    typed = {"title": notice.title, "subject": "到期提醒", "body": "您好，{customer}。\n第二稿。"}
    for _again in range(2):
        answer = page.send(f"{path}/preview.pdf", page=path, **typed)
        assert answer.mimetype == "application/pdf" and "第二稿" in text_of(answer.data)
    assert "第二稿" not in page.get(path).text and "version 2" not in page.get(path).text
    answer = page.send(f"{path}/preview.pdf", page=path, **(typed | {"body": "{nobody}"}))
    assert answer.status_code == 422 and "{nobody}" in answer.text
    assert browser("manager").send(f"{path}/preview.pdf", page=path, **typed).status_code == 403


def test_a_new_letter_for_a_brand_is_added_once(app, browser):
    page = browser("director")
    told = {"template": "notice", "brand": "用友", "language": "zh", "title": "用友通知函", "subject": "到期", "body": "到期 {ends_on}"}
    assert page.send("/letters/new", **told).status_code == 303
    answer = page.send("/letters/new", **told)
    assert answer.status_code == 422 and "There is such a letter already" in answer.text
    assert browser("specialist").get("/letters").status_code == 200 and browser("archivist").get("/letters").status_code == 403


def test_a_letter_about_a_contract_says_what_stands_on_it(app):
    with unit_of_work():
        one = make.in_force(language="en", amount_fen=123_456)
    about = notices.about(one)
    assert about.values["number"] == one.number and about.values["amount"] == "¥1,234.56" and about.values["days"] == "30"
    assert about.head[0] == "Software" and about.rows[0][0] == "金洋 财务通" and about.language == "en"


def test_an_earlier_text_can_be_looked_at_and_the_sample_is_believable(app, browser):
    director = make.who("director")
    with unit_of_work():
        one = db.session.query(Letter).filter_by(number="L0001").options(selectinload(Letter.versions)).one()
        workflow.change(one, by=director, title=one.title, subject="改过的标题", body="改过的正文 {customer} {contact}")
    page = browser("specialist")
    text = page.get("/letters/L0001").text
    assert "/letters/L0001/preview.pdf?version=1" in text and "/letters/L0001/preview.pdf?version=2" in text
    assert "Preview of the saved text" in text and "Preview of what is typed" in browser("director").get("/letters/L0001").text
    first, last = (text_of(page.get(f"/letters/L0001/preview.pdf?version={n}").data) for n in (1, 2))
    assert "金洋财务通9.0" in "".join(first.split()), "a product, not the company"
    assert "改过的正文" not in first and "改过的正文" in last and "王女士" in last and "C2611-0012" in last
    assert page.get("/letters/L0001/preview.pdf?version=9").status_code == 404
