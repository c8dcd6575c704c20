"""How a letter looks, filled with values that are nobody's."""

from datetime import timedelta

from dateutil.relativedelta import relativedelta
from flask_babel import force_locale
from flask_babel import gettext as _

from crm import clock
from crm.catalogue import locale_of
from crm.letters.company import company
from crm.letters.letter import About
from crm.letters.letter import sheet_of as set_sheet
from crm.letters.models import Letter, LetterVersion
from crm.money import yuan


def about(letter: Letter) -> About:
    today = clock.today()
    ends = today + timedelta(days=31)
    starts = ends - relativedelta(years=1) + timedelta(days=1)
    with force_locale(locale_of(letter.language)):
        head = [_("Software"), _("Users"), _("First day"), _("Last day")]
        ours, customer = company(), _("Example Trading Co., Ltd.")
        brand, product = letter.brand or _("Jinyang"), _("Finance Suite")
        contact, specialist = _("Ms Wang"), _("Zhang Wei")
    values = {
        "customer": customer, "contact": contact, "number": _NUMBER, "starts_on": str(starts), "ends_on": str(ends),
        "days": "31", "amount": yuan(480000), "open": yuan(180000), "due_on": str(today + timedelta(days=3)),
        "specialist": specialist, "company": ours.name, "phone": ours.phone or "0571-88880000", "account": ours.account,
        "today": str(today), "report": _("Services of the month"), "person": specialist, "link": "https://crm.example.com/reports",
    }  # fmt: skip
    rows = [[f"{brand} {product} 9.0", "10", str(starts), str(ends)]]
    return About(values=values, rows=rows, head=head, brand=letter.brand, language=letter.language, to=customer)


_NUMBER = "C2611-0012"  # such as a contract's


def sheet_of(letter: Letter, text: LetterVersion | None = None) -> bytes:
    """As it is saved, as it was once, or as somebody has just typed it."""
    return set_sheet(text or letter.text, about(letter), _NUMBER)
