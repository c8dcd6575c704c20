"""Days, amounts and counts as offices write them in cells, each kept as plain text that sorts and compares."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from dateutil.relativedelta import relativedelta

from crm import clock
from crm.errors import Invalid
from crm.labels import N_
from crm.money import MOST
from crm.sheets.columns import shown

_DAY = re.compile(r"(\d{4})\s*(?:[-/.年])\s*(\d{1,2})\s*(?:[-/.月])\s*(\d{1,2})\s*日?(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?", re.ASCII)
_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_EXCEL = re.compile(r"(\d{5})(?:\.\d+)?", re.ASCII)  # days since the end of 1899, as a cell without a date's format holds them
_EPOCH = date(1899, 12, 30)
_BETWEEN = re.compile(r"(?:至|到|\bto\b|~|—|–|--|/(?=\d{4})|-(?=\s*\d{4}\s*[年/.-]))+")
_SPAN = re.compile(r"(?:服务)?([\d.]+|[一二两三四五六七八九十半]+)个?(年半|年度|年|月|months?|years?|y|m)(?:期)?", re.ASCII)
_NUMERALS = {"半": 0.5, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def code(text: str, _column: str) -> str:
    """A number on a paper: half width, blanks only where they part something."""
    return " ".join(_plain(text).split())


def _day(text: str) -> date | None:
    plain = _plain(text)
    if found := _DAY.fullmatch(plain) or _DIGITS.fullmatch(plain):
        try:
            day = date(*map(int, found.groups()))
        except ValueError:
            return None
    elif found := _EXCEL.fullmatch(plain):
        day = _EPOCH + timedelta(days=int(found[1]))
    else:
        return None
    return day if day.year in clock.YEARS else None


def day(text: str, column: str) -> str:
    """`2026/1/5`, `2026年1月5日`, `20260105` and 46027 are 2026-01-05."""
    found = _day(text)
    if found is None:
        raise Invalid(N_("%(column)s: %(value)s is no day; write it like 2026-1-5."), column=column, value=shown(text))
    return found.isoformat()


def amount(text: str, column: str) -> str:
    """In yuan: `¥12,000.00`, `1.2万元` and `１２０００` are 12000.00."""
    plain = re.sub(r"(?:人民币|RMB|CNY)|[¥￥,\s]|(?:元整?|圆整?)$", "", _plain(text), flags=re.IGNORECASE)
    times = 10_000 if plain.endswith("万") else 1
    try:
        if not re.fullmatch(r"\d+(?:\.\d+)?", plain.removesuffix("万"), re.ASCII):
            raise InvalidOperation
        fen = Decimal(plain.removesuffix("万")) * times * 100
        if abs(fen - round(fen)) > Decimal("0.0001") or fen > MOST:  # a workbook's sums are a hair beside
            raise InvalidOperation
    except InvalidOperation:
        fault = N_("%(column)s: %(value)s is no amount in yuan, such as 1200 or 1,200.50.")
        raise Invalid(fault, column=column, value=shown(text)) from None
    return f"{int(round(fen)) // 100}.{int(round(fen)) % 100:02}"


def fen(text: str) -> int:
    """Of an amount as it is kept."""
    return int(text.replace(".", ""))


def count(text: str, column: str) -> str:
    """`10用户`, `10 个站点` and `10` are 10."""
    found = re.fullmatch(r"(\d{1,7})\s*(?:个|套|点)?\s*(?:用户|站点|站|点|人|users?)?", _plain(text), re.ASCII | re.IGNORECASE)
    if not found or not 1 <= int(found[1]) <= 1_000_000:
        raise Invalid(N_("%(column)s: %(value)s is no number of users."), column=column, value=shown(text))
    return str(int(found[1]))


def term(text: str, column: str) -> str:
    """So many months or years, or two days: as it stands, for people write it in many ways."""
    if not _between(text) and not _months(text):
        fault = N_("%(column)s: %(value)s is no term, such as 12 months or 2026-1-1 to 2026-12-31.")
        raise Invalid(fault, column=column, value=shown(text))
    return text


def _between(text: str) -> tuple[str, ...]:
    """The two days of `2026-1-1至2026-12-31`; else none."""
    days = [_day(part) for part in _BETWEEN.split(_plain(text))]
    return tuple(one.isoformat() for one in days if one) if len(days) == 2 and all(days) else ()


def _months(text: str) -> int:
    """Whole months of `一年` or `12个月`, to ten years; else none."""
    found = _SPAN.fullmatch(_plain(text).replace(" ", "").casefold())
    if not found:
        return 0
    try:
        number = float(found[1])
    except ValueError:
        tens, _ten, ones = found[1].rpartition("十")
        number = _NUMERALS.get(found[1], 0) if len(found[1]) == 1 else _NUMERALS.get(tens, 1) * 10 + _NUMERALS.get(ones, 0)
    months = number * (1 if found[2].startswith("m") or found[2] == "月" else 12) + (6 if found[2] == "年半" else 0)
    return int(months) if months == int(months) and 0 < months <= 120 else 0


def period(values: Mapping[str, str], begins: str = "") -> dict[str, str]:
    """First and last day of what a row says in `starts_on`, `ends_on` and `term`; without a first day and with a term of so
    many months it begins on `begins`. Invalid if that is no period, or says two things."""
    starts, ends, said = (values.get(name, "") for name in ("starts_on", "ends_on", "term"))
    wanted = _between(said) if said else (starts, ends)
    if not wanted:
        wanted = _reckoned(starts or ("" if ends else begins), ends, _months(said))
    if not all(wanted):
        raise Invalid(N_("It says no first and last day of its period."))
    if (starts and starts != wanted[0]) or (ends and ends != wanted[1]):
        raise Invalid(N_("Its term says another period than its days: %(starts)s to %(ends)s."), starts=wanted[0], ends=wanted[1])
    if wanted[1] < wanted[0]:
        raise Invalid(N_("The last day lies before the first."))
    return {"starts_on": wanted[0], "ends_on": wanted[1]}


def _reckoned(starts: str, ends: str, months: int) -> tuple[str, ...]:
    """From one of its days the other."""
    span, one = relativedelta(months=months), timedelta(days=1)
    if starts:
        return starts, (date.fromisoformat(starts) + span - one).isoformat()
    return ((date.fromisoformat(ends) + one - span).isoformat(), ends) if ends else ("", "")
