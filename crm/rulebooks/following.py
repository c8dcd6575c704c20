"""What follows from a change of a draft elsewhere in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from crm.rulebooks.text import Change


def with_fines(changes: list[Change], data: Mapping[str, Any]) -> list[Change]:
    """What must be declared is fined where the others that must be are (7.5), and what need not be is not."""
    declared = {key for key, one in data.get("category", {}).items() if one.get("declared")}
    after = declared.copy()
    for change in changes:
        if change.path[0] == "category":
            key, whole = change.path[1], len(change.path) == 2
            if whole or change.path[2] == "declared":
                now = (change.value or {}).get("declared") if whole else change.value
                (after.add if now else after.discard)(key)
    return [*changes, *_refined(data, declared, after)] if after != declared else changes


def _refined(data: Mapping[str, Any], before: set[str], after: set[str]) -> Iterator[Change]:
    for key, rule in data.get("duty", {}).items():
        fines = [_fine(fine, before, after) for fine in rule.get("fine", ())]
        if fines and fines != rule["fine"]:
            yield Change(("duty", key, "fine"), fines)


def _fine(fine: Mapping[str, Any], before: set[str], after: set[str]) -> Mapping[str, Any]:
    listed = fine.get("where", {}).get("category")
    if not isinstance(listed, list) or not before & set(listed):
        return fine
    kept = [one for one in listed if one not in before - after]
    return {**fine, "where": {**fine["where"], "category": kept + sorted(after - before - set(kept))}}
