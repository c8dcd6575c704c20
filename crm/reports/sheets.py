"""A report as sheets of a workbook: a title, headers, rows of plain values."""

from dataclasses import replace
from typing import Any

from flask_babel import gettext as _

from crm.callbacks.models import MARKS, State
from crm.labels import N_
from crm.reports.satisfaction import CHANGE, Figures, Line
from crm.reports.software import Source, Tally
from crm.tickets.models import State as RecordState

Sheet = tuple[str, list[str], list[list[Any]]]
NUMBERS = {
    "called": N_("Callbacks"), "reached": N_("Reached"), "unreached": N_("Not reached"), "doubts": N_("With a doubt"),
    "unrecorded": N_("Services without a record"), "late": N_("Calls that were late"),
}  # fmt: skip
MARKED = {"attitude": N_("Attitude"), "skill": N_("Skill"), "result": N_("Result")}


def sheets_of(kind: str, figures: dict[str, Any]) -> list[Sheet]:
    """The sheets of a kind of report; what the callback report has is the only one yet."""
    marked = [_(MARKED[mark]) for mark in MARKS]

    def of(rows: list[dict[str, Any]]) -> list[list[Any]]:
        return [[row["name"], row["count"], *(row[mark] for mark in MARKS)] for row in rows]

    head = [_("Number"), _("Customer"), _("About"), _("Served by")]
    about = ("number", "customer", "title", "served")
    return [
        (_("Numbers"), [_("What"), _("How many")],
         [[_(NUMBERS[key]), count] for key, count in figures["number"].items()]),
        (_("By specialist"), [_("Specialist"), _("Callbacks"), *marked], of(figures["specialists"])),
        (_("By product"), [_("Product"), _("Callbacks"), *marked], of(figures["products"])),
        (_("Doubts"), [*head, _("The doubt, or the old problem"), _("State"), _("Record"), _("State of the record"),
                       _("Assigned to"), _("Result when called back")],
         [[*(row[key] for key in about), row["doubt"], _(State(row["state"]).label), row.get("record"),
           _(RecordState(row["record_state"]).label) if "record_state" in row else "", row.get("to"), row.get("after")]
          for row in figures["doubts"]]),
        (_("Calls"), [*head, _("Called by"), _("Spoken with"), *marked, _("What they said"),
                      _("What they think of the software")],
         [[*(row[key] for key in about), row["called_by"], row["reached"], *(row[mark] for mark in MARKS), row["comment"],
           row["software"]] for row in figures["calls"]]),
    ]  # fmt: skip


def satisfaction(found: Figures) -> list[Sheet]:
    """The figures of satisfaction: of each month, specialist and product the averages, and how often each mark was given."""
    head = [_("Callbacks"), _("Callbacks with a bad mark"), *(name for mark in MARKS for name in _twice(_(MARKED[mark]))),
            _("Changes"), _("Changes with a bad mark"), *_twice(_("Mark of changes"))]  # fmt: skip
    return [
        (title, [column, *head], [_figures(line) for line in lines])
        for title, column, lines in (
            (_("By month"), _("Month"), [*found.months, replace(found.whole, name=_("Together"))]),
            (_("By specialist"), _("Specialist"), found.specialists),
            (_("By product"), _("Product"), found.products),
        )
    ]


def _twice(mark: str) -> list[str]:
    return [mark, _("%(mark)s: how often", mark=mark)]


def _figures(line: Line) -> list[Any]:
    calls, changes = (
        [line.counts[what], line.counts[f"{what} bad"], *(value for mark in marks for value in (line[mark], line.given(mark)))]
        for what, marks in (("callbacks", MARKS), ("changes", (CHANGE,)))
    )
    return [line.name or _("not named"), *calls, *changes]


def software(found: Tally) -> list[Sheet]:
    """What was said of the software: how much of each product, and each thing itself."""
    head = [_("Product"), _("Day"), _("Customer"), _("What they said"), _("Mark"), _("Source"), _("Number")]
    return [
        (_("By product"), [_("Product"), _("Opinions"), *(_(one.label) for one in Source)],
         [[product or _("not named"), len(some), *(sum(one.source == source for one in some) for source in Source)]
          for product, some in found.products.items()]),
        (_("Opinions"), head,
         [[one.product or _("not named"), one.day, one.customer, one.words, one.mark, _(one.source.label), one.number]
          for some in found.products.values() for one in some]),
    ]  # fmt: skip
