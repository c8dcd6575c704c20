from collections.abc import Callable
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, StringField

from crm.customers.models import CustomerState, Grade
from crm.errors import Invalid
from crm.forms import EMAIL, CrmForm, LineField, PickField, WordsField


class CustomerForm(CrmForm):
    short_name = LineField(_l("Short name"), required=True, most=100)
    full_name = LineField(_l("Full name"), description=_l("As on contracts; left empty, the short name stands for it."))
    code = LineField(
        _l("Code"), most=50, description=_l("The unit's own code, such as a stock code; no two are alike.")
    )
    grade = PickField(_l("Grade"), Grade, blank=_l("Not graded yet"))
    region = LineField(_l("Region"), most=50)
    address = LineField(_l("Address"), most=300)
    phone = LineField(_l("Phone"), most=50)
    fax = LineField(_l("Fax"), most=50)
    email = LineField(_l("E-mail"), most=200, validators=[EMAIL])
    by_post = BooleanField(
        _l("Letters by post"),
        description=_l("Where neither fax nor e-mail reaches them, letters are printed and posted to the address."),
    )  # fmt: skip
    owner_id = PickField(_l("Responsible specialist"), blank=_l("Nobody yet"))
    invoice_title = LineField(_l("Invoice title"))
    tax_number = LineField(_l("Tax number"), most=50)
    bank = LineField(_l("Bank"))
    bank_account = LineField(_l("Bank account"), most=50)
    remark = WordsField(_l("Remark"), most=5000)
    state = PickField(_l("State"), CustomerState, default=CustomerState.ACTIVE)

    def words(self) -> dict:
        """What was typed, as the workflow takes it."""
        words = {name: field.data for name, field in self._fields.items() if name not in ("version", "request_id")}
        words["owner_id"] = int(words["owner_id"]) if words["owner_id"] else None
        return words


class PickingForm(CrmForm):
    """Which customer it is about: picked by number, or found by words."""

    customer = StringField(_l("Customer"))  # its number, when it was picked
    customer_q = LineField(_l("Find the customer"), most=100, description=_l("Short name, full name, code or number."))
    wanting: Callable[[], dict[str, Any]] = dict  # what it lacks beyond the fields' own checks

    def check(self) -> None:
        """All that is wrong, at once."""
        wrong: dict[str, Any] = {}
        try:
            super().check()
        except Invalid as refusal:
            wrong = refusal.fields
        if wrong := self.wanting() | wrong:
            raise Invalid(fields=wrong)


class ContactForm(CrmForm):
    name = LineField(_l("Name"), required=True, most=50)
    department = LineField(_l("Department"), most=100)
    position = LineField(_l("Position"), most=100)
    phone = LineField(_l("Phone"), most=50)
    mobile = LineField(_l("Mobile"), most=50)
    qq = LineField(_l("QQ"), most=30)
    wechat = LineField(_l("WeChat"), most=50)
    email = LineField(_l("E-mail"), most=200, validators=[EMAIL])
    software_responsible = BooleanField(_l("Responsible for the software"))
    active = BooleanField(_l("Still there"), default=True)

    def words(self) -> dict:
        return {name: field.data for name, field in self._fields.items() if name not in ("version", "request_id")}
