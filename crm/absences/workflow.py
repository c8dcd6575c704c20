"""A leave's moves, one function a verb (2): asked for by the person, decided by others, accepted by who stands in."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from crm import clock
from crm.absences import cover, handing, queries, returning
from crm.absences.models import AHEAD, Absence, AbsenceEvent, State
from crm.absences.moves import MOVES, NOTHING_LEFT
from crm.db import db, next_number
from crm.duties.locks import lock
from crm.duties.record import open_subject, record
from crm.errors import NEEDED, Invalid, Refused, blank, needed
from crm.files.workflow import attach
from crm.labels import N_
from crm.moves import edit, in_place
from crm.permissions import Role

LONGEST = timedelta(days=366)  # of a leave, and how far ahead or back it lies


def ask(
    *, by, category: str, starts_on: date, ends_on: date, words: str, stand_in=None, to_do: str = "", files: Iterable[str] = (),
) -> Absence:  # fmt: skip
    """Ask for leave; who decides is told. What is over already needs nobody who stands in, such as a sick note."""
    lock(by)  # two of one person at once take turns
    _must_fit(by, starts_on, ends_on, words)
    if ends_on < clock.today():
        stand_in = None
    elif wrong := _wrong(stand_in, by.id, starts_on, ends_on):
        raise Invalid(fields={"stand_in": wrong})
    absence = Absence(
        number=next_number("A", clock.today()), owner_id=by.id, concerned_id=stand_in and stand_in.id, category=category,
        state=State.ASKED, title=_title(by, starts_on, ends_on), starts_on=starts_on, ends_on=ends_on, words=words, to_do=to_do,
    )  # fmt: skip
    open_subject(absence)
    people = {"from": by.id, "to": stand_in.id} if stand_in else {}
    record(AbsenceEvent.ASKED, absence, by=by, words=words, **people, **({"remark": to_do} if to_do else {}))
    for file in attach(files, absence, by):
        record(AbsenceEvent.ATTACHED, absence, by=by, file=file.key, name=file.name)
    return absence


def _title(person, starts_on: date, ends_on: date) -> str:
    return f"{person.title} {starts_on}" + (f" – {ends_on}" if ends_on != starts_on else "")


def _must_fit(person, starts_on: date, ends_on: date, words: str) -> None:
    wrong = blank(words=words)
    if not clock.today() - LONGEST <= starts_on <= clock.today() + LONGEST:
        wrong["starts_on"] = N_("This lies more than a year away.")
    if not starts_on <= ends_on <= starts_on + LONGEST:
        wrong["ends_on"] = N_("The last day is the first or one after it, within a year.")
    elif other := queries.clashing(person.id, starts_on, ends_on):
        wrong["starts_on"] = Invalid(N_("There is %(number)s already on some of these days."), number=other)
    if wrong:
        raise Invalid(fields=wrong)


def _wrong(stand_in, person_id: int | None, starts_on: date, ends_on: date) -> str | Refused | None:
    """Why they cannot stand in on these days."""
    if stand_in is None:
        return NEEDED
    if stand_in.id == person_id:
        return N_("Choose somebody else.")
    if other := queries.clashing(stand_in.id, max(starts_on, clock.today()), ends_on, approved=True):
        return Invalid(N_("%(name)s is away on some of these days (%(number)s)."), name=stand_in.title, number=other)
    return None


def _in_place(absence: Absence, by, why: str) -> dict[str, str]:
    """Who decides in the manager's place says why; a manager's own leave is the director's to decide."""
    return in_place(by, why) if absence.asker_lead != Role.MANAGER else {}


def approve(absence: Absence, *, by, unforeseen: bool = False, standing_in: str = "", words: str = "") -> None:
    """The manager approves, never their own; the director in the manager's place says why. `unforeseen`: nothing could be handed
    over before, as when somebody falls ill."""
    MOVES["approve"].apply(absence, by, to=State.OVER if absence.past else State.APPROVED)
    said = _in_place(absence, by, standing_in) | ({"words": words} if words else {})
    absence.approved_at, absence.unforeseen = clock.now(), unforeseen
    absence.reckon()
    db.session.flush()
    record(AbsenceEvent.APPROVED, absence, by=by, to=absence.concerned_id, unforeseen=unforeseen, **said)
    begin(absence)


def reject(absence: Absence, *, by, reason: str, standing_in: str = "") -> None:
    MOVES["reject"].apply(absence, by)
    needed(reason=reason)
    record(AbsenceEvent.REJECTED, absence, by=by, reason=reason, **_in_place(absence, by, standing_in))


def _unless_begun(state: State) -> Callable[[Absence], State]:
    """Who is away stays away, whoever stands in."""
    return lambda absence: State.AWAY if absence.state == State.AWAY else state


def accept(absence: Absence, *, by, words: str = "") -> None:
    """From the first day on they owe what is handed over; where that has come, from now on."""
    MOVES["accept"].apply(absence, by, to=_unless_begun(State.ACCEPTED))
    absence.accepted_at = clock.now()
    absence.reckon()
    db.session.flush()
    cover.forget()
    said = {"words": words} if words else {}
    record(AbsenceEvent.ACCEPTED, absence, by=by, **{"from": absence.owner_id, "to": by.id}, **said)
    begin(absence)
    if absence.handing:
        handing.hand_all(absence)


