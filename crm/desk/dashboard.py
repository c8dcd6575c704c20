"""What each role sees at a glance. A number is a list's address, and says how many rows that list has: all of them are asked in
one statement."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from crm import clock, lists
from crm.callbacks import queries as callbacks
from crm.callbacks.models import MARKS
from crm.changes.board import STEPS
from crm.changes.models import State as ChangeState
from crm.desk.tables import TABLES
from crm.labels import N_
from crm.lists import at
from crm.papers import queries as papers
from crm.permissions import Role
from crm.plans import queries as plans
from crm.plans.completion import sums_of
from crm.reports import satisfaction
from crm.reports.callbacks import GIVEN
from crm.reports.layout import As, Column, Layout, Plot, Table
from crm.reports.satisfaction import Scope
from crm.reports.watch import HAND_IN, WRITE_UP
from crm.staff import queries as staff
from crm.tickets.marks import Standing

LISTS = {one.path: one for one in TABLES.values()}
WATCH, SATISFACTION = "/reports/watch", "/reports/satisfaction"
SOON = 60  # days until a contract ends
OVER = "over"  # a number that had better be none


@dataclass(frozen=True)
class Card:
    """`at`: the list it counts, unless `said` is what it says."""

    label: str
    at: str
    tone: str = ""
    said: str = ""


TO_SUBMIT = Card(N_("Reports to submit"), at("/reports", owes="me", state="open"))
TO_RECEIVE = Card(N_("Reports to receive"), at("/reports", owes="me", state="submitted"))


@dataclass(frozen=True)
class Part:
    """What concerns one role: numbers, tables with their plots, and where to look on."""

    title: str
    cards: Sequence[Card]
    layout: Layout = Layout((), ())
    figures: Mapping[str, Any] = field(default_factory=dict)
    links: Sequence[tuple[str, str]] = ()


def parts(user) -> list[Part]:
    """One for each role of somebody's."""
    return [PARTS[role](user) for role in Role if role in user.roles]


def counts(user, some: Iterable[Part]) -> dict[str, int]:
    """How many rows there are behind each number, by its address."""
    return lists.counts([card.at for part in some for card in part.cards if not card.said], LISTS, user)


def _month() -> dict[str, Any]:
    return {"since": clock.today().replace(day=1)}


def _ending(**whose: Any) -> str:
    today = clock.today()
    return at("/contracts", **whose, state="running", since=today, until=today + timedelta(days=SOON))


def specialist(user) -> Part:
    mine = {"owner": "me"}
    return Part(N_("My work"), (
        Card(N_("Records, not ended"), at("/tickets", **mine, state="open")),
        Card(N_("Ended, not complete"), at("/tickets", **mine, standing=Standing.LACKING), OVER),
        Card(N_("Overdue records"), at("/tickets", **mine, overdue=True), OVER),
        Card(N_("Records of this month"), at("/tickets", **mine, **_month())),
        Card(N_("Visits to come"), at("/visits", **mine, state="approved")),
        Card(N_("Visits not written up"), at("/visits", **mine, owes=WRITE_UP), OVER),
        Card(N_("Forms not handed in"), at("/visits", **mine, owes=HAND_IN), OVER),
        Card(N_("Changes to test"), at("/changes", **mine, state=ChangeState.TESTING)),
        Card(N_("Contracts that end in 60 days"), _ending(**mine)),
        Card(N_("Unpaid contracts"), at("/contracts", **mine, unpaid=True)),
        Card(N_("Customers of whom something is not known"), at("/customers", **mine, lacks="any")),
        Card(N_("Missed this month"), at("/duties", person="me", **_month()), OVER),
        TO_SUBMIT,
    ), links=((N_("My month so far"), at("/reports/running", kind="specialist")), (N_("My marks"), SATISFACTION)))  # fmt: skip


