"""What became of a plan: plain values, so that they can be kept as they were submitted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.contracts import queries as contracts
from crm.contracts.models import Payment, State
from crm.contracts.steps import Card, Mark
from crm.contracts.sums import paid_of
from crm.db import db
from crm.duties import queries as duties
from crm.labels import N_, Labelled
from crm.plans.models import Kind, Plan, PlanLine
from crm.plans.proposal import left, paid_before, proposed, wanted

SUMMED = ("expected", "signed", "paid")


class Outcome(Labelled):
    """How far a line has come."""

    OPEN = "open", N_("Not yet renewed")
    NEGOTIATED = "negotiated", N_("Being negotiated")
    SIGNED = "signed", N_("Signed, to be paid")
    RENEWED = "renewed", N_("Renewed")
    BEGUN = "begun", N_("Renewed, not paid")
    DECLINED = "declined", N_("Declined")
    LAPSED = "lapsed", N_("Lapsed")
    UNPAID = "unpaid", N_("Not yet paid")
    PARTLY = "partly", N_("Paid in part")
    PAID = "paid", N_("Paid")


OF_RENEWAL = {
    State.DECLINED: Outcome.DECLINED, State.LAPSED: Outcome.LAPSED, State.RETURNED: Outcome.SIGNED,
    State.RUNNING: Outcome.RENEWED, State.RENEWED: Outcome.RENEWED,
}  # fmt: skip


def of_renewal(card: Card) -> Outcome:
    if card.after:
        if card.unpaid:
            return Outcome.BEGUN
        return OF_RENEWAL.get(card.after.state, Outcome.NEGOTIATED)
    return {State.RENEWED: Outcome.RENEWED, State.LAPSED: Outcome.LAPSED}.get(card.before.state, Outcome.OPEN)


def of_payment(row: Any, due: int, paid: int) -> Outcome:
    if paid >= due:
        return Outcome.PAID
    return Outcome.LAPSED if row.state == State.LAPSED else Outcome.PARTLY if paid else Outcome.UNPAID


_LINES = select(PlanLine).order_by(PlanLine.due_on, PlanLine.id)


def figures_of(plan: Plan) -> dict[str, Any]:
    """A plan's lines with what became of each, and beside them what turned up in the month and is not in the plan."""
    rows = list(db.session.scalars(_LINES.where(PlanLine.plan_id == plan.id)))
    known, months = {row.contract_id for row in rows}, {plan.id: plan.month}
    others = proposed(plan, [row for row in wanted(plan.month, plan.closes_on) if row.id not in known])
    lines = list(_told(rows, months))
    return {
        "renewals": [line for line in lines if line["kind"] == Kind.RENEWAL],
        "finals": [line for line in lines if line["kind"] == Kind.FINAL],
        "beside": list(_told(list(others), months)), "sums": sums(lines), "owners": _by_owner(lines),
    }  # fmt: skip


def sums(lines: Iterable[dict[str, Any]]) -> dict[str, int]:
    """What is struck is not counted."""
    lines = [line for line in lines if not line["struck"]]
    return {"count": len(lines)} | {name: sum(line[name] or 0 for line in lines) for name in SUMMED}


def _by_owner(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who is in charge of how much; nobody last."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if not line["struck"]:
            found.setdefault(line["owner"], []).append(line)
    return [{"name": name} | sums(some) for name, some in sorted(found.items(), key=lambda pair: (not pair[0], pair[0]))]


def _told(rows: Sequence[PlanLine], months: Mapping[int, date]) -> Iterator[dict[str, Any]]:
    """Each line with what became of it; `months`: that of each plan they belong to."""
    ids = [row.contract_id for row in rows]
    known, after = contracts.by_ids(ids), contracts.renewals_of(ids)
    paid = paid_of(one.id for one in after.values())
    parts = contracts.parts_of([row.contract_id for row in rows if row.kind == Kind.FINAL])
    names = duties.names(id for row in rows for id in (row.owner_id, known[row.contract_id].customer_id))
    for row in rows:
        contract = known[row.contract_id]
        if row.kind == Kind.RENEWAL:
            then = after.get(row.contract_id)
            became = _renewed(Card(contract, then, paid.get(then.id, 0) if then else 0))
        else:
            became = _paid(contract, parts.get(row.contract_id, []), months[row.plan_id])
        yield _line(row, contract, names) | became


def _line(row: PlanLine, contract: Any, names: dict[int, duties.Name]) -> dict[str, Any]:
    title = {key: names[id].title if id in names else "" for key, id in
             (("customer", contract.customer_id), ("owner", row.owner_id))}  # fmt: skip
    now = contract.ends_on if row.kind == Kind.RENEWAL else contract.payment_due_on
    return {
        "id": row.id, "kind": row.kind, "number": contract.number, "title": contract.title, **title,
        "due_on": row.due_on.isoformat(), "moved_to": now.isoformat() if now and now != row.due_on else "",
        "expected": row.expected_fen, "ahead": row.ahead, "by_hand": row.by_hand, "remark": row.remark, "struck": row.struck,
    }  # fmt: skip


def _renewed(card: Card) -> dict[str, Any]:
    outcome = of_renewal(card)
    signed = card.after is not None and outcome in (Outcome.SIGNED, Outcome.BEGUN, Outcome.RENEWED)
    return {
        "outcome": outcome, "renewal": card.after.number if card.after else "",
        "signed": card.after.amount_fen or 0 if signed else 0, "paid": card.paid,
        "marks": [mark.value for mark in card.marks if mark is not Mark.UNPAID],  # that is its outcome
    }  # fmt: skip


def _paid(contract: Any, parts: Sequence[Payment], month: date) -> dict[str, Any]:
    """Of a final payment what came in from the month's first day on; it was signed long ago."""
    earlier = paid_before(parts, month)
    due, came_in = left(contract, earlier), sum(one.fen for one in parts) - earlier
    return {"outcome": of_payment(contract, due, came_in), "renewal": "", "signed": due, "paid": came_in}


def shown(plan: Plan) -> dict[str, Any]:
    """As they were submitted; until then as they are now."""
    return plan.body if plan.body is not None else figures_of(plan)


def sums_of(plans: Iterable[Plan]) -> dict[int, dict[str, int]]:
    """The sums of several, in as many statements as of one; of those submitted as they were."""
    plans = list(plans)
    months = {plan.id: plan.month for plan in plans if plan.body is None}
    lines: dict[int, list[dict[str, Any]]] = {id: [] for id in months}
    rows = list(db.session.scalars(_LINES.where(PlanLine.plan_id.in_(months))))
    for row, line in zip(rows, _told(rows, months), strict=True):
        lines[row.plan_id].append(line)
    return {plan.id: plan.body["sums"] if plan.body is not None else sums(lines[plan.id]) for plan in plans}
