"""A service desk's log becomes service records with their history. Nobody is judged by it: no edition, no duties, events
alone. Run again it changes nothing, and of a longer log it adds what is new."""

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, select

from crm import clock, importing
from crm.customers import workflow as customers
from crm.customers.models import Contact, Customer, CustomerEvent
from crm.db import db, next_numbers
from crm.duties.locks import lock_all
from crm.duties.many import Happened, open_all, record_all
from crm.duties.models import Event, Subject
from crm.errors import Invalid
from crm.importing import Result, refusal, saved, taking
from crm.labels import N_, Priority
from crm.staff import workflow as staff
from crm.staff.models import User
from crm.tickets.log import Remark, read, together
from crm.tickets.models import Ticket, TicketEvent
from crm.tickets.story import Story, story_of

BATCH = 200  # records of one unit of work
SAME = ("state", "priority", "category", "title", "description", "channel", "started_at", "ended_at", "completed_at",
        "cancelled_at")  # fmt: skip


@dataclass
class Report(Result):
    """What became of the records, and how those of the file stand in the database now. `refused` holds rows."""

    odd: list[Remark] = field(default_factory=list)
    priorities: Counts[str] = field(default_factory=Counts)
    events: int = 0
    reopened: int = 0  # records that ever were
    reopenings: int = 0
    reassigned: int = 0
    reassignments: int = 0

    def remarks(self) -> Iterator[tuple[int, str]]:
        yield from ((number, f"refused: {words}") for number, words in super().remarks())
        yield from ((number, f"taken: {why.message % why.params}") for number, why in self.odd)

    def sums(self) -> Iterator[str]:
        yield f"{self.events} events"
        yield "priority: " + ", ".join(f"{one} {self.priorities[one]}" for one in Priority)
        yield f"reopened: {self.reopened} records, {self.reopenings} times"
        yield f"reassigned: {self.reassigned} records, {self.reassignments} times"
        yield from super().sums()


def run(path: Path, *, dry_run: bool = False, say: Callable[[str], Any] = print) -> Report:
    """A whole file. No batch needs anything of those before it, as a record's rows stand together: so a dry run, too, says
    what is so."""

    def take_with(batch: tuple[list[Story], list[Remark]]) -> Report:
        stories, astray = batch
        part = take(stories, file=path.name)
        part.refused += astray
        return part

    def so_far(report: Report) -> str:
        return f"{report.taken} records"

    return importing.run(Report(), _batches(path), take_with, so_far=so_far, dry_run=dry_run, say=say)


def _batches(path: Path) -> Iterator[tuple[list[Story], list[Remark]]]:
    """So many records at a time, and the rows met meanwhile that belong to none; the file is never held as a whole."""
    stories: list[Story] = []
    astray: list[Remark] = []
    for one in together(read(path)):
        if isinstance(one, tuple):
            astray.append(one)
        else:
            stories.append(story_of(one))
        if len(stories) == BATCH or len(astray) == BATCH:
            yield stories, astray
            stories, astray = [], []
    if stories or astray:
        yield stories, astray


def take(stories: Sequence[Story], *, file: str = "") -> Report:
    """Carry out one batch inside the caller's unit of work."""
    report = Report(refused=[remark for story in stories for remark in story.refused])
    refs = [story.ref for story in stories]
    with taking():
        # Nobody works on them from here on: whether anybody has is read after this.
        lock_all((Subject.kind == Ticket.__mapper__.polymorphic_identity) & Subject.external_ref.in_(refs))
        for part in saved(stories, lambda some: _taken(some, file), _refused):
            report += part
    _count(refs, report)
    return report


def _refused(story: Story, why: Exception) -> Report:
    return Report(refused=[(number, refusal(why)) for number in story.rows])


def _taken(stories: Sequence[Story], file: str) -> Report:
    report = Report(odd=[remark for story in stories for remark in story.odd])
    known = _by_ref(Ticket, {story.ref for story in stories})
    names = _Names(stories, file)
    fresh = [story for story in stories if story.ref not in known]
    _create(fresh, names, file)
    report.created += len(fresh)
    _compare([story for story in stories if story.ref in known], known, names, report)
    return report


def _by_ref(kind: type, refs: Iterable[str]) -> dict[str, Any]:
    found = select(kind).where(kind.external_ref.in_(set(refs))).execution_options(populate_existing=True)
    return {one.external_ref: one for one in db.session.scalars(found)}


