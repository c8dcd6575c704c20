"""The board by step, and how long a request stayed in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm import clock
from crm.changes import queries
from crm.changes.models import OVER, ChangeRequest, State
from crm.changes.queries import ENTERS
from crm.duties import queries as duties
from crm.duties.models import Event

MOST = duties.MOST
STEPS = tuple(state for state in State if state not in OVER)


@dataclass(frozen=True)
class Board:
    """What is under way: each step with its requests, by the date that is promised."""

    steps: dict[State, list[Any]]
    names: dict[int, duties.Name]
    mine: bool = False

    @property
    def count(self) -> int:
        return sum(map(len, self.steps.values()))


def board(user, *, mine: bool = False) -> Board:
    rows = queries.going(user, mine=mine)
    steps: dict[State, list[Any]] = {state: [] for state in STEPS}
    for row in rows:
        steps[State(row.state)].append(row)
    return Board(steps, duties.names(id for row in rows for id in (row.customer_id, row.concerned_id, row.owner_id)), mine)


@dataclass(frozen=True)
class Stay:
    """How long it was in a step, each time together; the one it is in goes on."""

    state: State
    seconds: float


def stays(change: ChangeRequest) -> list[Stay]:
    """In the order in which the steps were first entered."""
    return time_in(queries.steps(change), change.state in OVER, clock.now())


def time_in(events: Sequence[Event], over: bool, now: datetime) -> list[Stay]:
    spent: dict[State, float] = {}
    for one, after in zip(events, [*events[1:], None], strict=True):
        state = ENTERS[one.kind]
        until = after.at if after else one.at if over else now
        spent[state] = spent.get(state, 0) + (until - one.at).total_seconds()
    return [Stay(state, seconds) for state, seconds in spent.items() if seconds]
