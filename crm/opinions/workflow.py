"""A customer's opinion: taken in, answered, called about; a complaint is investigated first, by somebody else (4.manager.3)."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.customers.models import Contact, Customer
from crm.db import db, next_number
from crm.duties import editions, queries
from crm.duties import workflow as duties
from crm.duties.locks import lock
from crm.duties.models import Subject
from crm.duties.record import open_subject, record
from crm.errors import Forbidden, Invalid, Refused, blank, needed
from crm.files.workflow import attach
from crm.labels import N_
from crm.moves import edit
from crm.opinions.models import Kind, Opinion, OpinionEvent, State
from crm.opinions.moves import MOVES
from crm.opinions.standing import Confirmed, follows
from crm.permissions import Permission as P
from crm.serials.models import Installation

A_MOMENT, A_YEAR = timedelta(microseconds=1), timedelta(days=366)


def take_in(
    *, by, customer: Customer, category: str, way: str, title: str, said: str, said_on: date, about: str = "",
    against: Subject | None = None, contact: Contact | None = None, installation: Installation | None = None,
    origin: Subject | None = None, files: Iterable[str] = (),
) -> Opinion:  # fmt: skip
    """Write down what a customer thinks. A complaint says what it is about, and waits for whoever leads to investigate it;
    anything else is answered by whoever took it in."""
    if not by.may(P.OPINION_WORK):
        raise Forbidden()
    complaint = category == Kind.COMPLAINT
    _must_fit(customer, complaint, about, said, said_on, contact, installation, origin)
    opinion = Opinion(
        number=next_number("Y", clock.today()), customer_id=customer.id,
        owner_id=None if complaint or (against and against.id == by.id) else by.id,  # nobody answers what is said of themselves
        category=category, state=State.TO_INVESTIGATE if complaint else State.TO_ANSWER, title=title, way=way, said=said,
        said_on=said_on, about=about if complaint else "", concerned_id=against and against.id,
        contact_id=contact and contact.id, installation_id=installation and installation.id, origin_id=origin and origin.id,
    )  # fmt: skip
    open_subject(opinion)
    record(OpinionEvent.OPENED, opinion, by=by, words=said, **({"of": origin.id} if origin else {}))
    for file in attach(files, opinion, by):
        record(OpinionEvent.ATTACHED, opinion, by=by, file=file.key, name=file.name)
    return opinion


def _must_fit(customer: Customer, complaint: bool, about: str, said: str, said_on: date, *theirs: Any) -> None:
    wrong = blank(said=said)
    wrong |= _wrong_day(said_on)
    if complaint and not about:
        wrong["about"] = N_("Say what the complaint is about.")
    if any(one is not None and one.customer_id != customer.id for one in theirs):
        wrong["installation"] = N_("These are another customer's.")
    if wrong:
        raise Invalid(fields=wrong)


def _wrong_day(said_on: date) -> dict[str, str]:
    """7.2 goes by the day: it is not one that nobody remembers."""
    if said_on > clock.today():
        return {"said_on": N_("This lies in the future.")}
    return {"said_on": N_("This lies more than a year back.")} if said_on < clock.today() - A_YEAR else {}


def investigate(opinion: Opinion, *, by) -> None:
    """Whoever leads takes it on, never whom it is about."""
    MOVES["investigate"].apply(opinion, by)
    opinion.owner_id = by.id
    db.session.flush()
    record(OpinionEvent.INVESTIGATED, opinion, by=by)


def hear(opinion: Opinion, *, by, words: str) -> None:
    """What those say whom it is about; from here they read it themselves."""
    MOVES["hear"].apply(opinion, by)
    needed(words=words)
    opinion.heard = "\n\n".join(filter(None, (opinion.heard, words)))
    record(OpinionEvent.HEARD, opinion, by=by, words=words, against=opinion.concerned_id)


def confirm(opinion: Opinion, *, by, findings: str) -> None:
    """It is so. What that leads to under 7.1 and 7.2 is worked out here, once, from what was confirmed by then."""
    in_turn(opinion)
    MOVES["confirm"].apply(opinion, by)
    needed(findings=findings)
    last = max((one.confirmed_at for one in _confirmed(opinion.concerned_id) if one.confirmed_at), default=None)
    now = clock.now()
    opinion.findings, opinion.confirmed_at = findings, max(now, last + A_MOMENT) if last else now  # no two at one moment
    opinion.follows = _follows(opinion)
    facts = {"words": findings, "against": opinion.concerned_id, "follows": opinion.follows}
    record(OpinionEvent.CONFIRMED, opinion, by=by, **facts)


def in_turn(opinion: Opinion) -> None:
    """What concerns one person's standing takes turns: the person is locked before any of their complaints."""
    if opinion.complaint and opinion.concerned_id:
        lock(db.session.get_one(Subject, opinion.concerned_id))


def _follows(opinion: Opinion) -> list[str]:
    """By what was confirmed before it."""
    if opinion.concerned_id is None or opinion.confirmed_at is None:
        return []
    before = [one for one in _confirmed(opinion.concerned_id) if one.confirmed_at and one.confirmed_at < opinion.confirmed_at]
    known = [Confirmed(one.said_on, one.about) for one in before]
    many, months = (editions.setting(opinion, name) for name in ("complaints_many", "complaints_months"))
    return follows(Confirmed(opinion.said_on, opinion.about), known, many=many, months=months)


