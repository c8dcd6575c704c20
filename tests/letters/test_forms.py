"""Printed forms: what is known stands on them, as text; what no font has is named."""

import io
import os
import re
import subprocess
import sys
import time
import unicodedata
from importlib.resources import files

import pytest
from pypdf import PdfReader

from crm.db import unit_of_work
from crm.letters import typeset
from crm.letters.sheet import Sheet, facts, words
from crm.visits import workflow as visits
from crm.words import CONTROL
from tests import make
from tests.letters.post import text_of
from tests.nets import seeds

NASTY = ['#read("/etc/passwd")', "#panic()", "*bold* _it_ $x^2$ `raw` <a> @b \\ // /* */", "“quotes” ‘and’ \"more\"", "#{1+1}", "[#]"]


@pytest.fixture(scope="module", autouse=True)
def press():
    yield
    typeset.PRESS.end()


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def fonts_of(pdf: bytes) -> dict[str, bool]:
    """Each font of a PDF, and whether it lies in the file."""
    found = {}
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].get_object().values():
            below = font.get_object()["/DescendantFonts"].get_object()[0].get_object()
            descriptor = below["/FontDescriptor"].get_object()
            found[font.get_object()["/BaseFont"]] = any(name in descriptor for name in ("/FontFile", "/FontFile2", "/FontFile3"))
    return found


def printed(served, *blocks) -> typeset.Printed:
    with served.test_request_context():
        return typeset.typeset(Sheet("申请单", "V2611-0001", "http://crm.example/papers", list(blocks),
                                     labels=dict.fromkeys(("number", "day", "missing", "scan"), "标签")))  # fmt: skip


@pytest.mark.parametrize(("asked", "title", "box"), [("", "上门服务申请单", "服务经理"), ("?language=en", "On-site visit request", "Service manager")])
def test_the_request_holds_what_was_agreed_in_chinese_and_in_english_if_asked(app, browser, asked, title, box):
    with unit_of_work():
        visit = make.visit()
        visits.approve(visit, by=make.who("manager"))
    answer = browser("specialist").get(f"{visit.path}/request.pdf{asked}")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Content-Disposition"].startswith("inline") and answer.headers["Cache-Control"] == "no-store"
    text = squeezed(text_of(answer.data))
    for said in (title, box, visit.number, "月结时到场", "财务部", "报表打不开", "宏远机械", "刘强"):
        assert squeezed(said) in text, said
    assert len(PdfReader(io.BytesIO(answer.data)).pages) == 1
    fonts = fonts_of(answer.data)
    assert fonts and all(fonts.values()) and all("NotoS" in name for name in fonts)


def test_a_trip_is_the_same_form_with_its_destination_and_cost(app, browser):
    with unit_of_work():
        visit = make.visit(category="trip", place="南京", cost_fen=80000)
    text = squeezed(text_of(browser("manager", "zh-CN").get(f"{visit.path}/request.pdf").data))
    assert "出差申请单" in text and "南京" in text and "¥800" in text and "刘强" not in text


def test_the_feedback_form_has_room_for_what_is_written_on_site(app, browser):
    with unit_of_work():
        visit = make.visit()
    answer = browser("specialist", "zh-CN").get(f"{visit.path}/feedback.pdf")
    text = squeezed(text_of(answer.data))
    for said in ("服务反馈表", "财务部", "处理结果", "客户意见", "签字", "盖章"):
        assert said in text, said
    assert len(PdfReader(io.BytesIO(answer.data)).pages) == 1


@pytest.mark.parametrize("category", ["data_cleanup", "admin_password"])
def test_an_application_is_printed_for_the_customer_to_sign(app, browser, category):
    with unit_of_work():
        ticket = make.ticket(category=category)
        other = make.ticket()
    page = browser("specialist", "zh-CN")
    text = squeezed(text_of(page.get(f"{ticket.path}/application.pdf").data))
    assert "申请" in text and ticket.number in text and "盖章" in text
    assert page.get(f"{other.path}/application.pdf").status_code == 404
    seen = browser("followup").get(f"{ticket.path}/application.pdf").status_code
    assert seen == (404 if category == "admin_password" else 200)


def test_whoever_does_not_see_the_visit_gets_no_form_of_it(app, browser):
    with unit_of_work():
        visit = make.visit()
    for form in ("request", "feedback"):
        assert browser("archivist").get(f"{visit.path}/{form}.pdf").status_code == 403
        assert browser("specialist").get(f"/visits/V2611-9999/{form}.pdf").status_code == 404


@pytest.mark.parametrize("nasty", NASTY)
def test_what_was_typed_stays_text(served, nasty):
    assert squeezed(nasty) in squeezed(text_of(printed(served, words("意见", nasty), facts(("标签", nasty))).pdf))


