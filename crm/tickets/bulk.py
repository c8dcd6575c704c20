"""One verb on many records: each in a savepoint of its own, so that one that cannot stops none of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.errors import NEEDED, Invalid, Refused, WrongState
from crm.labels import N_, Labelled
from crm.tickets import workflow
from crm.tickets.models import BulkRun, State, Ticket
from crm.tickets.moves import MOVES
from crm.tickets.needs import Incomplete

MOST = 200  # records at once
AWAY = N_("It is not there, or not yours to see.")
THEIRS = N_("It is somebody else's: a manager can do this.")


class Verb(Labelled):
    """What may be done to many at once; the labels are those of the moves."""

    ASSIGN = "assign", N_("Give it to somebody else")
    CANCEL = "cancel", N_("Cancel the record")
    COMPLETE = "complete", N_("Complete the record")


@dataclass(frozen=True)
class Outcome:
    """What became of one record: done, or why not, and what it still lacks (the rulebook's keys)."""

    number: str
    done: bool
    message: str = ""
    params: dict[str, Any] | None = None
    lacks: tuple[str, ...] = ()


IN_STATE = {
    State.NEW: N_("It is new: this cannot be done yet."), State.WORKING: N_("It is being worked on: this cannot be done."),
    State.WAITING: N_("It is waiting: take it up again first."), State.ENDED: N_("Its service has ended: this cannot be done."),
    State.COMPLETE: N_("It is complete: this can no longer be done."),
    State.CANCELLED: N_("It was cancelled: this can no longer be done."),
}  # fmt: skip


def carry_out(verb: Verb, numbers: Sequence[str], *, by, to=None, reason: str = "") -> BulkRun:
    """Do `verb` to each record the person may see; the run keeps one outcome a record, in the order given."""
    if not numbers:
        raise Invalid(fields={"record": N_("Pick at least one record.")})
    if len(numbers) > MOST:
        raise Invalid(fields={"record": Invalid(N_("At most %(most)s records at once."), most=MOST)})
    if verb != Verb.COMPLETE and not reason:
        raise Invalid(fields={"reason": NEEDED})
    if verb == Verb.ASSIGN and to is None:
        raise Invalid(fields={"to": NEEDED})
    wanted = select(Ticket).where(Ticket.number.in_(numbers), Ticket.visible(by)).order_by(Ticket.id)
    tickets = db.session.scalars(wanted).all()
    outcomes = {ticket.number: _one(verb, ticket, by=by, to=to, reason=reason) for ticket in tickets}
    kept = [outcomes.get(number) or Outcome(number, False, AWAY) for number in dict.fromkeys(numbers)]
    run = BulkRun(owner_id=by.id, verb=verb, at=clock.now())
    run.outcomes = [[one.number, one.done, one.message, one.params or {}, list(one.lacks)] for one in kept]
    db.session.add(run)
    db.session.flush()
    return run


def _anothers(verb: Verb, ticket: Ticket, by) -> bool:
    """Whether the person may do this, but to records of their own alone."""
    move = MOVES[verb]
    return by.may(move.permission) and not move.may(by, ticket)


def _one(verb: Verb, ticket: Ticket, *, by, to, reason: str) -> Outcome:
    number = ticket.number
    if _anothers(verb, ticket, by):
        return Outcome(number, False, THEIRS)
    try:
        with db.session.begin_nested():
            if verb == Verb.ASSIGN:
                workflow.assign(ticket, by=by, to=to, reason=reason)
            elif verb == Verb.CANCEL:
                workflow.cancel(ticket, by=by, reason=reason)
            else:
                workflow.complete(ticket, by=by)
    except Incomplete as refusal:
        return Outcome(number, False, refusal.message, lacks=tuple(gap.field.key for gap in refusal.gaps))
    except WrongState:
        return Outcome(number, False, IN_STATE[ticket.state])
    except Refused as refusal:
        wrong = next(iter(refusal.fields.values()), refusal.message)
        said = wrong if isinstance(wrong, Refused) else Refused(str(wrong), **refusal.params)
        return Outcome(number, False, said.message, said.params)
    return Outcome(number, True)
