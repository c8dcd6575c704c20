"""Spans of time as people type them, in Chinese or English, and as they are said back."""

import re

from flask_babel import gettext as _

from crm.duties.spans import said as said
from crm.labels import N_
from crm.workdays import Span

WRONG = N_("Not a span of time, such as “3 working days”, “8 working hours”, “3 days” or “1 month”.")
_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_NUMBER = r"(?P<count>[0-9]{1,4}|[零一二两三四五六七八九十百半]{1,5})"
_UNITS = (  # as typed → the rulebook's unit, and how many of it
    (r"分钟?|m|min|mins|minutes?", "m", 1),
    (r"个?(?:工作小时|工时)|working hours?|work hours?|wh", "working hour", 1),
    (r"个?小时|h|hours?", "m", 60),
    (r"个?工作日|working days?|work ?days?|wd", "working day", 1),
    (r"天|日|个?自然日|days?|d", "day", 1),
    (r"周|个?星期|个?礼拜|weeks?|w", "week", 1),
    (r"个?月|months?", "month", 1),
    (r"年|years?|y", "year", 1),
)
_TYPED = tuple((re.compile(rf"(?:提前|within )?{_NUMBER} ?(?:{words})(?:内|以内|之内|前|以前|之前| before)?"), unit, times)
               for words, unit, times in _UNITS)  # fmt: skip
HALVES = {("m", 60): Span(30, "m"), ("year", 1): Span(6, "month")}
_SAME_DAY = re.compile(r"(?:当[天日](?:下班前)?|the same day|same day)")
_NEXT_DAY = re.compile(r"(?:次(?:个工作)?日(?:下班前)?|(?:下|下一|第二)个?工作日|the next working day|next working day)")
_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")


def parse(text: str) -> Span:
    """ValueError, in words for whoever typed it, if it is none."""
    typed = " ".join(text.translate(_WIDE).strip().casefold().split())
    if _SAME_DAY.fullmatch(typed):
        return Span(0, "working day")
    if _NEXT_DAY.fullmatch(typed):
        return Span(1, "working day")
    for pattern, unit, times in _TYPED:
        if match := pattern.fullmatch(typed):
            return _span(match["count"], unit, times)
    raise ValueError(WRONG)


def _span(count: str, unit: str, times: int) -> Span:
    """`半小时` and `半年` are said, too."""
    if count == "半" and (unit, times) in HALVES:
        return HALVES[unit, times]
    try:
        return Span.of(_number(count) * times, unit)
    except ValueError as wrong:
        raise ValueError(WRONG) from wrong


def _number(text: str) -> int:
    """`15`, `十五`, `三十`, `一百`."""
    if text.isdecimal():
        return int(text)
    one = "[一二两三四五六七八九]"
    match = re.fullmatch(rf"(?:({one})?百)?(?:零?({one})?(十))?零?({one}|零)?", text)
    if not match:
        raise ValueError(WRONG)
    hundreds, tens, ten, ones = match.groups()
    hundred = _DIGITS[hundreds] if hundreds else int("百" in text)
    return 100 * hundred + 10 * (_DIGITS[tens] if tens else int(bool(ten))) + _DIGITS[ones or "零"]


def written(span: Span) -> str:
    """As the rulebook's text has it: `2 working days`, `30m`."""
    return f"{span.count}m" if span.unit == "m" else f"{span.count} {span.unit}{'' if span.count == 1 else 's'}"


DATES = {  # the dates a deadline may be counted from
    "ended_at": N_("the end of the service"), "wait_until": N_("the day it waits until"), "arrive_at": N_("the agreed arrival"),
    "ends_at": N_("the agreed end of the visit"), "returned_at": N_("the return"), "expected_on": N_("the promised day"),
    "copy_due_on": N_("the day the copy is expected"), "payment_due_on": N_("the day of payment"),
    "starts_on": N_("the beginning of the period"), "ends_on": N_("the end of the period"),
    "ended_on": N_("the end of the implementation"), "lent_until": N_("the day until which it is lent"),
    "eve": N_("the day before it is proposed"), "closes_on": N_("the end of the month"),
}  # fmt: skip


def deadline(span: Span, fact: str | None = None, *, notice: bool = False) -> str:
    """A deadline in words. A span below zero lies before the date it is counted from."""
    how_long, date = said(span), _(DATES.get(fact, fact)) if fact else ""
    if span.count < 0:
        end = _("on a day off, on the working day before") if notice else _("on a day off, on the next working day")
        return _("%(span)s before %(date)s; %(end)s", span=how_long, date=date, end=end)
    if span.count == 0 and span.unit == "working day":
        if fact:
            return _("by closing time of the day: %(date)s; after hours or on a day off, of the next working day", date=date)
        return _("by closing time of the same day; after hours or on a day off, of the next working day")
    if span.count == 0 and span.unit not in ("m", "working hour"):
        if fact:
            return _("by 24:00 of the day: %(date)s; on a day off, of the next working day", date=date)
        return _("by 24:00 of the same day; on a day off, of the next working day")
    begins = _("%(span)s after %(date)s", span=how_long, date=date) if fact else _("within %(span)s", span=how_long)
    if span.unit == "working day":
        return _("%(begins)s, by closing time of the last day", begins=begins)
    if span.unit in ("m", "working hour"):
        return begins
    return _("%(begins)s, by 24:00 of the last day; on a day off, of the next working day", begins=begins)
