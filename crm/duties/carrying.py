"""What an event does to what is owed, wherever that stands: in the database for `record()`, in memory where a draft of the
rulebook is tried on the past. One code, so that a trial and really running it cannot differ."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from crm.duties.events import DutyEvent
from crm.duties.rulebook import PROGRAM, Rule, Rulebook, holds
from crm.permissions import Role
from crm.workdays import Calendar, Span

BREACHED, REPRICED = DutyEvent.BREACHED, DutyEvent.REPRICED
FARTHEST = timedelta(days=366)  # to which a deadline is put off


class Met(NamedTuple):
    """An event as rules meet it: of which subject (its id, and whose it was), by whom, and what was known then."""

    id: Any
    kind: str
    at: datetime
    subject: Any
    by_id: int | None
    facts: Mapping[str, Any]
    first: bool = False  # nothing was owed on its subject before


class Ledger(Protocol):
    """Where duties stand. Of one subject, rule and slot one is open."""

    def rulebook(self, edition: int) -> Rulebook: ...
    def days(self, edition: int) -> Calendar: ...
    def latest(self, met: Met) -> int: ...  # the edition under which its subject opens duties now
    def standing(self, met: Met, rule: str, slot: str) -> Any: ...
    def add(self, met: Met, rule: Rule, owed: dict[str, Any], late: bool) -> None: ...
    def end(self, met: Met, rule: str, edition: int, slot: str, stamp: str) -> None: ...
    def price(self, old: Any, clause: str | None, fen: int | None) -> None: ...
    def price_missed(self, met: Met, old: Any, clause: str, fen: int | None) -> None: ...


def own_rule(rule: Rule, kind: str) -> bool:
    """Whether what happens to a subject of this kind itself counts for the rule."""
    return rule.of != kind


def rule_from_below(rule: Rule, kind: str, facts: Mapping[str, Any]) -> bool:
    """Whether what happened to one of this kind counts for the rule on what it came of: for all such rules, or for the one
    the event names."""
    return rule.of == kind and facts.get("rule", rule.key) == rule.key


def carry_out(ledger: Ledger, rule: Rule, edition: int, met: Met) -> None:
    """An event that both opens and drops, drops where the rule's condition does not hold."""
    opens = met.kind in rule.opens and (not rule.where or holds(rule.where, met.facts))
    if met.kind in rule.keeps and (rule.owner != PROGRAM or met.facts.get("act", rule.key) == rule.key):
        ledger.end(met, rule.key, edition, rule.slot_of(met.facts), "kept_by_id")
    elif met.kind in rule.drops and not opens:
        ledger.end(met, rule.key, edition, rule.slot_of(met.facts), "dropped_by_id")
    if opens:
        _open(ledger, rule, edition, met)


def _open(ledger: Ledger, rule: Rule, edition: int, met: Met) -> None:
    """A duty's rule met its event. One that is open already is only re-priced, unless the date it is counted from has
    moved: then it is dropped and opened anew, each by its own edition. One already breached stands."""
    slot, days = rule.slot_of(met.facts), ledger.days(edition)
    ruled = rule.due.after(met.at, met.facts, days, notice=rule.notice)
    fine = rule.fine_clause(met.facts)
    fen = ledger.rulebook(edition).penalties[fine].fen if fine else None
    old = None if met.first else ledger.standing(met, rule.key, slot)
    if old is None and not met.first and edition != ledger.latest(met):
        return  # what an earlier edition asked for is over
    if old is not None:
        if old.edition_id != edition:
            return
        if old.breached_by_id:
            if fine and fine != old.fine_clause:
                ledger.price_missed(met, old, fine, fen)
            return
        if not rule.due.fact or ruled == old.ruled_due_at:
            ledger.price(old, fine, fen)
            return
        ledger.end(met, rule.key, edition, slot, "dropped_by_id")
    due = max(ruled, met.at) if rule.owner != PROGRAM else _in_time(ruled, met.at, days)
    late = rule.owner == PROGRAM and due != ruled  # it is done at once, though there is time for it
    owner, pool = _whose(rule, met)
    owed = {
        "rule": rule.key, "slot": slot, "edition_id": edition, "clause": rule.clause, "fine_clause": fine, "fine_fen": fen,
        "subject_id": met.subject.id, "owner_id": owner, "pool": pool, "opened_by_id": met.id,
        "due_at": due, "ruled_due_at": ruled,
    }  # fmt: skip
    ledger.add(met, rule, owed, late)


def _whose(rule: Rule, met: Met) -> tuple[int | None, str | None]:
    if rule.owner == PROGRAM:
        return None, PROGRAM
    if rule.owner.startswith("pool:"):
        return None, rule.owner.removeprefix("pool:")
    named = {"actor": met.by_id, "concerned": met.subject.concerned_id}
    owner = named.get(rule.owner) or met.subject.owner_id
    return owner, None if owner else Role.MANAGER  # nobody's goes to the manager


def _in_time(ruled: datetime, at: datetime, days: Calendar) -> datetime:
    """The program's own deadline: where it has passed, or is about to, the next sweep still acts in time."""
    return ruled if ruled - at >= timedelta(hours=1) else Span(1, "working day").from_instant(at, days)


def warning(before: Span, due: datetime, opened: datetime, days: Calendar) -> datetime:
    """When to warn: a span before the deadline, but not before there was anything to do."""
    return min(max(before.ahead_of(due, days), opened), due)


def missed(duty: Any) -> dict[str, Any]:
    """What is written down of a duty when its deadline has passed: who owed it then pays."""
    facts = {"duty": duty.id, "rule": duty.rule, "slot": duty.slot, "clause": duty.clause}
    facts["owner"] = duty.liable_id or duty.owner_id
    if duty.fine_clause:
        facts |= {"fine_clause": duty.fine_clause, "fine_fen": duty.fine_fen}
    return facts


def in_reach(until: datetime, duty: Any, since: datetime) -> bool:
    """Whether a deadline may be put off so far (3.8)."""
    return max(since, duty.due_at) < until <= duty.due_at + FARTHEST


def of_roles(books: Iterable[Rulebook]) -> set[str]:
    """The rules whose duties fall to a role, and stay with it whoever goes on with their subject."""
    return {rule.key for book in books for rule in book.rules.values() if rule.owner.startswith("pool:")}
