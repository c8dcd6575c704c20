"""The moves of a service record: its states, and every arrow between them."""

from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.duties.models import Event
from crm.errors import Forbidden, Refused
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission as P
from crm.tickets.models import State, Ticket, TicketEvent

OPEN = frozenset({State.NEW, State.WORKING, State.WAITING})
SERVED = OPEN | {State.ENDED}
ALL = frozenset(State)
_own: dict[str, Any] = {"permission": P.TICKET_WORK, "over": P.TICKET_WORK_ANY}
_lead: dict[str, Any] = {"permission": P.TICKET_ASSIGN}



def _owed(ticket: Ticket, user: Any) -> Refused | None:
    """A record whose service ever ended is owed: only a manager may drop it, and nobody what a visit owes (5.3.6)."""
    if ticket.of_visit:
        return Refused(N_("A visit owes this record (5.3.6): it is reopened and put right, never dropped."))
    ended = select(Event.id).where(Event.subject_id == ticket.id, Event.kind == TicketEvent.ENDED).limit(1)
    if user.may(P.TICKET_WORK_ANY) or ticket.state == State.NEW or db.session.scalar(ended) is None:
        return None
    return Forbidden(N_("Its service has ended, so the record is owed: only a manager may cancel it."))


MOVES: dict[str, Move] = {
    "start": Move(noun="start", label=N_("Start the work"), done=N_("The work has begun."),
                  froms=frozenset({State.NEW}), to=State.WORKING, asks=False, icon="play", **_own),
    "resume": Move(noun="resumption", label=N_("Take it up again"), done=N_("It is being worked on again."),
                   froms=frozenset({State.WAITING}), to=State.WORKING, asks=False, icon="play", **_own),
    "end": Move(noun="ending", label=N_("End the service"), done=N_("The service has ended."),
                froms=frozenset({State.WORKING, State.WAITING}), to=State.ENDED, asks=False, icon="stop-circle", **_own),
    "complete": Move(noun="closure", label=N_("Complete the record"), done=N_("The record is complete."),
                     to=State.COMPLETE, froms=frozenset({State.NEW, State.WORKING, State.ENDED}), icon="check-circle",
                     tone="primary", **_own),
    "wait": Move(noun="pause", label=N_("Set it waiting"), done=N_("It waits now."),
                 froms=frozenset({State.WORKING}), to=State.WAITING, icon="pause", **_own),
    "escalate": Move(noun="escalation", label=N_("Hand it up to the manager"), done=N_("Handed up to the manager."),
                     froms=SERVED, to=None, icon="arrow-up-right", **_own),
    "settle": Move(noun="settlement", label=N_("Settle what was handed up"), done=N_("What was handed up is settled."),
                   froms=ALL, to=None, icon="chat-dots", owed="ticket.settle_escalation", tone="primary", **_lead),
    "tell": Move(noun="answer", label=N_("Note that the customer was called"), done=N_("Noted that the customer was called."),
                 froms=ALL, to=None, icon="telephone", owed="ticket.tell_customer", tone="primary", **_own),
    "see": Move(noun="exception", label=N_("Seen"), done=N_("Noted as seen."),
                froms=ALL, to=None, asks=False, icon="check2", owed="ticket.exception_seen", **_lead),
    "assign": Move(noun="assignment", label=N_("Give it to somebody else"),
                   done=N_("It is somebody else's now, who has been told."),
                   froms=SERVED, to=None, icon="person", **_lead),
    "reopen": Move(noun="reopening", label=N_("Reopen the record"), done=N_("The record is open again."),
                   icon="arrow-repeat", to=State.WORKING, froms=frozenset({State.ENDED, State.COMPLETE, State.CANCELLED}),
                   **_own),
    "duplicate": Move(noun="duplicate", label=N_("Mark it as a duplicate"), done=N_("Marked as a duplicate."),
                      froms=SERVED, to=State.CANCELLED, icon="copy", unless=_owed, **_own),
    "cancel": Move(noun="cancellation", label=N_("Cancel the record"), done=N_("The record is cancelled."),
                   froms=SERVED, to=State.CANCELLED, icon="x-circle", tone="danger", unless=_owed,
                   **_own),
}  # fmt: skip
Ticket.MOVES = MOVES
