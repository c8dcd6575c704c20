"""Money is a whole number of fen."""

MOST = 2_000_000_000  # fen of one amount: what both databases hold in one whole number


class Fen(int):
    """What a changed value is, where it is an amount."""


def yuan(fen: int) -> str:
    """`5000` → `¥50`, `123456` → `¥1,234.56`."""
    whole, rest = divmod(abs(fen), 100)
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{whole:,}" + (f".{rest:02}" if rest else "")
