"""The pages on which a draft is changed, one for each kind of entry: what stands on them, and what was typed there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from crm.duties.reading import SETTINGS
from crm.duties.rulebook import PROGRAM
from crm.errors import Refused
from crm.labels import N_, Bilingual
from crm.penalties.models import Sanction
from crm.rulebooks import typed as types
from crm.rulebooks.differences import listed
from crm.rulebooks.text import Change, value_at
from crm.rulebooks.typed import Typed

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One field: the table it is a value of, and how it is typed."""

    path: tuple[str, ...]
    typed: Typed
    label: str

    @property
    def name(self) -> str:
        """In the form: `duty/ticket.progress/due`."""
        return "/".join((*self.path, getattr(self.typed, "within", ""), self.typed.key)).replace("//", "/")


@dataclass(frozen=True)
class Row:
    """What belongs together: an entry of the rulebook, or one of its settings. `remark`: words of the program beside it."""

    title: Bilingual | str
    entries: tuple[Entry, ...]
    clause: str = ""
    ours: bool = False
    remark: tuple[str, tuple[Bilingual, ...]] | None = None


class Section(NamedTuple):
    title: Bilingual | str
    rows: list[Row]


AREAS = {  # by the first part of a rule's key
    "ticket": N_("Service records"), "visit": N_("On-site visits"), "change": N_("Change requests"), "opinion": N_("Opinions"),
    "contract": N_("Contracts"), "message": N_("Letters"), "plan": N_("Contract plans"), "call": N_("Calls"),
    "callback": N_("Callbacks"), "report": N_("Reports"), "paper": N_("Papers"), "implementation": N_("Implementations"),
    "duty": N_("More time"), "rulebook": N_("Rulebook"), "suggestion": N_("Rulebook"), "objection": N_("Rulebook"),
    "absence": N_("Leave"), "penalty": N_("Penalties"), "month": N_("Month's statement"),
}  # fmt: skip
OTHER = N_("Others")


def _sections(rows: Iterator[tuple[Any, Row]], titles: Callable[[Any], Bilingual | str]) -> list[Section]:
    found: dict[str, Section] = {}
    for key, row in rows:
        title = titles(key)
        found.setdefault(str(title), Section(title, [])).rows.append(row)
    return list(found.values())


def by_program(rule: Data) -> bool:
    return rule.get("owner") == PROGRAM


def regular(rule: Data) -> bool:
    """A regular call, by the customer's grade (4.specialist.2)."""
    return "grade" in rule.get("where", {})


def _duty(key: str, rule: Data, *entries: tuple[Typed, str]) -> Row:
    made = tuple(Entry(("duty", key), typed, label) for typed, label in entries)
    return Row(rule["title"], made, rule.get("clause", ""), bool(rule.get("ours")))


DUE, WARNED, SHOWN = (
    (types.DueTyped("due"), N_("Deadline")),
    (types.SpanTyped("warn", least=True, unsaid=N_("2 working hours")), N_("Reminder before the deadline")),
    (types.SpanTyped("show", least=True, unsaid=N_("from the beginning")), N_("Shown before")),
)  # fmt: skip


def deadlines(data: Data) -> list[Section]:
    rules = ((key, rule) for key, rule in data.get("duty", {}).items() if not by_program(rule) and not regular(rule))
    rows = ((key, _duty(key, rule, DUE, WARNED, SHOWN)) for key, rule in rules)
    return _sections(rows, lambda key: AREAS.get(key.partition(".")[0], OTHER))


KINDS = tuple((kind.value, kind.label) for kind in Sanction)


def fined_by(rule: Data) -> set[str]:
    """The sanctions a duty names."""
    return {fine["clause"] for fine in rule.get("fine", ())}


