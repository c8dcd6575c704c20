"""How a customer follows their request: a read-only link that its specialist makes, that runs out, and that can be ended."""

import secrets
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import selectinload

from crm import clock
from crm.changes import queries
from crm.changes.models import ChangeEvent, ChangeRequest, State, StatusLink
from crm.changes.moves import MOVES
from crm.db import db, rows_of
from crm.duties import editions
from crm.duties.record import record
from crm.errors import NotThere
from crm.labels import N_
from crm.staff.workflow import hash_token

WORDS = {  # what the customer reads of each state
    State.DRAFT: N_("We are agreeing with you on what is wanted."), State.SUBMITTED: N_("It is being decided on."),
    State.APPROVED: N_("It is approved and will be built."), State.REJECTED: N_("It is not taken on; we tell you why."),
    State.BUILDING: N_("It is being built."), State.TESTING: N_("It is built and being tested."),
    State.PASSED: N_("It has passed our test; you get it next."), State.UPDATED: N_("You have it: tell us how it does."),
    State.CLOSED: N_("It is done."), State.WITHDRAWN: N_("It was withdrawn."),
}  # fmt: skip


STEPS = {  # and of each step that was taken
    State.DRAFT: N_("we began to agree on it with you"), State.SUBMITTED: N_("put to a decision"), State.APPROVED: N_("approved"),
    State.REJECTED: N_("not taken on"), State.BUILDING: N_("work on it began"), State.TESTING: N_("built; our test began"),
    State.PASSED: N_("passed our test"), State.UPDATED: N_("brought to you"), State.CLOSED: N_("finished"),
    State.WITHDRAWN: N_("withdrawn"),
}  # fmt: skip


def make(change: ChangeRequest, *, by) -> str:
    """A new link's token, shown this once; the one before is void."""
    MOVES["link"].apply(change, by)
    _end(change)
    token, now = secrets.token_urlsafe(24), clock.now()
    until = now + timedelta(days=editions.setting(change, "status_link_days"))
    db.session.add(StatusLink(change_id=change.id, token_hash=hash_token(token), made_at=now, expires_at=until))
    record(ChangeEvent.LINKED, change, by=by, until=until)
    return token


def end(change: ChangeRequest, *, by) -> None:
    MOVES["unlink"].apply(change, by)
    _end(change)
    record(ChangeEvent.UNLINKED, change, by=by)


def _end(change: ChangeRequest) -> None:
    here = update(StatusLink).where(StatusLink.change_id == change.id, StatusLink.ended_at.is_(None))
    rows_of(db.session.execute(here.values(ended_at=clock.now())))


@dataclass(frozen=True)
class Step:
    day: date
    state: State


@dataclass(frozen=True)
class Status:
    """All that a customer is shown: of this request, and of nothing else. None of our names, none of our notes."""

    number: str
    title: str
    state: State
    requirement: str
    agreed: str
    promised: list[date]  # every date, the one in force last
    updated_on: date | None
    steps: list[Step]


def of(token: str) -> Status:
    """What a link shows; NotThere for one that is unknown, ended or out of date. Asked of the database each time, so that
    an ended link is dead on every worker at once."""
    good = StatusLink.ended_at.is_(None), StatusLink.expires_at > clock.now(), StatusLink.token_hash == hash_token(token)
    rows = select(ChangeRequest).join(StatusLink, StatusLink.change_id == ChangeRequest.id).where(*good)
    change = db.session.scalar(rows.options(selectinload(ChangeRequest.promises)))
    if change is None:
        raise NotThere(N_("This link has run out or was ended: ask your service specialist for a new one."))
    steps = [Step(clock.local(one.at).date(), queries.ENTERS[one.kind]) for one in queries.steps(change)]
    return Status(
        change.number, change.title, State(change.state), change.requirement, change.agreed,
        [one.day for one in change.promises] if change.expected_on else [], change.updated_on, steps,
    )  # fmt: skip
