from flask_babel import lazy_gettext as _l

from crm.forms import CountField, CrmForm, DayField, LineField, PickField, WordsField
from crm.papers.models import MOST_SHEETS


class EnterForm(CrmForm):
    """A paper in one's hands. What it belongs to is typed, scanned, or named by the page one came from."""

    of = LineField(_l("Belongs to"), required=True, most=20,
                   description=_l("The number of the visit, record, contract, implementation or customer, such as "
                                  "V2611-0007."))  # fmt: skip
    kind = PickField(_l("Kind of form"), required=True, blank=_l("Choose the kind"))
    title = LineField(_l("In one line"), most=120, description=_l("Left empty, what it belongs to is taken."))
    sheets = CountField(_l("Sheets"), least=1, most=MOST_SHEETS, default=1)


class NotThereForm(CrmForm):
    of = LineField(_l("Belongs to"), required=True, most=20)
    kind = PickField(_l("Kind of form"), required=True)
    reason = WordsField(_l("Why there is none"), required=True, most=1000)


class OfferForm(CrmForm):
    to = PickField(_l("To whom"), required=True, blank=_l("Choose the person"))
    words = LineField(_l("A word with it"), most=200)


class LendForm(OfferForm):
    until = DayField(_l("Until"), required=True)


class PlaceForm(CrmForm):
    place = LineField(_l("Place in the archive"), required=True, most=100,
                      description=_l("Cabinet, shelf and folder, so that others find it."))  # fmt: skip


class DeclineForm(CrmForm):
    words = LineField(_l("What is wrong"), required=True, most=200)


class LoseForm(CrmForm):
    words = WordsField(_l("What happened"), required=True, most=2000)


class FindForm(CrmForm):
    words = LineField(_l("Where it was"), required=True, most=200)


class FetchForm(CrmForm):
    words = LineField(_l("Where it was, and what was agreed"), required=True, most=200)


class VoidForm(CrmForm):
    reason = LineField(_l("Reason"), required=True, most=200)
