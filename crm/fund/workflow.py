"""A month's statement, closed once and in order; and the fund's ledger, to which lines are only added (7.7, 7.8)."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import func, select

from crm import clock
from crm.db import db, hold, unit_of_work
from crm.duties.acts import each_once
from crm.duties.models import Edition, Event
from crm.duties.record import open_subject, record
from crm.errors import Forbidden, Invalid, Refused, WrongState, blank, needed
from crm.fund import statement
from crm.fund.models import EntryKind, FundEntry, Month, MonthEvent, State
from crm.labels import N_
from crm.moves import Move
from crm.penalties.models import PenaltyLine
from crm.permissions import Permission as P


def _out_of_turn(month: Month, _user: Any) -> Refused | None:
    """A month is closed once it is over, and every month before it is closed."""
    if not month.over:
        return Refused(N_("The month is not over yet."))
    return Refused(N_("An earlier month is still open: close that first.")) if statement.earlier_open(month) else None


MOVES: dict[str, Move] = {
    "close": Move(noun="closure", label=N_("Close the month"),
                  done=N_("The month is closed; what is decided later goes into the next."),
                  froms=frozenset({State.OPEN}), to=State.CLOSED, permission=P.MONTH_CLOSE, icon="check2", tone="primary",
                  asks=False, owed="month.close", unless=_out_of_turn),
    "take": Move(noun="payroll", label=N_("Taken to payroll"), done=N_("Payroll has it."), froms=frozenset({State.CLOSED}),
                 to=State.TAKEN, permission=P.STATEMENT_TAKE, icon="send", tone="primary", asks=False),
}  # fmt: skip
Month.MOVES = MOVES
LEDGER = "fund"


def months(as_of: datetime) -> Iterator[date]:
    """Those that have begun since the department did."""
    began = db.session.scalar(select(func.min(Edition.opened_at)))
    month = clock.local(began).date().replace(day=1) if began else date.max
    while month <= clock.local(as_of).date():
        yield month
        month += relativedelta(months=1)


def open_due(as_of: datetime) -> int:
    """A sweep's step: each month that has begun gets its statement, once."""
    with unit_of_work(read_only=True):
        known = _known()
    return each_once([month for month in months(as_of) if month not in known], open_month, lambda month: month in _known())


def _known() -> set[date]:
    return set(db.session.scalars(select(Month.month)))


def open_month(month: date) -> Month:
    one = Month(number=f"N{month:%y%m}-0001", title=f"{month:%Y-%m}", state=State.OPEN, month=month)
    open_subject(one)
    record(MonthEvent.OPENED, one)
    return one


def close(month: Month, *, by) -> None:
    """Lock it: what stands now is deducted and its fines go into the fund; what is decided later goes into the next (7.7)."""
    hold(LEDGER)  # months and spending take turns
    MOVES["close"].apply(month, by)
    lines = statement.due(month)
    month.body, month.closed_at = statement.body(lines), clock.now()
    db.session.add_all(
        PenaltyLine(month_id=month.id, penalty_id=one.penalty.id, person_id=one.penalty.concerned_id, fen=one.fen,
                    adjusts=one.adjusts)
        for one in lines
    )  # fmt: skip
    db.session.flush()
    event = record(MonthEvent.CLOSED, month, by=by, fen=month.body["fen"], fund=month.body["fund"])
    if month.body["fund"]:
        _enter(EntryKind.MONTH, month, event, month.body["fund"], clock.today(), month.title)


def take(month: Month, *, by) -> None:
    """The archivist has given it to payroll."""
    MOVES["take"].apply(month, by)
    record(MonthEvent.TAKEN, month, by=by)


def _enter(kind: EntryKind, month: Month, event: Event, fen: int, on: date, purpose: str, of: int | None = None) -> FundEntry:
    entry = FundEntry(kind=kind, month_id=month.id, event_id=event.id, fen=fen, on=on, purpose=purpose, reverses_id=of)
    db.session.add(entry)
    db.session.flush()
    return entry


def balance() -> int:
    return db.session.scalar(select(func.coalesce(func.sum(FundEntry.fen), 0))) or 0


def running() -> Month:
    """The month we are in; Refused until the sweep has opened it."""
    month = db.session.scalar(select(Month).where(Month.month == clock.today().replace(day=1)))
    if month is None:
        raise Refused(N_("This month has not been opened yet: the program does that within a minute. Try again then."))
    return month


def spend(*, by, fen: int, on: date, purpose: str) -> FundEntry:
    """Spend from the fund, and for what; never more than there is (7.8)."""
    if not by.may(P.FUND_SPEND):
        raise Forbidden()
    hold(LEDGER)
    wrong = blank(purpose=purpose)
    if fen > balance():
        wrong["fen"] = N_("There is not so much in the fund.")
    if on > clock.today():
        wrong["on"] = N_("This lies in the future.")
    if on < clock.today().replace(day=1):
        wrong["on"] = N_("Of an earlier month the balance is reported: enter it on a day of this one.")
    if wrong:
        raise Invalid(fields=wrong)
    month = running()
    return _enter(EntryKind.SPENT, month, record(MonthEvent.SPENT, month, by=by, fen=fen, words=purpose), -fen, on, purpose)


def reverse(entry: FundEntry, *, by, reason: str) -> FundEntry:
    """What was entered by mistake is taken back by a line of its own, once; both stay."""
    if not by.may(P.FUND_SPEND):
        raise Forbidden()
    hold(LEDGER)
    taken = db.session.scalar(select(FundEntry.id).where(FundEntry.reverses_id == entry.id))
    if entry.kind != EntryKind.SPENT or taken is not None:
        raise WrongState()
    needed(reason=reason)
    month = running()
    event = record(MonthEvent.REVERSED, month, by=by, fen=-entry.fen, words=reason)
    return _enter(EntryKind.REVERSED, month, event, -entry.fen, clock.today(), reason, of=entry.id)
