"""A plan's life: proposed on the first of its month, settled, its completion submitted, and signed off (4.manager.7,
4.director.5)."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import func, select

from crm import clock
from crm.contracts import queries as contracts
from crm.contracts.models import AHEAD, Contract
from crm.db import db, unit_of_work
from crm.duties import queries as duties
from crm.duties.acts import each_once
from crm.duties.models import Subject
from crm.duties.record import open_subject, record
from crm.errors import Invalid, Refused
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission as P
from crm.plans.completion import figures_of
from crm.plans.models import Kind, Plan, PlanEvent, PlanLine, State
from crm.plans.proposal import proposed, wanted

_lead: dict[str, Any] = {"permission": P.CONTRACT_RELEASE}
_sign: dict[str, Any] = {"permission": P.PLAN_SIGN, "others": True}
def _not_over(plan: Plan, _user: Any) -> Refused | None:
    words = N_("The month is not over yet: its completion is submitted after %(day)s.")
    return None if plan.over else Refused(words, day=plan.closes_on)


MOVES: dict[str, Move] = {
    "settle": Move(noun="settlement", label=N_("Settle the plan"), done=N_("The plan is settled."),
                   froms=frozenset({State.PROPOSED}), to=State.SETTLED, icon="check2", tone="primary", **_lead),
    "add": Move(noun="additions", label=N_("Put a contract into the plan"), done=N_("The contract is in the plan."),
                froms=frozenset({State.PROPOSED}), to=None, icon="plus-lg", **_lead),
    "submit": Move(noun="submission", label=N_("Submit the completion"), done=N_("The completion is submitted."),
                   froms=frozenset({State.SETTLED}), to=State.SUBMITTED, icon="check2", tone="primary",
                   unless=_not_over, **_lead),
    "sign_off": Move(noun="signature", label=N_("Sign off the completion"), done=N_("The completion is signed off."),
                     froms=frozenset({State.SUBMITTED}), to=State.SIGNED_OFF, icon="pen", tone="primary", **_sign),
    "send_back": Move(noun="return", label=N_("Send it back"), done=N_("It is sent back; its manager has been told."),
                      froms=frozenset({State.SUBMITTED}), to=State.SETTLED, icon="arrow-return-left", tone="danger", **_sign),
}  # fmt: skip
Plan.MOVES = MOVES
CHANGE = Move(noun="edit", label=N_("Change the lines"), froms=frozenset({State.PROPOSED}), to=None, **_lead)  # no button


def months(as_of: datetime) -> Iterator[date]:
    """The months that have begun since contracts are kept here: none is planned that was under way by then."""
    began = db.session.scalar(select(func.min(Subject.opened_at)).where(Subject.kind == "contract"))
    month = first_after(clock.local(began).date()) if began else date.max
    while month <= clock.local(as_of).date():
        yield month
        month += relativedelta(months=1)


def first_after(day: date) -> date:
    """The first of the month, if `day` is one, or of the next."""
    return day if day.day == 1 else day.replace(day=1) + relativedelta(months=1)


def next_month() -> date:
    """The first of the next one, on which its plan is proposed."""
    return first_after(clock.today() + timedelta(days=1))


def propose_due(as_of: datetime) -> int:
    """A sweep's step: each month that has begun gets its plan, once; a sweep that comes late catches up."""
    with unit_of_work(read_only=True):
        known = _known()
    return each_once([month for month in months(as_of) if month not in known], propose, lambda month: month in _known())


def _known() -> set[date]:
    return set(db.session.scalars(select(Plan.month)))


def propose(month: date) -> Plan:
    """A month's plan with all that belongs to it, from now on to be settled."""
    plan = Plan(number=f"H{month:%y%m}-0001", title=f"{month:%Y-%m}", state=State.PROPOSED, month=month)
    open_subject(plan)
    rows = wanted(month, plan.closes_on)
    db.session.add_all(proposed(plan, rows))
    db.session.flush()
    record(PlanEvent.PROPOSED, plan)
    return plan


