from typing import ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField

from crm.absences.models import Kind
from crm.forms import CrmForm, DayField, LineField, PickField, ReasonForm, WordsField


class AskForm(CrmForm):
    """Leave, in whole days."""

    kind = PickField(_l("Kind"), Kind, required=True, blank=_l("Choose what it is"))
    starts_on = DayField(_l("First day"), required=True)
    ends_on = DayField(_l("Last day"), required=True, description=_l("Whole days, the last one too."))
    words = WordsField(_l("Reason for the leave"), required=True, most=2000,
                       description=_l("Read by the stand-in and by who decides."))  # fmt: skip
    stand_in = PickField(_l("Who stands in"), blank=_l("Choose somebody"), description=_l(
        "They are asked to accept what is handed over. For days that are over, as with a sick note, nobody is needed."))
    to_do = WordsField(_l("What the stand-in must know"), most=5000, description=_l(
        "What is under way, who will call, where things lie. What you owe goes over by itself."))
    takes: ClassVar[dict[str, str]] = {"file_": ""}


class DecideForm(CrmForm):
    """`standing_in` is asked only of who decides in the manager's place."""

    standing_in = LineField(_l("Why you decide in the manager's place"), most=200)


class ApproveForm(DecideForm):
    unforeseen = BooleanField(_l("It could not be foreseen: nothing could be handed over beforehand"), description=_l(
        "As when somebody falls ill. What falls due on these days is no fault of theirs then, even if nobody stands in."))
    words = WordsField(_l("A word to it"), most=2000)


class JudgeForm(ReasonForm):
    unforeseen = BooleanField(_l("It could not be foreseen: nothing could be handed over beforehand"))


class RejectForm(DecideForm, ReasonForm):
    pass


class AcceptForm(CrmForm):
    words = WordsField(_l("A word to it"), most=2000)


class NameForm(CrmForm):
    to = PickField(_l("Who stands in"), required=True, blank=_l("Choose somebody"))


class ShortenForm(ReasonForm):
    ends_on = DayField(_l("New last day"), required=True)
