"""What a leave's page is made of: its days, who stands in, what goes over and what became of each thing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template
from flask_login import current_user
from sqlalchemy import select

from crm import clock
from crm.absences import forms, handing, queries
from crm.absences.models import LIVE, Absence, Back, How, Kind, Why
from crm.absences.moves import MOVES
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Duty, Subject
from crm.errors import Refused
from crm.forms import CrmForm, ReasonForm
from crm.moves import stands_in
from crm.permissions import Role
from crm.staff import queries as staff
from crm.verbs import offered, told

FORMS: dict[str, type[CrmForm]] = {
    "approve": forms.ApproveForm, "reject": forms.RejectForm, "accept": forms.AcceptForm, "decline": ReasonForm,
    "name": forms.NameForm, "judge": forms.JudgeForm, "shorten": forms.ShortenForm, "withdraw": ReasonForm,
}  # fmt: skip
WAY = ("approve", "accept", "return", "give_back", "name")  # the next step is the first to be had


def people_for(person: Any) -> list[tuple[int, str]]:
    """Whoever may stand in for somebody."""
    return staff.offered(staff.choices(queries.may_stand_in(person)), but={person.id})


def form_for(name: str, absence: Absence, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    sudden = absence.category == Kind.SICK and clock.local(absence.opened_at).date() >= absence.starts_on
    known = {"unforeseen": absence.unforeseen if name == "judge" else sudden}
    form = FORMS.get(name, CrmForm)(data=known, **kwargs)
    if isinstance(form, forms.NameForm):
        person = handing.person_of(absence)
        form.to.offer([one for one in people_for(person) if one[0] != absence.concerned_id])
    if isinstance(form, forms.DecideForm):
        if stands_in(current_user) and absence.asker_lead != Role.MANAGER:
            form.standing_in.flags.required = True
        else:
            del form.standing_in
    return form


@dataclass(frozen=True)
class Line:
    """One thing owed, what becomes or became of it, and whether the reader may know what it is."""

    duty: Duty
    how: How
    why: str
    back: str
    seen: bool


def _seen(things: Sequence[Duty]) -> set[int]:
    ids = {duty.subject_id for duty in things}
    return set(db.session.scalars(select(Subject.id).where(Subject.id.in_(ids), duties.named(current_user))))


def lines_of(absence: Absence) -> list[Line]:
    """What was handed over; before that, what would be."""
    rows = handing.handed(absence)
    seen = _seen([row.duty for row in rows])
    found = [Line(row.duty, How(row.how), row.why, row.back, row.duty.subject_id in seen) for row in rows]
    if absence.state in LIVE and not absence.handing:
        known, ahead = {row.duty_id for row in rows}, handing.outlook(absence)
        seen = _seen([duty for duty, _way in ahead])
        found += [Line(duty, way.how, way.why, "", duty.subject_id in seen) for duty, way in ahead if duty.id not in known]
    return sorted(found, key=lambda line: (line.duty.due_at, line.duty.id))


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    absence = queries.get(number, current_user)
    owed = duties.of_subject(absence)
    now = offered(absence, MOVES, owed, form_for, name=name, bound=bound)
    known, lines = told(absence, owed, name=name, bound=bound, refusal=refusal, drafts=drafts), lines_of(absence)
    known["names"] |= duties.names([absence.concerned_id, *(line.duty.subject.customer_id for line in lines)])
    return render_template(
        "absences/absence.html", **known, absence=absence, offered=now, moves=MOVES, kinds=Kind, lines=lines, hows=How, whys=Why,
        alone=queries.held_alone(absence),
        backs=Back, leading=next((key for key in WAY if key in now and (key != "name" or not absence.concerned_id)), ""),
    )  # fmt: skip
