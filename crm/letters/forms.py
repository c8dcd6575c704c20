from flask_babel import lazy_gettext as _l

from crm.forms import CrmForm, DayField, LineField, PickField, ReasonForm, WordsField
from crm.letters.filling import LONGEST


class LetterForm(CrmForm):
    title = LineField(_l("What it is called"), required=True, most=100)
    subject = LineField(_l("Subject line"), required=True, most=150)
    body = WordsField(_l("Text"), required=True, most=LONGEST)


class NewLetterForm(LetterForm):
    template = PickField(_l("Kind of letter"), required=True, blank=_l("Choose the kind of letter"))
    brand = LineField(_l("Brand"), most=50, description=_l("Left empty: for every brand that has no letter of its own."))
    language = PickField(_l("Language"), pairs=[("zh", "中文"), ("en", "English")], default="zh")


class DecideForm(CrmForm):
    arrived = PickField(_l("Did it arrive?"), required=True, blank="—", pairs=[("yes", _l("Yes")), ("no", _l("No"))])
    words = LineField(_l("How you found out"), required=True, most=200)


class CloseForm(CrmForm):
    """Of one that did not reach the customer, where it is not sent once more."""

    arrived = PickField(_l("What became of it"), required=True, blank="—",
                        pairs=[("no", _l("It is not needed any more")), ("yes", _l("It arrived all the same"))])  # fmt: skip
    words = LineField(_l("Why, or how you found out"), required=True, most=200)


class AgainForm(ReasonForm):
    paper = PickField(_l("How"), pairs=[("", _l("By fax or e-mail, to the address known now")), ("y", _l("On paper, by post"))])


class PostingForm(CrmForm):
    on = DayField(_l("In the post since"), required=True)
