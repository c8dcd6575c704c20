"""A month's penalties and the fund (7.7, 7.8): what was missed under a clause that costs something, what became of it, what is
deducted from whom, and what came into the fund and went out."""

from typing import Any

from crm import lists
from crm.db import db
from crm.duties.owed import ANY, Fared
from crm.fund import queries as funds
from crm.fund import statement
from crm.fund.models import EntryKind, FundEntry, Month, State
from crm.labels import N_
from crm.penalties import fairness
from crm.reports.layout import As, Column, Layout, Table
from crm.reports.periods import Period

FARED = (
    Column("owed", N_("Owed")), Column("kept", N_("Kept in time")), Column("late", N_("Kept late")),
    Column("missed", N_("Not kept")),
    Column("proposed", N_("Penalties proposed")), Column("pending", N_("Pending")), Column("standing", N_("Standing")),
    Column("waived", N_("Waived")), Column("struck", N_("Struck")),
)  # fmt: skip
LAYOUT = Layout(
    (Column("owed", N_("Due, where a miss costs something")), *FARED[1:],
     Column("deducted", N_("Deducted by the month's statement"), As.FEN),
     Column("into", N_("Booked into the fund in the month"), As.FEN), Column("out", N_("Spent"), As.FEN),
     Column("balance", N_("Balance"), As.FEN)),
    (
        Table("clauses", N_("By clause"), (Column("name", N_("Clause"), As.PENALTY), *FARED, Column("fen", N_("Amount"), As.FEN)),
              ("standing", "waived", "struck")),
        Table("people", N_("By person"), (Column("name", N_("Name"), As.WORDS), Column("count", N_("Penalties")),
                                          Column("fen", N_("Deducted"), As.FEN)), ("fen",)),
        Table("fund", N_("Department fund"),
              (Column("on", N_("Day"), As.DAY), Column("kind", N_("What"), As.LABEL, EntryKind),
               Column("purpose", N_("For what"), As.WORDS), Column("fen", N_("In and out"), As.FEN)), lists=True),
    ),
)  # fmt: skip


def figures(period: Period, person: int | None = None) -> dict[str, Any]:
    """Penalties by the month of the breach; the statement as it was closed, or as it is now; the fund by the day of its lines."""
    scope = fairness.Scope(period.since, period.since)
    lines = fairness.lines(scope)
    clauses = [_clause(line, period, scope) for line in lines]
    summed = {column.key: sum(line[column.key] for line in clauses) for column in FARED}
    month, entries = _month(period), funds.entries(period.since, period.until)
    says = statement.told(month) if month else {"people": [], "fen": 0}
    fines = sum(one.fen for one in entries if one.kind == EntryKind.MONTH)
    fund = {"into": fines, "out": fines - sum(one.fen for one in entries)}  # what was taken back was not spent
    at = {key: _at(period, state) for key, state in STATES.items()} | dict.fromkeys(("into", "out", "balance"), "/fund")
    at |= {key: scope.due(ANY, fared) for key, fared in DUE.items()} | {"deducted": month.path if month else ""}
    return {
        "number": summed | {"deducted": says["fen"], **fund, "balance": funds.balance_on(period.until)}, "at": at,
        "clauses": clauses, "people": [_person(who, month) for who in says["people"] if month],
        "fund": [_entry(one) for one in entries],
    }  # fmt: skip


DUE = {"owed": "", "kept": Fared.KEPT, "late": Fared.LATE, "missed": Fared.MISSED}
STATES = {"proposed": "", "pending": "pending", "standing": "standing", "waived": "waived", "struck": "struck"}


def _at(period: Period, state: str, **more: Any) -> str:
    return lists.at("/penalties", month=f"{period.since:%Y-%m}", state=state, **more)


def _clause(line: fairness.Line, period: Period, scope: fairness.Scope) -> dict[str, Any]:
    counts = {"owed": line.owed, "kept": line.kept, "late": line.kept_late, "missed": line.missed, "proposed": line.proposed,
              "pending": line.pending, "standing": line.standing, "waived": line.waived, "struck": line.struck}  # fmt: skip
    at = {key: _at(period, state, key=line.key) for key, state in (STATES | {"fen": "standing"}).items()}
    at |= {key: scope.due(line.key, fared) for key, fared in DUE.items()}
    return {"name": line.key, **counts, "fen": line.fen, "at": at}


def _month(period: Period) -> Month | None:
    return db.session.query(Month).filter(Month.month == period.since).one_or_none()


def closed(period: Period) -> bool:
    """Whether what it deducts no longer changes: it is reported then (7.7)."""
    month = _month(period)
    return month is not None and month.state != State.OPEN


def _person(who: dict[str, Any], month: Month) -> dict[str, Any]:
    at = dict.fromkeys(("count", "fen"), f"{month.path}#p{who['id']}")
    return {"name": who["name"], "count": len(who["lines"]), "fen": who["fen"], "at": at}


def _entry(one: FundEntry) -> dict[str, Any]:
    return {"on": one.on.isoformat(), "kind": one.kind, "purpose": one.purpose, "fen": one.fen}
