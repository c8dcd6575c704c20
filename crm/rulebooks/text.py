"""A draft's text under small changes: comments and order stay as somebody wrote them."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import tomlkit
from tomlkit.items import Item, Table

from crm.labels import Bilingual

HEADING = re.compile(r"^# ──+ (?P<title>.*?) ─+$", re.M)  # in both languages: 中文 / English


class Change(NamedTuple):
    """One value of a rulebook: where it stands, and what shall stand there; None takes it away."""

    path: tuple[str, ...]
    value: Any


def changed(text: str, changes: Iterable[Change]) -> str:
    """The text with these values in it."""
    changes = list(changes)
    for change in changes:
        if _is_entry(change) and value_at(data_of(text), change.path) is None:
            text = _with_entry(text, change)
    document = tomlkit.parse(text)
    for change in changes:
        if change.value is None or not _is_entry(change):
            _put(document, change)
    return tomlkit.dumps(document)


def _is_entry(change: Change) -> bool:
    """A table of its own, such as a new category."""
    return isinstance(change.value, dict) and len(change.path) == 2


def applied(data: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """The same of what was read from it, of which nothing is touched."""
    data = dict(data)
    for (*way, key), value in changes:
        table = data
        for name in way:
            table[name] = dict(table.get(name, {}))
            table = table[name]
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    return data


def value_at(data: Mapping[str, Any], path: Iterable[str]) -> Any:
    for name in path:
        if not isinstance(data, Mapping) or name not in data:
            return None
        data = data[name]
    return data


def _put(document: Any, change: Change) -> None:
    *way, key = change.path
    table = document
    for name in way:
        if name not in table:
            table[name] = tomlkit.table() if table is document else tomlkit.inline_table()
        table = table[name]
    if change.value is None:
        table.pop(key, None)
    elif key in table or not isinstance(table, Table):
        table[key] = _item(change.value)
    else:
        _add(table, key, _item(change.value))


def _add(table: Table, key: str, item: Item) -> None:
    """After its last value, and so before what is remarked on the table to come."""
    last = next((name for name, _value in reversed(table.value.body) if name is not None), None)
    if last is None:
        table.append(key, item)
    else:
        table.value._insert_after(last, key, item)


def _item(value: Any) -> Item:
    """What is made of several values stands in one line."""
    if isinstance(value, list):
        made = tomlkit.array()
        made.extend(_item(one) for one in value)
        return made
    if not isinstance(value, dict):
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    table.update({key: _item(one) for key, one in value.items()})
    return table


def _with_entry(text: str, change: Change) -> str:
    """A new entry below the last one of its table, before what is remarked on the next."""
    name, key = change.path
    shown = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else tomlkit.string(key).as_string()
    made = tomlkit.document()
    made.update({one: _item(value) for one, value in change.value.items()})
    entry = f"\n[{name}.{shown}]\n{tomlkit.dumps(made)}"
    lines = text.splitlines(keepends=True)
    heads = [at for at, line in enumerate(lines) if line.startswith(f"[{name}.")]
    at = heads[-1] if heads else len(lines)
    below = next((one for one in range(at + 1, len(lines)) if lines[one].startswith("[")), len(lines))
    while below - 1 > at and (not lines[below - 1].strip() or lines[below - 1].startswith("#")):
        below -= 1
    return "".join([*lines[:below], entry, *lines[below:]])


class Part(NamedTuple):
    title: Bilingual
    text: str


def parts(text: str) -> list[Part]:
    """The text as its headings part it: what is before the first, then each with what it heads."""
    heads = list(HEADING.finditer(text))
    ends = [*(head.start() for head in heads), len(text)]
    said = [_both(""), *(_both(head["title"]) for head in heads)]
    begins = [0, *(head.start() for head in heads)]
    return [Part(title, text[a:b]) for title, a, b in zip(said, begins, ends, strict=True)]


def _both(title: str) -> Bilingual:
    zh, _slash, en = title.partition(" / ")
    return {"zh": zh, "en": en or zh}


def with_part(text: str, place: int, part: str) -> str:
    """The text with another part in the place of one."""
    known = [one.text for one in parts(text)]
    below = known[place][len(known[place].rstrip()) :] or "\n"
    known[place] = part.replace("\r\n", "\n").rstrip() + below
    return "".join(known)


@lru_cache(maxsize=2)
def data_of(text: str) -> Mapping[str, Any]:
    """What was read from it: to be looked at, never changed."""
    return tomllib.loads(text)
