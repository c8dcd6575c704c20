"""A month's satisfaction (4.director.4): how customers marked services and changes, and what became of their opinions."""

from typing import Any

from crm import lists
from crm.callbacks.models import MARKS
from crm.labels import N_
from crm.opinions.models import Kind, State
from crm.reports import satisfaction
from crm.reports.callbacks import GIVEN
from crm.reports.layout import As, Column, Layout, Plot, Table
from crm.reports.periods import Period
from crm.reports.reader import PROGRAM, counted
from crm.reports.satisfaction import CHANGE, Line, Scope

MONTHS = 12  # of the plot
CHANGED = Column(CHANGE, N_("Mark of changes"), As.MARK)
MARKED = (Column("callbacks", N_("Callbacks")), *GIVEN, Column("changes", N_("Changes")), CHANGED, Column("bad", N_("Bad marks")))
DRAWN = (*MARKS, CHANGE)
LAYOUT = Layout(
    (
        Column("callbacks", N_("Callbacks")), *GIVEN, Column("changes", N_("Changes")), CHANGED,
        Column("bad_callbacks", N_("Callbacks with a bad mark")), Column("bad_changes", N_("Changes with a bad mark")),
        Column("complaint", N_("Complaints")), Column("founded", N_("Complaints confirmed")),
        Column("dismissed", N_("Complaints not confirmed")), Column("suggestion", N_("Suggestions")),
        Column("praise", N_("Praise")), Column("letter", N_("Customers' letters")),
        Column("going", N_("Opinions not yet answered")),
    ),
    (
        Table("months", N_("Month by month"), (Column("name", N_("Month"), As.WORDS), *MARKED), DRAWN, Plot.TREND),
        *(Table(key, title, (Column("name", column, As.WORDS, empty=N_("not named")), *MARKED), DRAWN) for key, title, column in
          (("specialists", N_("By specialist"), N_("Specialist")), ("products", N_("By product"), N_("Product")))),
    ),
)  # fmt: skip


def figures(period: Period, person: int | None = None) -> dict[str, Any]:
    found = satisfaction.figures(Scope(period.since, period.since), PROGRAM)
    year = satisfaction.figures(Scope(satisfaction.back(period.since, MONTHS), period.since), PROGRAM)
    whole, opinions = _line(found.whole), _opinions(period)
    return {
        "number": {key: whole[key] for key in ("callbacks", *MARKS, "changes", CHANGE, "bad_callbacks", "bad_changes")}
        | {key: count for key, (_at, count) in opinions.items()},
        "at": whole["at"] | {key: at for key, (at, _count) in opinions.items()},
        "months": [_line(line) for line in year.months], "specialists": [_line(line) for line in found.specialists],
        "products": [_line(line) for line in found.products],
    }  # fmt: skip


def _line(line: Line) -> dict[str, Any]:
    """A line of the figures as plain values, each count with the rows behind it; without a name it leads nowhere."""
    counts, scope = line.counts, line.scope
    said = {"name": line.name, **{mark: line[mark] for mark in DRAWN}}
    for what in ("callbacks", "changes"):
        said |= {what: counts[what], f"bad_{what}": counts[f"{what} bad"]}
    said["bad"] = said["bad_callbacks"] + said["bad_changes"]
    if scope:
        said["at"] = {"callbacks": scope.callbacks(), "changes": scope.changes(), "bad_callbacks": scope.callbacks(lists.BAD),
                      "bad_changes": scope.changes(lists.BAD), "name": scope.at()}  # fmt: skip
        said["at"] |= dict.fromkeys(MARKS, scope.callbacks()) | {CHANGE: scope.changes()}  # averages of these
        if not (said["bad_callbacks"] and said["bad_changes"]):  # else they stand in two lists
            said["at"]["bad"] = scope.changes(lists.BAD) if said["bad_changes"] else scope.callbacks(lists.BAD)
    return said


def _opinions(period: Period) -> dict[str, tuple[str, int]]:
    """What was said in the month, by kind, and how complaints of it were decided."""
    asked: dict[str, dict[str, Any]] = {str(kind): {"kind": kind} for kind in Kind}
    asked |= {str(state): {"decided": state} for state in (State.CONFIRMED, State.DISMISSED)} | {"going": {"state": "going"}}
    at = {key: lists.at("/opinions", **period.named(), **narrowed) for key, narrowed in asked.items()}
    known = counted(at.values())
    return {key: (address, known[address]) for key, address in at.items()}
