from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField

from crm.forms import CrmForm, InstantField, LineField, MoneyField, PickField, ReasonForm, WordsField
from crm.penalties.models import Outcome


class EnterForm(CrmForm):
    """A penalty by hand: what happened, whom it is against, under which clause."""

    key = PickField(_l("What it is"), required=True, blank=_l("Choose the clause"))
    person = PickField(_l("Against whom"), required=True, blank=_l("Choose somebody"))
    happened_at = InstantField(_l("When it happened"), required=True, past=True)
    title = LineField(_l("In one line"), required=True, most=120)
    facts = WordsField(_l("What happened"), required=True, most=5000, description=_l("What was seen, not what is thought of it."))
    witnesses = LineField(_l("Who saw it"), most=200)
    fen = MoneyField(_l("Amount (yuan)"), least=1, description=_l("Only where the rulebook leaves it open."))

    def says(self) -> dict[str, Any]:
        at: datetime | None = self.happened_at.data
        return {"key": self.key.data, "happened_at": at, "title": self.title.data, "facts": self.facts.data,
                "witnesses": self.witnesses.data or "", "fen": self.fen.data}  # fmt: skip


class IssueForm(CrmForm):
    facts = WordsField(_l("Facts"), most=5000, description=_l("They stand on the notice beside the evidence."))


class PricedForm(IssueForm):
    """Where the rulebook leaves the amount open."""

    fen = MoneyField(_l("Amount (yuan)"), required=True, least=1)


class SignForm(CrmForm):
    words = WordsField(_l("What you say to it"), most=5000, description=_l("You may leave this empty. Signing is not agreeing."))


class RefuseForm(CrmForm):
    words = WordsField(_l("How it was refused"), required=True, most=5000)
    first = PickField(_l("First witness"), required=True, blank=_l("Choose somebody"))
    second = PickField(_l("Second witness"), required=True, blank=_l("Choose somebody"))
    ill_mannered = BooleanField(_l("In bad manner, though the evidence is firm: it is referred for a final warning (D1)"))


class AppealForm(CrmForm):
    words = WordsField(_l("Why it should not stand"), required=True, most=10000)


class DecideForm(CrmForm):
    outcome = PickField(_l("What the appeal comes to"), Outcome, required=True, blank=_l("Choose"))
    fen = MoneyField(_l("Reduced to (yuan)"), least=1, description=_l("Only where it is reduced."))
    answer = WordsField(_l("The answer, with its reasons"), required=True, most=10000)


class AppointForm(ReasonForm):
    to = PickField(_l("Who answers it"), required=True, blank=_l("Choose somebody"))


class WeighForm(CrmForm):
    words = WordsField(_l("What was decided, and why"), required=True, most=5000)
