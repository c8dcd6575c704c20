"""What a trial reads of the past: one subject's story, as far as the rulebook may ask of it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple


class Stood(NamedTuple):
    """Whose a subject was."""

    id: int
    owner_id: int | None
    concerned_id: int | None


@dataclass(slots=True)
class Past:
    """One event: what was known when it was recorded (None: that was not kept then), and of which kind its own subject is
    where that came of the one whose story this is."""

    id: int
    kind: str
    at: datetime
    recorded_at: datetime
    by_id: int | None
    facts: dict[str, Any]
    known: dict[str, Any] | None
    stood: Stood
    of: str = ""


class Fell(NamedTuple):
    """A missed deadline, as it is told apart from others of its subject."""

    rule: str
    slot: str
    owner_id: int | None
    due_at: datetime
    fine_clause: str | None
    fine_fen: int | None


@dataclass(slots=True)
class Story:
    """`duties`: the recorded ones, by their ids, each with its rule and slot; `fell`: those that were missed. `unknown`: what
    would have to be known of its events, and is not."""

    id: int
    kind: str
    lasting: bool
    edition_id: int
    events: list[Past] = field(default_factory=list)
    duties: dict[int, tuple[str, str]] = field(default_factory=dict)
    fell: Counter[Fell] = field(default_factory=Counter)
    unknown: frozenset[str] = frozenset()
