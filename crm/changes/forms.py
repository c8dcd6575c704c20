from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l

from crm.changes.models import FORM, Kind
from crm.forms import CrmForm, DayField, LineField, PickField, ReasonForm, WordsField
from crm.serials.models import Installation


class RequestForm(CrmForm):
    """What a customer wants changed; the stamped form may come along."""

    title = LineField(_l("In one line"), required=True, most=120)
    kind = PickField(_l("Kind"), Kind, required=True, default=Kind.PROGRAM)
    requirement = WordsField(_l("What the customer wants"), required=True, most=10000)
    agreed = WordsField(_l("What was agreed with the customer"), most=10000, description=_l("Needed before it is submitted."))
    installation = PickField(_l("Installation"), blank=_l("Not yet known"))
    takes: ClassVar[dict[str, str]] = {"file_form": FORM}
    taken_as: ClassVar[dict[str, Any]] = {"file_form": _l("The customer's stamped form (scan)")}
    installed: dict[str, Installation] = {}

    def offer(self, installed: list[Installation]) -> None:
        self.installed = {str(one.id): one for one in installed}
        self.installation.offer([(one.id, one.title) for one in installed])

    @property
    def chosen(self) -> Installation | None:
        return self.installed.get(str(self.installation.data or ""))

    def says(self) -> dict[str, Any]:
        return {"category": self.kind.data, "title": self.title.data, "requirement": self.requirement.data,
                "agreed": self.agreed.data or ""}  # fmt: skip


class SubmitForm(CrmForm):
    agreed = WordsField(_l("What was agreed with the customer"), required=True, most=10000)
    takes: ClassVar[dict[str, str]] = {"file_form": FORM}
    taken_as: ClassVar[dict[str, Any]] = {"file_form": _l("The customer's stamped form (scan)")}


class StandInForm(CrmForm):
    standing_in = LineField(_l("Why you decide in the manager's place"), most=200)


class ApproveForm(StandInForm):
    opinion = WordsField(_l("Detailed opinion"), required=True, most=10000)
    expected_on = DayField(_l("Expected completion"), required=True)
    reason = WordsField(_l("Why another day than was promised"), most=2000)
    told = WordsField(_l("How the customer was told"), most=2000)


class RejectForm(ReasonForm, StandInForm):
    pass


class ToldForm(CrmForm):
    words = WordsField(_l("What was said, to whom"), required=True, most=2000)


class DeliverForm(CrmForm):
    changed = WordsField(_l("What was changed"), required=True, most=10000)
    how_to_test = WordsField(_l("How to test it"), required=True, most=10000)


class PassForm(CrmForm):
    words = WordsField(_l("What was tested"), most=5000)


class FailForm(CrmForm):
    words = WordsField(_l("What failed"), required=True, most=5000)


class PostponeForm(ReasonForm, StandInForm):
    expected_on = DayField(_l("New date"), required=True)
    told = WordsField(_l("How the customer was told"), required=True, most=2000)


class UpdateForm(CrmForm):
    updated_on = DayField(_l("With the customer since"), required=True)
    words = WordsField(_l("How, and what they were shown"), most=2000)


class CloseForm(CrmForm):
    said = WordsField(_l("What the customer says of it"), required=True, most=5000)
    mark = PickField(_l("Their mark"), required=True, blank="—", pairs=[(str(n), str(n)) for n in (5, 4, 3, 2, 1)],
                     description=_l("5 very good, 1 very bad"))  # fmt: skip
