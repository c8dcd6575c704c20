"""Contracts and what they came to, some time on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from crm import clock
from crm.contracts import workflow
from crm.contracts.adoption import adopt_all
from crm.contracts.models import Contract
from crm.db import db, unit_of_work
from crm.duties.message import Message
from crm.serials import workflow as serials
from crm.serials.coverage import Coverage, verdicts
from crm.sweep import breach_overdue
from tests import make

DAY, FEN = timedelta(days=1), 120_000


def expired(name: str = "老客户") -> make.Customer:
    """A customer whose service is over."""
    unit = make.customer(name)
    make.contact(unit)
    make.installation(unit, ends_in=-1)
    return unit


def coverage(contract: Contract) -> Coverage:
    return verdicts([contract.customer_id])[contract.customer_id].coverage


@contextmanager
def later(days: int) -> Iterator[None]:
    """A morning so many days on, with what fell due until then breached."""
    with clock.frozen(clock.now() + timedelta(days=days)):
        breach_overdue(clock.now())
        yield


def ending(days: int) -> Contract:
    """A contract in force that ends in so many days, of a customer with a fax and an e-mail."""
    unit = make.customer("宏远机械", fax="010-80000000", email="a@example.cn")
    make.contact(unit)
    installed = [make.installation(unit, starts_on=None, ends_on=None)]
    ends = clock.today() + timedelta(days=days)
    return workflow.take_over(unit, installed, starts_on=ends - relativedelta(years=1) + DAY, ends_on=ends, title="一年服务", amount_fen=FEN)


def letters(contract: Contract) -> list[tuple[str, str, str]]:
    """The entry, the day and the state of each."""
    rows = db.session.query(Message).filter_by(subject_id=contract.id).order_by(Message.id)
    return [(one.rule, one.slot.partition("#")[0], one.state) for one in rows]


def renewal(before: Contract, **details) -> Contract:
    starts = before.ends_on + DAY
    terms = {"starts_on": starts, "ends_on": starts + relativedelta(years=1) - DAY, **details}
    unit = db.session.get_one(make.Customer, before.customer_id)
    return make.contract(unit, successor_of=before, **terms)


def through(contract: Contract) -> None:
    me = make.who("specialist")
    workflow.sign(contract, by=me, signed_on=clock.today(), representative_id=me.id, stamped=True)
    workflow.copy(contract, by=me, returned_on=clock.today())


def adopted() -> Contract:
    adopt_all(clock.now())
    db.session.expire_all()
    return db.session.query(Contract).order_by(Contract.id.desc()).first()


def entered(by: str = "specialist", ends_in: int = 200) -> Contract:
    today = clock.today()
    with unit_of_work():
        serials.add_installation(make.customer(), by=make.who(by), of=serials.product("金洋", "财务通"),
                                 starts_on=today - timedelta(days=30), ends_on=today + timedelta(days=ends_in))  # fmt: skip
    return adopted()
