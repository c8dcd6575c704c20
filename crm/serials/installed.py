"""Which installation of a customer the row of a list means, by its number or by the product's name."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from crm.customers.models import Customer
from crm.db import db
from crm.errors import Invalid
from crm.labels import N_
from crm.serials import workflow
from crm.serials.models import Installation, Product
from crm.sheets import cells
from crm.sheets.columns import Field, shown
from crm.sheets.plan import Line

SOFTWARE: dict[str, Field] = {
    "product": Field(
        N_("Product"), 200, "产品 软件 产品名称 软件名称 软件产品 产品型号 使用软件 系统名称 服务产品 software productname"),
    "installation": Field(N_("Installation"), 20, "安装 安装编号 软件安装 软件安装编号 installationnumber", cells.code),
    "users": Field(
        N_("Users"), 20, "用户数 站点数 用户数量 站点数量 站点 点数 许可数 许可用户数 sites seats licences", cells.count),
}  # fmt: skip
NAMED = frozenset({"product", "installation"})
_PARTS = re.compile(r"[、，,;；\n]+")


def _folded(text: str) -> str:
    """As names are compared: half width, without blanks, great and small alike."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).casefold()


@dataclass(frozen=True)
class Have:
    """An installation a row may mean; one that is still to be made has no `id`, for it needs one only when it is kept."""

    key: tuple[int, int]  # customer and installation, or customer and product below zero
    customer_id: int
    title: str
    number: str = ""
    product_id: int = 0
    names: frozenset[str] = frozenset()

    @property
    def id(self) -> int | None:
        return self.key[1] if self.key[1] > 0 else None


def _have(one: Installation) -> Have:
    brand, name = one.product.title, one.product.name
    parts = ("", one.edition, one.product_version, f"{one.edition}{one.product_version}")
    names = {one.number, *(f"{said}{part}" for said in (brand, name) for part in parts)}
    customer_id = one.customer_id or 0
    return Have((customer_id, one.id), customer_id, one.title, one.number, one.product_id,
                frozenset(map(_folded, names)))  # fmt: skip


class Installed:
    """What the customers of a batch have, and the products there are."""

    def __init__(self) -> None:
        self._of: dict[int, list[Have]] = {}
        self._products: dict[str, list[Product]] = {}
        self._made: dict[tuple[int, int], Have] = {}  # in a dry run, by customer and product

    def look_up(self, lines: Iterable[Line], customers: Iterable[int]) -> list[int]:
        """Theirs, and those the rows name by number; the installations' ids."""
        named = [line.values.get("installation", "").upper() for line in lines if not line.refusal]
        numbers = set(filter(None, named))
        which = or_(Installation.customer_id.in_(customers), Installation.number.in_(numbers))
        found = db.session.scalars(
            select(Installation).where(Installation.kind == "installation", which).order_by(Installation.id)
            .options(joinedload(Installation.product))
        ).all()  # fmt: skip
        self._of = {}
        for one in found:
            self._of.setdefault(one.customer_id or 0, []).append(_have(one))
        self._products = {}
        for product in db.session.scalars(select(Product).where(Product.active).order_by(Product.id)):
            for name in {_folded(product.name), _folded(product.title)}:
                self._products.setdefault(name, []).append(product)
        return [one.id for one in found]

    def customer_of(self, line: Line) -> int | None:
        """Whose the installation is that a row names by its number."""
        number = line.values.get("installation", "").upper()
        return next((one.customer_id for some in self._of.values() for one in some if number and one.number == number), None)

    def meant(self, customer: Customer, line: Line) -> list[Have]:
        """Those a row names, as many as it names; named by neither, the only one there is. Invalid for what is not known."""
        theirs = self._of.get(customer.id, [])
        if number := line.values.get("installation", ""):
            return [self._numbered(customer, theirs, number)]
        if text := line.values.get("product", ""):
            if whole := self._found(customer, theirs, text):
                return [whole]
            parts = [self._named(customer, theirs, part) for part in map(str.strip, _PARTS.split(text)) if part]
            return list({one.key: one for one in parts}.values())
        if len(theirs) != 1:
            raise Invalid(N_("It names no product, and %(customer)s has not exactly one."), customer=customer.number)
        return theirs

    @staticmethod
    def _numbered(customer: Customer, theirs: list[Have], number: str) -> Have:
        for one in theirs:
            if one.number == number.upper():
                return one
        raise Invalid(N_("%(customer)s has no installation %(number)s."), customer=customer.number, number=shown(number))

    def _named(self, customer: Customer, theirs: list[Have], text: str) -> Have:
        found = self._found(customer, theirs, text)
        if found is None:
            raise Invalid(N_("%(product)s is no product known here."), product=shown(text))
        return found

    def _found(self, customer: Customer, theirs: list[Have], text: str) -> Have | None:
        """One there is, else one of a product that is known, which is then to be made; None if the product is not."""
        name = _folded(text)
        there = [one for one in theirs if name in one.names]
        exact = [one for one in there if _folded(one.title) == name]
        there = exact if len(exact) == 1 else there
        if len(there) > 1:
            raise Invalid(N_("%(customer)s has several installations of %(product)s: give the number of the one that is meant."),
                          customer=customer.number, product=shown(text))  # fmt: skip
        if there:
            return there[0]
        products = self._products.get(name, [])
        if len(products) > 1:
            raise Invalid(N_("Several brands have a product %(product)s: write the brand before it."), product=shown(text))
        return self._to_be_made(customer, products[0]) if products else None

    def _to_be_made(self, customer: Customer, product: Product) -> Have:
        key = customer.id, -product.id
        return self._made.get(key) or Have(key, customer.id, product.title, "", product.id)

    def kept(self, one: Have, customer: Customer, *, by, keep: bool = True, users: int | None = None, **facts: Any) -> Have:
        """The installation itself: one that was missing is made, unless nothing is kept."""
        if one.id is not None:
            return one
        if not keep:
            self._made[one.key] = one
            return one
        made = workflow.put_in(customer, by=by, of=db.session.get_one(Product, one.product_id), users=users, said=facts)
        self._of.setdefault(customer.id, []).append(_have(made))
        return self._of[customer.id][-1]


def users_of(values: Mapping[str, str]) -> int | None:
    return int(values["users"]) if "users" in values else None
