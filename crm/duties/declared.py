"""What a package tells the spine of its kind of subject; `create_app` collects it, and the rulebook is checked against it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from crm.labels import Labelled
from crm.moves import Move


class Declared:
    noun: ClassVar[str] = ""  # the path's first segment
    label: ClassVar[str] = ""
    LASTING: ClassVar[bool] = False  # it outlives editions: what happens to it falls under the one of its day
    EVENTS: ClassVar[type[Labelled] | None] = None
    STATES: ClassVar[type[Labelled] | None] = None
    MOVES: ClassVar[dict[str, Move]] = {}
    DATES: ClassVar[tuple[str, ...]] = ()  # the facts of this kind a deadline may be counted from
    FACTS: ClassVar[tuple[str, ...]] = ()  # those a condition may name, beside state and category
    FIELDS: ClassVar[Mapping[str, str | tuple[str, type]]] = {}  # what changes → its title; and an enum, or datetime
    PENALTIES: ClassVar[tuple[str, ...]] = ()  # those its code names, which every edition has
    HINDRANCES: ClassVar[tuple[str, ...]] = ()  # the events that tell why the program cannot act by a rule
    SAID: ClassVar[Mapping[str, Mapping[str, str]]] = {}  # event → what its words are, where it has several
    NOTICES: ClassVar[dict[str, str]] = {}  # event → whom it concerns: "owner", or the facts that name them
    SEARCHED: ClassVar[frozenset[str]] = frozenset()  # the events after which `searched()` says something else
    HANDED: ClassVar[frozenset[str]] = frozenset()  # those (`from`, `to`) by which another owes what somebody owed
    # of events recorded before they kept what was known: those → what is so from them on ("at": when it happened; else the
    # name of a fact of theirs, or a value), and what never changes
    TELLS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    STEADY: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def derived(cls, known: Mapping[str, Any]) -> dict[str, Any]:
        """And what facts follow from others that are known then."""
        return {}
