from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice

from crm.forms import CrmForm, InstantField, WordsField, needed


class MoreTimeForm(CrmForm):
    """Ask for more time (3.8)."""

    reason = WordsField(_l("Why it cannot be done in time"), required=True, most=2000)
    wanted = InstantField(_l("New date asked for"), required=True)


class DecideForm(CrmForm):
    """The manager's answer to it."""

    granted = RadioField(
        _l("Decision"), [needed()],
        choices=[SelectChoice("yes", _l("Grant the new date")), SelectChoice("no", _l("Do not grant it"))],
    )  # fmt: skip
    until = InstantField(_l("New deadline"), description=_l("Only if granted; as asked for unless you change it."))
    remark = WordsField(_l("Remark"), most=2000)