def fines(data: Data) -> list[Section]:
    def rows() -> Iterator[tuple[str, Row]]:
        for key, penalty in data.get("penalty", {}).items():
            clause = penalty.get("clause") or key
            due = tuple(rule["title"] for rule in data.get("duty", {}).values() if key in fined_by(rule))
            entries = (Entry(("penalty", key), types.ChoiceTyped("kind", offers=lambda: KINDS), N_("Kind")),
                       Entry(("penalty", key), types.AmountTyped("amount"), N_("Amount in yuan")))  # fmt: skip
            remark = (N_("What costs this when it is missed"), due) if due else None
            yield clause, Row(penalty["title"], entries, clause, remark=remark)

    clauses = data.get("clause", {})
    return _sections(rows(), lambda clause: clauses[clause]["title"] if clause in clauses else OTHER)


def fields_of(data: Data, *, columns: bool) -> types.Pairs:
    """What a record may have to hold, each with its title; its own columns every record has."""
    return tuple((key, types.reader(field["title"])) for key, field in data.get("field", {}).items()
                 if (field.get("kind") == "column") == columns)  # fmt: skip


def mandatory(data: Data) -> list[Section]:
    every = types.TicksTyped("needs", least=True, offers=lambda: fields_of(data, columns=True))
    rows = [Row(N_("Every record"), (Entry(("record",), every, N_("Before it is complete")),))]
    for key, category in data.get("category", {}).items():
        entries = tuple(
            Entry(("category", key), types.TicksTyped(stage, least=True, offers=lambda: fields_of(data, columns=False)), label)
            for stage, label in (("before_work", N_("Before the work")), ("before_complete", N_("Before it is complete")))
        )  # fmt: skip
        rows.append(Row(category["title"], entries, category.get("clause", ""), bool(category.get("ours"))))
    return [Section("", rows)]


GONE = "gone"
TITLES = ((types.WordsTyped("zh"), N_("Title in Chinese")), (types.WordsTyped("en"), N_("Title in English")))


def categories(data: Data) -> list[Section]:
    rows = []
    for key, category in data.get("category", {}).items():
        path = ("category", key)
        entries = (
            *(Entry(path, typed, label) for typed, label in TITLES),
            Entry(path, types.FlagTyped("declared"), N_("Must be declared (5.1.4)")),
            Entry(path, types.FlagTyped(GONE), N_("Take it out")),
        )  # fmt: skip
        rows.append(Row(category["title"], entries, category.get("clause", ""), bool(category.get("ours"))))
    return [Section("", rows)]


NUMBERS = {
    "longest_wait_days": N_("A record waits at most so many days"),
    "ends_soon_days": N_("A service period ends soon from so many days before"),
    "calls_before_giving_up": N_("Calls nobody answered before a callback is given up"),
    "minutes_between_calls": N_("Calls count once within so many minutes"),
    "bad_mark": N_("A mark as low as this goes to the manager"),
    "pay_within_days": N_("Payment within so many days of the countersigned copy"),
    "copy_within_days": N_("The copy is expected back within so many days"),
    "status_link_days": N_("A customer's link is good for so many days"),
    "appeal_within_days": N_("An appeal comes within so many days of the signature (D1)"),
    "reminder_after_days": N_("No reminder within so many days of the notice"),
    "complaints_many": N_("From so many confirmed complaints on, dismissal is recommended (7.2)"),
    "complaints_months": N_("if they lie within so many months (7.2)"),
}  # fmt: skip


def settings(data: Data) -> list[Section]:
    """What the program does by itself, and the numbers that belong to no duty."""
    acts = [_duty(key, rule, DUE, *TITLES) for key, rule in data.get("duty", {}).items() if by_program(rule)]
    numbers = []
    for key, usual in SETTINGS.items():
        typed = types.CountTyped(key, least=True, unsaid=str(usual))
        numbers.append(Row(NUMBERS.get(key, key), (Entry(("settings",), typed, N_("How many")),)))
    return [Section(N_("What the program does by itself"), acts), Section(N_("Numbers"), numbers)]


