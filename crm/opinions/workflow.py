"""A customer's opinion: taken in, answered, called about; a complaint is investigated first, by somebody else (4.manager.3)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.customers.models import Contact, Customer
from crm.db import db, next_number
from crm.duties import editions
from crm.duties import workflow as duties
from crm.duties.locks import lock
from crm.duties.models import Subject
from crm.duties.record import open_subject, record
from crm.errors import Forbidden, Invalid, Refused
from crm.files.workflow import attach
from crm.labels import N_
from crm.opinions.models import Kind, Opinion, OpinionEvent, State
from crm.opinions.moves import MOVES
from crm.opinions.standing import Confirmed, follows
from crm.permissions import Permission as P
from crm.serials.models import Installation

NEEDED = N_("This is needed.")


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
        number=next_number("Y", clock.today()), customer_id=customer.id, owner_id=None if complaint else by.id,
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
    wrong = {} if said.strip() else {"said": NEEDED}
    if said_on > clock.today():
        wrong["said_on"] = N_("This lies in the future.")
    if complaint and not about:
        wrong["about"] = N_("Say what the complaint is about.")
    if any(one is not None and one.customer_id != customer.id for one in theirs):
        wrong["installation"] = N_("These are another customer's.")
    if wrong:
        raise Invalid(fields=wrong)


def investigate(opinion: Opinion, *, by) -> None:
    """Whoever leads takes it on, never whom it is about."""
    MOVES["investigate"].apply(opinion, by)
    opinion.owner_id = by.id
    db.session.flush()
    record(OpinionEvent.INVESTIGATED, opinion, by=by)


def _needed(words: str, name: str = "words") -> None:
    if not words.strip():
        raise Invalid(fields={name: NEEDED})


def hear(opinion: Opinion, *, by, words: str) -> None:
    """What those say whom it is about; from here they read it themselves."""
    MOVES["hear"].apply(opinion, by)
    _needed(words)
    opinion.heard = words
    record(OpinionEvent.HEARD, opinion, by=by, words=words, against=opinion.concerned_id)


def confirm(opinion: Opinion, *, by, findings: str) -> None:
    """It is so. What that leads to under 7.1 and 7.2 is worked out here, once, from what was confirmed by then."""
    MOVES["confirm"].apply(opinion, by)
    _needed(findings, "findings")
    opinion.findings, opinion.confirmed_at, opinion.follows = findings, clock.now(), _follows(opinion)
    facts = {"words": findings, "against": opinion.concerned_id, "follows": opinion.follows}
    record(OpinionEvent.CONFIRMED, opinion, by=by, recommended=bool(recommended(opinion)), **facts)


def _follows(opinion: Opinion) -> list[str]:
    """Two complaints against one person that are confirmed at once take turns: the person is locked."""
    if opinion.concerned_id is None:
        return []
    lock(db.session.get_one(Subject, opinion.concerned_id))
    before = select(Opinion.said_on, Opinion.about).where(
        Opinion.concerned_id == opinion.concerned_id, Opinion.category == Kind.COMPLAINT, Opinion.confirmed_at.is_not(None),
        Opinion.id != opinion.id,
    )  # fmt: skip
    known = [Confirmed(*row) for row in db.session.execute(before)]
    many, months = (editions.setting(opinion, name) for name in ("complaints_many", "complaints_months"))
    return follows(Confirmed(opinion.said_on, opinion.about), known, many=many, months=months)


def recommended(opinion: Opinion) -> list[str]:
    """Of what follows, that which people have to decide."""
    book = editions.book_of(opinion) or editions.todays()
    return [key for key in opinion.follows if key in book.penalties and book.penalties[key].kind == "recommendation"]


def dismiss(opinion: Opinion, *, by, findings: str) -> None:
    MOVES["dismiss"].apply(opinion, by)
    _needed(findings, "findings")
    opinion.findings = findings
    record(OpinionEvent.DISMISSED, opinion, by=by, words=findings, against=opinion.concerned_id)


def answer(opinion: Opinion, *, by, answer: str) -> None:
    """The customer is told what came of it; then follow-up calls about the outcome (4.followup.2)."""
    MOVES["answer"].apply(opinion, by)
    _needed(answer, "answer")
    opinion.answer = answer
    record(OpinionEvent.ANSWERED, opinion, by=by, words=answer)


def weigh(opinion: Opinion, *, by, words: str) -> None:
    """Dismissal and demotion are recommended; people decide (7.1, 7.2)."""
    MOVES["weigh"].apply(opinion, by)
    duties.must_be_owed(opinion, MOVES["weigh"])
    _needed(words)
    record(OpinionEvent.WEIGHED, opinion, by=by, words=words, against=opinion.concerned_id)


def review(opinion: Opinion, *, by, reason: str) -> None:
    """The decision on a complaint is taken up again: what it led to is void until it is decided anew."""
    MOVES["review"].apply(opinion, by)
    if not opinion.complaint:
        raise Refused(N_("Only a complaint is decided on."))
    _needed(reason, "reason")
    was = {"follows": opinion.follows} if opinion.follows else {}
    opinion.confirmed_at, opinion.follows = None, []
    record(OpinionEvent.REVIEWED, opinion, by=by, reason=reason, against=opinion.concerned_id, **was)


def reopen(opinion: Opinion, *, by, reason: str) -> None:
    """The customer is not content with the answer, or it was wrong."""
    MOVES["reopen"].apply(opinion, by)
    _needed(reason, "reason")
    record(OpinionEvent.REOPENED, opinion, by=by, reason=reason)


def assign(opinion: Opinion, *, by, to, reason: str) -> None:
    """Somebody else sees to it; a complaint stays with those who lead, and never goes to whom it is about."""
    if to.id == opinion.concerned_id:
        raise Refused(N_("It is about them: choose somebody else."))
    works = P.OPINION_INVESTIGATE if opinion.complaint else P.OPINION_WORK
    duties.assign(opinion, OpinionEvent.ASSIGNED, by=by, to=to, reason=reason, works=works)


def withdraw(opinion: Opinion, *, by, reason: str) -> None:
    MOVES["withdraw"].apply(opinion, by)
    _needed(reason, "reason")
    record(OpinionEvent.WITHDRAWN, opinion, by=by, reason=reason)
