from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from crm import lists
from crm.customers.queries import lacks_person
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.errors import NotThere
from crm.serials.models import Installation, Product, ServicePeriod, UseState


def get(number: str, user) -> Installation:
    found = db.session.scalar(
        select(Installation).where(Installation.number == number, Installation.visible(user))
        .options(joinedload(Installation.product), selectinload(Installation.periods))
    )  # fmt: skip
    if found is None:
        raise NotThere()
    return found


_OF = (
    select(Installation).where(Installation.kind == "installation", Installation.customer_id == bindparam("customer"))
    .options(joinedload(Installation.product), joinedload(Installation.periods)).order_by(Installation.id)
)  # fmt: skip


def of(customer_id: int, user) -> list[Installation]:
    """What a customer has of ours, with its service periods."""
    return list(db.session.scalars(_OF.where(Installation.visible(user)), {"customer": customer_id}).unique())


def contract_of(period: ServicePeriod | None) -> duties.Name | None:
    """The contract that agrees on a period, if one does."""
    found = duties.names([period.contract_id]) if period else {}
    return next(iter(found.values()), None)


def products() -> list[Product]:
    return list(db.session.scalars(select(Product).where(Product.active).order_by(Product.brand, Product.name)))


@dataclass(frozen=True)
class Filter:
    """What the list of installations is narrowed by; empty means all."""

    use: str = ""
    product: int | None = None

    @classmethod
    def of(cls, args: Mapping[str, str], _user) -> Self:
        return cls(lists.one_of(args, "use", UseState), lists.key(args, "product"))


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty installations, the newest first."""
    ids = select(Subject.id).where(Subject.kind == "installation", Installation.visible(user))
    if wanted.use:
        ids = ids.where(Subject.state == wanted.use)
    if wanted.product:
        table = Installation.__table__.c
        ids = ids.join(Installation.__table__, table.id == Subject.id).where(table.product_id == wanted.product)
    rows, after, count = lists.page_of(ids, _loaded, before=before, size=size)
    return lists.Page(rows, after, count, duties.names(row.customer_id for row in rows))


def _loaded(ids: list[int]) -> list[Installation]:
    rows = select(Installation).where(Installation.id.in_(ids)).order_by(Installation.id.desc())
    rows = rows.options(joinedload(Installation.product), selectinload(Installation.periods))
    return list(db.session.scalars(rows))


def lacking(what: str) -> ColumnElement[bool] | None:
    """Customers of whom 4.specialist.2 is not known: `person`, `product`, `use`, or `any` of the three."""
    installed = aliased(Subject)
    has = and_(installed.kind == "installation", installed.customer_id == Subject.id)
    no_product = ~exists().where(has)
    no_use = exists().where(and_(has, installed.state == UseState.UNKNOWN))
    kinds = {"person": lacks_person(), "product": no_product, "use": no_use}
    return or_(*kinds.values()) if what == "any" else kinds.get(what)


def what_lacks(customer_ids: list[int]) -> dict[int, list[str]]:
    """For each customer, which of person, product and state of use is not known."""
    found: dict[int, list[str]] = {id: [] for id in customer_ids}
    for what in ("person", "product", "use"):
        condition = lacking(what)
        assert condition is not None
        for id in db.session.scalars(select(Subject.id).where(Subject.id.in_(customer_ids), condition)):
            found[id].append(what)
    return found
