"""What differs between two rulebooks, value by value, as they were read from their texts."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from crm.rulebooks.text import Change, value_at

ENTRIES = ("duty", "penalty", "category", "field", "message", "paper", "clause", "chapter")  # tables of entries
SINGLE = ("hours", "sending", "settings", "record")


class Difference(NamedTuple):
    """`path` of a whole entry: it is new (`before` is None) or gone (`after` is)."""

    path: tuple[str, ...]
    before: Any
    after: Any

    @property
    def table(self) -> str:
        return self.path[0]

    @property
    def whole(self) -> bool:
        return self.table in ENTRIES and len(self.path) == 2


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """In the order in which the second says it, table by table."""
    return list(_between(before, after))


def _between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    if before.get("title") != after.get("title"):
        yield Difference(("title",), before.get("title"), after.get("title"))
    for table in SINGLE:
        yield from _values((table,), before.get(table, {}), after.get(table, {}))
    for table in ENTRIES:
        old, new = before.get(table, {}), after.get(table, {})
        for key in dict.fromkeys((*new, *old)):
            if key not in old or key not in new:
                yield Difference((table, key), old.get(key), new.get(key))
            else:
                yield from _values((table, key), old[key], new[key])


def _values(path: tuple[str, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in dict.fromkeys((*after, *before)):
        if listed(before.get(key)) != listed(after.get(key)):
            yield Difference((*path, key), before.get(key), after.get(key))


def listed(value: Any) -> Any:
    """A single name means the same as a list of it."""
    return [value] if isinstance(value, str) else value


def made(data: Mapping[str, Any], changes: list[Change]) -> list[Difference]:
    """What changes make of it, one by one."""
    found = [Difference(change.path, value_at(data, change.path), change.value) for change in changes]
    return [one for one in found if listed(one.before) != listed(one.after)]


def clause_of(path: tuple[str, ...], data: Mapping[str, Any]) -> str:
    """The clause an entry stands on."""
    table, key = path[0], path[1] if len(path) > 1 else ""
    if table == "clause":
        return key
    entry = data.get(table, {}).get(key) if table in ENTRIES else None
    clause = entry.get("clause", "") if isinstance(entry, Mapping) else ""
    return clause or (key if table == "penalty" else "")


def unsaid(found: list[Difference], data: Mapping[str, Any]) -> list[str]:
    """The clauses on which something changed while their own words stayed: they may still tell the former. With a deadline goes
    what a miss of it costs, where the department's default stands there."""
    clauses = data.get("clause", {})
    changed = dict.fromkeys(clause_of(one.path, data) for one in found if one.table in ("duty", "penalty", "category"))
    for one in found:
        if one.table == "duty" and one.path[-1] == "due":
            fines = (fine["clause"] for fine in data["duty"][one.path[1]].get("fine", ()))
            changed |= dict.fromkeys(clause for clause in fines if clauses.get(clause, {}).get("ours"))
    told = {one.path[1] for one in found if one.table == "clause"}
    return [clause for clause in changed if clause in clauses and clause not in told]