def decline(absence: Absence, *, by, reason: str) -> None:
    """Then another is to be named, by the person or by who decides."""
    MOVES["decline"].apply(absence, by, to=_unless_begun(State.WANTING))
    needed(reason=reason)
    absence.concerned_id = None
    db.session.flush()
    record(AbsenceEvent.DECLINED, absence, by=by, reason=reason, **{"from": absence.owner_id, "to": by.id})


def name(absence: Absence, *, by, to) -> None:
    """Another stand-in, as long as none has begun to stand in; they accept or decline anew."""
    before = absence.concerned_id
    MOVES["name"].apply(absence, by, to=_unless_begun(State.APPROVED))
    if wrong := _wrong(to, absence.owner_id, absence.starts_on, absence.ends_on):
        raise Invalid(fields={"to": wrong})
    if to.id == before:
        raise Invalid(fields={"to": N_("They are asked already.")})
    if before:
        record(AbsenceEvent.LET_OFF, absence, by=by, **{"from": absence.owner_id, "to": before})
    absence.concerned_id, absence.accepted_at = to.id, None
    absence.reckon()
    db.session.flush()
    record(AbsenceEvent.NAMED, absence, by=by, **{"from": before, "to": to.id})


def judge(absence: Absence, *, by, unforeseen: bool, reason: str) -> None:
    """Whether it could be foreseen, decided anew: what it excuses hangs on that."""
    MOVES["judge"].apply(absence, by)
    wrong = blank(reason=reason)
    if unforeseen == absence.unforeseen:
        wrong["unforeseen"] = N_("That is how it stands.")
    if wrong:
        raise Invalid(fields=wrong)
    changes = edit(absence, {"unforeseen": unforeseen})
    absence.reckon()
    record(AbsenceEvent.JUDGED, absence, by=by, reason=reason, changes=changes)
    begin(absence)


def begin(absence: Absence) -> bool:
    """From its first day on, once somebody has accepted to stand in (2); what nobody could foresee waits for nobody."""
    waits = {State.ACCEPTED} | ({State.APPROVED, State.WANTING} if absence.unforeseen else set())
    if absence.state not in waits or absence.past or absence.starts_on > clock.today():
        return False
    absence.state = State.AWAY
    absence.version += 1
    db.session.flush()
    record(AbsenceEvent.BEGUN, absence, **{"from": absence.owner_id, "to": absence.concerned_id})
    return True


def end(absence: Absence) -> bool:
    """After its last day. One that nobody accepted to stand in for never began, unless nobody could foresee it. Where no sweep
    came by in all its days nothing was handed over, and that is nobody's fault."""
    if not absence.past or absence.state not in AHEAD | {State.AWAY}:
        return False
    missed = absence.state == State.ACCEPTED and not absence.unforeseen
    changes = {}
    if missed:
        changes = edit(absence, {"unforeseen": True})
        absence.reckon()
    began = absence.state in (State.AWAY, State.ACCEPTED) or absence.unforeseen
    absence.state = State.OVER if began else State.LAPSED
    absence.version += 1
    db.session.flush()
    cover.forget()
    record(AbsenceEvent.ENDED if began else AbsenceEvent.LAPSED, absence, **({"changes": changes} if changes else {}))
    return True


def come_back(absence: Absence, *, by) -> None:
    """Back at work, on the day after or sooner; what is still open with the stand-in stays there until it is given back."""
    MOVES["return"].apply(absence, by)
    absence.returned_at = clock.now()
    absence.reckon()
    cover.forget()
    record(AbsenceEvent.RETURNED, absence, by=by, to=absence.concerned_id)


def give_back(absence: Absence, *, by) -> None:
    MOVES["give_back"].apply(absence, by)
    if not (count := returning.give_back(absence)):
        raise Refused(NOTHING_LEFT)
    people = {"from": absence.concerned_id, "to": absence.owner_id}
    record(AbsenceEvent.GIVEN_BACK, absence, by=by, moved=count, **people)


def shorten(absence: Absence, *, by, ends_on: date, reason: str) -> None:
    """An earlier last day, from today on. A later one is another leave, to be asked for."""
    MOVES["shorten"].apply(absence, by)
    wrong = blank(reason=reason)
    if not max(absence.starts_on, clock.today()) <= ends_on < absence.ends_on:
        wrong["ends_on"] = N_("From today on, and before the last day there is.")
    if wrong:
        raise Invalid(fields=wrong)
    person = handing.person_of(absence)
    changes = edit(absence, {"ends_on": ends_on, "title": _title(person, absence.starts_on, ends_on)})
    absence.reckon()
    del changes["title"]
    record(AbsenceEvent.SHORTENED, absence, by=by, reason=reason, changes=changes, to=absence.concerned_id)


def withdraw(absence: Absence, *, by, reason: str) -> None:
    MOVES["withdraw"].apply(absence, by)
    needed(reason=reason)
    absence.away_from = absence.away_until = None
    record(AbsenceEvent.WITHDRAWN, absence, by=by, reason=reason, to=absence.concerned_id)
