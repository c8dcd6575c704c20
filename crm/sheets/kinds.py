"""A kind of list that can be brought in: what its rows may say and who carries them out. Its page and its command both
come through `take`, two hundred rows a batch."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crm import importing
from crm.importing import Result
from crm.permissions import Permission
from crm.sheets.plan import Plan


@dataclass(frozen=True)
class Kind:
    """`noun`: of its list's address and of its command. `take(lines, by=, file=, known=)` carries out a batch inside the
    caller's unit of work; `trial()` is what it knows while nothing is kept: what later rows of a dry run need of earlier."""

    noun: str
    plan: type[Plan]
    take: Callable[..., Result]
    trial: Callable[[], Any]
    permission: Permission
    title: str  # of its page
    of: str  # the list they come into
    back: str  # the button that leads there
    says: str  # how its rows are known and compared

    @property
    def purpose(self) -> str:
        """Of its files while they wait."""
        return f"import {self.noun}"

    def run(
        self, content: bytes, name: str, mapping: Mapping[str, str], *, dry_run: bool = False, by=None,
        say: Callable[[str], Any] = print,
    ) -> Result:  # fmt: skip
        """A whole file, for the command: says what it understood, how far it is, every refused row and at last the sums."""
        plan = self.plan.read(content, name, mapping)
        plan.check()
        for line in _understood(plan):
            say(line)
        known = self.trial() if dry_run else None

        def so_far(result: Result) -> str:
            done = result.taken + len(result.refused)
            return f"{done} of {len(plan.lines)} rows" if len(plan.lines) > done else ""

        return importing.run(
            Result(), plan.batches(), lambda lines: self.take(lines, by=by, file=plan.name, known=known),
            so_far=so_far, dry_run=dry_run, say=say,
        )  # fmt: skip


def _understood(plan: Plan) -> Iterator[str]:
    sheet = f"sheet {plan.sheet}, " if plan.sheet else ""
    yield f"{plan.name}: {sheet}header in row {plan.header}, {len(plan.lines)} rows."
    yield f"taken: {', '.join(f'{column.header} = {column.field}' for column in plan.columns if column.field)}"
    if plan.left_out:
        yield f"left out: {', '.join(column.header for column in plan.left_out)} (to take one: --map COLUMN=field)"
