"""A penalty: entered by hand, issued or waived, signed or refused before two witnesses, contested, answered (D1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from json import dumps

from sqlalchemy import select

from crm import clock
from crm.db import db, next_number
from crm.duties import editions
from crm.duties.models import Duty, Event, Subject, open_now
from crm.duties.passing import pass_duty
from crm.duties.record import days_of, open_subject, record
from crm.duties.rulebook import Penalty as Entry
from crm.errors import Forbidden, Invalid, blank, needed
from crm.files.workflow import attach
from crm.labels import N_
from crm.moves import edit
from crm.penalties.grounds import Ground
from crm.penalties.models import FINAL_WARNING, Outcome, Penalty, PenaltyEvent, Sanction, State
from crm.penalties.moves import MOVES, who_may
from crm.penalties.proposing import propose
from crm.permissions import Permission as P
from crm.permissions import Role
from crm.workdays import Span

ANSWER, APPOINT = "penalty.answer", "penalty.appoint"


@dataclass(frozen=True)
class Found:
    """What somebody enters by hand: under which penalty, whom, when, the facts, who saw it."""

    key: str
    person: Subject
    happened_at: datetime
    title: str
    facts: str
    witnesses: str = ""
    fen: int | None = None
    origin: Subject | None = None


def entry_of(penalty: Penalty) -> Entry:
    """What the rulebook says of it, in the edition it was broken under."""
    return editions.book(penalty.evidence["edition"]).penalties[penalty.category]


def left_open(entry: Entry) -> bool:
    """Whether the rulebook leaves to people how much it costs: a range, or what a loss comes to."""
    return entry.kind in (Sanction.FINE, Sanction.COMPENSATION) and entry.fen is None


def amount(entry: Entry, fen: int | None) -> int | None:
    """What it costs: as the rulebook fixes it, else what is said, within its range; Invalid otherwise."""
    if not left_open(entry):
        if fen and fen != entry.fen:
            raise Invalid(fields={"fen": N_("The rulebook fixes what this costs: leave it empty.")})
        return entry.fen
    if not fen:
        raise Invalid(fields={"fen": N_("Say how much.")})
    if entry.from_fen is not None and not entry.from_fen <= fen <= (entry.to_fen or fen):
        raise Invalid(fields={"fen": N_("The rulebook sets a range for this: the amount lies outside.")})
    return fen


def enter(found: Found, *, by, files: Iterable[str] = ()) -> Penalty:
    """Propose a penalty by hand, under any clause, with facts (chapter 3; a service that has no record). A manager, never
    whoever enters it, issues or waives it."""
    if not by.may(P.PENALTY_ENTER):
        raise Forbidden()
    edition = editions.edition_id(found.happened_at)
    entry = editions.book(edition).penalties.get(found.key)
    _must_fit(found, entry, by)
    assert entry
    penalty = Penalty(
        number=next_number("F", clock.today()), title=found.title, state=State.PROPOSED, category=entry.key,
        concerned_id=found.person.id, origin_id=found.origin and found.origin.id, clause=entry.clause or entry.key,
        sanction=entry.kind, happened_at=found.happened_at, entered_by_id=by.id, facts_said=found.facts,
        witnesses=found.witnesses, fen=amount(entry, found.fen), evidence={"edition": edition},
    )  # fmt: skip
    open_subject(penalty)
    record(PenaltyEvent.PROPOSED, penalty, by=by, key=entry.key, fine_fen=penalty.fen, words=found.facts)
    for file in attach(files, penalty, by):
        record(PenaltyEvent.ATTACHED, penalty, by=by, file=file.key, name=file.name)
    return penalty


def _must_fit(found: Found, entry: Entry | None, by) -> None:
    wrong = blank(facts=found.facts)
    if entry is None:
        wrong["key"] = N_("The rulebook of that day has no such penalty.")
    if found.person.id == by.id:
        wrong["person"] = N_("Nobody enters what is against themselves: tell a manager.")
    if found.happened_at > clock.now():
        wrong["happened_at"] = N_("This lies in the future.")
    elif found.happened_at < clock.now() - timedelta(days=366):
        wrong["happened_at"] = N_("This lies more than a year back.")
    if wrong:
        raise Invalid(fields=wrong)


def text_of(penalty: Penalty) -> str:
    """The hash of all that the notice says: what somebody signs is this and nothing else."""
    says = [penalty.number, penalty.title, penalty.concerned_id, penalty.category, penalty.clause, penalty.sanction, penalty.fen,
            penalty.happened_at.isoformat(), penalty.facts_said, penalty.witnesses, penalty.evidence]  # fmt: skip
    return sha256(dumps(says, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def issue(penalty: Penalty, *, by, facts: str = "", fen: int | None = None) -> None:
    """A manager makes it a notice; from here its text does not change."""
    MOVES["issue"].apply(penalty, by)
    entry = entry_of(penalty)
    said = facts.strip()
    if penalty.entered_by_id:
        needed(facts=said)
    changed = edit(penalty, {"facts_said": said, "fen": amount(entry, fen) if left_open(entry) else penalty.fen})
    penalty.issued_by_id, penalty.issued_at = by.id, clock.now()
    db.session.flush()
    before = {"changes": {"fen": changed["fen"]}} if "fen" in changed else {}
    record(PenaltyEvent.ISSUED, penalty, by=by, to=penalty.concerned_id, fine_fen=penalty.fen, text=text_of(penalty), **before)


def waive(penalty: Penalty, *, by, reason: str) -> None:
    """Nothing comes of it, and why."""
    MOVES["waive"].apply(penalty, by)
    needed(reason=reason)
    record(PenaltyEvent.WAIVED, penalty, by=by, to=penalty.concerned_id, reason=reason)


def withdraw(penalty: Penalty, *, by, reason: str) -> None:
    """Whoever entered it by mistake takes it back, as long as nobody has decided on it: no manager need be found for that."""
    MOVES["withdraw"].apply(penalty, by)
    needed(reason=reason)
    record(PenaltyEvent.WITHDRAWN, penalty, by=by, to=penalty.concerned_id, reason=reason)


def sign(penalty: Penalty, *, by, words: str = "") -> None:
    """The person has read it; signing is not agreeing (D1)."""
    MOVES["sign"].apply(penalty, by)
    _holds(penalty)
    record(PenaltyEvent.SIGNED, penalty, by=by, words=words, text=text_of(penalty), issuer=penalty.issued_by_id)


def _holds(penalty: Penalty) -> None:
    """From now it holds, and may be contested for some days (D1)."""
    book = editions.book_of(penalty) or editions.todays()
    days = Span(book.settings["appeal_within_days"], "day")
    penalty.held_at = clock.now()
    penalty.appeal_until = days.from_instant(penalty.held_at, days_of(book))
    db.session.flush()


def refuse(penalty: Penalty, *, by, words: str, witnesses: tuple[Subject, Subject], ill_mannered: bool = False) -> None:
    """The person will not sign: two who saw it sign instead (D1). Named anew, whoever signed before does so again."""
    MOVES["refuse"].apply(penalty, by)
    needed(words=words)
    first, second = (one.id for one in witnesses)
    if first == second:
        raise Invalid(fields={"second": N_("Two different people are needed.")})
    barred = {penalty.concerned_id, penalty.issued_by_id, by.id}
    if wrong := [name for name, one in (("first", first), ("second", second)) if one in barred]:
        raise Invalid(fields=dict.fromkeys(wrong, N_("Neither the person nor whoever issued it is a witness.")))
    penalty.first_witness_id, penalty.second_witness_id = first, second
    penalty.witnessed, penalty.ill_mannered = [], ill_mannered
    db.session.flush()
    record(PenaltyEvent.REFUSED, penalty, by=by, words=words, to=penalty.concerned_id, first=first, second=second)


def confirm(penalty: Penalty, *, by) -> None:
    """One of the two witnesses signs; with the second it holds."""
    MOVES["confirm"].apply(penalty, by, to=lambda one: State.WITNESSED if one.witnessed else State.REFUSED)
    penalty.witnessed = [*penalty.witnessed, by.id]
    db.session.flush()
    record(PenaltyEvent.CONFIRMED, penalty, by=by, text=text_of(penalty))
    if penalty.state != State.WITNESSED:
        return
    _holds(penalty)
    event = record(PenaltyEvent.WITNESSED, penalty, to=penalty.concerned_id, issuer=penalty.issued_by_id)
    if penalty.ill_mannered:  # D1: referred for a final warning
        _refer(penalty, event)


def _refer(penalty: Penalty, event: Event) -> None:
    edition = penalty.edition_id or editions.todays_id()
    if FINAL_WARNING not in editions.book(edition).penalties:  # an edition from before there was one
        return
    refused = select(Event.id).where(Event.subject_id == penalty.id, Event.kind == PenaltyEvent.REFUSED)
    evidence = {"events": [*db.session.scalars(refused.order_by(Event.id.desc()).limit(1)), event.id]}
    propose(Ground(FINAL_WARNING, penalty.concerned_id or 0, event.id, event.at, penalty.id, edition, evidence=evidence))


def appeal(penalty: Penalty, *, by, words: str) -> None:
    """In writing, within three days of the signature or its witnessing (D1). Who may answer is looked at now."""
    MOVES["appeal"].apply(penalty, by)
    needed(words=words)
    penalty.appeal = words
    penalty.owner_id = None
    db.session.flush()
    nobody = not may_answer(penalty)
    record(PenaltyEvent.APPEALED, penalty, by=by, words=words, issuer=penalty.issued_by_id, nobody=nobody)


def may_answer(penalty: Penalty) -> list[int]:
    """Who may answer an appeal: whoever was named for it, or a director who neither issued nor entered it, is not concerned and
    stands in for nobody of these."""
    return who_may("decide", penalty)


def may_issue(penalty: Penalty) -> list[int]:
    """Which managers may issue or waive it."""
    return who_may("issue", penalty)


def may_weigh(penalty: Penalty) -> list[int]:
    """Who may decide on what is recommended, as long as that is owed."""
    return who_may("weigh", penalty)


def appoint(penalty: Penalty, *, by, to: Subject, reason: str) -> None:
    """Somebody else answers: a named stand-in, who neither issued it nor is concerned, nor names themselves."""
    MOVES["appoint"].apply(penalty, by)
    needed(reason=reason)
    if to.id == by.id and not by.may(P.PENALTY_DECIDE):
        raise Invalid(fields={"to": N_("Nobody names themselves.")})
    if not set(to.roles) - {Role.ADMIN}:
        raise Invalid(fields={"to": N_("Who only administers the program reads no penalties.")})
    penalty.owner_id = to.id
    if MOVES["decide"].barred(to, penalty):
        wrong = N_("Whoever issued it, entered it or is concerned does not answer it, nor who stands in for them.")
        raise Invalid(fields={"to": wrong})
    db.session.flush()
    record(PenaltyEvent.APPOINTED, penalty, by=by, to=to.id, person=penalty.concerned_id, reason=reason)
    for duty in db.session.scalars(select(Duty).where(Duty.subject_id == penalty.id, Duty.rule == ANSWER, open_now())).all():
        pass_duty(duty, to, by=by)


def decide(penalty: Penalty, *, by, outcome: str, answer: str, fen: int | None = None) -> None:
    """The appeal is answered within a week by somebody who did not issue it: upheld, reduced or struck (D1)."""
    MOVES["decide"].apply(penalty, by, to=State(outcome))
    needed(answer=answer)
    if outcome == Outcome.REDUCED and not (fen is not None and penalty.fen and fen < penalty.fen):
        raise Invalid(fields={"fen": N_("Say to how much: less than the notice says.")})
    if outcome != Outcome.REDUCED and fen is not None:
        raise Invalid(fields={"fen": N_("An amount belongs to a reduction: choose that, or leave it empty.")})
    penalty.answer = answer
    penalty.reduced_fen = fen if outcome == Outcome.REDUCED else None
    db.session.flush()
    record(PenaltyEvent.DECIDED, penalty, by=by, words=answer, outcome=outcome, fine_fen=penalty.effective_fen,
           to=penalty.concerned_id, issuer=penalty.issued_by_id)  # fmt: skip


def weigh(penalty: Penalty, *, by, words: str) -> None:
    """Dismissal, demotion: people decide, once the person has signed and may no longer appeal, or was answered (7.1, 7.2)."""
    MOVES["weigh"].apply(penalty, by)
    needed(words=words)
    penalty.decision = words
    record(PenaltyEvent.WEIGHED, penalty, by=by, words=words, to=penalty.concerned_id)