def followup(user) -> Part:
    waiting = str(callbacks.waiting(user))
    return Part(N_("Customer relations"), (
        Card(N_("Calls that wait"), "/callbacks", said=waiting),
        Card(N_("Doubts with the manager"), at("/callbacks/all", state="escalated")),
        Card(N_("Bad marks this month"), at("/callbacks/all", marked=lists.BAD, spoken=_month()["since"])),
        Card(N_("Opinions to answer"), at("/opinions", owner="me", state="going")),
        Card(N_("Letters nobody knows the outcome of"), at("/outbox", state="unknown"), OVER),
        Card(N_("Letters that were refused"), at("/outbox", state="rejected"), OVER),
        Card(N_("Records ended, not complete"), at("/tickets", standing=Standing.LACKING), OVER),
        Card(N_("Visits not written up"), at("/visits", owes=WRITE_UP), OVER),
        Card(N_("Forms not handed in"), at("/visits", owes=HAND_IN), OVER),
        TO_SUBMIT,
    ), links=((N_("Watch over records"), WATCH), (N_("Satisfaction"), SATISFACTION)))  # fmt: skip


LOAD = Table("load", N_("Who has how much"), (
    Column("name", N_("Who"), As.WORDS), Column("records", N_("Records, not ended")),
    Column("overdue", N_("Overdue records")), Column("visits", N_("Visits to come")), Column("changes", N_("Changes under way")),
    Column("ending", N_("Contracts that end in 60 days")),
), ("records", "overdue"))  # fmt: skip


def _load(user) -> list[dict[str, Any]]:
    """Of the specialists, and of whoever else has something of theirs in hand."""
    people, always = staff.choices(), {one.id for one in staff.choices((Role.SPECIALIST,))}
    asked = {
        one.id: {
            "records": at("/tickets", owner=one.id, state="open"), "overdue": at("/tickets", owner=one.id, overdue=True),
            "visits": at("/visits", owner=one.id, state="approved"), "changes": at("/changes", owner=one.id, state="going"),
            "ending": _ending(owner=one.id),
        }
        for one in people
    }  # fmt: skip
    known = lists.counts([address for own in asked.values() for address in own.values()], LISTS, user)
    rows = {one: {key: known[to] for key, to in asked[one.id].items()} for one in people}
    return [{"name": one.name, "at": asked[one.id]} | row for one, row in rows.items() if one.id in always or any(row.values())]


def manager(user) -> Part:
    return Part(N_("The team"), (
        Card(N_("Overdue records"), at("/tickets", overdue=True), OVER),
        Card(N_("Handed up, to be settled"), at("/tickets", owes="ticket.settle_escalation"), OVER),
        Card(N_("Doubts to assign"), at("/callbacks/all", state="escalated"), OVER),
        Card(N_("Visits to approve"), at("/visits", state="requested")),
        Card(N_("Changes to decide"), at("/changes", state=ChangeState.SUBMITTED)),
        Card(N_("Complaints to investigate"), at("/opinions", state="to_investigate")),
        Card(N_("Penalties to issue or waive"), at("/penalties", state="proposed")),
        Card(N_("Leave to decide on"), at("/absences", state="asked")),
        Card(N_("Outside the service period, to be seen"), at("/tickets", owes="ticket.exception_seen")),
        Card(N_("Contracts that end in 60 days"), _ending()), Card(N_("Unpaid contracts"), at("/contracts", unpaid=True)),
        TO_SUBMIT, TO_RECEIVE,
        Card(N_("Missed this month"), at("/duties", **_month()), OVER),
    ), Layout((), (LOAD,)), {"load": _load(user)}, ((N_("Watch over records"), WATCH),))  # fmt: skip


MONTHS = Table("months", N_("Marks month by month"), (
    Column("name", N_("Month"), As.WORDS), Column("callbacks", N_("Callbacks")), *GIVEN), MARKS, Plot.TREND)  # fmt: skip


