from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.forms import CrmForm, LineField, MoneyField, PickField, WordsField
from crm.plans.models import Plan, PlanLine

ASKED = {"expected": "expected_fen", "owner": "owner_id", "remark": "remark", "struck": "struck"}


class SettleForm(CrmForm):
    words = WordsField(_l("Remark"), most=2000)


class SubmitForm(CrmForm):
    remark = WordsField(_l("What the figures do not say"), most=5000)


class SignForm(CrmForm):
    words = WordsField(_l("Opinion"), most=2000)


class AddForm(CrmForm):
    contract_number = LineField(_l("Number of the contract"), required=True, most=20)
    remark = LineField(_l("Remark"), most=200)


class LinesForm(CrmForm):
    """`lines`: the figures of each, to be shown beside its fields."""

    lines: Sequence[Mapping[str, Any]] = ()


def lines_form(plan: Plan, lines: Sequence[PlanLine], numbers: Mapping[int, str], people, **kwargs: Any) -> LinesForm:
    """All lines at once: for each what is expected, who is in charge, a remark, and why it is struck."""
    inputs: dict[str, Any] = {}
    for line in lines:
        number = numbers[line.contract_id]
        inputs |= {
            f"expected_{line.id}": MoneyField(_l("Expected, in yuan: %(number)s", number=number)),
            f"owner_{line.id}": PickField(_l("In charge: %(number)s", number=number), blank=_l("Nobody"), pairs=people),
            f"remark_{line.id}": LineField(_l("Remark: %(number)s", number=number), most=200),
            f"struck_{line.id}": LineField(_l("Why it is struck: %(number)s", number=number), most=200),
        }  # fmt: skip
    known = {f"{name}_{line.id}": getattr(line, column) for line in lines for name, column in ASKED.items()}
    return type("LinesForm", (LinesForm,), inputs)(data=known | {"version": plan.version}, **kwargs)


def said_of(form: CrmForm, lines: Sequence[PlanLine]) -> dict[int, dict[str, Any]]:
    """What was typed, as the workflow takes it."""
    return {
        line.id: {
            "expected_fen": form[f"expected_{line.id}"].data, "owner_id": int(form[f"owner_{line.id}"].data or 0) or None,
            "remark": form[f"remark_{line.id}"].data or "", "struck": form[f"struck_{line.id}"].data or "",
        }
        for line in lines
    }  # fmt: skip
