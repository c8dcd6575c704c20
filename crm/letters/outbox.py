"""The outbox: what is queued is prepared, given to its carrier, and its outcome written down. Never twice.

    queued → sending → sent | rejected | unknown          queued → withdrawn

A message is taken in hand for a while (a lease) and prepared; then `sending` and what is sent are committed, and only then
is anybody spoken to. What a crash left in hand before that is taken in hand again; what it left `sending` is `unknown`: a
person decides, the program never sends it again by itself. What was not taken is tried again later, five times in all."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from crm import clock
from crm.db import db, rows_of, unit_of_work
from crm.duties import editions
from crm.duties.message import Message, MessageEvent, MessageState, Way
from crm.duties.models import Subject
from crm.duties.record import lock, record
from crm.files import store
from crm.letters.delivery import NoAnswer, NotTaken, carrier
from crm.letters.letter import NotReady, Prepared, prepare
from crm.workdays import calendar

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)  # longer than the press and the server together may take
BACK_OFF = (1, 10, 60, 240)  # minutes until what was not taken is tried again
MOST = 500  # letters of one sweep


def send_due(as_of: datetime) -> int:
    """A sweep's step: send what is queued, within the sending hours; one that goes wrong holds no other up."""
    done = give_up_waiting(as_of)
    if not open_at(as_of):
        return done
    tried: set[int] = set()
    while len(tried) < MOST and (message_id := take(as_of, tried)):
        tried.add(message_id)
        try:
            done += send(message_id)
        except Exception:
            log.exception("letter %s could not be sent", message_id)
    return done


def open_at(at: datetime) -> bool:
    """Whether letters go out now: in the rulebook's sending hours of a working day."""
    day, days = clock.local(at).date(), calendar()
    spells = editions.todays().sending
    return days.works(day) and any(clock.moment(day, a) <= at < clock.moment(day, b) for a, b in spells)


def give_up_waiting(as_of: datetime) -> int:
    """Whoever was sending these has ended: nobody knows whether they arrived."""
    with unit_of_work(read_only=True):
        late = select(Message.id).where(Message.state == MessageState.SENDING, Message.lease_until < as_of)
        found = list(db.session.scalars(late.order_by(Message.id).limit(MOST)))
    for message_id in found:
        with unit_of_work():
            end(message_id, MessageState.UNKNOWN, "the program ended while it was sending")
    return len(found)


def take(as_of: datetime, but: set[int]) -> int | None:
    """Take the next message in hand: of any number of workers one does. What is for paper waits for people."""
    with unit_of_work():
        free = or_(Message.lease_until.is_(None), Message.lease_until < as_of)
        waiting = select(Message.id).where(
            Message.state == MessageState.QUEUED, Message.next_at <= as_of, free, Message.id.not_in(but),
            or_(Message.way.is_(None), Message.way != Way.PAPER, Message.sheet_sha256.is_(None)),
        )  # fmt: skip
        one = waiting.order_by(Message.next_at, Message.id).limit(1).with_for_update(skip_locked=True)
        message_id = db.session.scalar(one)
        if message_id is not None:
            held = update(Message).where(Message.id == message_id).values(lease_until=clock.now() + LEASE)
            db.session.execute(held.execution_options(synchronize_session=False))
        return message_id


def send(message_id: int) -> int:
    """Prepare, commit, give, write down. 1 if it was sent."""
    try:
        with unit_of_work(read_only=True):
            made = prepare(db.session.get_one(Message, message_id))
    except NotReady as why:
        with unit_of_work():
            _try_later(message_id, str(why), final=False)
        return 0
    with unit_of_work():
        if not _begin(message_id, made):
            return 0
    if made.way == Way.PAPER:
        return 0
    try:
        said = carrier().give(made.sender, made.address, made.mail)
    except NotTaken as why:
        with unit_of_work():
            _try_later(message_id, why.said, final=why.final)
        return 0
    except NoAnswer as why:
        with unit_of_work():
            end(message_id, MessageState.UNKNOWN, str(why)[:500])
        return 0
    with unit_of_work():
        end(message_id, MessageState.SENT, said)
    return 1


def _begin(message_id: int, made: Prepared) -> bool:
    """`sending`, with what is about to be sent; or, for paper, laid ready. False if it was withdrawn meanwhile."""
    kept = {"sheet_sha256": store.put(made.sheet), "way": made.way, "address": made.address}
    if made.way == Way.PAPER:
        kept |= {"lease_until": None}
    else:
        kept |= {"mail_sha256": store.put(made.mail), "state": MessageState.SENDING, "attempts": Message.attempts + 1,
                 "lease_until": clock.now() + LEASE}  # fmt: skip
    queued = update(Message).where(Message.id == message_id, Message.state == MessageState.QUEUED)
    return rows_of(db.session.execute(queued.values(kept).execution_options(synchronize_session=False))) == 1


def _try_later(message_id: int, said: str, *, final: bool) -> None:
    """It was not taken: another time, or, after the last one, refused."""
    message = db.session.get_one(Message, message_id)
    tries = max(message.attempts, 1)
    if final or tries > len(BACK_OFF):
        end(message_id, MessageState.REJECTED, said)
        return
    later = {"state": MessageState.QUEUED, "answer": said, "lease_until": None,
             "next_at": clock.now() + timedelta(minutes=BACK_OFF[tries - 1])}  # fmt: skip
    if message.state == MessageState.QUEUED:  # it could not even be prepared
        later["attempts"] = tries + 1
    waiting = Message.state.in_([MessageState.QUEUED, MessageState.SENDING])
    db.session.execute(update(Message).where(Message.id == message_id, waiting).values(later))


ENDS = {
    MessageState.SENT: MessageEvent.SENT, MessageState.REJECTED: MessageEvent.REJECTED,
    MessageState.UNKNOWN: MessageEvent.UNKNOWN, MessageState.WITHDRAWN: MessageEvent.WITHDRAWN,
}  # fmt: skip


def end(message_id: int, state: MessageState, said: str, *, by=None) -> None:
    """What became of it, and its event on the subject, in one unit of work."""
    message = db.session.get_one(Message, message_id)
    subject = db.session.get_one(Subject, message.subject_id)
    lock(subject)  # first, as whoever withdraws does
    known = state != MessageState.UNKNOWN
    values = {"state": state, "answer": said, "lease_until": None, "ended_at": clock.now() if known else None}
    froms = [MessageState.QUEUED, MessageState.SENDING]
    ended = update(Message).where(Message.id == message_id, Message.state.in_(froms))
    if rows_of(db.session.execute(ended.values(values).execution_options(synchronize_session=False))):
        db.session.refresh(message)
        record(ENDS[state], subject, by=by, said=said, **message.facts)


def withdraw(subject: Subject, *, by=None, said: str = "", but: str = "") -> int:
    """What is queued about a subject and nobody has in hand yet is not sent any more."""
    waiting = select(Message.id).where(
        Message.subject_id == subject.id, Message.state == MessageState.QUEUED, Message.slot != but
    )
    found = list(db.session.scalars(waiting.order_by(Message.id).with_for_update()))
    for message_id in found:
        end(message_id, MessageState.WITHDRAWN, said, by=by)
    return len(found)
