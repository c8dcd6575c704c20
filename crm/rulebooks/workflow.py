"""A draft of the rulebook: begun, changed, issued or discarded. What is saved is always a rulebook that can be read."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from crm import clock
from crm.db import db, next_number
from crm.duties import reading
from crm.duties import workflow as duties
from crm.duties.models import Edition
from crm.duties.record import open_subject, record
from crm.duties.rulebook import Rulebook, RulebookError
from crm.errors import Invalid, Refused, needed
from crm.labels import N_
from crm.rulebooks import differences, faults
from crm.rulebooks.following import with_fines
from crm.rulebooks.models import Draft, DraftEvent, DraftState
from crm.rulebooks.moves import CHANGE, DRAFT_MOVES
from crm.rulebooks.text import Change, applied, changed, data_of
from crm.staff import workflow as accounts

FURTHEST = timedelta(days=366)
TOLD = 200  # changes of one saving that are told one by one


class Unfit(Invalid):
    """What was typed would make no rulebook: every fault that was found."""

    def __init__(self, found: Sequence[str]) -> None:
        super().__init__(N_("This would be no rulebook that can be read."))
        self.faults = [faults.fault(one) for one in found]


def begin(*, by, title: str, base: Edition) -> Draft:
    """From an edition's text; several drafts may lie side by side."""
    draft = Draft(number=next_number("W"), title=title, state=DraftState.DRAFT, body=base.body, base_id=base.id, owner_id=by.id)
    open_subject(draft)
    record(DraftEvent.BEGUN, draft, by=by, edition=base.number)
    return draft


def check(data: Mapping[str, Any]) -> Rulebook:
    """Unfit, unless it is a rulebook of which the program knows every word."""
    try:
        return duties.known_to_all(reading.book_of(dict(data)))
    except RulebookError as wrong:
        raise Unfit(wrong.faults) from wrong


def planned(draft: Draft, changes: Sequence[Change]) -> tuple[list[Change], dict[str, Any]]:
    """What is to be changed, with what follows from it, and what the rulebook is then; Unfit if it is none."""
    data = data_of(draft.body)
    every = with_fines(list(changes), data)
    after = applied(data, every)
    if not after.get("category"):
        raise Invalid(N_("One category at least has to stay."))
    check(after)
    return every, after


def change(draft: Draft, changes: Sequence[Change], *, by) -> list[differences.Difference]:
    """Save some values of a draft: what differs now. Comments and order of its text stay."""
    CHANGE.check(draft, by)
    every, after = planned(draft, changes)
    if not differences.made(data_of(draft.body), every):
        return []
    text = changed(draft.body, every)
    if differences.between(data_of(text), after):  # as somebody may have written it by hand
        raise Refused(N_("The text is written so that this cannot be changed here: change it in the text itself."))
    return _save(draft, text, by)


def rewrite(draft: Draft, text: str, *, by) -> list[differences.Difference]:
    """The whole text, as somebody wrote it."""
    CHANGE.check(draft, by)
    text = text.replace("\r\n", "\n")
    try:
        duties.check_rulebook(text)
    except RulebookError as wrong:
        raise Unfit(wrong.faults) from wrong
    return [] if text == draft.body else _save(draft, text, by)


def faults_of(text: str) -> list[faults.Fault]:
    """All that is wrong with a text, as it is typed."""
    try:
        duties.check_rulebook(text.replace("\r\n", "\n"))
    except RulebookError as wrong:
        return [faults.fault(one) for one in wrong.faults]
    return []


def add(draft: Draft, change_: Change, *, by) -> None:
    """Something that is not there yet; Invalid if there is one of its key."""
    CHANGE.check(draft, by)
    table, key = change_.path
    if key in data_of(draft.body).get(table, {}):
        raise Invalid(fields={"key": N_("There is one of this key already.")})
    change(draft, [change_], by=by)


def _save(draft: Draft, text: str, by) -> list[differences.Difference]:
    CHANGE.check(draft, by)
    found = differences.between(data_of(draft.body), data_of(text))
    draft.body = text
    draft.version += 1
    db.session.flush()
    edits = [[list(one.path), one.before, one.after] for one in found[:TOLD]]
    record(DraftEvent.CHANGED, draft, by=by, edits=edits, **({"more": len(found) - TOLD} if len(found) > TOLD else {}))
    return found


def issue(draft: Draft, *, by, holds_from: date) -> Edition:
    """It holds from a day on, from now on if that is today; never backwards, nor before the last edition. Everybody is asked to
    acknowledge it; what is open keeps its own (10, ours.editions)."""
    DRAFT_MOVES["issue"].apply(draft, by)
    if holds_from > clock.today() + FURTHEST:
        raise Invalid(fields={"holds_from": N_("This lies more than a year away: no other edition could hold before it.")})
    try:
        at = clock.now() if holds_from == clock.today() else clock.moment(holds_from)
        edition = duties.issue_edition(draft.body, at, by=by)
    except RulebookError as wrong:  # the program has learnt since
        raise Unfit(wrong.faults) from wrong
    except ValueError as wrong:
        raise Invalid(fields={"holds_from": _refused(holds_from)}) from wrong
    draft.issued_id = edition.id
    record(DraftEvent.ISSUED, draft, by=by, of=edition.id, holds_from=holds_from)
    accounts.present_to_all(edition)
    return edition


def take_back(draft: Draft, *, by, reason: str) -> None:
    """The edition it became does not hold yet, and never will; it is a draft again."""
    DRAFT_MOVES["take_back"].apply(draft, by)
    needed(reason=reason)
    edition = db.session.get_one(Edition, draft.issued_id)
    duties.withdraw_edition(edition, by=by)
    draft.issued_id = None
    record(DraftEvent.TAKEN_BACK, draft, by=by, reason=reason, of=edition.id)


def _refused(day: date) -> str:
    if day < clock.today():
        return N_("That day is over: what happened before is judged by the rules of its day.")
    return N_("An edition holds from that day or a later one already.")


def discard(draft: Draft, *, by, reason: str) -> None:
    DRAFT_MOVES["discard"].apply(draft, by)
    needed(reason=reason)
    record(DraftEvent.DISCARDED, draft, by=by, reason=reason)