def _confirmed(person_id: int | None) -> list[Opinion]:
    if person_id is None:
        return []
    mine = Opinion.concerned_id == person_id, Opinion.category == Kind.COMPLAINT, Opinion.confirmed_at.is_not(None)
    return list(db.session.scalars(select(Opinion).where(*mine).order_by(Opinion.id)))


def _weigh_anew(person_id: int | None) -> None:
    """What rested on a complaint that is no longer confirmed is worked out anew."""
    for one in _confirmed(person_id):
        lock(one)
        before, after = one.follows, _follows(one)
        if before != after:
            one.follows = after
            one.version += 1
            db.session.flush()
            facts = {"follows": after, "before": before, "against": one.concerned_id}
            record(OpinionEvent.REWEIGHED, one, **facts)


def dismiss(opinion: Opinion, *, by, findings: str) -> None:
    MOVES["dismiss"].apply(opinion, by)
    needed(findings=findings)
    opinion.findings = findings
    record(OpinionEvent.DISMISSED, opinion, by=by, words=findings, against=opinion.concerned_id)


def answer(opinion: Opinion, *, by, answer: str) -> None:
    """The customer is told what came of it; then follow-up calls about the outcome (4.followup.2)."""
    MOVES["answer"].apply(opinion, by)
    needed(answer=answer)
    opinion.answer = answer
    record(OpinionEvent.ANSWERED, opinion, by=by, words=answer)


def review(opinion: Opinion, *, by, reason: str) -> None:
    """The decision on a complaint is taken up again: what it led to is void until it is decided anew."""
    in_turn(opinion)
    MOVES["review"].apply(opinion, by)
    needed(reason=reason)
    was = {"follows": opinion.follows} if opinion.follows else {}
    opinion.confirmed_at, opinion.follows = None, []
    record(OpinionEvent.REVIEWED, opinion, by=by, reason=reason, against=opinion.concerned_id, **was)
    _weigh_anew(opinion.concerned_id)


def reopen(opinion: Opinion, *, by, reason: str) -> None:
    """The customer is not content with the answer, or it was wrong. What was decided on a complaint stands."""
    decided = State.CONFIRMED if opinion.confirmed_at else State.DISMISSED
    MOVES["reopen"].apply(opinion, by, to=decided if opinion.complaint else State.TO_ANSWER)
    needed(reason=reason)
    record(OpinionEvent.REOPENED, opinion, by=by, reason=reason)


def _corrected(opinion: Opinion, complaint: bool, against: Subject | None) -> str:
    """A turned-out complaint is investigated, what is none is answered, and another person is heard first."""
    if complaint != opinion.complaint:
        return State.TO_INVESTIGATE if complaint else State.TO_ANSWER
    anew = opinion.state == State.HEARD and against and against.id != opinion.concerned_id
    return State.INVESTIGATING if anew else opinion.state


def correct(
    opinion: Opinion, *, by, category: str, about: str, against: Subject | None, said_on: date, reason: str
) -> None:  # fmt: skip
    """Whoever took it in guessed wrong: before it is decided, who leads puts right what it is, what about, whom and when.
    Another person is heard first; see `_corrected`."""
    complaint = category == Kind.COMPLAINT
    MOVES["correct"].apply(opinion, by, to=lambda one: _corrected(one, complaint, against))
    needed(reason=reason)
    wrong = _wrong_day(said_on) | ({"about": N_("Say what the complaint is about.")} if complaint and not about else {})
    if against and against.id in (by.id, opinion.owner_id):
        wrong["against"] = N_("Whoever sees to it is not whom it is about: give it to somebody else first.")
    if wrong:
        raise Invalid(fields=wrong)
    was = opinion.complaint
    after = {"category": category, "about": about if complaint else "", "said_on": said_on}
    changes = edit(opinion, after | {"concerned_id": against and against.id})
    if ids := changes.pop("concerned_id", None):
        named = queries.names(ids)
        changes["against"] = [named[id].title if id in named else None for id in ids]
    if complaint != was:
        opinion.owner_id = None if complaint else by.id
    db.session.flush()
    record(OpinionEvent.CORRECTED, opinion, by=by, reason=reason, changes=changes)


def assign(opinion: Opinion, *, by, to, reason: str) -> None:
    """Somebody else sees to it; a complaint stays with those who lead, and never goes to whom it is about."""
    if to.id == opinion.concerned_id:
        raise Refused(N_("It is about them: choose somebody else."))
    works = P.OPINION_INVESTIGATE if opinion.complaint else P.OPINION_WORK
    duties.assign(opinion, OpinionEvent.ASSIGNED, by=by, to=to, reason=reason, works=works)


def withdraw(opinion: Opinion, *, by, reason: str) -> None:
    MOVES["withdraw"].apply(opinion, by)
    needed(reason=reason)
    record(OpinionEvent.WITHDRAWN, opinion, by=by, reason=reason)
