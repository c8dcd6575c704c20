"""The moves of a leave (2): decided by others, accepted by the stand-in, begun after the hand-over, over."""

from typing import Any

from crm.absences import returning
from crm.absences.models import AHEAD, Absence, State
from crm.errors import Refused, WrongState
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission as P

_decide: dict[str, Any] = {
    "permission": P.ABSENCE_DECIDE, "others": True, "froms": frozenset({State.ASKED}),
    "owed": "absence.decide absence.decide_lead",
}  # fmt: skip
_stands_in: dict[str, Any] = {
    "permission": P.SIGNED_IN, "hands": ("concerned_id",), "froms": frozenset({State.APPROVED, State.AWAY}),
    "owed": "absence.accept",
}  # fmt: skip


def _stood_in_for(absence: Absence, _user: Any) -> Refused | None:
    return WrongState() if absence.state == State.AWAY and absence.accepted_at else None


def _to_be_rejected(absence: Absence, user: Any) -> Refused | None:
    """What is only asked for others reject."""
    return WrongState() if absence.state == State.ASKED and user.id != absence.owner_id else None


def _nothing_left(absence: Absence, _user: Any) -> Refused | None:
    return None if returning.returnable(absence) else Refused(NOTHING_LEFT)


NOTHING_LEFT = N_("Nothing of it is open with the stand-in any more.")
_own: dict[str, Any] = {"permission": P.SIGNED_IN, "over": P.ABSENCE_DECIDE}
MOVES: dict[str, Move] = {
    "approve": Move(noun="approval", label=N_("Approve the leave"), done=N_("Approved; the stand-in has been told."),
                    to=frozenset({State.APPROVED, State.OVER}), icon="check2", tone="primary", **_decide),
    "reject": Move(noun="rejection", label=N_("Reject the leave"), done=N_("Rejected; who asked has been told."),
                   to=State.REJECTED, icon="x-circle", **_decide),
    "accept": Move(noun="acceptance", label=N_("I stand in"), done=N_("You stand in; what goes over to you is listed below."),
                   to=frozenset({State.ACCEPTED, State.AWAY}), icon="check2", tone="primary", **_stands_in),
    "decline": Move(noun="refusal", label=N_("I cannot stand in"), done=N_("Declined; who asked has been told."),
                    to=frozenset({State.WANTING, State.AWAY}), icon="x-circle", **_stands_in),
    "name": Move(noun="substitute", label=N_("Name another stand-in"), done=N_("Named; they are asked to accept."),
                 froms=AHEAD | {State.AWAY}, to=frozenset({State.APPROVED, State.AWAY}), icon="person", unless=_stood_in_for,
                 **_own),
    "return": Move(noun="return", label=N_("I am back from leave"), done=N_("Welcome back."),
                   froms=frozenset({State.AWAY, State.OVER}), to=State.OVER, asks=False, icon="house-check", tone="primary",
                   owed="absence.return", permission=P.SIGNED_IN, own=True),
    "give_back": Move(noun="handback", label=N_("Give back what is still open"), done=N_("What could go back has gone back."),
                      froms=frozenset({State.OVER}), to=None, asks=False, icon="arrow-return-left", permission=P.SIGNED_IN,
                      hands=("owner_id", "concerned_id"), unless=_nothing_left),
    "judge": Move(noun="judgement", label=N_("Say anew whether it could be foreseen"), done=N_("It is decided anew."),
                  froms=AHEAD | {State.AWAY, State.OVER}, to=None, icon="shield-check", permission=P.ABSENCE_DECIDE, others=True),
    "shorten": Move(noun="shortening", label=N_("Shorten the leave"), done=N_("The leave is shortened."),
                    froms=AHEAD | {State.AWAY}, to=None, icon="calendar3", **_own),
    "withdraw": Move(noun="withdrawal", label=N_("Withdraw the leave"), done=N_("The leave is withdrawn."),
                     froms=AHEAD | {State.ASKED}, to=State.WITHDRAWN, icon="x-circle", tone="danger",
                     unless=_to_be_rejected, **_own),
}  # fmt: skip
Absence.MOVES = MOVES
