"""A report as sheets of a workbook: a title, headers, rows of plain values."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask_babel import gettext as _

from crm.callbacks.models import MARKS
from crm.labels import N_
from crm.reports.layout import Layout
from crm.reports.satisfaction import CHANGE, Figures, Line
from crm.reports.software import Source, Tally

Sheet = tuple[str, list[str], list[list[Any]]]
MARKED = {"attitude": N_("Attitude"), "skill": N_("Skill"), "result": N_("Result")}


def sheets_of(layout: Layout, figures: Mapping[str, Any]) -> list[Sheet]:
    """The numbers, then a sheet for each table."""
    numbers = [[_(column.label), column.plain(figures["number"].get(column.key))] for column in layout.numbers]
    return [
        (_("Numbers"), [_("What"), _("How many")], numbers),
        *((_(table.title), [_(column.label) for column in table.columns],
           [[column.plain(row.get(column.key)) for column in table.columns] for row in table.rows(figures)])
          for table in layout.tables),
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