GRADES = (("A", "A"), ("B", "B"), ("C", "C"))


def calls(data: Data) -> list[Section]:
    grades = types.TicksTyped("grade", within="where", offers=lambda: GRADES), N_("Grades of customer")
    rows = [_duty(key, rule, DUE, grades, SHOWN, WARNED) for key, rule in data.get("duty", {}).items() if regular(rule)]
    return [Section("", rows)]


def hours(data: Data) -> list[Section]:
    rows = [Row(title, (Entry((table,), types.HoursTyped("open"), N_("From and to")),), clause) for table, title, clause in (
        ("hours", N_("Working hours"), "ours.hours"), ("sending", N_("When letters go out"), "ours.sending"))]  # fmt: skip
    return [Section("", rows)]


CLAUSE = (("title", N_("Title in Chinese"), N_("Title in English")), ("text", N_("Words in Chinese"), N_("Words in English")),
          ("ours", N_("Our default beside it, in Chinese"), N_("Our default beside it, in English")))  # fmt: skip


def clause_words(key: str, data: Data) -> list[Section]:
    """The words of one clause, in both languages."""
    entries = tuple(
        Entry(("clause", key), types.WordsTyped(language, least=part == "ours", within=part, long=part != "title"), label)
        for part, zh, en in CLAUSE for language, label in (("zh", zh), ("en", en))
    )  # fmt: skip
    return [Section("", [Row(data.get("clause", {})[key]["title"], entries, key)])]


class Sheet(NamedTuple):
    title: str
    help: str
    sections: Callable[[Data], list[Section]]


SHEETS: dict[str, Sheet] = {
    "deadlines": Sheet(
        N_("Deadlines"), N_("A span of time: 3 working days, 8 working hours, 30m, 1 month; Chinese is understood."), deadlines),
    "fines": Sheet(N_("Fines and other sanctions"), N_("An amount, or from and to: 20-50."), fines),
    "fields": Sheet(
        N_("Mandatory fields"), N_("What a record must hold before the work starts, and before it is complete."), mandatory),
    "categories": Sheet(
        N_("Categories"), N_("What a record may be about. What is taken out is not offered any more."), categories),
    "settings": Sheet(
        N_("Reminders and numbers"), N_("What the program does by itself, and when; numbers that belong to no duty."), settings),
    "calls": Sheet(N_("Regular calls"), N_("How often customers are called, by their grade."), calls),
    "hours": Sheet(N_("Hours"), N_("Spells that follow one another: 09:00-12:00, 13:00-18:00."), hours),
}  # fmt: skip


def entries_of(sections: list[Section]) -> Iterator[Entry]:
    for section in sections:
        for row in section.rows:
            yield from row.entries


class Wrong(Exception):
    """What was typed cannot be taken: field → why."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = fields


def read(entries: list[Entry], typed: Mapping[str, Any], data: Data) -> list[Change]:
    """The values that were typed otherwise than they are; Wrong, naming each field, if any cannot be. What was not sent stays."""
    tables: dict[tuple[str, ...], dict[str, Any]] = {}
    wrong: dict[str, Any] = {}
    for entry in entries:
        table = tables.setdefault(entry.path, dict(value_at(data, entry.path) or {}))
        if entry.name not in typed:
            continue
        try:
            table.update(entry.typed.read(typed[entry.name], table))
        except ValueError as why:
            wrong[entry.name] = why.args[0] if isinstance(why.args[0], Refused) else str(why)
    if wrong:
        raise Wrong(wrong)
    return [change for path, table in tables.items() for change in _changes(path, value_at(data, path) or {}, table)]


def _changes(path: tuple[str, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    if after.get(GONE):
        yield Change(path, None)
        return
    for key in dict.fromkeys((*before, *after)):
        if key != GONE and listed(before.get(key)) != listed(after.get(key)):
            yield Change((*path, key), after.get(key))
