from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select

from crm import lists, search
from crm.customers.models import Contact, Customer, CustomerState, Grade
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.errors import NotThere


def get(number: str, user) -> Customer:
    customer = db.session.scalar(select(Customer).where(Customer.number == number, Customer.visible(user)))
    if customer is None:
        raise NotThere()
    return customer


def by_id(customer_id: int | None) -> Customer:
    """The customer another subject belongs to; whoever sees that sees its customer."""
    return db.session.scalars(select(Customer).where(Customer.id == customer_id)).one()


def contact(contact_id: int, customer: Subject) -> Contact:
    found = db.session.scalar(select(Contact).where(Contact.id == contact_id, Contact.customer_id == customer.id))
    if found is None:
        raise NotThere()
    return found


def contacts(customer_id: int, *, active: bool = False) -> list[Contact]:
    """The people of a customer, those responsible for the software first, those who left last."""
    rows = select(Contact).where(Contact.customer_id == customer_id)
    if active:
        rows = rows.where(Contact.active)
    return list(
        db.session.scalars(rows.order_by(Contact.active.desc(), Contact.software_responsible.desc(), Contact.id))
    )


def regions() -> list[str]:
    rows = select(Customer.region).where(Customer.region != "").group_by(Customer.region).order_by(Customer.region)
    return list(db.session.scalars(rows.limit(100)))


def find(text: str, user, *, most: int = 20) -> list[Customer]:
    """For type-ahead: the exact code or number first, then names that begin so, then names that hold it."""
    exact = or_(Customer.code == text, Customer.number == text.upper(), Customer.title == text)
    begins = Customer.title.startswith(text, autoescape=True)
    found = select(Customer).where(
        Customer.kind == "customer",
        Customer.visible(user),
        Customer.state == CustomerState.ACTIVE,
        Customer.id.in_(search.matching(text)),
    )
    ranked = found.order_by(case((exact, 0), (begins, 1), else_=2), func.length(Customer.title), Customer.id)
    return list(db.session.scalars(ranked.limit(most)))


def lacks_person() -> ColumnElement[bool]:
    """No software-responsible person is known (4.specialist.2)."""
    return ~exists().where(and_(Contact.customer_id == Subject.id, Contact.software_responsible, Contact.active))


@dataclass(frozen=True)
class Filter:
    """What the customers' list is narrowed by; empty means all."""

    text: str = ""
    grade: str = ""
    region: str = ""
    owner_id: int | None = None
    inactive: bool = False
    lacks: ColumnElement[bool] | None = None

    @classmethod
    def of(cls, args, user, lacks: ColumnElement[bool] | None = None) -> "Filter":
        owner = user.id if args.get("owner") == "me" else lists.key(args, "owner")
        return cls(lists.words(args), lists.one_of(args, "grade", [*Grade, "none"]), args.get("region", "")[:50], owner,
                   args.get("state") == "inactive", lacks)  # fmt: skip

    def narrow(self, rows: Select) -> Select:
        rows = rows.where(Subject.state == (CustomerState.INACTIVE if self.inactive else CustomerState.ACTIVE))
        if self.grade:
            rows = rows.where(Subject.category == ("" if self.grade == "none" else self.grade))
        if self.owner_id:
            rows = rows.where(Subject.owner_id == self.owner_id)
        if self.text:
            rows = rows.where(Subject.id.in_(search.matching(self.text)))
        if self.region:
            rows = rows.join(Customer.__table__, Customer.__table__.c.id == Subject.id)
            rows = rows.where(Customer.__table__.c.region == self.region)
        return rows if self.lacks is None else rows.where(self.lacks)


def listing(user, wanted: Filter, *, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty customers, the newest first: their ids on `subjects` alone, then the rows."""
    ids = wanted.narrow(select(Subject.id).where(Subject.kind == "customer", Customer.visible(user)))
    count = db.session.scalar(select(func.count()).select_from(ids.limit(1001).subquery()))
    if before:
        ids = ids.where(Subject.id < before)
    found, after = lists.cut(
        list(db.session.scalars(ids.order_by(Subject.id.desc()).limit(size + 1))), lambda id: id, size
    )
    rows = list(db.session.scalars(select(Customer).where(Customer.id.in_(found)).order_by(Customer.id.desc())))
    return lists.Page(rows, after, count, duties.names(row.owner_id for row in rows))
