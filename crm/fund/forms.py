from flask_babel import lazy_gettext as _l

from crm.forms import CrmForm, DayField, LineField, MoneyField


class SpendForm(CrmForm):
    fen = MoneyField(_l("Amount (yuan)"), required=True, least=1)
    on = DayField(_l("On which day"), required=True)
    purpose = LineField(_l("For what"), required=True, most=200)
