from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField

from crm.contracts.models import COPY, Contract, Kind
from crm.customers.forms import PickingForm
from crm.duties.message import Way
from crm.forms import CrmForm, DayField, LineField, MoneyField, PickField, ReasonForm, TicksField, WordsField
from crm.serials.coverage import Verdict
from crm.serials.models import Installation

SAME = ("title", "paper_number", "amount_fen", "starts_on", "ends_on", "adjustment", "salesperson", "language", "remark")


class TermsForm(CrmForm):
    """What a contract says (5.2.3). Its fields bear the names of the columns, which refusals name."""

    title = LineField(_l("What the contract is for"), required=True, most=120)
    kind = PickField(_l("Kind"), Kind, default=Kind.SERVICE)
    paper_number = LineField(_l("Number on the paper"), most=50)
    amount_fen = MoneyField(_l("Amount in yuan"))
    starts_on = DayField(_l("First day"))
    ends_on = DayField(_l("Last day"))
    adjustment = WordsField(
        _l("Why the period is not simply the next"), most=1000,
        description=_l("Needed where a renewal does not begin the day after or does not run for whole years (5.2.1)."),
    )  # fmt: skip
    installations = TicksField(_l("Installations covered"))
    salesperson = LineField(_l("Salesperson"), most=50, description=_l("Of a sales contract: who sold it."))
    language = PickField(_l("Language of its letters"), pairs=[("zh", "中文"), ("en", "English")], default="zh")
    remark = WordsField(_l("Remark"), most=2000)
    installed: dict[str, Installation] = {}

    def offer(self, installed: list[Installation]) -> None:
        """What the customer has, to be ticked."""
        self.installed = {str(one.id): one for one in installed}
        self.installations.offer((id, one.title) for id, one in self.installed.items())

    def terms(self) -> dict[str, Any]:
        """The columns of a contract, as the workflow takes them."""
        said = {name: self._fields[name].data for name in SAME} | {"category": self.kind.data}
        return said | {"paper_number": self.paper_number.data or None}

    def chosen(self) -> list[Installation]:
        return [self.installed[id] for id in self.installations.data or ()]


def values_of(contract: Contract) -> dict[str, Any]:
    """A contract as its form shows it."""
    known = {name: getattr(contract, name) for name in (*SAME, "version")}
    return known | {"kind": contract.category, "installations": [str(one.id) for one in contract.installations]}


class NewForm(PickingForm, TermsForm):
    """`of`: the number of the contract it renews; `verdict`: whether the customer is in service."""

    of = HiddenField()
    verdict: Verdict | None = None


class SignForm(CrmForm):
    representative = PickField(_l("Our representative"), required=True, blank=_l("Choose somebody"))
    signed_on = DayField(_l("Signed on"), required=True)
    stamped = BooleanField(_l("It bears our stamp"))


class SendForm(CrmForm):
    way = PickField(_l("How"), Way, required=True, default=Way.FAX)
    sent_on = DayField(_l("Sent on"), required=True)
    stamped = BooleanField(_l("It bears our stamp"))


class AgreeForm(CrmForm):
    copy_due_on = DayField(_l("Copy expected back by"))
    payment_due_on = DayField(_l("Payment due on"))
    terms = WordsField(_l("What was agreed"), most=2000)


class ScanForm(CrmForm):
    takes: ClassVar[dict[str, str]] = {"file_copy": COPY}
    taken_as: ClassVar[dict[str, Any]] = {"file_copy": _l("Scan of the countersigned copy")}


class CopyForm(ScanForm):
    returned_on = DayField(_l("Back on"), required=True)


class InvoiceForm(CrmForm):
    """Address and recipient, confirmed with the customer (5.2.5)."""

    invoice_title = LineField(_l("Invoice title"), required=True)
    tax_number = LineField(_l("Tax number"), most=50)
    invoice_address = LineField(_l("Sent to"), required=True, most=300)
    invoice_recipient = LineField(_l("Recipient"), required=True, most=50)
    courier_number = LineField(_l("Courier number"), most=50)
    posted_on = DayField(_l("Posted on"), required=True)


class PayForm(CrmForm):
    fen = MoneyField(_l("Amount in yuan"), required=True, least=1)
    paid_on = DayField(_l("Came in on"), required=True)
    way = LineField(_l("By"), most=50, description=_l("Such as bank transfer or cheque."))
    takes_back = BooleanField(_l("Takes back what was noted wrongly"))


class ChaseForm(CrmForm):
    words = WordsField(_l("What the customer said"), required=True, most=2000)


class PatienceForm(ReasonForm):
    until = DayField(_l("Until"), required=True, description=_l("By then the payment is due anew."))


class AdjustForm(ReasonForm):
    starts_on = DayField(_l("First day"), required=True)
    ends_on = DayField(_l("Last day"), required=True, description=_l("The expiry notice follows it."))
