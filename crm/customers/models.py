from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, false, select, true
from sqlalchemy.orm import Mapped, mapped_column, relationship, synonym

from crm.db import db, only
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission
from crm.search import Entry


class Grade(Labelled):
    A = "A", N_("A: has a name that carries")
    B = "B", N_("B: may buy more")
    C = "C", N_("C: others")


class CustomerState(Labelled):
    ACTIVE = "active", N_("Active")
    INACTIVE = "inactive", N_("Inactive")


class CustomerEvent(Labelled):
    ADDED = "customer.added", N_("added the customer")
    EDITED = "customer.edited", N_("changed the customer")
    IMPORTED = "customer.imported", N_("imported the customer")
    UPDATED = "customer.updated", N_("brought the customer up to date from a file")
    ASSIGNED = "customer.assigned", N_("made somebody responsible for the customer")
    CONTACT_ADDED = "contact.added", N_("added a contact")
    CONTACT_EDITED = "contact.edited", N_("changed a contact")


class Customer(Subject):
    """A customer unit. `title` is its short name, `owner` the responsible specialist, `category` its grade."""

    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    full_name: Mapped[str] = mapped_column(index=True)
    code: Mapped[str | None] = mapped_column(unique=True)  # the customer's own, such as a stock code
    region: Mapped[str] = mapped_column(default="", index=True)
    address: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    fax: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    by_post: Mapped[bool] = mapped_column(default=False)  # letters go there where neither fax nor e-mail reaches them
    invoice_title: Mapped[str] = mapped_column(default="")
    tax_number: Mapped[str] = mapped_column(default="")
    bank: Mapped[str] = mapped_column(default="")
    bank_account: Mapped[str] = mapped_column(default="")
    remark: Mapped[str] = mapped_column(default="")
    grade = synonym("category")
    short_name = synonym("title")

    contacts: Mapped[list["Contact"]] = relationship(
        back_populates="customer", lazy="raise", order_by="(Contact.active.desc(), Contact.id)"
    )

    __mapper_args__: ClassVar[dict[str, Any]] = {
        "polymorphic_identity": "customer",
        "inherit_condition": id == Subject.id,
    }
    noun = "customers"
    LASTING = True
    FACTS = ("grade",)
    label = N_("Customer")
    EVENTS = CustomerEvent
    STATES = CustomerState
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {
        "title": N_("Short name"), "full_name": N_("Full name"), "code": N_("Code"), "category": N_("Grade"),
        "state": (N_("State"), CustomerState), "region": N_("Region"), "address": N_("Address"), "phone": N_("Phone"),
        "fax": N_("Fax"), "email": N_("E-mail"), "by_post": N_("Letters by post"),
        "invoice_title": N_("Invoice title"), "tax_number": N_("Tax number"),
        "bank": N_("Bank"), "bank_account": N_("Bank account"), "remark": N_("Remark"),
        # of a contact
        "name": N_("Name"), "department": N_("Department"), "position": N_("Position"), "mobile": N_("Mobile"),
        "qq": N_("QQ"), "wechat": N_("WeChat"), "software_responsible": N_("Responsible for the software"),
        "active": N_("Still there"),
    }  # fmt: skip

    HANDED = frozenset({CustomerEvent.ASSIGNED})
    NOTICES: ClassVar[dict[str, str]] = {CustomerEvent.ASSIGNED: "to from"}
    SEARCHED = frozenset(set(CustomerEvent) - {CustomerEvent.ASSIGNED})

    def searched(self) -> Iterator[Entry]:
        yield from (entry for _id, entry in self.searched_all([self]))

    @classmethod
    def searched_all(cls, some: Iterable[Self]) -> Iterator[tuple[int, Entry]]:
        """The unit, and each of its contacts as they are now: another may have changed those read before the lock."""
        units = {one.id: one for one in some}
        for id, one in units.items():
            said = (one.full_name, one.region, one.address, one.phone, one.fax, one.email, one.tax_number, one.remark)
            keys = tuple(filter(None, (one.number, one.code)))
            yield id, Entry("customer", keys, one.title, "\n".join(filter(None, said)))
        said_of = [getattr(Contact, name) for name in Contact.SAID]
        people = select(Contact.customer_id, Contact.id, Contact.name, *said_of).where(Contact.customer_id.in_(units))
        for unit_id, id, name, *words in db.session.execute(people.order_by(Contact.id)):
            yield unit_id, Entry("contact", (), name, "\n".join(filter(None, words)), ref=id)

    @property
    def post(self) -> str:
        """Where letters are posted to, if they are."""
        return self.address if self.by_post else ""

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"grade": self.category if self.state == CustomerState.ACTIVE else ""}

    @classmethod
    def derived(cls, known: Mapping[str, Any]) -> dict[str, Any]:
        return {"grade": known["category"] if known["state"] == CustomerState.ACTIVE else ""}

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.CUSTOMER_READ) else false()


class Contact(db.Model):
    """A person at a customer; those who left are kept, inactive."""

    __tablename__ = "contacts"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    name: Mapped[str]
    department: Mapped[str] = mapped_column(default="")
    position: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    mobile: Mapped[str] = mapped_column(default="")
    qq: Mapped[str] = mapped_column(default="")
    wechat: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    software_responsible: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    customer: Mapped[Customer] = relationship(back_populates="contacts", lazy="raise")

    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        Index("ix_contacts_customer_id", "customer_id", "id"),
        Index("ix_contacts_responsible", "customer_id", **only("software_responsible AND active")),
    )  # fmt: skip

    DETAILS: ClassVar = (
        "name", "department", "position", "phone", "mobile", "qq", "wechat", "email", "software_responsible", "active",
    )  # fmt: skip
    SAID: ClassVar = ("department", "position", "phone", "mobile", "qq", "wechat", "email")  # by the search, after the name
