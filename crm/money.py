"""Money is a whole number of fen."""

import re

MOST = 2_000_000_000  # fen of one amount: what both databases hold in one whole number


MOST_FEN = 100_000_00  # of one sanction


class Fen(int):
    """What a changed value is, where it is an amount."""


def yuan(fen: int) -> str:
    """`5000` → `¥50`, `123456` → `¥1,234.56`."""
    whole, rest = divmod(abs(fen), 100)
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{whole:,}" + (f".{rest:02}" if rest else "")


_TYPED = re.compile(r"[¥￥]?\s*([0-9]{1,9}|[0-9]{1,3}(?:[,，][0-9]{3}){1,2})(?:\.([0-9]{1,2}))?")  # noqa: RUF001 (full width too)


def fen_of(text: str) -> int | None:
    """An amount in yuan as it is typed or shown, `1200.50`, `¥1,200`; None for anything else."""
    match = _TYPED.fullmatch(text)
    if not match:
        return None
    return int(re.sub("[,，]", "", match[1])) * 100 + int((match[2] or "").ljust(2, "0"))  # noqa: RUF001
