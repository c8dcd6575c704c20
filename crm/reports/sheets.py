"""A report as sheets of a workbook: a title, headers, rows of plain values."""

from typing import Any

from flask_babel import gettext as _

from crm.callbacks.models import MARKS, State
from crm.labels import N_
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
