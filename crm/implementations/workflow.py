"""Implementations (5.7.3, 7.6): begun and ended; from the end on three papers are owed."""

from datetime import date
from typing import Any

from crm import clock
from crm.db import next_number
from crm.duties import queries
from crm.duties import workflow as duties
from crm.duties.models import Subject
from crm.duties.record import open_subject, record
from crm.errors import Forbidden, Invalid
from crm.implementations.models import Implementation, ImplementationEvent, State
from crm.labels import N_
from crm.moves import Move, edit
from crm.permissions import Permission as P
from crm.serials.models import Installation

_own: dict[str, Any] = {"permission": P.CUSTOMER_EDIT, "over": P.TICKET_ASSIGN}  # its end is what its owner is fined by (7.6)
MOVES: dict[str, Move] = {
    "end": Move(noun="end", label=N_("The implementation has ended"), done=N_("The end is noted; three papers are owed."),
                froms=frozenset({State.RUNNING}), to=State.ENDED, icon="check2", tone="primary", **_own),
    "assign": Move(noun="assignment", label=N_("Give it to somebody else"),
                   done=N_("It is somebody else's now, who has been told."),
                   froms=frozenset({State.RUNNING, State.ENDED}), to=None, icon="person", permission=P.TICKET_ASSIGN),
    "cancel": Move(noun="cancellation", label=N_("Cancel the implementation"), done=N_("The implementation is cancelled."),
                   froms=frozenset({State.RUNNING}), to=State.CANCELLED, icon="x-circle", tone="danger",
                   permission=P.TICKET_ASSIGN),  # never whoever would owe its papers
}  # fmt: skip
Implementation.MOVES = MOVES
CHANGE = Move(noun="edit", label=N_("Change"), froms=frozenset({State.RUNNING}), to=None, **_own)  # no button


def begin(
    customer: Subject, *, by, title: str, starts_on: date, installation: Installation | None = None, owner=None, remark: str = ""
) -> Implementation:  # fmt: skip
    if not by.may(P.CUSTOMER_EDIT):
        raise Forbidden()
    _theirs(installation, customer.id)
    made = Implementation(
        number=next_number("J", clock.today()), customer_id=customer.id, owner_id=(owner or by).id, title=title,
        state=State.RUNNING, starts_on=starts_on, installation_id=installation and installation.id, remark=remark,
    )  # fmt: skip
    open_subject(made)
    record(ImplementationEvent.STARTED, made, by=by, starts_on=starts_on)
    return made


def _theirs(installation: Installation | None, customer_id: int | None) -> None:
    if installation is not None and installation.customer_id != customer_id:
        raise Invalid(fields={"installation": N_("These are another customer's.")})


def change(made: Implementation, *, by, installation: Installation | None, **changes) -> None:
    CHANGE.check(made, by)
    _theirs(installation, made.customer_id)
    differences = edit(made, changes | {"installation_id": installation and installation.id})
    if ids := differences.pop("installation_id", None):
        named = queries.names(ids)
        differences["installation"] = [named[id].title if id in named else None for id in ids]
    if differences:
        record(ImplementationEvent.EDITED, made, by=by, changes=differences)


def end(made: Implementation, *, by, ended_on: date) -> None:
    """Its end: within three days the implementation form is back (7.6)."""
    MOVES["end"].apply(made, by)
    if not made.starts_on <= ended_on <= clock.today():
        raise Invalid(fields={"ended_on": N_("Between its beginning and today.")})
    made.ended_on = ended_on
    record(ImplementationEvent.ENDED, made, by=by, ended_on=ended_on)


def assign(made: Implementation, *, by, to, reason: str) -> None:
    """Somebody else goes on with it, and owes its papers."""
    duties.assign(made, ImplementationEvent.ASSIGNED, by=by, to=to, reason=reason, works=P.CONTRACT_WORK)


def cancel(made: Implementation, *, by, reason: str) -> None:
    MOVES["cancel"].apply(made, by)
    record(ImplementationEvent.CANCELLED, made, by=by, reason=reason)
