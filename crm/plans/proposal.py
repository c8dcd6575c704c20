"""What belongs to a month's plan, and what the program expects of it."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from crm.contracts import queries as contracts
from crm.contracts.models import Kind as ContractKind
from crm.contracts.models import Payment, State
from crm.contracts.steps import Card, Lane
from crm.plans.models import Kind, Plan, PlanLine

SIGNED = frozenset({Lane.RETURNED, Lane.RUNNING})  # by both


def wanted(first: date, last: date) -> list[Any]:
    """The service contracts whose period ends in the month, then the sales with a payment due in it."""
    return [*contracts.ending_in(first, last, most=None), *contracts.payments_due(first, last)]


def proposed(plan: Plan, rows: Iterable[Any], *, by_hand: bool = False) -> Iterator[PlanLine]:
    """A line for each contract that ends, or has something to be paid."""
    rows = list(rows)
    ids = [row.id for row in rows]
    after, parts = contracts.renewals_of(ids), contracts.parts_of(ids)
    for row in rows:
        renewal = kind_of(row) == Kind.RENEWAL
        card = Card(row, after.get(row.id))
        due_on = row.ends_on if renewal else row.payment_due_on
        fen = expected(card) if renewal else left(row, paid_before(parts.get(row.id, ()), plan.month))
        if due_on is not None and (renewal or fen):
            yield PlanLine(
                plan_id=plan.id, contract_id=row.id, kind=kind_of(row), due_on=due_on, owner_id=row.owner_id,
                expected_fen=fen, ahead=renewal and card.lane in SIGNED, by_hand=by_hand,
            )  # fmt: skip


def kind_of(row: Any) -> Kind:
    return Kind.RENEWAL if row.category == ContractKind.SERVICE else Kind.FINAL


def expected(card: Card) -> int | None:
    """What a renewal is to bring: as negotiated, else what the period before brought; nothing of one that is gone, or was
    renewed by a contract from before the program. None if nobody knows."""
    if card.lane is Lane.GONE or (card.after is None and card.before.state == State.RENEWED):
        return 0
    return card.expected


def left(row: Any, paid_fen: int) -> int:
    """What of a sale was to be paid when the month began."""
    return max((row.amount_fen or 0) - paid_fen, 0) if row.returned_on else 0


def paid_before(parts: Iterable[Payment], month: date) -> int:
    """What of these had come in before the month."""
    return sum(one.fen for one in parts if one.paid_on < month)
