"""What somebody owes goes to their stand-in when they leave (2): one matter at a time, each an event with both names, each thing
with what became of it (`Handed`)."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from crm import clock
from crm.absences import cover
from crm.absences.models import Absence, AbsenceEvent, Handed, How, Why
from crm.absences.parts import Part, free, part_of
from crm.db import db
from crm.duties import editions
from crm.duties.locks import lock_each
from crm.duties.models import Duty, Subject, open_now
from crm.duties.passing import pass_duty, pass_on
from crm.duties.record import record, settle, told_at_once
from crm.duties.workflow import kept_from
from crm.papers.workflow import live
from crm.permissions import Permission, Role
from crm.staff.models import User

log = logging.getLogger(__name__)
OUT, BACK = "out", "back"  # what an event says of the leave it happened by


@dataclass(frozen=True)
class Way:
    """What becomes of something owed: how it goes over, or why it stays."""

    how: How
    why: str = ""
    part: Part | None = None


def owed(absence: Absence, matter: Subject | None = None) -> list[Duty]:
    """What who is away owes and is shown before their return: all of it, or on one matter. Their own leave is theirs."""
    its = and_(Subject.kind == "absence", Subject.owner_id == absence.owner_id)
    until = clock.end_of(absence.ends_on)
    rows = select(Duty).join(Duty.subject).where(Duty.owner_id == absence.owner_id, open_now(), Duty.show_from < until, ~its)
    if matter is not None:
        rows = rows.where(Duty.subject_id == matter.id)
    rows = rows.options(joinedload(Duty.subject)).order_by(Duty.subject_id.desc(), Duty.id)
    return list(db.session.scalars(rows.execution_options(populate_existing=matter is not None)))


def way_of(duty: Duty, absence: Absence, to: User) -> Way:
    """How this goes from the person to their stand-in: mostly with its matter, whose owner alone has the buttons."""
    matter, rule, person_id = duty.subject, editions.book(duty.edition_id).rules[duty.rule], absence.owner_id
    if duty.pool or rule.move == "call":
        return _by_itself(duty, absence, to)
    if matter.kind == "paper" or (rule.paper and _in_hand(matter, rule.paper, person_id)):
        return Way(How.STAYS, Why.IN_HAND)
    part = part_of(matter, person_id)
    if part is None:  # what stayed behind follows its matter
        return Way(How.DUTY) if part_of(matter, to.id) else Way(How.STAYS, Why.OWN)
    if _went_over(absence, matter, part.how):
        return Way(How.STAYS, Why.GIVEN)
    why = part.why_not(matter, to) if free(matter, part) else Why.STATE
    return Way(How.STAYS, why) if why else Way(part.how, part=part)


def _went_over(absence: Absence, matter: Subject, how: How) -> bool:
    """Whether it was handed over by this leave before: then somebody gave it back to them on purpose."""
    rows = select(Handed.duty_id).where(Handed.absence_id == absence.id, Handed.subject_id == matter.id, Handed.how == how)
    return db.session.scalar(rows.limit(1)) is not None


def _by_itself(duty: Duty, absence: Absence, to: User) -> Way:
    """What is taken on for a role, and calls, are whose duty it is; one who may not have it leaves it to the role. A call to a
    customer in their care that can wait for them does."""
    if not duty.pool and duty.due_at > absence.back_by:
        return Way(How.STAYS, Why.TIME)
    leads = duty.pool == Role.FOLLOWUP and to.may(Permission.TICKET_ASSIGN)
    works = duty.pool in to.roles or leads if duty.pool else to.may(Permission.CALLBACK_WORK)
    if works and not kept_from(duty, to):
        return Way(How.DUTY)
    return Way(How.ROLE) if duty.pool else Way(How.STAYS, Why.WORKS)


def _in_hand(matter: Subject, kind: str, person_id: int | None) -> bool:
    paper = live(matter, kind)
    return paper is not None and paper.owner_id == person_id


def person_of(absence: Absence) -> User:
    return db.session.get_one(User, absence.owner_id)


def stand_in(absence: Absence) -> User | None:
    """Whoever is named, as long as they work here."""
    found = db.session.get(User, absence.concerned_id) if absence.concerned_id else None
    return found if found and found.is_active else None


def outlook(absence: Absence) -> list[tuple[Duty, Way]]:
    """What would become of each thing if it were handed over now."""
    to = stand_in(absence)
    return [(duty, way_of(duty, absence, to)) for duty in owed(absence)] if to else []


def waiting(absence: Absence) -> list[Subject]:
    """The matters with something to hand on: what was not looked at yet, and what stayed for a reason that holds no more. What
    went over and was given back to them by somebody stays."""
    known = {row.duty_id: (row.how, row.why) for row in _rows(absence)}
    found = {}
    for duty, way in outlook(absence):
        was = known.get(duty.id)
        if was is None or (was[0] == How.STAYS and was != (way.how, way.why)):
            found[duty.subject_id] = duty.subject
    return list(found.values())


def _rows(absence: Absence) -> Iterable[Handed]:
    return db.session.scalars(select(Handed).where(Handed.absence_id == absence.id).order_by(Handed.duty_id))


def hand(absence: Absence, matter: Subject) -> Counter[str]:
    """Hand on what the person owes on one matter, in a unit of work: how many things went which way. Nothing, once they are
    back."""
    lock_each(absence, matter)
    to, done = stand_in(absence), Counter[str]()
    if not absence.handing or to is None:
        return done
    known = {row.duty_id: row for row in _rows(absence) if row.subject_id == matter.id}
    ways = {
        duty: way_of(duty, absence, to) for duty in owed(absence, matter)
        if duty.id not in known or known[duty.id].how == How.STAYS
    }  # fmt: skip
    settle(matter, clock.now())
    with told_at_once():
        _go_over(absence, matter, ways, to)
    for duty, way in ways.items():
        _keep(known.get(duty.id), absence, duty, way, to)
        done[way.how] += 1
    cover.forget()
    return done


def _go_over(absence: Absence, matter: Subject, ways: Mapping[Duty, Way], to: User) -> None:
    said = {"of": absence.id, "leave": OUT}
    for part in {way.part for way in ways.values() if way.part}:
        matter.MOVES[part.move].take(matter)
        stay = [duty.id for duty, way in ways.items() if way.part != part]
        pass_on(matter, part.event, by=None, to=to, column=part.column, but=stay, **said)
    for duty, way in ways.items():
        if way.how in (How.DUTY, How.ROLE):
            pass_duty(duty, to if way.how == How.DUTY else None, **said)


def _keep(row: Handed | None, absence: Absence, duty: Duty, way: Way, to: User) -> None:
    if row is None:
        row = Handed(absence_id=absence.id, duty_id=duty.id, subject_id=duty.subject_id)
        db.session.add(row)
    row.to_id, row.how, row.why, row.at = to.id, way.how, way.why, clock.now()
    db.session.flush()


def hand_all(absence: Absence) -> None:
    """Each matter in a savepoint of its own: one that cannot stops none of the others, and is tried again by the sweep."""
    done = Counter[str]()
    for matter in waiting(absence):
        try:
            with db.session.begin_nested():
                done += hand(absence, matter)
        except Exception:
            log.exception("what is owed on %s could not be handed over", matter.number)
    note(absence, done)


def note(absence: Absence, done: Counter[str]) -> None:
    """The absence's own story says how much went over."""
    moved = done.total() - done[How.STAYS]
    if done:
        people = {"from": absence.owner_id, "to": absence.concerned_id}
        record(AbsenceEvent.HANDED_OVER, absence, moved=moved, stayed=done[How.STAYS], **people)


def handed(absence: Absence) -> list[Handed]:
    """Each thing, and what became of it."""
    rows = select(Handed).where(Handed.absence_id == absence.id).options(joinedload(Handed.duty).joinedload(Duty.subject))
    return list(db.session.scalars(rows.order_by(Handed.subject_id, Handed.duty_id)))
