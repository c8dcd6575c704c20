from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, or_, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from crm import clock, lists
from crm.customers.models import Contact
from crm.customers.queries import lacks_person, meant
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.errors import NotThere
from crm.permissions import Permission, by_reader
from crm.serials.models import IN_ORDER, Installation, Product, Serial, UseState, called, masked
from crm.serials.using import Use, use_on, used_on


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


@by_reader
def _seen_of_customer(user) -> Select:
    return _OF.where(Installation.visible(user))


def of(customer_id: int, user) -> list[Installation]:
    """What a customer has of ours, with its service periods."""
    return list(db.session.scalars(_seen_of_customer(user), {"customer": customer_id}).unique())


def contracts_of(installed: Iterable[Installation]) -> dict[int, duties.Name]:
    """The contracts that agree on the periods that run, and on those to come."""
    return duties.names(period.contract_id for one in installed for period in (one.running, one.coming) if period)


def products() -> list[Product]:
    return list(db.session.scalars(select(Product).where(Product.active).order_by(Product.brand, Product.name)))


def product_titles(ids: Iterable[int | None]) -> dict[int | None, str]:
    """What each product is called, those no longer sold as well."""
    wanted = {id for id in ids if id is not None}
    rows = db.session.scalars(select(Product).where(Product.id.in_(wanted))) if wanted else ()
    return {row.id: row.title for row in rows}


UNNAMED = "none"  # what names no installation


def product_asked(args: Mapping[str, str]) -> str:
    """The product a list's address names, as its id; or that none is known."""
    given = args.get("product", "")
    return given if given == UNNAMED or lists.key(args, "product") else ""


def of_product(asked: str) -> ColumnElement[bool]:
    """Of a statement that has joined installations, if there is one: those of that product."""
    product = Installation.__table__.c.product_id
    return product.is_(None) if asked == UNNAMED else product == int(asked)


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


def serials_of(installation: Installation) -> dict[Serial, Use]:
    """Every one ever issued and its use: today's first, then the one for the next period, then the newest."""
    newest = (one.desc() for one in IN_ORDER)
    rows = select(Serial, use_on(clock.today())).where(Serial.installation_id == installation.id).order_by(*newest)
    found = [(one, Use(use)) for one, use in db.session.execute(rows)]
    return dict(sorted(found, key=lambda row: list(Use).index(row[1])))


def serial(id: int, installation: Installation) -> Serial:
    found = db.session.scalar(select(Serial).where(Serial.id == id, Serial.installation_id == installation.id))
    if found is None:
        raise NotThere()
    return found


def given_to(some: Iterable[Any]) -> dict[int, str]:
    """To whom they were handed: contact → name."""
    ids = {one.given_to_id for one in some} - {None}
    return dict(db.session.execute(select(Contact.id, Contact.name).where(Contact.id.in_(ids))).all()) if ids else {}


@dataclass(frozen=True)
class SerialFilter:
    """What the list of serial numbers is narrowed by; empty means all."""

    used: bool = False
    customer: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str], _user) -> Self:
        return cls(args.get("used") == "1", args.get("customer", "")[:100])

    @property
    def any(self) -> bool:
        return self != SerialFilter()


def serials(user, wanted: SerialFilter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty serial numbers, the newest first, each as this reader may see it."""
    ids = select(Serial.id).join(Subject, Subject.id == Serial.installation_id).where(Installation.visible(user))
    if wanted.used:
        ids = ids.where(used_on(clock.today()))
    if wanted.customer:
        ids = ids.where(Subject.customer_id.in_(meant(wanted.customer, user)))
    rows, after, count = lists.page_of(ids, _serials_loaded, before=before, size=size)
    clear = user.may(Permission.SERIAL_READ)
    shown = {row.id: called(row.number) if clear else masked(called(row.number)) for row in rows}
    beside = {"shown": shown, "people": given_to(rows)}
    return lists.Page(rows, after, count, duties.names(row.customer_id for row in rows), beside)


def _serials_loaded(ids: list[int]) -> list[Any]:
    table, at = Subject.__table__.c, Serial.__table__.c
    rows = (
        select(at.id, at.number, at.users, at.starts_on, at.ends_on, at.issued_on, at.given_on, at.given_to_id,
               use_on(clock.today()).label("use"), table.title, table.customer_id, table.number.label("installation"))
        .select_from(Serial).join(Subject.__table__, table.id == at.installation_id).where(at.id.in_(ids)).order_by(at.id.desc())
    )  # fmt: skip
    return list(db.session.execute(rows))
