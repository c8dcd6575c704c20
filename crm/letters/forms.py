from flask_babel import lazy_gettext as _l

from crm.forms import CrmForm, LineField, PickField, WordsField
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
