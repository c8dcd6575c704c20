"""The moves of a change request (5.4): its states, every arrow that has a button, and those that come of a change of its text."""

from typing import Any

from crm.changes import queries
from crm.changes.models import BOUND, PROMISED, UNDECIDED, ChangeRequest, State
from crm.errors import Forbidden, Refused, WrongState
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission as P

_own: dict[str, Any] = {"permission": P.CHANGE_WORK, "own": True}
_decide: dict[str, Any] = {"permission": P.CHANGE_DECIDE, "others": True}
_build: dict[str, Any] = {"permission": P.CHANGE_BUILD, "others": True}
GOING = frozenset({State.DRAFT, State.SUBMITTED, *PROMISED})
TOLD = GOING | {State.REJECTED}  # while it is owed: the request may be taken up again before the customer was told


def _nothing_promised(change: ChangeRequest, _user: Any) -> Refused | None:
    return WrongState() if change.expected_on is None else None


def _built_it(change: ChangeRequest, user: Any) -> Refused | None:
    """The reporter tests, never the developer, whatever they hold (5.4.6)."""
    return Forbidden(N_("Whoever built it does not test it.")) if user.id in queries.builders(change) else None


def _no_link(change: ChangeRequest, _user: Any) -> Refused | None:
    return None if change.link else Refused(N_("There is no link that is good."))


MOVES: dict[str, Move] = {
    "submit": Move(noun="submission", label=N_("Submit it to the manager"), done=N_("Submitted; the manager decides."),
                   froms=frozenset({State.DRAFT}), to=State.SUBMITTED, icon="send", tone="primary", **_own),
    "approve": Move(noun="approval", label=N_("Approve the request"), done=N_("Approved; the specialist tells the customer."),
                    froms=frozenset({State.SUBMITTED}), to=State.APPROVED, icon="check2", tone="primary",
                    owed="change.decide", **_decide),
    "reject": Move(noun="rejection", label=N_("Reject the request"), done=N_("Rejected; the specialist tells the customer."),
                   froms=frozenset({State.SUBMITTED}), to=State.REJECTED, icon="x-circle", owed="change.decide", **_decide),
    "tell": Move(noun="answer", label=N_("The customer was told"), done=N_("Noted that the customer was told."),
                 froms=TOLD, to=None, icon="telephone", owed="change.tell", tone="primary", **_own),
    "take": Move(noun="taking", label=N_("Take it on"), done=N_("It is yours to build."),
                 froms=frozenset({State.APPROVED}), to=State.BUILDING, asks=False, icon="play", tone="primary", **_build),
    "deliver": Move(noun="delivery", label=N_("It is ready to be tested"), done=N_("Delivered; who reported it tests it."),
                    froms=frozenset({State.BUILDING}), to=State.TESTING, icon="box-arrow-right", tone="primary",
                    hands=("concerned_id",), **_build),
    "pass": Move(noun="passing", label=N_("It passes the test"), done=N_("It has passed."),
                 froms=frozenset({State.TESTING}), to=State.PASSED, icon="check-circle", tone="primary",
                 unless=_built_it, **_own),
    "fail": Move(noun="failure", label=N_("It fails the test"), done=N_("It goes back to the developer, who has been told."),
                 froms=frozenset({State.TESTING}), to=State.BUILDING, icon="arrow-return-left", unless=_built_it,
                 **_own),
    "postpone": Move(noun="promise", label=N_("Move the promised date"), done=N_("The new date is promised."),
                     froms=GOING, to=None, icon="calendar3", unless=_nothing_promised, **_decide),
    "update": Move(noun="update", label=N_("The customer has it"), done=N_("Noted that the customer has it."),
                   froms=frozenset({State.PASSED}), to=State.UPDATED, icon="upload", tone="primary", **_own),
    "close": Move(noun="closure", label=N_("Note what the customer says of it"), done=N_("The request is closed."),
                  froms=frozenset({State.UPDATED}), to=State.CLOSED, icon="chat-dots", tone="primary", **_own),
    "link": Move(noun="link", label=N_("Make a status link"), done=N_("The link is made."), froms=frozenset(State), to=None,
                 asks=False, icon="arrow-up-right", permission=P.CHANGE_WORK, own=True),
    "unlink": Move(noun="unlinking", label=N_("End the status link"), done=N_("The link has ended: it opens nothing any more."),
                   froms=frozenset(State), to=None, asks=False, icon="x-circle", permission=P.CHANGE_READ,
                   over=P.CHANGE_DECIDE, unless=_no_link),
    "rebuild": Move(noun="builder", label=N_("Another developer builds it"), done=N_("It is theirs to build now."),
                    froms=frozenset({State.BUILDING, State.TESTING}), to=None, icon="person", permission=P.CHANGE_DECIDE),
    "assign": Move(noun="assignment", label=N_("Give it to somebody else"),
                   done=N_("It is somebody else's now, who has been told."),
                   froms=GOING | {State.REJECTED, State.UPDATED}, to=None, icon="person", permission=P.CHANGE_DECIDE),
    "withdraw": Move(noun="withdrawal", label=N_("Withdraw the request"), done=N_("The request is withdrawn."),
                     froms=GOING, to=State.WITHDRAWN, icon="x-circle", tone="danger", permission=P.CHANGE_READ,
                     over=P.CHANGE_DECIDE),
}  # fmt: skip
ChangeRequest.MOVES = MOVES
# what changing the text does by itself: no button of its own
REWORK = Move(noun="", label="", froms=UNDECIDED - {State.DRAFT}, to=State.DRAFT, **_own)
VOID = Move(noun="", label="", froms=BOUND, to=State.DRAFT, **_own)
CHANGE = Move(noun="edit", label=N_("Change the request"), froms=GOING - {State.PASSED} | {State.REJECTED}, to=None, **_own)
