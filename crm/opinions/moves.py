"""The moves of a customer's opinion: answered at once, or a complaint, which somebody else investigates first."""

from typing import Any

from crm.errors import Refused
from crm.labels import N_
from crm.moves import Move
from crm.opinions.models import Opinion, State
from crm.permissions import Permission as P

_lead: dict[str, Any] = {"permission": P.OPINION_INVESTIGATE, "others": True}
_undecided = frozenset({State.TO_ANSWER, State.TO_INVESTIGATE, State.INVESTIGATING, State.HEARD})
_own: dict[str, Any] = {**_lead, "own": True}


def _no_complaint(opinion: Opinion, _user: Any) -> Refused | None:
    return None if opinion.complaint else Refused(N_("Only a complaint is decided on."))


MOVES: dict[str, Move] = {
    "investigate": Move(noun="investigation", label=N_("Take the investigation on"), done=N_("It is yours to investigate."),
                        froms=frozenset({State.TO_INVESTIGATE}), to=State.INVESTIGATING, asks=False, icon="play",
                        tone="primary", **_lead),
    "hear": Move(noun="hearing", label=N_("Hear those concerned"), done=N_("Noted; whom it is about can read it now."),
                 froms=frozenset({State.INVESTIGATING, State.HEARD}), to=State.HEARD, icon="chat-dots", tone="primary", **_own),
    "confirm": Move(noun="confirmation", label=N_("Confirm the complaint"), done=N_("Confirmed; the customer is answered next."),
                    froms=frozenset({State.HEARD}), to=State.CONFIRMED, icon="check2", tone="primary", **_own),
    "dismiss": Move(noun="dismissal", label=N_("Not confirmed"), done=N_("Not confirmed; the customer is answered next."),
                    froms=frozenset({State.HEARD}), to=State.DISMISSED, icon="x-circle", **_own),
    "answer": Move(noun="answer", label=N_("Answer the customer"), done=N_("Answered; follow-up calls about the outcome."),
                   froms=frozenset({State.TO_ANSWER, State.CONFIRMED, State.DISMISSED}), to=State.ANSWERED, icon="send",
                   tone="primary", permission=P.OPINION_WORK, over=P.OPINION_INVESTIGATE, others=True),
    "review": Move(noun="review", label=N_("Decide anew"), done=N_("It is to be decided anew."),
                   froms=frozenset({State.CONFIRMED, State.DISMISSED, State.ANSWERED}), to=State.HEARD,
                   icon="arrow-return-left", unless=_no_complaint, **_lead),
    "correct": Move(noun="correction", label=N_("Put right what it is about"), done=N_("It is put right."),
                    froms=_undecided, to=_undecided, icon="pencil", **_lead),
    "reopen": Move(noun="reopening", label=N_("Answer anew"), done=N_("It is to be answered anew."),
                   froms=frozenset({State.ANSWERED}), icon="arrow-repeat",
                   to=frozenset({State.TO_ANSWER, State.CONFIRMED, State.DISMISSED}), **_lead),
    "assign": Move(noun="assignment", label=N_("Give it to somebody else"),
                   done=N_("It is somebody else's now, who has been told."),
                   froms=frozenset({State.TO_ANSWER, State.INVESTIGATING, State.HEARD, State.CONFIRMED, State.DISMISSED}),
                   to=None, icon="person", **_lead),
    "withdraw": Move(noun="withdrawal", label=N_("The customer withdraws it"), done=N_("It is withdrawn."),
                     froms=frozenset({State.TO_ANSWER, State.TO_INVESTIGATE, State.INVESTIGATING}), to=State.WITHDRAWN,
                     icon="x-circle", tone="danger", **_lead),
}  # fmt: skip
Opinion.MOVES = MOVES
