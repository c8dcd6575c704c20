"""Whose letters and forms these are: the head they bear, as the administrator keeps it."""

from dataclasses import dataclass

from flask_babel import get_locale
from flask_babel import gettext as _

from crm.staff.queries import department


@dataclass(frozen=True)
class Company:
    name: str
    address: str = ""
    phone: str = ""
    account: str = ""

    @property
    def contact(self) -> str:
        """The line below the name; empty while neither is known."""
        return "   ".join(filter(None, (self.address, self.phone)))


def company() -> Company:
    """In the language of the moment; a name it lacks is the other's."""
    ours = department()
    if ours is None:
        return Company(_("Jinyang Software"))
    names = (ours.company_en, ours.company) if str(get_locale()) == "en" else (ours.company, ours.company_en)
    return Company(next(filter(None, names), "") or _("Jinyang Software"), ours.address, ours.phone, ours.account)
