"""On the return what is still open goes back: nothing by itself, all of it by one press, with one result for each thing."""

from collections.abc import Sequence

from crm import clock
from crm.absences.handing import BACK, handed
from crm.absences.models import Absence, Back, Handed, How
from crm.absences.parts import PARTS, Part, free
from crm.db import db
from crm.duties import queries
from crm.duties.locks import lock_each
from crm.duties.models import Subject
from crm.duties.passing import pass_duty, pass_on
from crm.duties.record import settle, told_at_once
from crm.staff.models import User


def open_still(absence: Absence) -> dict[Subject, list[Handed]]:
    """What went over and did not come back, by its matter, the later first; what fell to a role is the role's."""
    found: dict[Subject, list[Handed]] = {}
    for row in handed(absence):
        if row.how in (How.MATTER, How.BUILD, How.DUTY) and row.back != Back.BACK:
            found.setdefault(row.duty.subject, []).append(row)
    return dict(sorted(found.items(), key=lambda pair: -pair[0].id))


def returnable(absence: Absence) -> bool:
    """Whether any of it is still with the stand-in, and open."""
    person = db.session.get_one(User, absence.owner_id)
    return any(Back.BACK in _outcomes(matter, rows, person) for matter, rows in open_still(absence).items())


def _outcomes(matter: Subject, rows: Sequence[Handed], person: User) -> list[Back]:
    return [_outcome(matter, row, person) for row in rows]


def part_by(matter: Subject, row: Handed) -> Part | None:
    return next((part for part in PARTS.get(matter.kind, ()) if part.how == row.how), None)


def _outcome(matter: Subject, row: Handed, person: User) -> Back:
    """What becomes of one thing: a matter goes back as long as something is owed on it, or it is one that lasts."""
    part = part_by(matter, row)
    if part is None:
        if not row.duty.open:
            return Back.DONE
        return Back.BACK if row.duty.owner_id == row.to_id else Back.ELSEWHERE
    if getattr(matter, part.column) != row.to_id:
        return Back.ELSEWHERE
    owed = any(duty.open and duty.owner_id == row.to_id for duty in queries.of_subject(matter))
    if not free(matter, part) or not (owed or part.lasting):
        return Back.DONE
    return Back.NOT if part.why_not(matter, person) else Back.BACK


def give_back(absence: Absence) -> int:
    """Each matter and each duty as far as it can; how many things went back."""
    person, done = db.session.get_one(User, absence.owner_id), 0
    for matter, rows in open_still(absence).items():
        lock_each(absence, matter)
        for row in rows:
            db.session.refresh(row.duty)
        for row, outcome in zip(rows, _outcomes(matter, rows, person), strict=True):
            row.back = outcome
        done += _back(absence, matter, [row for row in rows if row.back == Back.BACK], person)
    db.session.flush()
    return done


def _back(absence: Absence, matter: Subject, rows: Sequence[Handed], person: User) -> int:
    said = {"of": absence.id, "leave": BACK}
    settle(matter, clock.now())
    with told_at_once():
        for part in {part_by(matter, row) for row in rows}:
            if part:
                matter.MOVES[part.move].take(matter)
                pass_on(matter, part.event, by=None, to=person, column=part.column, **said)
        for row in rows:
            db.session.refresh(row.duty)
            if row.duty.owner_id == row.to_id:  # it did not go with its matter
                pass_duty(row.duty, person, **said)
    return len(rows)
