"""Today: what is owed, grouped by how near it is, each with its clause, its cost and the one button that settles it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.duties import editions, queries
from crm.duties.models import Duty, Extension
from crm.duties.rows import DECIDE_MORE_TIME
from crm.duties.rulebook import Rule
from crm.duties.workflow import ACKNOWLEDGE, may_ask
from crm.labels import N_, Labelled
from crm.moves import Move

_OPEN = N_("Open")


class Group(Labelled):
    OVERDUE = "overdue", N_("Overdue")
    TODAY = "today", N_("Today")
    WEEK = "week", N_("In the next seven days")
    LATER = "later", N_("Later")


@dataclass(frozen=True)
class Row:
    """One thing owed. `move` is the button; where it needs words, `href` leads to the place to type them."""

    duty: Duty
    rule: Rule
    href: str
    label: str
    mine: bool  # the reader's to do, or their role's
    move: Move | None
    may_ask: bool
    requests: tuple[Extension, ...]


def group_of(duty: Duty) -> Group:
    if duty.overdue:
        return Group.OVERDUE
    today = clock.today()
    if duty.due_at <= clock.end_of(today):
        return Group.TODAY
    return Group.WEEK if duty.due_at <= clock.end_of(today + timedelta(days=7)) else Group.LATER


def _undecided(duties: Iterable[Duty]) -> dict[str, int]:
    """For duties to decide on more time: the slot, which names the duty asked for → the request."""
    slots = [int(duty.slot) for duty in duties if duty.rule == DECIDE_MORE_TIME]
    if not slots:
        return {}
    asked = select(Extension.duty_id, Extension.id).where(Extension.duty_id.in_(slots), Extension.granted.is_(None))
    return {str(duty_id): id for duty_id, id in db.session.execute(asked)}


def rows_of(duties: list[Duty], user) -> list[Row]:
    requests = _undecided(duties)
    rows = []
    for duty in duties:
        rule = editions.book(duty.edition_id).rules[duty.rule]
        move = type(duty.subject).MOVES.get(rule.move)
        if move and not move.open_to(user, duty.subject, {duty.rule}):
            move = None
        href = f"{duty.subject.path}#{rule.move}" if move and move.asks else duty.subject.path
        label = move.label if move else _OPEN
        if duty.slot in requests and duty.rule == DECIDE_MORE_TIME:
            href, label = f"/extensions/{requests[duty.slot]}", N_("Decide")
        if duty.rule == ACKNOWLEDGE:  # owed by the person, done on the edition's page
            href, label = f"/rulebook/{duty.slot}", N_("Read it")
        if rule.move == "call":
            href, label = f"/callbacks/calls/{duty.id}", N_("Call")
        if rule.slot == "message":
            href, label = f"/outbox/{duty.slot}", N_("To the letter")
        if rule.paper:  # a paper not yet in anybody's hands has no page of its own
            href, label = f"/papers/find/{rule.paper}/{duty.subject.number}", N_("To the paper")
        mine = duty.owner_id == user.id or (duty.owner_id is None and duty.pool in user.roles)
        if not mine:
            elsewhere = f"/rulebook/{duty.slot}" if duty.rule == ACKNOWLEDGE else duty.subject.path
            href, label, move = elsewhere, _OPEN, None  # another's to do
        rows.append(Row(duty, rule, href, label, mine, move, may_ask(duty, user), tuple(duty.extensions)))
    return rows


def groups(rows: list[Row]) -> dict[Group, list[Row]]:
    """By how near it is; of each what is the reader's first, then what is others', each the nearest first."""
    found: dict[Group, list[Row]] = {group: [] for group in Group}
    for row in sorted(rows, key=lambda row: not row.mine):
        found[group_of(row.duty)].append(row)
    return found


def names(rows: list[Row]) -> dict[int, queries.Name]:
    """Customers, owners, whom a penalty is against, and who asked for more time."""
    ids: list[int | None] = []
    for row in rows:
        subject = row.duty.subject
        whom = subject.concerned_id if subject.kind == "penalty" else None
        ids += [subject.customer_id, row.duty.owner_id, whom, *(asked.asked_by_id for asked in row.requests)]
    return queries.names(ids)


def midnight() -> datetime:
    return clock.moment(clock.today())
