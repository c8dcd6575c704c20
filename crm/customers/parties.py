"""Whom the rows of other lists are about: customers by code or name, and their people; a customer is never made up."""

from collections.abc import Sequence

from sqlalchemy import or_, select

from crm.customers import workflow
from crm.customers.models import Contact, Customer
from crm.db import db
from crm.errors import Invalid
from crm.labels import N_
from crm.sheets.columns import Field, shown
from crm.sheets.plan import Line

# of a row; other lists add their own
CUSTOMER: dict[str, Field] = {
    "customer": Field(
        N_("Customer"), 200, "客户名称 客户全称 单位名称 客户单位 客户 单位 单位全称 公司名称 甲方 使用单位 "
        "customername company unit"),
    "customer_code": Field(
        N_("Customer's code"), 50, "客户编号 客户代码 客户编码 客户号 单位编号 单位代码 单位编码 customerno code"),
}  # fmt: skip
NAMED = frozenset(CUSTOMER)


class Parties:
    """Those a batch may be about, looked up at once."""

    def __init__(self) -> None:
        self._by_code: dict[str, Customer] = {}
        self._by_name: dict[str, list[Customer]] = {}
        self._people: dict[tuple[int, str], Contact | None] = {}  # None: met in a dry run

    def look_up(self, lines: Sequence[Line]) -> list[int]:
        """Those the rows name, and everybody there of the names they give; the customers' ids."""
        good = [line.values for line in lines if not line.refusal]
        codes = {one["customer_code"] for one in good if "customer_code" in one}
        names = {one["customer"] for one in good if "customer" in one}
        wanted = or_(Customer.code.in_(codes), Customer.number.in_({code.upper() for code in codes}),
                     Customer.full_name.in_(names), Customer.title.in_(names))  # fmt: skip
        found = db.session.scalars(select(Customer).where(wanted).order_by(Customer.id)).all()
        self._by_code = {key: one for one in found for key in (one.code, one.number) if key}
        self._by_name = {}
        for name in names:
            full = [one for one in found if one.full_name == name]
            self._by_name[name] = full or [one for one in found if one.title == name]
        ids = [one.id for one in found]
        self._people |= self._met(ids, {one["contact_name"] for one in good if "contact_name" in one})
        return ids

    @staticmethod
    def _met(ids: Sequence[int], names: set[str]) -> dict[tuple[int, str], Contact | None]:
        """Of two of one name, the one who is still there, then the first."""
        if not names:
            return {}
        rows = select(Contact).where(Contact.customer_id.in_(ids), Contact.name.in_(names))
        ordered = rows.order_by(Contact.active, Contact.id.desc())
        return {(one.customer_id, one.name): one for one in db.session.scalars(ordered)}

    def of(self, line: Line) -> Customer:
        """By its code, the customer's own or ours, else by its full or short name. Invalid, naming it, for one not known."""
        code, name = line.values.get("customer_code", ""), line.values.get("customer", "")
        if not code:
            return self._named(name)
        found = self._by_code.get(code) or self._by_code.get(code.upper())
        if found is None:
            raise Invalid(N_("No customer has the code %(code)s."), code=shown(code))
        if name and name not in (found.full_name, found.title):
            fault = N_("The code %(code)s is that of %(customer)s, not of %(name)s.")
            raise Invalid(fault, code=shown(code), customer=f"{found.number} {found.title}", name=shown(name))
        return found

    def _named(self, name: str) -> Customer:
        if not name:
            raise Invalid(N_("It names no customer."))
        found = self._by_name.get(name, [])
        if not found:
            raise Invalid(N_("There is no customer %(name)s."), name=shown(name))
        if len(found) > 1:
            raise Invalid(N_("Several customers are called %(name)s: give the code of the one that is meant."), name=shown(name))
        return found[0]

    def knows(self, customer: Customer, name: str) -> bool:
        return (customer.id, name) in self._people

    def person(self, customer: Customer, line: Line, *, by, keep: bool = True) -> Contact | None:
        """The contact a row names; one nobody knew yet is written down, unless nothing is kept."""
        name = line.values.get("contact_name", "")
        if name and not self.knows(customer, name):
            made = workflow.meet_contact(customer, by=by, name=name, phone=line.values.get("contact_phone", "")) if keep else None
            self._people[customer.id, name] = made
        return self._people.get((customer.id, name))
