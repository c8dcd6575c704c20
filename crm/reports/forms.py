from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.forms import CountField, CrmForm, PickField, ReasonForm, TicksField, WordsField
from crm.reports.models import Kind
from crm.reports.sending import LATEST, USUAL


class SubmitForm(CrmForm):
    remark = WordsField(_l("What the figures do not say"), most=5000)


class CompanyForm(CrmForm):
    remark = WordsField(_l("The report, in your words"), required=True, most=20_000)


class RemarkForm(CrmForm):
    customer = PickField(_l("Customer"), required=True, blank=_l("Choose a customer"))
    words = WordsField(_l("How the use of the software has changed"), most=1000,
                       description=_l("What was written before is replaced; empty, it is taken away."))  # fmt: skip


class ReturnForm(ReasonForm):
    reason = WordsField(_l("What is to be put right"), required=True, most=2000)


def readers_form(
    people: Mapping[str, Sequence[tuple[int, str]]], known: Mapping[str, tuple[Sequence[int], int]], **kwargs: Any
) -> CrmForm:
    """For each kind of report who is told of it, and when. `people`: whom that may be; `known`: who it is now."""
    inputs: dict[str, Any] = {}
    for kind in Kind:
        inputs[f"to_{kind}"] = TicksField(_l(kind.label))
        inputs[f"days_{kind}"] = CountField(_l("Days after its period ended"), least=1, most=LATEST)
    given = {f"to_{kind}": [str(id) for id in ids] for kind, (ids, _days) in known.items()}
    given |= {f"days_{kind}": days for kind, (_ids, days) in known.items()}
    form = type("ReadersForm", (CrmForm,), inputs)(data={f"days_{kind}": USUAL for kind in Kind} | given, **kwargs)
    for kind in Kind:
        form[f"to_{kind}"].offer(people[kind])
    return form


def named(form: CrmForm) -> dict[str, tuple[list[int], int]]:
    """What was chosen, as the workflow takes it."""
    return {kind: ([int(id) for id in form[f"to_{kind}"].data or ()], form[f"days_{kind}"].data or USUAL) for kind in Kind}
