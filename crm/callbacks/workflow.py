"""Calling back (5.5): who owes it says the rulebook; here is what happens on the telephone, and what becomes of a doubt."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from crm import clock
from crm.callbacks.models import MARKS, Callback, CallbackEvent, State
from crm.callbacks.moves import MOVES
from crm.contracts import workflow as contracts
from crm.contracts.models import Contract
from crm.customers.models import Contact, Customer
from crm.db import db, next_number
from crm.duties import editions
from crm.duties.locks import lock
from crm.duties.models import Duty, Event, Subject, open_now
from crm.duties.record import open_subject, record
from crm.duties.workflow import claim, kept_from
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.labels import N_
from crm.permissions import Permission as P
from crm.serials.coverage import verdict_of
from crm.tickets.models import PASSWORD, Channel, Ticket
from crm.tickets.workflow import open_ticket

CALLS = "call."  # the rules of the desk: what is owed by telephone


def begun(duty: Duty) -> Callback | None:
    """The callback of this call that goes on, if it was begun."""
    mine = Callback.origin_id == duty.subject_id, Callback.category == duty.rule, Callback.state == State.CALLING
    return db.session.scalar(select(Callback).where(*mine).order_by(Callback.id.desc()).limit(1))


def begin(duty: Duty, *, by) -> Callback:
    """Take up the telephone: what falls to a role is thereby taken on, and the callback is written, or gone on with.
    Forbidden for whoever served there (5.5.1), WrongState if another has taken it on."""
    if found := begun(duty):
        lock(found)
    origin = duty.subject
    lock(origin)
    db.session.refresh(duty)
    if kept_from(duty, by):
        raise Forbidden(N_("You served this customer there: somebody else calls back."))
    if duty.owner_id is None:
        claim(duty, by=by)
    if not duty.open or duty.owner_id != by.id:
        raise WrongState()
    found = found or begun(duty)
    if found is None:
        return _open(duty, origin, by)
    if found.owner_id != by.id:
        record(CallbackEvent.TAKEN_OVER, found, by=by, **{"from": found.owner_id, "to": by.id})
        found.owner_id = by.id
        db.session.flush()
    return found


def _open(duty: Duty, origin: Subject, by) -> Callback:
    callback = Callback(
        number=next_number("B", clock.today()), title=origin.title, state=State.CALLING, category=duty.rule,
        customer_id=origin.customer_id, owner_id=by.id, origin_id=origin.id, concerned_id=origin.served_by,
    )  # fmt: skip
    open_subject(callback)
    record(CallbackEvent.OPENED, callback, by=by, of=origin.id)
    return callback


def _calling(verb: str, callback: Callback, by) -> None:
    """The caller still calls: nobody else has taken the call on meanwhile, and they have not served there since (5.5.1)."""
    MOVES[verb].apply(callback, by)
    lock(origin_of(callback))
    for duty in owed_call(callback):
        if duty.owner_id != by.id or kept_from(duty, by):
            raise Refused(N_("This call is somebody else's by now. What you typed is kept here: hand it on to them."))


def origin_of(callback: Callback) -> Subject:
    return db.session.get_one(Subject, callback.origin_id)


def owed_call(callback: Callback) -> list[Duty]:
    """The call it is made for, while that is owed."""
    wanted = Duty.subject_id == callback.origin_id, Duty.rule == callback.category, open_now()
    return list(db.session.scalars(select(Duty).where(*wanted).options(joinedload(Duty.extensions))).unique())


def attempt(callback: Callback, *, by) -> None:
    """Nobody answered. Calls soon after one another count as one (ours.unreachable)."""
    _calling("attempt", callback, by)
    rows = select(Event.at).where(Event.subject_id == callback.id, Event.kind == CallbackEvent.ATTEMPTED)
    last = db.session.scalar(rows.order_by(Event.id.desc()).limit(1))
    apart = timedelta(minutes=editions.setting(callback, "minutes_between_calls"))
    if last is None or clock.now() - last >= apart:
        callback.attempts += 1
    callback.try_at = None
    record(CallbackEvent.ATTEMPTED, callback, by=by, count=callback.attempts)


def later(callback: Callback, *, by, at: datetime, words: str = "") -> None:
    """The customer asks to be called at another time; the deadline stays."""
    if at <= clock.now():
        raise Invalid(fields={"at": N_("This lies in the past.")})
    _calling("later", callback, by)
    callback.try_at = at
    record(CallbackEvent.LATER, callback, by=by, until=at, words=words)


def give_up(callback: Callback, *, by, reason: str) -> None:
    """After enough calls that nobody answered, with what was tried besides."""
    _calling("give_up", callback, by)
    callback.try_at = None
    record(CallbackEvent.UNREACHED, callback, by=by, rule=callback.category, reason=reason)


def drop(callback: Callback, *, by) -> None:
    """What it was made for is owed no more: the record was reopened, or the customer is graded otherwise."""
    MOVES["drop"].apply(callback, by)
    lock(origin_of(callback))
    if owed_call(callback):
        raise Refused(N_("This call is still owed."))
    callback.try_at = None
    record(CallbackEvent.DROPPED, callback, by=by)


def wants_marks(callback: Callback) -> bool:
    """Whether this call is not reached without marks (5.5.1); a regular one is (4.specialist.2)."""
    book = editions.book_of(callback) or editions.todays()
    return callback.category not in book.rules or book.rules[callback.category].marks


def asks_renewal(callback: Callback) -> bool:
    """Whether the customer is asked if they renew (5.5.2)."""
    return origin_of(callback).kind == "contract"


def reach(
    callback: Callback, *, by, contact: Contact | None, department: str = "", comment: str = "", software: str = "",
    doubt: str = "", unrecorded: str = "", clause: str = "", answer: str = "", answer_why: str = "", **marks: int | None,
) -> None:  # fmt: skip
    """What the customer said: the marks for attitude, skill and result, 1 to 5 (5.5.1). A doubt, or an old problem, goes
    to the manager in the same step (5.5.3); a service that has no record is noted with the clause it breaks."""
    wrong = _lacking(callback, contact, marks, doubt, unrecorded, clause)
    if asks_renewal(callback) and not answer:
        wrong["answer"] = N_("Write down what they answered (5.5.2).")
    if wrong:
        raise Invalid(fields=wrong)
    assert contact
    _calling("reach", callback, by)
    callback.contact_id, callback.department, callback.reached_at = contact.id, department, clock.now()
    callback.comment, callback.software, callback.try_at = comment, software, None
    for mark in MARKS:
        setattr(callback, mark, marks.get(mark))
    db.session.flush()
    record(CallbackEvent.REACHED, callback, by=by, rule=callback.category, contact=contact.name, **marks, words=comment)
    if asks_renewal(callback):
        contracts.answer(db.session.get_one(Contract, callback.origin_id), by=by, answer=answer, why=answer_why)
    if unrecorded:
        record(CallbackEvent.UNRECORDED, callback, by=by, words=unrecorded, clause=clause, concerned=callback.concerned_id)
    if doubt:
        escalate(callback, by=by, doubt=doubt)


def _lacking(callback: Callback, contact: Contact | None, marks: dict, doubt: str, unrecorded: str, clause: str) -> dict:
    wrong: dict[str, Any] = {}
    if contact is None or contact.customer_id != callback.customer_id:
        wrong["contact"] = N_("Choose whom you spoke with, or add them here.")
    given = [marks.get(mark) for mark in MARKS]
    if wants_marks(callback):
        wrong |= {mark: N_("A mark from 1 to 5 is needed (5.5.1).") for mark in MARKS if marks.get(mark) is None}
    if min((mark for mark in given if mark), default=5) <= editions.setting(callback, "bad_mark") and not doubt:
        wrong["doubt"] = N_("Such a mark goes to the manager: say what was wrong (5.5.3).")
    known = editions.todays().penalties.get(clause)
    if unrecorded and not (known and known.unrecorded):
        wrong["clause"] = N_("Say which clause that breaks.")
    return wrong


def escalate(callback: Callback, *, by, doubt: str) -> None:
    """A doubt, or an old problem unsolved: straight to the manager (5.5.3)."""
    MOVES["escalate"].apply(callback, by)
    callback.doubt = doubt
    record(CallbackEvent.ESCALATED, callback, by=by, story=doubt)


def _title(doubt: str) -> str:
    """A record that comes of a doubt is called by it, not once more by the visit."""
    line = doubt.strip().splitlines()[0]
    return line if len(line) <= 60 else f"{line[:59]}…"


def assign(callback: Callback, *, by, to, category: str, words: str = "") -> Ticket:
    """The manager assigns somebody at once (5.5.4): a record of theirs is opened, whose outcome is called back too."""
    if not to.may(P.TICKET_WORK):
        raise Invalid(fields={"to": N_("This person does not work on service records.")})
    if category == PASSWORD:  # those who call its outcome back may not read it
        raise Invalid(fields={"category": N_("Choose another one: a password record is not called back on.")})
    MOVES["assign"].apply(callback, by)
    customer = db.session.get_one(Customer, callback.customer_id)
    contact = db.session.get_one(Contact, callback.contact_id)
    served = verdict_of(customer.id).served
    ticket = open_ticket(
        by=by, owner=to, customer=customer, contact=contact, department=callback.department or contact.department or "—",
        category=category, channel=Channel.PHONE, title=_title(callback.doubt), asked_at=callback.reached_at,
        description="\n\n".join(filter(None, (callback.doubt, words))), origin_id=callback.id, called_back=True,
        uncovered_reason="" if served else callback.number,
    )  # fmt: skip
    record(CallbackEvent.ASSIGNED, callback, by=by, **{"from": by.id, "to": to.id}, of=ticket.id, words=words)
    return ticket
