"""A report on paper: its numbers, plots and tables, what its author adds, and who signs."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext as _

from crm.duties import queries as duties
from crm.letters.sheet import Block, Sheet, account, bars, facts, moment, signatures, table, words
from crm.reports.kinds import SORTS
from crm.reports.layout import As, Layout, Table
from crm.reports.models import Kind, Report
from crm.reports.running import Look
from crm.reports.workflow import figures

MOST = 300  # rows of a table on paper; the workbook has them all
DRAWN = 15  # names of a plot
WIDEST, ROOM, LATIN = 14, 1.5, 0x2E80  # letters; what stands around them; Chinese ones come after it
MARKS = 5.0  # the best


def printed(report: Report) -> Sheet:
    """As it was submitted; before that, as it stands now."""
    names = duties.names([report.submitted_by_id])
    by = names[report.submitted_by_id].title if report.submitted_by_id in names else ""
    rest = [words(_("What the figures do not say"), report.remark, 14)] if report.remark else []
    signed = signatures((_("Submitted by (signature, date)"), f"{by} {moment(report.submitted_at)}".strip()),
                        (_("Received by (signature, date)"), ""), height=18)  # fmt: skip
    title = f"{_(Kind(report.category).label)} {report.title}"
    note = "" if report.body is not None else _("Not submitted yet: these figures may still change.")
    blocks = [*rest, *figured(SORTS[report.category].layout, figures(report)), signed]
    return account(title, report.number, report.path, blocks, note)


def so_far(look: Look) -> Sheet:
    """Figures that are only looked at."""
    note = _("What has come together until now; nothing of it is kept.")
    return account(look.called, "", look.at(), figured(look.sort.layout, look.figures()), note)


def figured(layout: Layout, found: Mapping[str, Any]) -> Iterator[Block]:
    yield facts(*((_(column.label), said) for column, said, _at in layout.said(found)))
    for one in layout.tables:
        rows = list(one.rows(found))
        if not rows:
            continue
        if one.drawn:
            yield _plot(one, rows)
        yield _table(one, rows)


def _table(one: Table, rows: list[Mapping[str, Any]]) -> Block:
    lines = [[said for _column, said, _at in one.cells(row)] for row in rows[:MOST]]
    if len(rows) > MOST:
        lines.append([_("and %(num)s more, in the workbook", num=len(rows) - MOST), *[""] * (len(one.columns) - 1)])
    head = [_(column.label) for column in one.columns]
    widths = [min(WIDEST, max(_width(_longest(label)), *map(_width, said))) for label, *said in zip(head, *lines, strict=True)]
    return table(head, widths, lines, height=6, title="" if one.drawn else _(one.title))


def _longest(label: str) -> str:
    """A heading may be broken between its words, which in Chinese are letters."""
    return max(label.split(), key=len) if label.isascii() else label


def _width(said: str) -> float:
    """About how wide it is, in Chinese letters: a column is as wide as its words, so far as there is room."""
    return sum(1 if ord(letter) > LATIN else 0.6 for letter in said) + ROOM


def _plot(one: Table, rows: list[Mapping[str, Any]]) -> Block:
    """A trend's last bars, of others the first."""
    some = rows[-DRAWN:] if one.plot == "trend" else rows[:DRAWN]
    name, drawn = one.columns[0], one.draws
    values = [row.get(column.key) or 0 for row in some for column in drawn]
    most = MARKS if all(column.kind == As.MARK for column in drawn) else max(values, default=0)
    lines = ((name.shown(row.get(name.key)), [(row.get(column.key) or 0, column.shown(row.get(column.key))) for column in drawn])
             for row in some)  # fmt: skip
    return bars(_(one.title), [_(column.label) for column in drawn], lines, most)
