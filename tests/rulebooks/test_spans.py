"""Spans of time as people type them, and as they are said back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.duties.models import Subject
from crm.rulebooks import spans
from crm.workdays import MOST, Span

TYPED = {
    "3天": "3 days", "3 天内": "3 days", "三天": "3 days", "十五天": "15 days", "二十天": "20 days", "一百二十天": "120 days", "两周": "2 weeks",
    "2个工作日": "2 working days", "２个工作日": "2 working days", "两个工作日内": "2 working days", "8个工作小时": "8 working hours", "8工时": "8 working hours",
    "1个月": "1 month", "一个月": "1 month", "半年": "6 months", "一年": "1 year", "30分钟": "30m", "半小时": "30m", "2小时": "120m", "提前5个工作日": "5 working days",
    "当天": "0 working days", "当日下班前": "0 working days", "次日": "1 working day", "下一个工作日": "1 working day",
    "3 days": "3 days", "2 working days": "2 working days", "2 workdays": "2 working days", "30m": "30m", "30 min": "30m", "1 week": "1 week",
    "Within 3 Days": "3 days", "same day": "0 working days", "0 working days": "0 working days",
}  # fmt: skip


@pytest.mark.parametrize("typed", TYPED)
def test_what_people_type_is_understood(typed):
    assert spans.written(spans.parse(typed)) == TYPED[typed]


@pytest.mark.parametrize("typed", ["", "3", "天", "半天", "-1天", "10000天", "三三天", "百十天天", "3 fortnights", "1.5天", "3天3天", "１２３４５天", "999999小时"])
def test_what_is_none_is_told_so_in_words(typed):
    with pytest.raises(ValueError, match="Not a span of time"):
        spans.parse(typed)


@given(st.integers(0, 9999), st.sampled_from(["m", "working hour", "working day", "day", "week", "month", "year"]))
def test_what_the_text_has_is_read_as_the_calendar_reads_it(count, unit):
    span = Span(count, unit)
    if count > MOST[unit]:
        for read in (Span.parse, spans.parse):
            with pytest.raises(ValueError):
                read(spans.written(span))
        return
    assert Span.parse(spans.written(span)) == span == spans.parse(spans.written(span))


@given(st.integers(1, 999))
def test_numbers_in_chinese_are_those_in_digits(number):
    digits = "零一二三四五六七八九"
    hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
    said = (digits[hundreds] + "百" if hundreds else "") + (digits[tens] + "十" if tens else "零" if hundreds and ones else "") + (digits[ones] if ones else "")
    assert spans.parse(f"{said}天") == Span(number, "day")


@pytest.mark.parametrize(("language", "span", "fact", "notice", "words"), [
    ("en", Span(2, "working day"), None, False, "within 2 working days, by closing time of the last day"),
    ("zh", Span(2, "working day"), None, False, "2个工作日内，到最后一天下班时截止"),
    ("en", Span(0, "working day"), "ended_at", False, "by closing time of the day: the end of the service; after hours or on a day off, of the next working day"),
    ("zh", Span(3, "day"), "ended_on", False, "实施结束之后3天内，到最后一天24:00截止；遇休息日顺延到下一个工作日"),
    ("en", Span(-1, "month"), "ends_on", True, "1 month before the end of the period; on a day off, on the working day before"),
    ("zh", Span(-15, "day"), "ends_on", True, "期满之前15天；遇休息日提前到前一个工作日"),
    ("en", Span(30, "m"), None, False, "within 30 minutes"),
])  # fmt: skip
def test_a_deadline_is_said_back_in_words(app, language, span, fact, notice, words):
    with app.test_request_context(headers={"Accept-Language": language}):
        assert spans.deadline(span, fact, notice=notice) == words


def test_every_date_a_deadline_may_be_counted_from_has_its_words():
    assert {date for kind in Subject.__subclasses__() for date in kind.DATES} <= spans.DATES.keys()
