"""What nobody types into a field and somebody sends all the same: at least two hundred values, the common list besides."""

import json
from pathlib import Path

MARK = "zq9"  # in what would do something if it came back as it was sent
LIST = Path(__file__).parents[2].parent / "shared" / "data" / "naughty" / "blns.json"

MARKUP = [
    f"<script>{MARK}()</script>", f"'\"><img src=x onerror={MARK}()>", f"<svg/onload={MARK}()>", f"\" onmouseover={MARK}() x=\"",
    f"' autofocus onfocus={MARK}() x='", f"</textarea><script>{MARK}()</script>", f"</title><b {MARK}>", f"--><i {MARK}>", f"<a href=javascript:{MARK}()>a</a>",
    f"<math><mi//xlink:href=javascript:{MARK}()>", f"<iframe srcdoc='<b {MARK}>'>", f"<style>@import '{MARK}'</style>", f"<body onload={MARK}()>",
    f"<details open ontoggle={MARK}()>", f"<x {MARK}>", f"＜script＞{MARK}＜/script＞", f"<scr<script>ipt>{MARK}</script>", f"<!--<img {MARK}-->",
    f"]]><b {MARK}>", f"<input {MARK} autofocus>",
]  # fmt: skip
TEMPLATES = [
    "{{7*7}}", "${7*7}", "#{7*7}", "{% for a in b %}", "{{config}}", "{{''.__class__.__mro__}}", "{#", "%(x)s", "%s%s%s%n", "%", "%%", "%(",
    "{0}", "{}", "{x!r}", "<%= 7*7 %>", "$(id)", "`id`", "; ls", "| cat /etc/passwd", "\\", "\\\\", "\\u0000", "&#0;", "&lt;", "&amp;amp;",
]  # fmt: skip
SQL = [
    "'", "''", "\"", "' OR 1=1 --", "1; DROP TABLE events --", "' UNION SELECT NULL --", "1' AND sleep(5) --", "'; SELECT pg_sleep(5) --",
    "%", "_", "%_%", "\\%", "' || (SELECT 1) || '", "1 OR 1=1", ") OR (1=1", "/**/", "--", "';--", "x' AND 1=CAST(1 AS int) --", "MATCH", "NEAR(", "a AND",
    "\"a", "a*", "NOT", "^a", "(", ":x", "?", "$1", "@x", "col:a", "-a", "a OR OR b", "*", "+",
]  # fmt: skip
NUMBERS = [
    "-1", "0", "-0", "+1", "1.0", "1,5", "1e3", "1e309", "0x10", "0b1", "0o7", "NaN", "nan", "Infinity", "-inf", "9" * 9, "9" * 10, "2147483648",
    "9223372036854775808", "-9223372036854775809", "9" * 40, "9" * 5000, "00001", " 1", "1 ", "1_000", "١٢", "१२", "１２", "²", "½", "Ⅻ", "一", "1\u200b",
    "0.1", ".5", "5.", "true", "null", "None", "[]", "{}", "1;2", "1\n2", "99999999999999999999.9", "-1e-400", "1 000", "¥50",
]  # fmt: skip
DATES = [
    "2026-02-30", "2026-13-01", "2026-00-00", "0000-00-00", "0001-01-01", "9999-12-31", "10000-01-01", "-2026-01-01", "1989-12-31", "2100-12-31", "2101-01-01",
    "1990-01-01", "2026-2-3", "26-02-03", "2026/02/03", "2026-11-23T25:00", "2026-11-23T09:60", "2026-11-23T09:00:61", "2026-11-23T09:00Z", "2026-11-23T09:00+99:99",
    "2026-11-23 09:00", "0001-01-01T00:00", "9999-12-31T23:59", "9999-12-31T23:59:59", "2100-12-31T23:59", "1990-01-01T00:00", "tomorrow", "二〇二六年", "２０２６-11-23", "2026-11-23T", "T09:00",
    "2026-11-23T09:00:00.123456789", "2026-W48-1", "2026-327", "20261123", "2027-03-14T02:30", "1991-04-14T00:30", "1752-09-03", "1900-02-29", "2028-02-29",
]  # fmt: skip
TEXTS = [
    "", " ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u202e", "\u202eabc\u202c", "مرحبا", "שלום", "e\u0301", "\u0301", "a" + "\u0301" * 29,
    "a" + "\u0301" * 31, "a" * 100, "a" * 101, "a" * 200, "a" * 201, "a" * 1001, "a" * 10_001, "a" * 99_999, "a" * 100_001, "汉" * 50_000, "😀" * 5000, "👨‍👩‍👧‍👦", "\U0010ffff", "\ufffe", "\uffff",
    "ﬁ", "İ", "ß", "ſ", "K", "..", "../../etc/passwd", "/etc/passwd", "C:\\x", "//e.example", "javascript:alert(1)", "http://[", "data:text/html,x", "x\x01y", "x\x1by", "x\x7fy", "\x0b", "\x0c",
    "\x85", "\u2028", "\u2029", "=1+1", "+1+1", "-1+1", "@SUM(1)", "＝1", "\t=1", "a@b", "a@b.c" + "d" * 300, "@", "K0001", "T2611-0001", "k0001", "specialist", "admin", "on", "off", "y", "yes", "no",
    "K0002", "U0001", "R0001", "I0001", "K99999999", "complete", "cancelled", "0" * 32, "f" * 32, "🇨🇳", "\U000e0001", "Ａ" * 32,
]  # fmt: skip
BYTES = [
    b"\x00", b"a\x00b", b"\xff", b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xe4\xb8", b"\x80", b"\xc3\x28", b"\xfe\xfe\xff\xff", b"\xce\xd2\xc3\xc7",
    b"\x1b$B", b"+ADw-", b"\xef\xbb\xbfx", b"\xef\xbf\xbd", b"a" * 400_000, b"a" * 1_000_000,
]  # fmt: skip


def everything() -> list:
    """All seeds; the common list of naughty strings where it lies beside this checkout."""
    common = [text for text in json.loads(LIST.read_text()) if text] if LIST.exists() else []
    return [*MARKUP, *TEMPLATES, *SQL, *NUMBERS, *DATES, *TEXTS, *BYTES, *common]


def dangerous(seed) -> bool:
    """Whether it must never come back as it was sent."""
    return isinstance(seed, str) and MARK in seed and bool({"<", '"', "'"} & set(seed))
