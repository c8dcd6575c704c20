"""What customers said of the software in a month (4.director.10): gathered from wherever they say it, by product."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import Row, Select, null, select

from crm import clock
from crm.callbacks import marks as called
from crm.callbacks.models import Callback
from crm.changes import marks as changed
from crm.changes.models import ChangeRequest
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.opinions.models import Opinion, State
from crm.serials import queries as serials
from crm.serials.models import Installation


class Source(Labelled):
    CALLBACK = "callback", N_("Callbacks")
    CHANGE = "change", N_("Changes")
    OPINION = "opinion", N_("Opinions taken in")


@dataclass(frozen=True)
class Said:
    """One thing somebody said, and where it stands."""

    source: Source
    number: str
    path: str
    at: datetime
    customer: str
    product: str
    words: str
    mark: int | None = None

    @property
    def day(self) -> date:
        return clock.local(self.at).date()


@dataclass(frozen=True)
class Tally:
    """A month of them: of each product what was said, in the order it was."""

    month: date
    said: list[Said]

    def by(self, months: int) -> str:
        return f"{self.month + relativedelta(months=months):%Y-%m}"

    @property
    def products(self) -> dict[str, list[Said]]:
        """By name, what names none last."""
        found: dict[str, list[Said]] = {}
        for one in sorted(self.said, key=lambda one: (not one.product, one.product, one.at, one.number)):
            found.setdefault(one.product, []).append(one)
        return found

    @property
    def sources(self) -> Counter[Source]:
        return Counter(one.source for one in self.said)


def _asked(at: Any, said: Any, mark: Any) -> list[Any]:
    """What every source answers with."""
    product = Installation.__table__.c.product_id
    return [Subject.number, Subject.customer_id, product, at.label("at"), said.label("words"), mark.label("mark")]


def of_callbacks(user) -> Select:
    said = called.SAID
    rows = called.with_product(*_asked(said.reached_at, said.software, null()))
    return rows.where(said.software != "", Callback.visible(user))


def of_changes(user) -> Select:
    said = changed.SAID
    rows = changed.closed(*_asked(said.closed_at, said.said, said.mark))
    return rows.where(said.said != "", ChangeRequest.visible(user))


def of_opinions(user) -> Select:
    """Those that name the software they are about."""
    said, of = Opinion.__table__.c, Installation.__table__
    rows = select(*_asked(Subject.opened_at, said.said, null())).join(Opinion.__table__, said.id == Subject.id)
    return rows.join(of, of.c.id == said.installation_id).where(Subject.state != State.WITHDRAWN, Opinion.visible(user))


# Whatever else customers say of the software is a line more here: what its pages are called, and what `user` may see of it,
# with the columns of `_asked`.
SOURCES: dict[Source, tuple[type[Subject], Callable[[Any], Select]]] = {
    Source.CALLBACK: (Callback, of_callbacks),
    Source.CHANGE: (ChangeRequest, of_changes),
    Source.OPINION: (Opinion, of_opinions),
}


def tally(month: date, user) -> Tally:
    """What was said in that month, by the business zone's clock; a statement for each source."""
    since, until = clock.moment(month), clock.moment(month + relativedelta(months=1))
    found: list[tuple[Source, Row[Any]]] = []
    for source, (_kind, of) in SOURCES.items():
        rows = of(user).subquery()
        told = select(rows).where(rows.c.at >= since, rows.c.at < until)
        found += [(source, row) for row in db.session.execute(told)]
    customers = duties.names(row.customer_id for _source, row in found)
    products = serials.product_titles(row.product_id for _source, row in found)
    return Tally(month, [_one(source, row, customers, products) for source, row in found])


def _one(source: Source, row: Row[Any], customers: Mapping[int, duties.Name], products: Mapping[int | None, str]) -> Said:
    customer, path = customers.get(row.customer_id), f"/{SOURCES[source][0].noun}/{row.number}"
    title = customer.title if customer else ""
    return Said(source, row.number, path, row.at, title, products.get(row.product_id, ""), row.words, row.mark)
