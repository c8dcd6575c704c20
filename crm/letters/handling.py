"""What people do with letters: send one again on purpose, say what became of it, print it and mark it posted."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from sqlalchemy import ColumnElement, func, or_, select, update

from crm import clock
from crm.db import db, rows_of
from crm.duties.editions import book_of
from crm.duties.locks import lock
from crm.duties.message import Message, MessageEvent, MessageState, Way
from crm.duties.models import Subject
from crm.duties.posting import queue
from crm.duties.record import record
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.labels import N_
from crm.letters import outbox
from crm.letters.queries import unsettled
from crm.permissions import Permission as P

OVER = frozenset({MessageState.SENT, MessageState.REJECTED, MessageState.UNKNOWN, MessageState.WITHDRAWN})


def _about(message: Message, by) -> Subject:
    if not by.may(P.NOTICE_SEND):
        raise Forbidden()
    subject = db.session.get_one(Subject, message.subject_id)
    lock(subject)
    db.session.refresh(message)
    return subject


def _same(message: Message) -> tuple[ColumnElement[bool], ...]:
    """The letters of the same subject, entry and day: the one that was posted, and those sent once more."""
    root = message.slot.partition("#")[0]
    slots = or_(Message.slot == root, Message.slot.startswith(f"{root}#", autoescape=True))
    return Message.subject_id == message.subject_id, Message.rule == message.rule, slots


def may_again(message: Message) -> bool:
    """What is over, and was not sent once more since: of two who press at once, one does. What the program withdrew gave up
    its place, and is written anew when it is due."""
    if message.state not in OVER or outbox.FREED in message.slot:
        return False
    return db.session.scalar(select(func.max(Message.id)).where(*_same(message))) == message.id


def again(message: Message, *, by, words: str, on_paper: bool = False) -> Message:
    """Send the same letter once more, on purpose and with a reason: as a message of its own, with a Message-ID of its own.
    Nothing is open of the one before it any more."""
    subject = _about(message, by)
    because(words)
    book = book_of(subject)
    if not may_again(message) or book is None or message.rule not in book.posts:
        raise WrongState()
    event = record(MessageEvent.AGAIN, subject, by=by, words=words, **message.facts)
    count = db.session.scalar(select(func.count()).where(*_same(message)))
    new_id = queue(book.posts[message.rule], event, subject, f"{message.slot.partition('#')[0]}#{count + 1}")
    assert new_id is not None, "the subject is locked"
    made = db.session.get_one(Message, new_id)
    message.replaced_by_id = made.id
    db.session.flush()
    if on_paper:
        put_on_paper(made, by=by)
    return made


def decide(message: Message, *, by, arrived: bool, words: str = "") -> None:
    """Whether a letter whose outcome nobody knew, or that was refused, arrived all the same: found out by a person. What a
    restore held back and had been sent before is not sent from here: withdrawn. Once: the word of the first stands."""
    subject = _about(message, by)
    if not unsettled(message):
        raise WrongState()
    unknown = message.state == MessageState.UNKNOWN
    arrived_as = MessageState.SENT if message.sheet_sha256 else MessageState.WITHDRAWN
    message.state = arrived_as if arrived else MessageState.REJECTED
    message.ended_at = message.ended_at or clock.now()
    db.session.flush()
    became = "arrived" if arrived else "lost" if unknown else "not_needed"
    record(MessageEvent.DECIDED, subject, by=by, arrived=arrived, became=became, words=words, **message.facts)
    if unknown and not arrived:  # somebody sees to it: it is sent once more, or they say why not
        record(MessageEvent.REJECTED, subject, by=by, **message.facts)


def put_on_paper(message: Message, *, by) -> None:
    """What is queued, and in nobody's hand, is printed and posted instead of sent."""
    subject = _about(message, by)
    free = Message.lease_until.is_(None) | (Message.lease_until < clock.now())
    queued = update(Message).where(Message.id == message.id, Message.state == MessageState.QUEUED, free)
    nothing = {"address": "", "answer": "", "sheet_sha256": None, "mail_sha256": None}  # of another way
    values = {"way": Way.PAPER, "next_at": clock.now(), **nothing}
    if not rows_of(db.session.execute(queued.values(values).execution_options(synchronize_session=False))):
        raise WrongState()
    db.session.refresh(message)
    record(MessageEvent.ON_PAPER, subject, by=by, **message.facts)


def posted(message: Message, *, by, on: date | None = None) -> None:
    """It was printed, and is in the post since a day: today, unless another is said."""
    _about(message, by)
    if message.state != MessageState.QUEUED or message.way != Way.PAPER or message.sheet_sha256 is None:
        raise WrongState()
    day = on or clock.today()
    if not clock.local(message.queued_at).date() <= day <= clock.today():
        raise Invalid(fields={"on": N_("Not before the day it was written, and not after today.")})
    outbox.end(message.id, MessageState.SENT, "", by=by, posted_on=day)


def post_all(messages: Sequence[Message], *, by, on: date) -> None:
    """All of these, each in a savepoint of its own: one that cannot be holds no other up, and stays as it is."""
    if not messages:
        raise Invalid(fields={"letter": N_("Choose at least one letter.")})
    if on > clock.today():
        raise Invalid(fields={"on": N_("This lies in the future.")})
    for one in messages:
        with suppress(Refused), db.session.begin_nested():
            posted(one, by=by, on=on)


def because(words: str) -> None:
    if not words.strip():
        raise Invalid(fields={"reason": N_("Say why.")})


def withdraw(message: Message, *, by, words: str) -> None:
    """Not sent after all, and why."""
    _about(message, by)
    if message.state != MessageState.QUEUED:
        raise WrongState()
    outbox.end(message.id, MessageState.WITHDRAWN, words, by=by)
