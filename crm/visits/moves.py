"""The moves of a visit (5.3): its states, every arrow that has a button, and the one that comes of a change."""

from typing import Any

from crm.errors import Refused
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission as P
from crm.visits.models import State, Visit

_own: dict[str, Any] = {"permission": P.VISIT_WORK, "own": True}
_decide: dict[str, Any] = {
    "permission": P.VISIT_DECIDE, "others": True, "froms": frozenset({State.REQUESTED}),
    "owed": "visit.decide",
}  # fmt: skip
UNDECIDED = frozenset({State.REQUESTED, State.APPROVED, State.REJECTED})
ON_FORM = frozenset({State.ARRIVED, State.BACK, State.WRITTEN_UP})  # until it is handed in


def _handed_in(visit: Visit, _user: Any) -> Refused | None:
    words = N_("The feedback form was handed in already: it stays as it is.")
    return Refused(words) if visit.handed_in_at else None


def _not_to_sign(visit: Visit, user: Any) -> Refused | None:
    """What is not filled in is not signed, what is handed in stays as it is."""
    words = N_("The feedback form is signed once it says what came of each department.")
    return _handed_in(visit, user) or (None if visit.reported else Refused(words))


_on_form: dict[str, Any] = {**_own, "froms": ON_FORM, "to": None}
MOVES: dict[str, Move] = {
    "approve": Move(noun="approval", label=N_("Approve the visit"), done=N_("Approved; the specialist has been told."),
                    to=State.APPROVED, icon="check2", tone="primary", **_decide),
    "reject": Move(noun="rejection", label=N_("Reject the visit"), done=N_("Rejected; the specialist has been told."),
                   to=State.REJECTED, icon="x-circle", **_decide),
    "depart": Move(noun="departure", label=N_("I am leaving now"), done=N_("Noted when you left."),
                   froms=frozenset({State.APPROVED}), to=State.DEPARTED, asks=False, icon="signpost", **_own),
    "arrive": Move(noun="arrival", label=N_("I have arrived"), done=N_("Noted when you arrived."),
                   froms=frozenset({State.DEPARTED}), to=State.ARRIVED, asks=False, icon="geo-alt", **_own),
    "report": Move(noun="feedback", label=N_("Fill in the feedback form"), done=N_("The feedback form is saved."),
                   icon="clipboard", unless=_handed_in, **_on_form),
    "sign": Move(noun="signature", label=N_("Let the customer sign"), done=N_("The customer has signed."),
                 icon="pen", unless=_not_to_sign, **_on_form),
    "scan": Move(noun="signed-form", label=N_("Signed on paper"), done=N_("The signed form is kept."),
                 icon="upload", unless=_not_to_sign, **_on_form),
    "refuse": Move(noun="unsigned", label=N_("The customer does not sign"), done=N_("Noted that the customer does not sign."),
                   icon="x-circle", unless=_not_to_sign, **_on_form),
    "see": Move(noun="refusal", label=N_("Seen"), done=N_("Noted as seen."),
                froms=ON_FORM, to=None, asks=False, icon="check2", owed="visit.see_refusal", permission=P.VISIT_DECIDE),
    "return": Move(noun="return", label=N_("I am back"), done=N_("Noted when you came back."),
                   froms=frozenset({State.ARRIVED}), to=State.BACK, asks=False, icon="house-check", **_own),
    "hand_in": Move(noun="hand-in", label=N_("Hand in the feedback form"), done=N_("The feedback form is handed in."),
                    to=None, asks=False, owed="visit.hand_in", unless=_handed_in, froms=frozenset({State.BACK, State.WRITTEN_UP}),
                    icon="inbox", **_own),
    "write_up": Move(noun="record", label=N_("Write the service record"), done=N_("The service record is written."),
                     froms=frozenset({State.BACK}), to=State.WRITTEN_UP, icon="journal-text", tone="primary", **_own),
    "assign": Move(noun="assignment", label=N_("Give it to somebody else"),
                   done=N_("It is somebody else's now, who has been told."),
                   to=None, icon="person", permission=P.VISIT_DECIDE,
                   froms=frozenset(State) - {State.REJECTED, State.CANCELLED}),
    "cancel": Move(noun="cancellation", label=N_("Cancel the visit"), done=N_("The visit is cancelled."),
                   to=State.CANCELLED, icon="x-circle", tone="danger", froms=UNDECIDED | {State.DEPARTED},
                   permission=P.VISIT_READ, over=P.VISIT_DECIDE),
}  # fmt: skip
Visit.MOVES = MOVES
CHANGE = Move(noun="edit", label=N_("Change the request"), froms=UNDECIDED, to=State.REQUESTED, **_own)  # no button
