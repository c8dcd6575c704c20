"""The statement as a workbook and on paper: for payroll, and each person's own."""

from typing import Any

from flask_babel import gettext as _

from crm.fund.models import Month
from crm.letters.sheet import Block, Sheet, facts, moment, sheet, signatures, table, words
from crm.money import yuan
from crm.penalties import evidence
from crm.penalties.models import Sanction


def head() -> list[str]:
    return [_("Notice"), _("Happened"), _("Clause"), _("What it is"), _("Sanction"), _("Amount")]


def _cells(line: dict[str, Any]) -> list[str]:
    kind = _("Put right") if line["adjusts"] else _(Sanction(line["sanction"]).label)
    return [line["number"], line["happened"], line["clause"], evidence.title_of(line["key"]), kind, _amount(line)]


def _amount(line: dict[str, Any]) -> str:
    """Of a warning, or of what is recommended, none."""
    return yuan(line["fen"]) if line["fen"] or line["sanction"] in (Sanction.FINE, Sanction.COMPENSATION) else "–"


def on_paper(month: Month, says: dict[str, Any]) -> Sheet:
    """A table for each person, with its sum."""
    blocks: list[Block] = []
    for who in says["people"]:
        sum_of = ["", "", "", "", _("Together"), yuan(who["fen"])]
        rows = [*map(_cells, who["lines"]), sum_of]
        blocks += [words(f"{who['number']} {who['name']}", "", 0), table(head(), [3, 3, 2, 5, 4, 2], rows)]
    if len(says["people"]) > 1:
        blocks.append(facts((_("All together"), yuan(says["fen"]))))
    if not blocks:
        blocks.append(words(_("Nothing is deducted for this month."), "", 0))
    blocks.append(signatures((_("Service director (signature, date)"), ""), (_("Payroll (signature, date)"), "")))
    note = _("Only what was signed or witnessed stands here; what is decided later goes into the next month (7.7).")
    title = f"{_('Statement of penalties')} {month.title}"
    if month.closed_at is None:
        note = _("This month is not closed yet: nothing is final.") + " " + note
        return sheet(f"{title} ({_('Not yet closed')})", month.number, "other", blocks[:-1], note)
    return sheet(title, month.number, "other", [facts((_("Closed on"), moment(month.closed_at))), *blocks], note)


def as_sheets(says: dict[str, Any]) -> list[tuple[str, list[str], list[list[Any]]]]:
    """For payroll: a line for each person, then all lines. Amounts in yuan."""
    people = [[who["number"], who["name"], len(who["lines"]), who["fen"] / 100] for who in says["people"]]
    lines = [
        [who["number"], who["name"], *_cells(line)[:-1], line["fen"] / 100] for who in says["people"] for line in who["lines"]
    ]
    who = [_("Number"), _("Name")]
    return [
        (_("By person"), [*who, _("Penalties"), _("Deducted (yuan)")], people),
        (_("Lines"), [*who, *head()[:-1], _("Amount (yuan)")], lines),
    ]
