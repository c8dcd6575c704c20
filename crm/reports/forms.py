from flask_babel import lazy_gettext as _l

from crm.forms import CrmForm, WordsField


class SubmitForm(CrmForm):
    remark = WordsField(_l("What the figures do not say"), most=5000)
