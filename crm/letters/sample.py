"""How a letter looks, filled with values that are nobody's."""

from datetime import timedelta

from flask_babel import force_locale
from flask_babel import gettext as _

from crm import clock
from crm.letters.company import company
from crm.letters.letter import About
from crm.letters.letter import sheet_of as set_sheet
from crm.letters.models import Letter, LetterVersion
from crm.money import yuan


def about(letter: Letter) -> About:
    ends = clock.today() + timedelta(days=31)
    starts = ends - timedelta(days=365)
    with force_locale("en" if letter.language == "en" else "zh_Hans_CN"):
        head = [_("Software"), _("Users"), _("First day"), _("Last day")]
        ours, customer, person = company(), _("A customer of ours"), _("A specialist")
    values = {
        "customer": customer, "contact": person, "number": "C0000-0000", "starts_on": str(starts), "ends_on": str(ends),
        "days": "31", "amount": yuan(480000), "open": yuan(180000), "due_on": str(clock.today()), "specialist": person,
        "company": ours.name, "phone": ours.phone or "0000-0000000", "account": ours.account, "today": str(clock.today()),
    }  # fmt: skip
    rows = [[f"{letter.brand or ours.name} V1", "10", str(starts), str(ends)]]
    return About(values=values, rows=rows, head=head, brand=letter.brand, language=letter.language, to=customer)


def sheet_of(letter: Letter, text: LetterVersion | None = None) -> bytes:
    """As it is saved, or as somebody has just typed it."""
    return set_sheet(text or letter.text, about(letter), letter.number)
