"""Where each fen that was ever proposed is, counted beside the program: by plain SQL, and by what its statements say."""

from collections import Counter

from sqlalchemy import text

from crm import clock
from crm.db import db
from crm.fund import statement
from crm.fund.models import Month

WHERE = {
    "proposed": "pending", "issued": "pending", "refused": "pending", "appealed": "pending", "waived": "waived", "withdrawn": "waived",
    "struck": "struck", "voided": "struck", "reduced": "reduced",
}  # fmt: skip


def recount() -> Counter[str]:
    """`proposed`, and what of it is `pending`, `waived`, `struck`, in closed statements (`taken`), or in the `next` one of each
    month that is open, the running one among them."""
    found: Counter[str] = Counter()
    rows = db.session.execute(text("SELECT s.state, p.fen, p.reduced_fen FROM penalties p JOIN subjects s ON s.id = p.id"))
    for state, fen, reduced in rows:
        found["proposed"] += fen or 0
        where = WHERE.get(state, "stands")
        found["struck" if where == "reduced" else where] += (fen or 0) - (reduced or 0 if where == "reduced" else 0)
    months = {month.month: month for month in db.session.query(Month)}
    this = clock.today().replace(day=1)
    for month in (*months.values(), *([] if this in months else [Month(month=this)])):
        closed = month.body is not None
        found["taken" if closed else "next"] += (month.body if closed else statement.body(statement.due(month)))["fen"]
    del found["stands"]
    db.session.rollback()
    return found


def adds_up(sums: Counter[str]) -> bool:
    return sums["proposed"] == sum(sums[key] for key in ("taken", "next", "pending", "struck", "waived"))
