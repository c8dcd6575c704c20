"""The moves of a callback (5.5): what happens on the telephone, and what becomes of a doubt."""

from typing import Any

from crm.callbacks.models import Callback, State
from crm.duties import editions
from crm.errors import Invalid, Refused
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission as P

_own: dict[str, Any] = {"permission": P.CALLBACK_WORK, "own": True, "froms": frozenset({State.CALLING})}


def _too_few_calls(callback: Callback, _user: Any) -> Refused | None:
    least = editions.setting(callback, "calls_before_giving_up")
    return Invalid(N_("Only after %(n)s calls that nobody answered."), n=least) if callback.attempts < least else None


MOVES: dict[str, Move] = {
    "reach": Move(noun="result", label=N_("Save the result"), done=N_("The result is saved."),
                  to=State.REACHED, icon="telephone", tone="primary", **_own),
    "attempt": Move(noun="attempts", label=N_("Nobody answered"), done=N_("Noted that nobody answered."),
                    to=None, asks=False, icon="x-circle", **_own),
    "later": Move(noun="postponement", label=N_("Call again later"), done=N_("Noted when to call again."),
                  to=None, icon="clock", **_own),
    "give_up": Move(noun="end", label=N_("Nobody can be reached"), done=N_("Noted that nobody can be reached."),
                    to=State.UNREACHED, icon="x-circle", tone="danger", unless=_too_few_calls, **_own),
    "drop": Move(noun="dropping", label=N_("No call is owed any more"), done=N_("The callback has ended."),
                 to=State.DROPPED, asks=False, icon="x-circle", permission=P.CALLBACK_WORK,
                 froms=frozenset({State.CALLING})),
    "escalate": Move(noun="escalation", label=N_("Pass a doubt on to the manager"), done=N_("Passed on to the manager."),
                     to=State.ESCALATED, icon="arrow-up-right", permission=P.CALLBACK_WORK, own=True,
                     froms=frozenset({State.REACHED})),
    "assign": Move(noun="assignment", label=N_("Assign somebody"), done=N_("Assigned: a service record of theirs is open."),
                   to=State.ASSIGNED, icon="person", tone="primary", permission=P.TICKET_ASSIGN, others=True,
                   froms=frozenset({State.ESCALATED})),
}  # fmt: skip
Callback.MOVES = MOVES
