"""Bringing in what other programs have, whatever it is. A batch is a unit of work: nobody waits for longer, and what is
done stays done when the rest is stopped; run again, an import finds it unchanged and goes on from there."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from typing import Any, Self, TypeVar

from sqlalchemy.exc import DataError, IntegrityError

from crm.db import db, hold, unit_of_work
from crm.duties.record import by_import
from crm.errors import Invalid
from crm.labels import N_

LOCK = "imports"  # begins no number
IN_PART = 3  # exit code of a command that could not take every row
BAD = (Invalid, IntegrityError, DataError, ValueError)  # the item's own fault, not that of the disk or the server

R = TypeVar("R", bound="Result")
T = TypeVar("T")


@dataclass
class Result:
    """What became of the items; results add up."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[int, Invalid]] = field(default_factory=list)  # row number, reason

    def __iadd__(self, other: Self) -> Self:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        return self

    def __str__(self) -> str:
        return (
            f"created {self.created}, updated {self.updated}, unchanged {self.unchanged}, refused {len(self.refused)}"
        )

    @property
    def taken(self) -> int:
        return self.created + self.updated + self.unchanged

    def remarks(self) -> Iterator[tuple[int, str]]:
        """What there is to say of single rows."""
        yield from ((number, why.message % why.params) for number, why in self.refused)

    def sums(self) -> Iterator[str]:
        yield str(self)


def run(
    result: R, batches: Iterable[T], take: Callable[[T], R], *, so_far: Callable[[R], str], dry_run: bool,
    say: Callable[[str], Any],
) -> R:  # fmt: skip
    """A whole file, for a command: says what there is to say of its rows, how far it is, and at last the sums. A dry run
    rolls every batch back: what later ones need of it, `take` keeps in memory."""
    try:
        for batch in batches:
            part = _done(batch, take, dry_run)
            result += part
            for number, words in sorted(part.remarks()):
                say(f"row {number}: {words}")
            if line := so_far(result):
                say(line)
    except KeyboardInterrupt:
        kept = "nothing was kept" if dry_run else f"{result.taken} are in; run it again, and these are found unchanged"
        say(f"stopped: {kept}.")
        raise
    if dry_run:
        say("a dry run: nothing was kept.")
    for line in result.sums():
        say(line)
    return result


class _Undo(Exception):
    pass


def _done(batch: T, take: Callable[[T], R], dry_run: bool) -> R:
    with suppress(_Undo), unit_of_work():
        part = take(batch)
        if dry_run:
            raise _Undo
    return part


@contextmanager
def taking() -> Iterator[None]:
    """What is recorded inside came in with a file; whoever else imports waits until the unit of work ends, so that two
    at once never both find a thing missing."""
    with by_import():
        hold(LOCK)
        yield


def saved(items: Sequence[T], do: Callable[[Sequence[T]], R], refuse: Callable[[T, Exception], R]) -> Iterator[R]:
    """What came of items that are done all at once, in one savepoint; if that is refused, of either half by itself: so at
    last a bad one is left out alone, and many good ones cost no more than one."""
    if not items:
        return
    try:
        with db.session.begin_nested():
            done = do(items)
    except BAD as why:
        if len(items) == 1:
            yield refuse(items[0], why)
            return
    else:
        yield done
        return
    half = len(items) // 2
    yield from saved(items[:half], do, refuse)
    yield from saved(items[half:], do, refuse)


def refusal(why: Exception) -> Invalid:
    """In words for people, why an item is left out."""
    if isinstance(why, Invalid):
        return why
    return Invalid(N_("It cannot be stored: %(why)s"), why=str(getattr(why, "orig", why)).split("\n", 1)[0])
