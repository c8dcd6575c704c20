"""May a rulebook's text be read at all, and is each value of the kind its entry wants? Whoever types it, types anything."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

MOST_LETTERS = 400_000
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_LONG_NAME = re.compile(rf"(?<![\w-])(?:{_PART}){{12}}")  # reading `a.a.a.…` takes the square of its length
_DEEP = re.compile(r"(?:[\[{][\s]*+){12}")
_LONG_NUMBER = re.compile(r"\d{19}")
PLAIN = (str, bool, int)
WANTED = {str: "a text", bool: "true or false", int: "a whole number"}


def unreadable(text: str) -> str:
    """Why a text is not even looked at; nothing if it may be."""
    if len(text) > MOST_LETTERS:
        return "it is too long"
    if _LONG_NAME.search(text) or _DEEP.search(text):
        return "something lies too deep in something else"
    return "a number is too long" if _LONG_NUMBER.search(text) else ""


@cache
def _hints(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {one.name: hints[one.name] for one in fields(cls)}  # type: ignore[arg-type]


def misfits(cls: type, entry: Mapping[str, Any]) -> Iterator[str]:
    """Which values of an entry are not of the kind `cls` has."""
    for name, hint in _hints(cls).items():
        if name in entry and not fits(entry[name], hint):
            yield f"{name} must be {WANTED.get(_plain(hint), 'written otherwise')}"


def _plain(hint: Any) -> Any:
    return next((one for one in get_args(hint) if one is not NoneType), hint) if isinstance(hint, UnionType) else hint


def fits(value: Any, hint: Any) -> bool:
    """Whether a value read from TOML is what the hint of a dataclass's field says."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        some = value if isinstance(value, list) else [value]
        return isinstance(value, Mapping) and fits(value, Mapping[str, Any]) or all(isinstance(one, PLAIN) for one in some)
    if isinstance(hint, UnionType):
        return any(fits(value, one) for one in args)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(one, args[0]) for one in value)
    if origin is not None:
        return isinstance(value, Mapping) and all(isinstance(key, str) and fits(one, args[1]) for key, one in value.items())
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