class _Names:
    """The units, contacts and people a batch names; those not met before are made."""

    def __init__(self, stories: Sequence[Story], file: str) -> None:
        self._units = _by_ref(Customer, {story.unit for story in stories})
        named = {name for story in stories for name in story.people}
        staffed = select(User.external_ref, User.id).where(User.external_ref.in_(named))
        self._staff = {row.external_ref: row.id for row in db.session.execute(staffed)}
        for story in stories:
            if story.unit not in self._units:
                self._units[story.unit] = _unit(story, file)
        strangers = sorted(named - set(self._staff))
        self._staff |= {one.title: one.id for one in staff.add_former(strangers)}
        self._contacts = self._met(stories)

    def _met(self, stories: Sequence[Story]) -> dict[tuple[int, str], int]:
        wanted = dict.fromkeys((self._units[story.unit].id, story.caller) for story in stories if story.caller)
        people = select(Contact.customer_id, Contact.name, func.min(Contact.id)).where(
            Contact.customer_id.in_({unit for unit, _name in wanted}), Contact.name.in_({name for _unit, name in wanted})
        )  # fmt: skip
        grouped = people.group_by(Contact.customer_id, Contact.name)
        met = {(unit, name): id for unit, name, id in db.session.execute(grouped)}
        units = {unit.id: unit for unit in self._units.values()}
        new = [one for one in wanted if one not in met]
        made = customers.meet_all((units[unit], name) for unit, name in new) if new else []
        return met | {(one.customer_id, one.name): one.id for one in made}

    def person(self, name: str) -> int | None:
        return self._staff[name] if name else None

    def columns(self, story: Story) -> dict[str, Any]:
        """What a record of the story says in its columns."""
        unit = self._units[story.unit]
        return {name: getattr(story, name) for name in SAME} | {
            "customer_id": unit.id, "owner_id": self.person(story.owner),
            "contact_id": self._contacts[unit.id, story.caller] if story.caller else None,
        }  # fmt: skip

    def events(self, story: Story, ticket: Ticket) -> list[Happened]:
        return [Happened(one.kind, ticket, one.at, self.person(one.by), self._facts(one.facts)) for one in story.told]

    def _facts(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self.person(value) if key in ("from", "to") else value for key, value in facts.items()}


def _unit(story: Story, file: str) -> Customer:
    unit = Customer(title=story.unit, full_name=story.unit, external_ref=story.unit)
    return customers.open_customer(unit, CustomerEvent.IMPORTED, by=None, file=file, row=story.row)


def _create(stories: Sequence[Story], names: _Names, file: str) -> None:
    """New records and their events, each in one statement for all."""
    months: dict[Any, list[Story]] = {}
    for story in stories:
        months.setdefault(clock.local(story.opened_at).date().replace(day=1), []).append(story)
    tickets: dict[str, Ticket] = {}
    for month, those in sorted(months.items()):
        for story, number in zip(those, next_numbers("T", len(those), month), strict=True):
            tickets[story.ref] = Ticket(
                number=number, external_ref=story.ref, opened_at=story.opened_at, asked_at=story.opened_at,
                **names.columns(story),
            )  # fmt: skip
    open_all([tickets[story.ref] for story in stories])
    happened = []
    for story in stories:
        first, *rest = names.events(story, tickets[story.ref])
        opened = Happened(first.kind, first.subject, first.at, first.by_id, {**first.facts, "file": file})
        happened += [opened, *rest]
    record_all(happened)


def _compare(stories: Sequence[Story], known: dict[str, Ticket], names: _Names, report: Report) -> None:
    """Records that are there already: what their rows tell must begin with what is written down of them."""
    written: dict[int, list[Row]] = {}
    ids = [known[story.ref].id for story in stories]
    columns = select(Event.subject_id, Event.via, Event.kind, Event.at, Event.facts)
    for event in db.session.execute(columns.where(Event.subject_id.in_(ids)).order_by(Event.id)):
        written.setdefault(event.subject_id, []).append(event)
    for story in stories:
        ticket = known[story.ref]
        try:
            new = _new_of(names.events(story, ticket), written.get(ticket.id, []))
        except Invalid as refusal:
            report.refused.append((story.row, refusal))
            continue
        if not new:
            report.unchanged += 1
            continue
        _go_on(ticket, names.columns(story), new)
        report.updated += 1


def _new_of(told: list[Happened], written: Sequence[Row]) -> list[Happened]:
    imported = [event for event in written if event.via == "import"]
    for one, event in zip(told, imported, strict=False):
        if (one.kind, one.at, _compared(one.facts)) != (event.kind, event.at, _compared(event.facts)):
            raise Invalid(N_("The record was imported already, with another history: what is written down stays."))
    new = told[len(imported) :]
    if new and len(imported) != len(written):
        raise Invalid(N_("The record has been worked on here since it was imported: nothing is added to it."))
    return new


def _compared(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if key not in ("file", "row")}


def _go_on(ticket: Ticket, columns: Mapping[str, Any], new: list[Happened]) -> None:
    for name, value in columns.items():
        setattr(ticket, name, value)
    ticket.version += 1
    record_all(new)


def _count(refs: Sequence[str], report: Report) -> None:
    """How the records of a batch stand, asked of the database and not of the file."""
    mine = select(Ticket.id, Ticket.priority).where(Ticket.external_ref.in_(refs)).subquery()
    report.priorities += Counts(db.session.scalars(select(mine.c.priority)).all())
    most = func.max(Event.facts["reassigned"].as_integer())
    told = select(Event.kind, func.count(), most).join(mine, mine.c.id == Event.subject_id)
    for kind, count, handed in db.session.execute(told.group_by(Event.subject_id, Event.kind)):
        report.events += count
        if kind == TicketEvent.REOPENED:
            report.reopened, report.reopenings = report.reopened + 1, report.reopenings + count
        elif kind == TicketEvent.ASSIGNED and handed:
            report.reassigned, report.reassignments = report.reassigned + 1, report.reassignments + handed
