"""The moves of a draft, and of what somebody suggests or objects to."""

from typing import Any

from crm.errors import Forbidden, Refused, WrongState
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission as P
from crm.rulebooks import queries
from crm.rulebooks.models import Draft, DraftState, Suggestion, SuggestionState


def _holds(draft: Draft, _user: Any) -> Refused | None:
    """What is in force, or was, is not taken back."""
    return None if queries.to_come(draft) else WrongState()


def _anothers(suggestion: Suggestion, user: Any) -> Refused | None:
    words = N_("Objections are the manager's to answer, suggestions the director's; their own the other's.")
    return None if suggestion.answers in user.roles else Forbidden(words)


DRAFT_MOVES: dict[str, Move] = {
    "issue": Move(noun="issue", label=N_("Issue it"), done=N_("It is issued: everybody is asked to acknowledge it."),
                  froms=frozenset({DraftState.DRAFT}), to=DraftState.ISSUED, permission=P.RULEBOOK_ISSUE, icon="send",
                  tone="primary"),
    "take_back": Move(noun="recall", label=N_("Take the edition back"), done=N_("It will not hold; this is a draft again."),
                      froms=frozenset({DraftState.ISSUED}), to=DraftState.DRAFT, permission=P.RULEBOOK_ISSUE, tone="danger",
                      icon="arrow-return-left", unless=_holds),
    "discard": Move(noun="discarding", label=N_("Discard the draft"), done=N_("The draft is discarded."),
                    froms=frozenset({DraftState.DRAFT}), to=DraftState.DISCARDED, permission=P.RULEBOOK_ISSUE, icon="x-circle",
                    tone="danger"),
}  # fmt: skip
CHANGE = Move(noun="text", label=N_("Change the draft"), done=N_("Saved."), froms=frozenset({DraftState.DRAFT}), to=None,
              permission=P.RULEBOOK_ISSUE, icon="pencil")  # fmt: skip
SUGGESTION_MOVES: dict[str, Move] = {
    "answer": Move(noun="answer", label=N_("Answer in writing"), done=N_("Answered; whoever wrote it has been told."),
                   froms=frozenset({SuggestionState.OPEN}), to=SuggestionState.ANSWERED, permission=P.RULEBOOK_DRAFTS,
                   others=True, icon="send", tone="primary", unless=_anothers),
    "take_up": Move(noun="draft", label=N_("Take it up in a draft"), done=N_("It is taken up; whoever wrote it has been told."),
                    froms=frozenset({SuggestionState.OPEN, SuggestionState.ANSWERED}), to=None, permission=P.RULEBOOK_ISSUE,
                    icon="journal-text"),
    "withdraw": Move(noun="withdrawal", label=N_("Withdraw it"), done=N_("It is withdrawn."),
                     froms=frozenset({SuggestionState.OPEN}), to=SuggestionState.WITHDRAWN, permission=P.SIGNED_IN, own=True,
                     asks=False, icon="x-circle"),
}  # fmt: skip
Draft.MOVES = DRAFT_MOVES
Suggestion.MOVES = SUGGESTION_MOVES
