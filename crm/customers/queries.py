import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, or_, select
from sqlalchemy.orm import joinedload

from crm import finding, lists
from crm.customers.models import Contact, Customer, CustomerState, Grade
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.errors import NotThere
from crm.labels import N_
from crm.permissions import by_reader


@by_reader
def _seen_by_number(user) -> Select:
    return select(Customer).where(Customer.number == bindparam("number"), Customer.visible(user))


def get(number: str, user) -> Customer:
    customer = db.session.scalar(_seen_by_number(user), {"number": number})
    if customer is None:
        raise NotThere()
    return customer


def by_id(customer_id: int | None) -> Customer:
    """The customer another subject belongs to; whoever sees that sees its customer. Not asked for twice in a request."""
    return db.session.get_one(Customer, customer_id)


def contact(contact_id: int, customer: Subject) -> Contact:
    found = db.session.scalar(select(Contact).where(Contact.id == contact_id, Contact.customer_id == customer.id))
    if found is None:
        raise NotThere()
    return found


_CONTACTS = (
    select(Contact).where(Contact.customer_id == bindparam("customer"))
    .order_by(Contact.active.desc(), Contact.software_responsible.desc(), Contact.id)
    .options(joinedload(Contact.customer, innerjoin=True))
)  # fmt: skip


def contacts(customer_id: int, *, active: bool = False) -> list[Contact]:
    """The people of a customer, those responsible for the software first, those who left last; with them comes the
    customer, should anybody ask for it."""
    found = db.session.scalars(_CONTACTS, {"customer": customer_id})
    return [one for one in found if one.active or not active]


def regions() -> list[str]:
    rows = select(Customer.region).where(Customer.region != "").group_by(Customer.region).order_by(Customer.region)
    return list(db.session.scalars(rows.limit(100)))


def find(text: str, user, *, most: int = 20, mine: bool = False) -> list[Customer]:
    """For type-ahead: the exact code or number first, then names that begin so, then names that hold it; `mine`: none that is
    in somebody else's care."""
    exact = or_(Customer.code == text, Customer.number == text.upper(), Customer.title == text)
    begins = Customer.title.startswith(text, autoescape=True)
    found = select(Customer).where(
        Customer.kind == "customer",
        Customer.visible(user),
        Customer.state == CustomerState.ACTIVE,
        Customer.id.in_(finding.matching(text)),
    )
    if mine:
        found = found.where(or_(Customer.owner_id == user.id, Customer.owner_id.is_(None)))
    ranked = found.order_by(case((exact, 0), (begins, 1), else_=2), func.length(Customer.title), Customer.id)
    return list(db.session.scalars(ranked.limit(most)))


def picked(values: Mapping[str, str], user) -> tuple[Customer | None, list[Customer]]:
    """The customer a form names by number, or by words that fit one only; else those the words fit."""
    if number := values.get("customer", "").strip():
        return get(number, user), []
    words = values.get("customer_q", "").strip()[:100]
    found = find(words, user) if words else []
    return (found[0], []) if len(found) == 1 else (None, found)


def not_picked(matches: list[Customer]) -> dict[str, str]:
    """What such a form lacks as long as it names none."""
    return {"customer_q": N_("Choose one of those found.") if matches else N_("Which customer is it?")}


def meant(words: str, user) -> list[int]:
    """Ids of the customers a list's filter means: the one of exactly this number, code or name, else all the words fit."""
    exact = or_(Customer.code == words, Customer.number == words.upper(), Customer.title == words)
    rank = case((exact, 0), else_=1)
    found = select(Customer.id, rank).where(Customer.kind == "customer", Customer.visible(user))
    found = found.where(Customer.id.in_(finding.matching(words))).order_by(rank, func.length(Customer.title), Customer.id)
    rows = db.session.execute(found.limit(MOST_MEANT)).all()
    return [id for id, ranked in rows if ranked == rows[0][1]]


_NUMBER = re.compile(r"[Kk]\d{4,8}", re.ASCII)


def of_meant(words: str, user) -> ColumnElement[bool]:
    """What is of a customer, by its number, as links have it, or by words as somebody typed them."""
    if _NUMBER.fullmatch(words):
        unit = Subject.__table__.alias()
        known = unit.c.kind == "customer", unit.c.number == words.upper()
        return Subject.customer_id == select(unit.c.id).where(*known).scalar_subquery()
    return Subject.customer_id.in_(meant(words, user))


def lacks_person() -> ColumnElement[bool]:
    """No software-responsible person is known (4.specialist.2)."""
    return ~exists().where(and_(Contact.customer_id == Subject.id, Contact.software_responsible, Contact.active))


MOST_MEANT = 50  # customers some words may mean
LACKS = ("any", "person", "product", "use")  # what may not be known of a customer (4.specialist.2)


@dataclass(frozen=True)
class Filter:
    """What the customers' list is narrowed by; empty means all that are active."""

    q: str = ""
    grade: str = ""
    region: str = ""
    owner: int | None = None
    state: str = ""
    lacks: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        owner = user.id if args.get("owner") == "me" else lists.key(args, "owner")
        return cls(lists.words(args), lists.one_of(args, "grade", [*Grade, "none"]), args.get("region", "")[:50], owner,
                   lists.one_of(args, "state", [CustomerState.INACTIVE]), lists.one_of(args, "lacks", LACKS))  # fmt: skip

    def narrow(self, rows: Select) -> Select:
        rows = rows.where(Subject.state == (self.state or CustomerState.ACTIVE))
        if self.grade:
            rows = rows.where(Subject.category == ("" if self.grade == "none" else self.grade))
        if self.owner:
            rows = rows.where(Subject.owner_id == self.owner)
        if self.q:
            rows = rows.where(Subject.id.in_(finding.matching(self.q)))
        if self.region:
            rows = rows.join(Customer.__table__, Customer.__table__.c.id == Subject.id)
            rows = rows.where(Customer.__table__.c.region == self.region)
        return rows


def ids(user, wanted: Filter, *, where: ColumnElement[bool] | None = None) -> Select:
    """The keys of all customers that fit; `where` narrows them by what other packages know."""
    found = wanted.narrow(select(Subject.id).where(Subject.kind == "customer", Customer.visible(user)))
    return found if where is None else found.where(where)


def listing(
    user, wanted: Filter, before: int | None = None, size: int = lists.SIZE, *, where: ColumnElement[bool] | None = None
) -> lists.Page:
    """Fifty customers, the newest first."""
    rows, after, count = lists.page_of(ids(user, wanted, where=where), _loaded, before=before, size=size)
    return lists.Page(rows, after, count, duties.names(row.owner_id for row in rows))


def _loaded(ids: list[int]) -> list[Customer]:
    return list(db.session.scalars(select(Customer).where(Customer.id.in_(ids)).order_by(Customer.id.desc())))
