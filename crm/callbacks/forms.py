from flask_babel import lazy_gettext as _l

from crm.callbacks.models import MARKS
from crm.contracts.models import Answer
from crm.forms import CrmForm, InstantField, LineField, PickField, WordsField
from crm.tickets.forms import CallerForm

_FIVE = {"blank": "—", "pairs": [(n, str(n)) for n in range(5, 0, -1)]}


class ReachForm(CallerForm):
    """What the customer said (5.5.1)."""

    attitude = PickField(_l("Attitude"), **_FIVE)
    skill = PickField(_l("Skill"), **_FIVE)
    result = PickField(_l("Result"), **_FIVE)
    comment = WordsField(_l("What they said"), most=5000)
    software = WordsField(_l("What they think of the software"), most=5000)
    doubt = WordsField(_l("A doubt, or an old problem unsolved"), most=5000,
                       description=_l("Goes to the manager at once (5.5.3)."))  # fmt: skip
    unrecorded = WordsField(_l("A service without a record"), most=2000,
                            description=_l("When it was, and what was done, as the customer tells it."))  # fmt: skip
    clause = PickField(_l("Which clause that breaks"), blank="—")

    def marks(self) -> dict[str, int | None]:
        return {mark: int(self._fields[mark].data) if self._fields[mark].data else None for mark in MARKS}

    def answered(self) -> dict[str, str]:
        """What they say to an expiry notice, where the call is about one."""
        return {}


class ExpiryForm(ReachForm):
    """What the customer says to the expiry notice (5.5.2)."""

    answer = PickField(_l("Will they renew?"), Answer, required=True, blank="—")
    answer_why = LineField(_l("Why not"), most=500)

    def answered(self) -> dict[str, str]:
        return {"answer": self.answer.data, "answer_why": self.answer_why.data}


class LaterForm(CrmForm):
    at = InstantField(_l("When to call again"), required=True)
    words = LineField(_l("What was agreed"), most=200)


class EscalateForm(CrmForm):
    doubt = WordsField(_l("The doubt, or the old problem"), required=True, most=5000)


class AssignForm(CrmForm):
    to = PickField(_l("Who goes on with it"), required=True, blank=_l("Choose somebody"))
    category = PickField(_l("Category"), required=True, blank=_l("Choose the category"))
    words = WordsField(_l("What is to be done"), most=5000)


