"""The customers in a specialist's care, and what is known of how they use the software (4.specialist.2, 4.specialist.7)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select

from crm import clock, lists
from crm.callbacks.models import SPOKEN, Callback
from crm.contracts import paying
from crm.contracts.models import Contract, Payment
from crm.contracts.models import Kind as ContractKind
from crm.customers.models import Contact, CustomerState
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.reports.periods import Period
from crm.serials import queries as serials

MOST = 2_000  # customers of one person


class Lack(Labelled):
    """What is not known of a customer (4.specialist.2)."""

    PERSON = "person", N_("Who is responsible")
    PRODUCT = "product", N_("Products")
    USE = "use", N_("State of use")


def in_care(person: int) -> Sequence[Row]:
    """Those still served, by name."""
    rows = select(Subject.id, Subject.number, Subject.title, Subject.category)
    mine = Subject.kind == "customer", Subject.owner_id == person, Subject.state == CustomerState.ACTIVE
    return db.session.execute(rows.where(*mine).order_by(Subject.title, Subject.id).limit(MOST)).all()


def customers(period: Period, person: int, served: Mapping[int, int]) -> list[dict[str, Any]]:
    """Each with who answers for the software there, what they have and in what use, when they were last spoken with, how many
    services they had. `served`: customer → records."""
    units = in_care(person)
    ids = [unit.id for unit in units]
    people, installed, called, lacks = _responsible(ids), _installed(ids), _called(ids, period), serials.what_lacks(ids)
    return [
        {
            "number": unit.number, "name": unit.title, "grade": unit.category, "responsible": people.get(unit.id, ""),
            "products": ", ".join(installed.get(unit.id, ((), ()))[0]), "use": installed.get(unit.id, ((), ()))[1],
            "called": called.get(unit.id), "records": served.get(unit.id, 0), "lacks": lacks[unit.id],
            "at": {"name": f"/customers/{unit.number}", "records": lists.at(
                "/tickets", owner=person, customer=unit.number, **period.named())},
        }
        for unit in units
    ]  # fmt: skip


def _responsible(ids: Sequence[int]) -> dict[int, str]:
    named = select(Contact.customer_id, Contact.name).where(
        Contact.customer_id.in_(ids), Contact.software_responsible, Contact.active
    )
    found: dict[int, str] = {}
    for unit, name in db.session.execute(named.order_by(Contact.id)):
        found[unit] = f"{found[unit]}, {name}" if unit in found else name
    return found


def _installed(ids: Sequence[int]) -> dict[int, tuple[list[str], list[str]]]:
    """What each has, and in what state of use."""
    rows = select(Subject.customer_id, Subject.title, Subject.state).where(
        Subject.kind == "installation", Subject.customer_id.in_(ids)
    )
    found: dict[int, tuple[list[str], list[str]]] = {}
    for unit, title, use in db.session.execute(rows.order_by(Subject.id)):
        products, uses = found.setdefault(unit, ([], []))
        products.append(title)
        uses.append(use)
    return found


def _called(ids: Sequence[int], period: Period) -> dict[int, str]:
    """When each was last spoken with on the telephone by the end of the period."""
    own = Callback.__table__.c
    spoken = select(Subject.customer_id, func.max(own.reached_at)).join(Callback.__table__, own.id == Subject.id)
    spoken = spoken.where(Subject.kind == "callback", Subject.customer_id.in_(ids), Subject.state.in_(SPOKEN))
    rows = db.session.execute(spoken.where(own.reached_at < clock.end_of(period.until)).group_by(Subject.customer_id))
    return {unit: clock.local(at).date().isoformat() for unit, at in rows}


def final_payments(period: Period, person: int) -> tuple[int, list[dict[str, Any]]]:
    """What came in on sales in their charge (4.specialist.6), together and contract by contract."""
    own, fen = Contract.__table__.c, func.sum(Payment.fen)
    rows = select(Subject.number, Subject.title, Subject.customer_id, own.salesperson, fen.label("fen"))
    rows = rows.join(Contract.__table__, own.id == Subject.id).join(Payment, Payment.contract_id == own.id)
    mine = Subject.kind == "contract", Subject.category == ContractKind.SALES, Subject.owner_id == person
    rows = rows.where(*mine, *paying.came_in(period.since, period.until))
    grouped = rows.group_by(Subject.id, Subject.number, Subject.title, Subject.customer_id, own.salesperson)
    found = db.session.execute(grouped.order_by(Subject.id)).all()
    names = duties.names(row.customer_id for row in found)
    lines = [
        {"number": row.number, "title": row.title, "customer": names[row.customer_id].title, "salesperson": row.salesperson,
         "fen": int(row.fen), "at": {"number": f"/contracts/{row.number}"}}
        for row in found
    ]  # fmt: skip
    return sum(line["fen"] for line in lines), lines
