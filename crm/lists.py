"""What all lists share: filters read from the address, fifty rows by key, and what comes after them."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from werkzeug.routing import BaseConverter

SIZE = 50


class Number(BaseConverter):
    """`T2611-0007`, `K0001`: how people and addresses name a subject."""

    regex = r"[A-Z][0-9]{4,8}(?:-[0-9]{4,8})?"


class Id(BaseConverter):
    """A row's id in an address, never longer than the database can hold."""

    regex = r"[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> int:
        return int(value)


@dataclass(frozen=True)
class Page:
    """One page of a list. `next` is the key to go on after; `count` says how many there are, up to 1,001, or how many at
    the `least`."""

    rows: Sequence[Any]
    next: int | None = None
    count: int | None = None
    names: Mapping[int, Any] = field(default_factory=dict)
    least: bool = False


def cut(rows: Sequence[Any], key: Callable[[Any], int], size: int = SIZE) -> tuple[Sequence[Any], int | None]:
    """Fifty of the fifty-one rows that were asked for, and the key of the last if there are more."""
    return (rows[:size], key(rows[size - 1])) if len(rows) > size else (rows, None)


def one_of(args: Mapping[str, str], name: str, values: Iterable[str]) -> str:
    """A filter's value if it is one that is offered, else none."""
    value = args.get(name, "")
    return value if value in {str(one) for one in values} else ""


def key(args: Mapping[str, str], name: str = "before", *, most: int = 10**9) -> int | None:
    """A row's id given as a parameter; anything else is none."""
    value = args.get(name, "")
    return int(value) if re.fullmatch(r"[1-9][0-9]{0,18}", value, re.ASCII) and int(value) < most else None


def day(args: Mapping[str, str], name: str) -> date | None:
    value = args.get(name, "")
    try:
        found = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) else None
    except ValueError:
        return None
    return found if found and 1990 <= found.year <= 2100 else None


def words(args: Mapping[str, str], name: str = "q") -> str:
    return args.get(name, "").strip()[:100]
