"""What the rows of one record in a log tell: the record as it stands at last, and the events that led there. Nothing
here asks the database; people and units are called by the names the log gives them."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from crm.errors import Invalid
from crm.labels import N_, Priority
from crm.tickets.log import COLUMNS, NOTHING, Remark, Row
from crm.tickets.models import Channel, State, stamp
from crm.tickets.models import TicketEvent as E

NOWHERE = "未注明单位"  # the unit of records whose location the log does not tell
CHANNELS = {"Phone": Channel.PHONE, "Email": Channel.EMAIL}
ASKED = ("subcategory", "u_symptom")  # what, after the category, makes the line a record is called by
CHANGES = {
    "location": "customer", "caller_id": "contact", "subcategory": "subcategory", "u_symptom": "symptom",
    "cmdb_ci": "item", "impact": "impact", "urgency": "urgency", "assignment_group": "group", "problem_id": "problem",
    "rfc": "change_request", "vendor": "vendor",
}  # fmt: skip
_TOLD = frozenset(COLUMNS) | {"active"}  # told by a column, a state or an event

N, W, A, X, Z, V = State.NEW, State.WORKING, State.WAITING, State.ENDED, State.COMPLETE, State.CANCELLED
STEPS: dict[tuple[State, State], tuple[E, ...]] = {
    (N, W): (E.STARTED,), (N, A): (E.STARTED, E.WAITING), (N, X): (E.STARTED, E.ENDED),
    (N, Z): (E.STARTED, E.ENDED, E.COMPLETED), (N, V): (E.CANCELLED,),
    (W, A): (E.WAITING,), (W, X): (E.ENDED,), (W, Z): (E.ENDED, E.COMPLETED), (W, V): (E.CANCELLED,),
    (A, W): (E.RESUMED,), (A, X): (E.ENDED,), (A, Z): (E.ENDED, E.COMPLETED), (A, V): (E.CANCELLED,),
    (X, Z): (E.COMPLETED,), (X, V): (E.CANCELLED,), (X, W): (E.REOPENED,), (X, A): (E.REOPENED, E.WAITING),
    (Z, W): (E.REOPENED,), (Z, A): (E.REOPENED, E.WAITING), (V, W): (E.REOPENED,), (V, A): (E.REOPENED, E.WAITING),
}  # fmt: skip
LEADS = {  # to which state
    E.STARTED: W, E.WAITING: A, E.RESUMED: W, E.ENDED: X, E.COMPLETED: Z, E.CANCELLED: V, E.REOPENED: W,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """One event; in `facts` the people under `from` and `to` are names still."""

    kind: E
    at: datetime
    by: str
    facts: dict[str, Any]


@dataclass
class Story:
    """One record. `rows` are the numbers of those that tell it; `refused` are rows left out, `odd` rows that are taken
    although something about them is strange."""

    ref: str
    row: int
    opened_at: datetime
    state: State = State.NEW
    priority: Priority = Priority.NORMAL
    category: str = ""
    title: str = ""
    description: str = ""
    channel: str = ""
    location: str = ""
    caller: str = ""
    owner: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    wait_until: date | None = None  # which no log tells
    rows: list[int] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    refused: list[Remark] = field(default_factory=list)
    odd: list[Remark] = field(default_factory=list)

    @property
    def people(self) -> set[str]:
        named = {name for one in self.told for name in (one.by, one.facts.get("from"), one.facts.get("to"))}
        return {name for name in {*named, self.owner} if name}

    @property
    def unit(self) -> str:
        return self.location or NOWHERE


def story_of(rows: list[Row]) -> Story:
    """The rows of one record, in the order of the file."""
    refused: list[Remark] = []
    said, odd = list(_once(rows, refused)), []
    kept = _placed(said, odd) or list(_in_order(said, refused))
    first = kept[0]
    story = Story(first.ref, first.number, min(first.opened_at, first.at), refused=refused, odd=odd)
    before: Row | None = None
    revisions: dict[int, int] = {}
    for row in kept:
        try:
            _take(story, row, before)
        except Invalid as refusal:
            refused.append((row.number, refusal))
            continue
        story.rows.append(row.number)
        _look(story, row, revisions)
        before = row
    if before:
        _finish(story, before)
    return story


def _once(rows: list[Row], refused: list[Remark]) -> Iterator[Row]:
    """Without the rows that say again what another said already."""
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        earlier = seen.setdefault(tuple(row.cells.values()), row.number)
        if earlier == row.number:
            yield row
        else:
            refused.append((row.number, Invalid(N_("It repeats row %(row)s."), row=earlier)))


def _placed(rows: list[Row], odd: list[Remark]) -> list[Row]:
    """Rows that only stand in the wrong order: their times and their sys_mod_count agree on another one. Nothing if not."""
    placed = sorted(rows, key=lambda row: (row.at, row.revision))
    if any(one.revision >= next.revision for one, next in pairwise(placed)):
        return []
    left: list[Remark] = []
    list(_in_order(rows, left))
    fault = N_("It stands in the wrong place of the file; it is taken where its time and its sys_mod_count put it.")
    odd += [(number, Invalid(fault)) for number, _why in left]
    return placed


def _in_order(rows: list[Row], refused: list[Remark]) -> Iterator[Row]:
    """As many rows as can stand in the order of time; a row whose time does not fit those around it is left out."""
    ends: list[int] = []  # ends[n]: the row that ends the best order of n + 1 rows
    before: list[int] = []
    for at, row in enumerate(rows):
        length = bisect_right(ends, row.at, key=lambda one: rows[one].at)
        before.append(ends[length - 1] if length else -1)
        ends[length : length + 1] = [at]
    kept, at = set[int](), ends[-1]
    while at >= 0:
        kept.add(at)
        at = before[at]
    for at, row in enumerate(rows):
        if at in kept:
            yield row
        else:
            fault = N_("Its time, %(value)s, does not fit between those of the rows around it.")
            refused.append((row.number, Invalid(fault, value=row.cells["sys_updated_at"])))


def _look(story: Story, row: Row, revisions: dict[int, int]) -> None:
    """What is strange about a row that is taken."""
    earlier = revisions.setdefault(row.revision, row.number)
    if earlier != row.number:
        fault = N_("It has the same sys_mod_count as row %(row)s and says something else; both are taken.")
        story.odd.append((row.number, Invalid(fault, row=earlier)))
    if row.at < row.opened_at:
        fault = N_("It was changed before it was opened: it is taken as opened at the earlier time.")
        story.odd.append((row.number, Invalid(fault)))


def _take(story: Story, row: Row, before: Row | None) -> None:
    """The events one row stands for: one at least, as somebody changed the record then."""
    steps = _steps(story, row, before)
    told = [*_opened(row)] if before is None else [*_handed(row, before), *_edited(row, before)]
    told += [(kind, _words(kind, row)) for kind in steps]
    if before and not steps and row.state == A and _words(E.WAITING, row) != _words(E.WAITING, before):
        told.append((E.WAITING, _words(E.WAITING, row)))  # for something else now
    for kind, facts in told or [(E.EDITED, {})]:
        by = row.cells["resolved_by"] if kind == E.ENDED else ""
        at = story.opened_at if kind == E.OPENED else row.at
        story.told.append(Told(kind, at, by or row.cells["sys_updated_by"], {**facts, "revision": row.revision}))
        _reach(story, LEADS.get(kind, story.state), row.at)
    _reach(story, row.state, row.at)
    story.location = row.cells["location"] or story.location
    story.caller = row.cells["caller_id"] or story.caller


def _steps(story: Story, row: Row, before: Row | None) -> tuple[E, ...]:
    """The moves from the row before. A reopening that is only counted led to work: what follows is told from there, so
    that a record which stands ended again was ended again."""
    steps = _way(story.state, row.state)
    if row.reopened > (before.reopened if before else 0) and E.REOPENED not in (steps or ()):
        again = _way(N if story.state == N else W, row.state)  # of a new one, the rows that ended it are not there
        if again is not None:
            story.odd.append((row.number, Invalid(N_("It counts a reopening that the rows before it do not show."))))
            return E.REOPENED, *again
    if steps is None:
        fault = N_("A record cannot go from %(before)s to %(after)s.")
        raise Invalid(fault, before=before.cells["incident_state"] if before else "", after=row.cells["incident_state"])
    return steps


def _way(before: State, after: State) -> tuple[E, ...] | None:
    return () if before == after else STEPS.get((before, after))


def _reach(story: Story, state: State, at: datetime) -> None:
    story.state = state
    stamp(story, at)


def _words(kind: E, row: Row) -> dict[str, Any]:
    return {"reason": row.cells["incident_state"]} if kind == E.WAITING else {}


def _opened(row: Row) -> Iterator[tuple[E, dict[str, Any]]]:
    yield E.OPENED, {"to": row.cells["assigned_to"], "row": row.number}
    if row.reassigned:
        yield E.ASSIGNED, {"from": "", "to": row.cells["assigned_to"], "reassigned": row.reassigned}


def _handed(row: Row, before: Row) -> Iterator[tuple[E, dict[str, Any]]]:
    """Given to somebody else, or to another group: the log counts the latter."""
    pair = before.cells["assigned_to"], row.cells["assigned_to"]
    if pair[0] != pair[1] or row.reassigned != before.reassigned:
        counted = {"reassigned": row.reassigned} if row.reassigned != before.reassigned else {}
        yield E.ASSIGNED, {"from": pair[0], "to": pair[1], **counted}


def _edited(row: Row, before: Row) -> Iterator[tuple[E, dict[str, Any]]]:
    changes: dict[str, Any] = {}
    for column, name in CHANGES.items():
        pair = [before.cells.get(column, ""), row.cells.get(column, "")]
        if pair[0] != pair[1]:
            changes[name] = pair
    if row.priority != before.priority:
        changes["priority"] = [str(before.priority), str(row.priority)]
    if changes:
        yield E.EDITED, {"changes": changes}
    if row.cells["category"] != before.cells["category"]:
        yield E.RECATEGORISED, {"changes": {"category": [before.cells["category"], row.cells["category"]]}}


def _finish(story: Story, last: Row) -> None:
    """The record as its last row leaves it; what has no column of its own stands in the description."""
    cells = last.cells
    story.priority, story.category = last.priority, cells["category"] or NOTHING
    story.owner = cells["assigned_to"] or cells["resolved_by"]
    story.channel = CHANNELS.get(cells.get("contact_type", ""), "")
    called = [cells["category"], *(cells.get(column, "") for column in ASKED)]
    story.title = " · ".join(filter(None, called)) or story.ref
    told = _TOLD | {"contact_type"} if story.channel else _TOLD
    rest = [f"{column}: {words}" for column, words in cells.items() if words and column not in told]
    story.description = "\n".join([f"number: {story.ref}", *rest])
