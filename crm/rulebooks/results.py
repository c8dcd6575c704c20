"""What a trial found, as a page says it."""

from typing import Any, NamedTuple

from crm.duties import queries as duties
from crm.permissions import Role
from crm.rulebooks.models import TrialRun
from crm.rulebooks.trial import Tally


class Sums(NamedTuple):
    """Of one rule, or of one person: missed and its price by the rules of the day, and under the draft."""

    key: str
    held: int
    held_fen: int
    draft: int
    draft_fen: int

    @property
    def more(self) -> int:
        return self.draft - self.held

    @property
    def dearer(self) -> int:
        return self.draft_fen - self.held_fen

    @property
    def differs(self) -> bool:
        return bool(self.more or self.dearer)


class Result(NamedTuple):
    total: Sums
    rules: list[Sums]
    people: list[Sums]
    names: dict[int, Any]
    tally: Tally

    def who(self, key: str) -> Any:
        """The person, by name; None for what nobody had taken on."""
        return self.names.get(int(key)) if key.isdecimal() else None

    @staticmethod
    def role(key: str) -> str:
        """To whose role it falls that nobody had taken on."""
        role = key.removeprefix("pool:")
        return Role(role).label if role in set(Role) else role


def _rows(sums: dict[str, list[int]]) -> list[Sums]:
    """What differs most first."""
    rows = [Sums(key, *row) for key, row in sums.items()]
    return sorted(rows, key=lambda row: (not row.differs, -abs(row.more), -abs(row.dearer), row.key))


def sums(run: TrialRun | None) -> Result | None:
    if run is None or not run.found:
        return None
    tally = Tally.of(run.found)
    people = _rows(tally.people)
    names = duties.names(int(row.key) for row in people if row.key.isdecimal())
    return Result(Sums("", *tally.total), _rows(tally.rules), people, names, tally)
