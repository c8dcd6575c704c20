from flask_babel import lazy_gettext as _l

from crm.forms import CrmForm, DayField, LineField, PickField, WordsField
from crm.serials.models import Installation


class ImplementationForm(CrmForm):
    title = LineField(_l("What is put in"), required=True, most=120)
    starts_on = DayField(_l("Begins on"), required=True)
    installation = PickField(_l("Installation"), blank=_l("Not yet known"))
    remark = WordsField(_l("Remark"), most=2000)
    installed: dict[str, Installation] = {}

    def offer(self, installed: list[Installation]) -> None:
        self.installed = {str(one.id): one for one in installed}
        self.installation.offer([(one.id, one.title) for one in installed])

    @property
    def chosen(self) -> Installation | None:
        return self.installed.get(str(self.installation.data or ""))


class EndForm(CrmForm):
    ended_on = DayField(_l("Ended on"), required=True)