def revise(plan: Plan, lines: Mapping[int, Mapping[str, Any]], *, by) -> None:
    """What its lines say, until it is settled: `{id of a line: {expected_fen, owner_id, remark, struck}}`."""
    CHANGE.check(plan, by)
    rows = {row.id: row for row in db.session.scalars(select(PlanLine).where(PlanLine.plan_id == plan.id))}
    changed = {id: diff for id, said in lines.items() if id in rows and (diff := _set(rows[id], said))}
    if not changed:
        return
    plan.version += 1
    db.session.flush()
    names = duties.names(id for diff in changed.values() for id in diff.get("owner", ()))
    for id, diff in changed.items():
        if "owner" in diff:
            diff["owner"] = [names[one].title if one in names else None for one in diff["owner"]]
        record(PlanEvent.EDITED, plan, by=by, name=_called(rows[id]), changes=diff)


def _set(row: PlanLine, said: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Set what differs; the differences, under the names a plan has for them."""
    diff = {name: [getattr(row, name), value] for name, value in said.items() if getattr(row, name) != value}
    for name, (_before, after) in diff.items():
        setattr(row, name, after)
    return {name.removesuffix("_id"): pair for name, pair in diff.items()}


def _called(row: PlanLine) -> str:
    """A line, as the story names it."""
    contract = db.session.get_one(Contract, row.contract_id)
    unit = duties.names([contract.customer_id]).get(contract.customer_id or 0)
    return f"{contract.number} {unit.title if unit else contract.title}"


def add(plan: Plan, contract: Contract, *, by, remark: str = "") -> None:
    """A contract the program did not propose. Invalid if it is in the plan already, or brings nothing."""
    MOVES["add"].apply(plan, by)
    there = select(PlanLine.id).where(PlanLine.plan_id == plan.id, PlanLine.contract_id == contract.id)
    if db.session.scalar(there):
        raise Invalid(fields={"contract_number": N_("It is in the plan already.")})
    line = next(proposed(plan, contracts.by_ids([contract.id]).values(), by_hand=True), None)
    if line is None or line.kind == Kind.RENEWAL and contract.state in AHEAD:
        only = N_("Only a period that ends, or a sale with something to be paid, belongs here.")
        raise Invalid(fields={"contract_number": only})
    line.remark = remark
    db.session.add(line)
    db.session.flush()
    record(PlanEvent.ADDED, plan, by=by, name=_called(line), remark=remark)


def settle(plan: Plan, *, by, words: str = "") -> None:
    """From here on its lines stand as they are (4.manager.7); each says what is expected."""
    MOVES["settle"].apply(plan, by)
    silent = PlanLine.plan_id == plan.id, PlanLine.struck == "", PlanLine.expected_fen.is_(None)
    if count := db.session.scalar(select(func.count(PlanLine.id)).where(*silent)):
        raise Refused(N_("Lines without an expected amount: %(count)s. Fill them in or strike them, then settle."), count=count)
    plan.settled_at, plan.owner_id = clock.now(), by.id
    db.session.flush()
    record(PlanEvent.SETTLED, plan, by=by, words=words)


def submit(plan: Plan, *, by, remark: str = "") -> None:
    """What became of it, once the month is over; from here its figures do not change."""
    MOVES["submit"].apply(plan, by)
    plan.body, plan.remark = figures_of(plan), remark
    plan.submitted_at, plan.submitted_by_id, plan.owner_id = clock.now(), by.id, by.id
    db.session.flush()
    record(PlanEvent.SUBMITTED, plan, by=by, words=remark)


def sign_off(plan: Plan, *, by, words: str = "") -> None:
    """4.director.5; never by whoever submitted it."""
    MOVES["sign_off"].apply(plan, by)
    record(PlanEvent.SIGNED_OFF, plan, by=by, words=words)


def send_back(plan: Plan, *, by, reason: str) -> None:
    """To be submitted again, with the figures of that day."""
    MOVES["send_back"].apply(plan, by)
    plan.body = plan.submitted_at = plan.submitted_by_id = None
    db.session.flush()
    record(PlanEvent.SENT_BACK, plan, by=by, reason=reason)
