"""Where something happened, in words, as far as an address tells."""

import re

from flask_babel import gettext as _

from crm.duties.models import Subject
from crm.labels import N_
from crm.lists import Number

PLACES = {
    "": N_("Today"),
    "login": N_("Log in"),
    "login/code": N_("Second factor"),
    "logout": N_("Log out"),
    "welcome": N_("One-time link"),
    "account": N_("My account"),
    "account/password": N_("Change the password"),
    "account/second-factor": N_("Set up the second factor"),
    "account/second-factor/removal": N_("Remove the second factor"),
    "account/sessions": N_("Where you are logged in"),
    "staff/access": N_("Access log"),
    "settings/access": N_("Access"),
    "settings/calendar": N_("Working calendar"),
    "duties": N_("Missed duties"),
    "files": N_("File"),
    "lists": N_("Filters"),
    "notices": N_("Notices"),
    "search": N_("Search"),
}
_NUMBER = re.compile(Number.regex)


def place(path: str) -> str:
    """`Service record T2611-0007` of `GET /tickets/T2611-0007/start`; what follows a colon, such as a file's name, stays."""
    address, _colon, rest = path[path.find("/") :].partition(": ")
    if not address:
        return ""
    parts = address.partition("?")[0].strip("/").split("/")
    known = next((PLACES[key] for end in (3, 2, 1) if (key := "/".join(parts[:end])) in PLACES), "") or _of_kind(parts[0])
    number = next((part for part in parts[1:2] if _NUMBER.fullmatch(part)), "")
    return " ".join(filter(None, (known and _(known), number, rest)))


def _of_kind(noun: str) -> str:
    return next((kind.label for kind in Subject.__subclasses__() if getattr(kind, "noun", "") == noun), "")
