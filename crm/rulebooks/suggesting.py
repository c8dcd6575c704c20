"""What anybody suggests for the rulebook (9) or objects to (8): owed a written answer, never by whoever wrote it."""

from crm.db import next_number
from crm.duties import editions
from crm.duties.record import open_subject, record
from crm.errors import Invalid, WrongState, blank, needed
from crm.labels import N_
from crm.permissions import Role
from crm.rulebooks.models import Draft, DraftState, Kind, Suggestion, SuggestionEvent, SuggestionState
from crm.rulebooks.moves import SUGGESTION_MOVES

MADE = {Kind.SUGGESTION: SuggestionEvent.MADE, Kind.OBJECTION: SuggestionEvent.OBJECTED}
TO = {Kind.SUGGESTION: (Role.DIRECTOR, Role.MANAGER), Kind.OBJECTION: (Role.MANAGER, Role.DIRECTOR)}  # and if it is their own


def suggest(*, by, category: str, words: str, clause: str = "") -> Suggestion:
    """Write down a suggestion, or an objection, to a clause or to the whole."""
    wrong = blank(words=words)
    if clause and clause not in editions.todays().clauses:
        wrong["clause"] = N_("There is no such clause.")
    if wrong:
        raise Invalid(fields=wrong)
    kind = Kind(category)
    first, other = TO[kind]
    made = Suggestion(
        number=next_number("W"), title=words.strip().split("\n")[0][:60], state=SuggestionState.OPEN, category=kind,
        clause=clause, words=words, answers=other if first in by.roles else first, owner_id=by.id,
    )  # fmt: skip
    open_subject(made)
    record(MADE[kind], made, by=by, words=words)
    return made


def answer(suggestion: Suggestion, *, by, words: str) -> None:
    """In writing; whoever wrote it is told."""
    SUGGESTION_MOVES["answer"].apply(suggestion, by)
    needed(words=words)
    suggestion.answer = words
    record(SuggestionEvent.ANSWERED, suggestion, by=by, words=words)


def take_up(suggestion: Suggestion, *, by, draft: Draft | None) -> None:
    """A draft takes it up; another draft may do so instead."""
    SUGGESTION_MOVES["take_up"].apply(suggestion, by)
    if draft is None or draft.state != DraftState.DRAFT:
        raise Invalid(fields={"draft": N_("Choose a draft that is not issued yet.")})
    if draft.id == suggestion.draft_id:
        raise WrongState()
    suggestion.draft_id = draft.id
    record(SuggestionEvent.TAKEN_UP, suggestion, by=by, of=draft.id)


def withdraw(suggestion: Suggestion, *, by) -> None:
    SUGGESTION_MOVES["withdraw"].apply(suggestion, by)
    record(SuggestionEvent.WITHDRAWN, suggestion, by=by)