def director(user) -> Part:
    month = clock.today().replace(day=1)
    scope = Scope(satisfaction.back(month, 6), month)
    found = satisfaction.figures(scope, user)
    rows = [
        {"name": one.name, "callbacks": one.counts["callbacks"], **{mark: one[mark] for mark in MARKS},
         "at": {"callbacks": one.scope.callbacks(), "name": one.scope.at()} if one.scope else {}}
        for one in found.months
    ]  # fmt: skip
    return Part(N_("The department"), (
        Card(N_("Missed this month"), at("/duties", **_month()), OVER),
        Card(N_("Bad marks this month"), at("/callbacks/all", marked=lists.BAD, spoken=month), OVER),
        Card(N_("Appeals to answer"), at("/penalties", state="appealed")),
        Card(N_("Opinions under way"), at("/opinions", state="going")),
        Card(N_("Complaints of this month"), at("/opinions", kind="complaint", since=month)),
        *_planned(user), Card(N_("Contracts ended, not renewed"), at("/contracts", ended=True), OVER),
        TO_SUBMIT, TO_RECEIVE,
        Card(N_("Overdue records"), at("/tickets", overdue=True), OVER),
    ), Layout((), (MONTHS,)), {"months": rows},
        ((N_("Satisfaction"), SATISFACTION), (N_("Watch over records"), WATCH)))  # fmt: skip


def _planned(user) -> Iterator[Card]:
    """What the month's plan expects, and what of it came in (4.director.5)."""
    plan = next((one for one in plans.every(user)[:2] if one.month == clock.today().replace(day=1)), None)
    if plan is not None:
        sums, fen = sums_of([plan])[plan.id], Column("", "", As.FEN)
        said = f"{fen.shown(sums['paid'])} / {fen.shown(sums['expected'])}"
        yield Card(N_("Paid of the month's contract plan"), plan.path, said=said)


STATES = Table("states", N_("Changes by state"), (
    Column("name", N_("State"), As.LABEL, ChangeState), Column("all", N_("All")), Column("mine", N_("Mine")),
), ("all", "mine"))  # fmt: skip


def developer(user) -> Part:
    today, mine = clock.today(), {"developer": "me"}
    asked = {state: {"all": at("/changes", state=state), "mine": at("/changes", **mine, state=state)} for state in STEPS}
    known = lists.counts([address for own in asked.values() for address in own.values()], LISTS, user)
    rows = [{"name": state, "at": own, **{key: known[address] for key, address in own.items()}} for state, own in asked.items()]
    return Part(N_("Changes"), (
        Card(N_("To take on"), at("/changes", state=ChangeState.APPROVED)),
        Card(N_("I build"), at("/changes", **mine, state=ChangeState.BUILDING)),
        Card(N_("Being tested"), at("/changes", **mine, state=ChangeState.TESTING)),
        Card(N_("Promised within a week"), at("/changes", **mine, until=today + timedelta(days=7))),
        Card(N_("Past their promised day"), at("/changes", **mine, until=today - timedelta(days=1)), OVER),
    ), Layout((), (STATES,)), {"states": rows}, ((N_("By step"), "/changes/board"),))  # fmt: skip


def archivist(user) -> Part:
    expected = papers.expected(user, "archive")
    late = sum(one.duty.overdue for one in expected)
    return Part(N_("Papers"), (
        Card(N_("Expected in the archive"), at("/papers/expected", to="archive"), said=str(len(expected))),
        Card(N_("of them overdue"), at("/papers/expected", to="archive", late=True), OVER, said=str(late)),
        Card(N_("Handed to me, to be confirmed"), at("/papers", offered="me", state="offered")),
        Card(N_("Lent"), at("/papers", state="lent")), Card(N_("Given back, to be confirmed"), at("/papers", state="returned")),
        Card(N_("Lost"), at("/papers", state="lost"), OVER),
    ))  # fmt: skip


def admin(user) -> Part:
    """Nothing of the department's business."""
    return Part(N_("Accounts"), (
        Card(N_("Accounts in use"), "/staff"), Card(N_("No longer in use"), at("/staff", state="inactive")),
    ), links=((N_("Access log"), "/staff/access"),))  # fmt: skip


PARTS: Mapping[Role, Callable[[Any], Part]] = {
    Role.SPECIALIST: specialist, Role.FOLLOWUP: followup, Role.MANAGER: manager, Role.DIRECTOR: director,
    Role.DEVELOPER: developer, Role.ARCHIVIST: archivist, Role.ADMIN: admin,
}  # fmt: skip