def test_two_thousand_letters_and_many_lines_go_on_to_another_page(served):
    long = "报表打不开" * 400
    pdf = printed(served, words("意见", long), words("又", "一行\n\n两行\n" * 60)).pdf
    text = squeezed(text_of(pdf))
    assert text.count("报表打不开") >= 390 and len(PdfReader(io.BytesIO(pdf)).pages) > 1
    assert "A" * 60 in squeezed(text_of(printed(served, words("意见", "A" * 2000)).pdf))


def test_a_letter_no_font_has_is_named_and_never_an_empty_box(served):
    done = printed(served, facts(("姓名", "𠮷野家"), ("又", "👩 和 𠮷")))
    assert set(done.missing) == {"U+20BB7", "U+1F469"}
    text = squeezed(text_of(done.pdf))
    assert "〔U+20BB7〕野家" in text and "标签:U+20BB7" in text
    assert printed(served, facts(("姓名", "王"))).missing == ()


def test_marks_upon_a_letter_are_named_where_no_font_has_both_together(served):
    done = printed(served, facts(("姓名", "第 1\ufe0f\u20e3 项")), words("意见", "Z\u032e\u031e\u0320 ( \u0361° \u035cʖ)"))
    text = squeezed(text_of(done.pdf))
    assert {"U+20E3", "U+032E", "U+0361"} <= set(done.missing) and "第1" in text and "〔U+20E3〕项" in text


def test_whatever_with_marks_a_form_takes_can_be_printed(served):
    typed = [one for one in seeds.everything() if isinstance(one, str) and not CONTROL.search(one)]
    marked = [one[:500] for one in typed if any(unicodedata.category(letter)[0] == "M" for letter in one)]
    assert len(marked) > (10 if seeds.LIST.exists() else 0) and all(printed(served, words("意见", one)).pdf for one in marked)


def test_a_text_of_nothing_but_rare_letters_ends(served):
    rare = "".join(chr(0x20000 + i) for i in range(300))
    start = time.monotonic()
    assert len(printed(served, words("意见", rare)).missing) > 200
    assert time.monotonic() - start < 10


def test_thousands_of_letters_no_font_has_hold_nobody_up(served):
    rare = "".join(map(chr, [*range(0xA000, 0xA48D), *range(0x1200, 0x1380), *range(0x1400, 0x1680), *range(0xE000, 0xE400)]))
    start = time.monotonic()
    done = printed(served, words("意见", rare))
    assert len(done.missing) > 2500 and time.monotonic() - start < 8
    assert "…" in text_of(done.pdf), "not all are named at the foot"


def test_the_press_is_another_process_that_answers_quickly_and_is_started_anew(served):
    printed(served, facts(("姓名", "王")))
    first = typeset.PRESS.process
    assert first and first != os.getpid() and "typst" not in sys.modules
    start = time.monotonic()
    for i in range(10):
        printed(served, facts(("姓名", f"王{i}")))
    assert (time.monotonic() - start) / 10 < 0.1 * 3, "0.1 s where nothing else runs"
    assert typeset.PRESS.process == first
    os.kill(first, 9)
    assert printed(served, facts(("姓名", "王"))).pdf.startswith(b"%PDF")
    assert typeset.PRESS.process not in (first, None)


def test_a_press_that_hangs_or_fails_is_told_and_nothing_is_lost(app, browser, monkeypatch):
    with unit_of_work():
        visit = make.visit()
    for program in ("import time; time.sleep(60)", "print('nonsense')", "raise SystemExit(3)", "print('{}', flush=True); input()"):
        broken = typeset.Press()
        monkeypatch.setattr(typeset, "PATIENCE", 0.5)
        child = [sys.executable, "-c", program]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        monkeypatch.setattr(broken, "_running", lambda child=child, pipes=pipes: subprocess.Popen(child, **pipes))
        monkeypatch.setattr(typeset, "PRESS", broken)
        answer = browser("specialist").get(f"{visit.path}/request.pdf")
        assert answer.status_code == 503 and "could not be printed" in answer.text, program


def test_the_press_ends_with_its_parent(served):
    typeset.PRESS.end()
    program = str(files("crm.letters") / "press.py")
    child = subprocess.Popen([sys.executable, "-I", program, str(files("pylopdf_fonts_zh_cn"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.close()
    assert child.wait(10) == 0


def test_a_form_signed_on_the_screen_is_printed_with_what_was_signed(app, browser):
    with unit_of_work():
        visit = make.handed_in()
    answer = browser("specialist", "zh-CN").get(f"{visit.path}/feedback.pdf")
    said = squeezed(text_of(answer.data))
    for word in ("报表已改好", "很满意", "王主任", "财务总监"):
        assert word in said


def test_the_feedback_form_says_when_one_was_back_and_asks_no_marks(app, browser):
    with unit_of_work():
        visit = make.handed_in()
    said = squeezed(text_of(browser("specialist").get(f"{visit.path}/feedback.pdf").data))
    assert "返回" in said and "离开" not in said and "很好" not in said
