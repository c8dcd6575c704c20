"""A specialist's month (4.specialist.7): the services they gave, and how the customers in their care use the software."""

from collections import Counter
from typing import Any

from sqlalchemy import func, select

from crm import lists
from crm.db import db
from crm.duties.models import Subject
from crm.labels import N_
from crm.reports.care import Lack, customers, final_payments
from crm.reports.layout import As, Column, Layout, Table
from crm.reports.periods import Period
from crm.reports.served import RECORDS, served
from crm.reports.services import BY_CATEGORY, BY_CHANNEL, NUMBERS
from crm.serials.models import UseState
from crm.tickets import marks

ENDED = {"done": None, "done_in_time": marks.Standing.IN_TIME, "done_late": marks.Standing.LATE, "undone": marks.Standing.LACKING}
OWN = ("records", "open", "declared", "escalated", "reopened", "visits", "trips", "hours", "away")
LAYOUT = Layout(
    (
        *(column for column in NUMBERS if column.key in OWN),
        Column("done", N_("Services ended")), Column("done_in_time", N_("of these complete in time")),
        Column("done_late", N_("complete, but late")), Column("undone", N_("not complete yet")),
        Column("care", N_("Customers in care")), Column("unknown", N_("of whom something is not known")),
        Column("finals", N_("Final payments that came in"), As.FEN),
    ),
    (
        BY_CATEGORY, BY_CHANNEL,
        Table("customers", N_("Customers in care"), (
            Column("name", N_("Customer"), As.WORDS), Column("grade", N_("Grade"), As.WORDS),
            Column("responsible", N_("Responsible for the software"), As.WORDS), Column("products", N_("Products"), As.WORDS),
            Column("use", N_("State of use"), As.LABELS, UseState), Column("called", N_("Last spoken with"), As.DAY),
            Column("records", N_("Records")), Column("lacks", N_("Not known"), As.LABELS, Lack),
            Column("remark", N_("Remark"), As.WORDS),
        ), lists=True),
        Table("finals", N_("Final payments that came in"), (
            Column("number", N_("Contract"), As.WORDS), Column("customer", N_("Customer"), As.WORDS),
            Column("title", N_("What the contract is for"), As.WORDS), Column("salesperson", N_("Salesperson"), As.WORDS),
            Column("fen", N_("Amount"), As.FEN),
        ), lists=True),
    ),
)  # fmt: skip


def figures(period: Period, person: int | None = None) -> dict[str, Any]:
    assert person, "it is somebody's"
    found = served(period, person)
    said, (paid, finals) = found.numbers(), final_payments(period, person)
    units = customers(period, person, _by_customer(period, person))
    counts, at = said["number"], said["at"]
    counts |= _ended(period, person)
    at |= {key: lists.at(RECORDS, owner=person, **period.named("ended", "ended_until"), standing=standing)
           for key, standing in ENDED.items()}  # fmt: skip
    counts |= {"care": len(units), "unknown": sum(bool(unit["lacks"]) for unit in units), "finals": paid}
    at |= {"care": lists.at("/customers", owner=person), "unknown": lists.at("/customers", owner=person, lacks="any"),
           "finals": lists.at("/contracts", kind="sales", owner=person, **period.named("paid", "paid_until"))}  # fmt: skip
    known = {column.key for column in LAYOUT.numbers}
    return {
        "number": {key: value for key, value in counts.items() if key in known},
        "at": {key: address for key, address in at.items() if key in known},
        "categories": found.by("category"), "channels": found.by("channel", {"channel": "none"}),
        "customers": units, "finals": finals,
    }  # fmt: skip


def _ended(period: Period, person: int) -> dict[str, int]:
    """The records of which the service ended in the period, by whether they are complete (5.1.3)."""
    mine = Subject.kind == "ticket", Subject.owner_id == person, *period.within(marks.OWN.ended_at)
    own = select(func.count()).select_from(Subject.__table__).join(marks.OWN.id.table, marks.OWN.id == Subject.id).where(*mine)
    asked = [own.where(marks.stands(standing)) if standing else own for standing in ENDED.values()]
    row = db.session.execute(select(*(one.scalar_subquery() for one in asked))).one()
    return dict(zip(ENDED, row, strict=True))


def _by_customer(period: Period, person: int) -> dict[int, int]:
    rows = select(Subject.customer_id, func.count()).where(
        Subject.kind == "ticket", Subject.owner_id == person, *period.within(Subject.opened_at)
    )
    return Counter(dict(db.session.execute(rows.group_by(Subject.customer_id)).all()))  # type: ignore[arg-type]
