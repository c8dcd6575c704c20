"""Is all as it should be? A line for each thing looked at: `ok`, `bad` with what was found, `--` where it was left out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.exc import SQLAlchemyError

from crm import clock
from crm.db import Step, db, unit_of_work
from crm.durable import integrity, rows, stored
from crm.durable.integrity import LeftOut

SHOWN = 5
OK, BAD, OUT, FAILED = "ok", "bad", "--", "??"
Check = Callable[[], Iterable[str]] | Select


@dataclass(frozen=True)
class Result:
    """What should be so, and what was found to be otherwise (or why it could not be looked at)."""

    what: str
    mark: str = OK
    found: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.found:
            return f"{self.mark:<4} {self.what}"
        more = f", and {len(self.found) - SHOWN} more" if len(self.found) > SHOWN else ""
        number = f"{len(self.found)} not so: " if self.mark == BAD else ""
        return f"{self.mark:<4} {self.what}: {number}{', '.join(self.found[:SHOWN])}{more}"


def checks() -> Iterator[tuple[str, Check]]:
    """What should be so → what finds the exceptions: the database, then its rows, then the files."""
    yield from integrity.checks()
    yield from rows.checks()
    yield from stored.checks()


def run() -> Iterator[Result]:
    """Every check once, each in a reading transaction of its own; one that cannot be made does not stop the others."""
    for what, check in checks():
        try:
            with unit_of_work(read_only=True):
                rows_found = db.session.scalars(check) if isinstance(check, Select) else check()
                found = tuple(str(one) for one in rows_found)
            yield Result(what, BAD if found else OK, found)
        except LeftOut as why:
            yield Result(what, OUT, (str(why),))
        except (SQLAlchemyError, OSError) as wrong:
            yield Result(what, FAILED, (str(wrong).splitlines()[0],))


def swept() -> list[str]:
    """When each step of the sweep last did its work; nothing where nobody ever swept."""
    try:
        with unit_of_work(read_only=True):
            steps = db.session.execute(select(Step.name, Step.done_at).order_by(Step.name)).all()
    except SQLAlchemyError:  # said by the checks above
        return []
    return [f"{name}: last done {clock.local(at):%Y-%m-%d %H:%M}" if at else f"{name}: never done" for name, at in steps]


def exit_code(results: Iterable[Result]) -> int:
    """0 all well, 1 something was found, 2 nothing was found but not all could be looked at."""
    marks = {result.mark for result in results}
    return 1 if BAD in marks else 2 if FAILED in marks else 0
