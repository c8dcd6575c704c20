"""Differences between rulebooks in words, in the reader's language: on which clause, of what, before and after."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from flask_babel import gettext as _

from crm.duties import editions
from crm.duties.queries import event_labels
from crm.duties.rulebook import Due
from crm.labels import N_
from crm.money import yuan
from crm.permissions import Role
from crm.rulebooks import spans
from crm.rulebooks.differences import Difference, clause_of, listed
from crm.rulebooks.sheets import KINDS, NUMBERS
from crm.rulebooks.text import data_of, value_at
from crm.rulebooks.typed import reader
from crm.workdays import Span

TABLES = {
    "duty": N_("Duty"), "penalty": N_("Sanction"), "category": N_("Category"), "field": N_("Field"), "message": N_("Letter"),
    "paper": N_("Paper form"), "clause": N_("Clause"), "chapter": N_("Chapter"),
}  # fmt: skip
WHAT = {
    "due": N_("Deadline"), "warn": N_("Reminder before the deadline"), "show": N_("Shown before"), "fine": N_("A miss costs"),
    "fen": N_("Amount"), "from_fen": N_("At least"), "to_fen": N_("At most"), "kind": N_("Kind"), "title": N_("Title"),
    "text": N_("Words"), "before_work": N_("Needed before the work"), "before_complete": N_("Needed before it is complete"),
    "declared": N_("Must be declared"), "clause": N_("Clause"), "owner": N_("Who owes it"), "opens": N_("Begins with"),
    "keeps": N_("Is kept by"), "drops": N_("Is dropped by"), "where": N_("Only if"), "help": N_("Help"), "per": N_("For each"),
    "paper": N_("Paper form"), "ours": N_("Ours, not the manual's"), "others": N_("For others than who served"),
    "of": N_("Counts of"), "unrecorded": N_("May be broken without a record"), "on": N_("Posted by"), "template": N_("Letter"),
    "to": N_("Goes to"), "theirs": N_("The customer's to do"), "needs": N_("Needed of every record"),
}  # fmt: skip
WHOLE = {("hours", "open"): N_("Working hours"), ("sending", "open"): N_("When letters go out")}
OWNERS = {
    "owner": N_("whose it is"), "actor": N_("who did it"), "concerned": N_("whom it concerns"), "program": N_("the program"),
}  # fmt: skip
NOTHING = "—"


class Line(NamedTuple):
    """`ours`: it is the department's own default. `gone`, `new`: the whole entry."""

    clause: str
    ours: bool
    title: str
    what: str
    before: str
    after: str


class Sayer:
    """Of two rulebooks as they were read; titles are those of the second, of what is gone those of the first."""

    def __init__(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        self.sides = (before, after)

    def lines(self, found: Iterable[Difference]) -> list[Line]:
        return [self.line(one) for one in found]

    def line(self, one: Difference) -> Line:
        table, key = one.path[0], one.path[1] if len(one.path) > 1 else ""
        data = self.sides[1] if key in self.sides[1].get(table, {}) else self.sides[0]
        entry = data.get(table, {}).get(key, {}) if one.path != ("title",) else {}
        entry = entry if isinstance(entry, Mapping) else {}
        title = reader(entry.get("title")) if isinstance(entry.get("title"), Mapping) else ""
        if one.whole:
            what, before, after = TABLES[table], _there(one.before), _there(one.after)
        else:
            what = self._what(one.path)
            before, after = self.value(one.path, one.before, 0), self.value(one.path, one.after, 1)
        return Line(clause_of(one.path, data), entry.get("ours") is True, title or self._place(one.path), _(what), before, after)

    def _place(self, path: tuple[str, ...]) -> str:
        if path[0] in TABLES:
            return f"{_(TABLES[path[0]])} {path[1]}"
        return _("Numbers") if path[0] == "settings" else _("Rulebook") if path[0] in ("title", "record") else _("Hours")

    def _what(self, path: tuple[str, ...]) -> str:
        if path[0] == "settings":
            return NUMBERS.get(path[1], path[1])
        return WHOLE.get(path[:2]) or WHAT.get(path[-1], path[-1])

    def value(self, path: tuple[str, ...], value: Any, side: int) -> str:
        """What stands there, as a person says it."""
        name, data = path[-1], self.sides[side]
        if value is None or value in ("", []):
            return NOTHING
        if name == "due":
            due = Due.parse(value)
            return spans.deadline(due.span, due.fact, notice=bool(value_at(data, (*path[:-1], "notice"))))
        if name in ("warn", "show"):
            return _("%(span)s before", span=spans.said(Span.parse(value)))
        if name.endswith("fen"):
            return yuan(value)
        if name == "fine":
            return "; ".join(self._fine(fine, data) for fine in value)
        if name == "where":
            return self._where(value, data)
        if isinstance(value, Mapping):
            return reader(value) if {"zh", "en"} & value.keys() else str(dict(value))
        return self._plain(path, value, data)

    def _plain(self, path: tuple[str, ...], value: Any, data: Mapping[str, Any]) -> str:
        table, name = path[0], path[-1]
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if name in ("before_work", "before_complete", "needs"):
            return _(", ").join(self._title(data, "field", one) for one in listed(value))
        if name in ("opens", "keeps", "drops", "on"):
            labels = event_labels()
            return _(", ").join(_(labels.get(one, one)) for one in listed(value))
        if name == "owner":
            role = value.removeprefix("pool:")
            return _(OWNERS[value]) if value in OWNERS else _(Role(role).label) if role in set(Role) else value
        if table == "penalty" and name == "kind":
            return _(dict(KINDS).get(value, value))
        return _(", ").join(map(str, listed(value))) if isinstance(value, list) else str(value)

    def _title(self, data: Mapping[str, Any], table: str, key: str) -> str:
        found = data.get(table, {}).get(key)
        return reader(found["title"]) if found else key

    def _fine(self, fine: Mapping[str, Any], data: Mapping[str, Any]) -> str:
        fen = data.get("penalty", {}).get(fine["clause"], {}).get("fen")
        cost = f"{yuan(fen)} ({fine['clause']})" if fen else fine["clause"]
        return f"{cost} {self._where(fine['where'], data)}" if fine.get("where") else cost

    def _where(self, where: Mapping[str, Any], data: Mapping[str, Any]) -> str:
        said = []
        for name, wanted in where.items():
            values = wanted if isinstance(wanted, list) else [wanted]
            if name == "category":
                said.append(_(", ").join(self._title(data, "category", one) for one in values))
            else:
                said.append(f"{name} = {_(', ').join(map(str, values))}")
        return f"[{'; '.join(said)}]"


def _there(entry: Any) -> str:
    return NOTHING if entry is None else reader(entry["title"]) if isinstance(entry.get("title"), Mapping) else _("yes")


def told(kept: Iterable[Any]) -> list[Line]:
    """The changes of a draft as its event keeps them; titles are those of today."""
    data = data_of(editions.text(editions.todays_id()))
    return Sayer(data, data).lines(Difference(tuple(path), *values) for path, *values in kept)


def clause_name(key: str) -> str:
    """`5.1.3` as it is; a role's item with the role's name (`4.服务专员.2`); a default of ours as such."""
    if key.startswith("ours."):
        return _("ours")
    parts = key.split(".")
    return ".".join(_(Role(part).label) if part in set(Role) else part for part in parts)
