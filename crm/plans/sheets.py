"""A plan as sheets of a workbook, the amounts in yuan."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _

from crm.contracts.steps import Mark
from crm.labels import N_
from crm.plans.completion import SUMMED, Outcome

Sheet = tuple[str, list[str], list[list[Any]]]
LABELS = {"expected": N_("Expected amount"), "signed": N_("Signed"), "paid": N_("Paid")}


def sheets_of(figures: Mapping[str, Any]) -> list[Sheet]:
    money = [_(LABELS[name]) for name in SUMMED]
    head = [_("Contract"), _("Customer"), _("What the contract is for"), _("Date"), _("In charge"), *money, _("How far"),
            _("Renewal"), _("Remark"), _("Struck, because")]  # fmt: skip
    total = {"name": _("Together")} | figures["sums"]
    return [
        (_("By person in charge"), [_("In charge"), _("Contracts"), *money],
         [[one["name"], one["count"], *_yuan(one)] for one in (*figures["owners"], total)]),
        *((_(title), head, [_row(line) for line in figures[key]])
          for key, title in (("renewals", N_("Renewals")), ("finals", N_("Final payments")), ("beside", N_("Not in the plan")))),
    ]  # fmt: skip


def _row(line: Mapping[str, Any]) -> list[Any]:
    words = line["number"], line["customer"], line["title"], date.fromisoformat(line["due_on"]), line["owner"]
    far = [Outcome(line["outcome"]).label, *(Mark(mark).label for mark in line.get("marks", ()))]
    return [*words, *_yuan(line), " · ".join(map(_, far)), line["renewal"], line["remark"], line["struck"]]


def _yuan(one: Mapping[str, Any]) -> list[float | None]:
    return [None if one[name] is None else one[name] / 100 for name in SUMMED]
