"""The outbox: what is queued is prepared, given to its carrier, and its outcome written down. Never twice.

    queued → sending → sent | rejected | unknown          queued → withdrawn

A message is taken in hand for a while (a lease) and prepared; then `sending` and what is sent are committed, and only then
is anybody spoken to. What a crash left in hand before that is taken in hand again; what it left `sending` is `unknown`: a
person decides, the program never sends it again by itself. What was not taken is tried again later, five times in all.
Where nobody takes any letter, the others wait for the next sweep untried."""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, or_, select, update

from crm import clock
from crm.db import db, rows_of, unit_of_work
from crm.duties import editions
from crm.duties.locks import lock
from crm.duties.message import Message, MessageEvent, MessageState, Way
from crm.duties.models import Subject
from crm.duties.record import record
from crm.files import store
from crm.labels import N_
from crm.letters.delivery import NoAnswer, NotTaken, Unreached, carrier
from crm.letters.letter import NotReady, Prepared, prepare
from crm.workdays import calendar

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)  # longer than the press and the server together may take
BACK_OFF = (1, 10, 60, 240)  # minutes until what was not taken is tried again
MOST = 500  # letters of one sweep
FREED = "#withdrawn "  # after the slot of one that gave up its place
CUT = N_("the program ended while it was sending")
LONGEST = 60.0  # seconds after which a sweep takes no further one: what else falls due waits for it


def send_due(as_of: datetime) -> int:
    """A sweep's step: send what is queued, within the sending hours; one that goes wrong holds no other up."""
    done = give_up_waiting(as_of)
    if not open_at(as_of):
        return done
    tried, began = set[int](), time.monotonic()
    while len(tried) < MOST and time.monotonic() - began < LONGEST and (held := take(as_of, tried)):
        tried.add(held[0])
        try:
            done += send(*held)
        except Unreached as nobody:
            log.warning("letters wait: %s", nobody.said)
            break
        except Exception:
            log.exception("letter %s could not be sent", held[0])
    return done


def open_at(at: datetime) -> bool:
    """Whether letters go out now: in the rulebook's sending hours of a working day."""
    day, days = clock.local(at).date(), calendar()
    spells = editions.todays().sending
    return days.works(day) and any(clock.moment(day, a) <= at < clock.moment(day, b) for a, b in spells)


def give_up_waiting(as_of: datetime) -> int:
    """Whoever was sending these has ended: nobody knows whether they arrived."""
    with unit_of_work(read_only=True):
        late = select(Message.id).where(_waits(MessageState.SENDING), Message.lease_until < as_of)
        found = list(db.session.scalars(late.order_by(Message.id).limit(MOST)))
    for message_id in found:
        with unit_of_work():
            end(message_id, MessageState.UNKNOWN, CUT)
    return len(found)


def _waits(state: MessageState) -> ColumnElement[bool]:
    """In the words of their index, so that both databases use it."""
    return and_(Message.ended_at.is_(None), Message.state == state)


def take(as_of: datetime, but: set[int]) -> tuple[int, int] | None:
    """Take the next message in hand, of any number of workers one: its id, and the how-manieth try it is, by which it is
    known who has it in hand. What is for paper waits for people."""
    with unit_of_work():
        free = or_(Message.lease_until.is_(None), Message.lease_until < as_of)
        waiting = select(Message.id).where(
            _waits(MessageState.QUEUED), Message.next_at <= as_of, free, Message.id.not_in(but),
            or_(Message.way.is_(None), Message.way != Way.PAPER, Message.sheet_sha256.is_(None)),
        )  # fmt: skip
        one = waiting.order_by(Message.next_at, Message.id).limit(1).with_for_update(skip_locked=True)
        message_id = db.session.scalar(one)
        if message_id is None:
            return None
        held = {"lease_until": clock.now() + LEASE, "attempts": Message.attempts + 1}
        tries = update(Message).where(Message.id == message_id).values(held).returning(Message.attempts)
        return message_id, db.session.scalars(tries.execution_options(synchronize_session=False)).one()


def send(message_id: int, tries: int) -> int:
    """Prepare, commit, give, write down. 1 if it was sent; Unreached if nobody takes letters now."""
    if tries > len(BACK_OFF) + 1:  # each time, whoever had it in hand ended
        with unit_of_work():
            end(message_id, MessageState.REJECTED, N_("the program ended whenever it prepared it"))
        return 0
    try:
        with unit_of_work(read_only=True):
            made = prepare(db.session.get_one(Message, message_id))
    except NotReady as why:
        with unit_of_work():
            _try_later(message_id, tries, str(why), final=False)
        return 0
    kept = {"sheet_sha256": store.put(made.sheet), "way": made.way, "address": made.address}
    if made.way != Way.PAPER:
        kept["mail_sha256"] = store.put(made.mail)
    with unit_of_work():
        begun = _begin(message_id, tries, kept)
    return _give(message_id, tries, made) if begun and made.way != Way.PAPER else 0


def _mine(message_id: int, tries: int, *states: MessageState) -> ColumnElement[bool]:
    """In one of these states, and taken in hand by nobody since."""
    return and_(Message.id == message_id, Message.attempts == tries, Message.state.in_(states))


def _begin(message_id: int, tries: int, kept: dict[str, Any]) -> bool:
    """`sending`, with what is about to be sent; or, for paper, laid ready. False if it was withdrawn meanwhile."""
    paper = kept["way"] == Way.PAPER
    held = {"lease_until": None} if paper else {"lease_until": clock.now() + LEASE, "state": MessageState.SENDING}
    message = db.session.get_one(Message, message_id)
    subject, chosen = db.session.get_one(Subject, message.subject_id), message.way
    if paper:
        lock(subject)
    queued = update(Message).where(_mine(message_id, tries, MessageState.QUEUED)).values(kept | held)
    if not rows_of(db.session.execute(queued.execution_options(synchronize_session=False))):
        return False
    if paper and chosen is None:  # no fax and no e-mail reaches them: somebody posts it
        db.session.refresh(message)
        record(MessageEvent.ON_PAPER, subject, **message.facts)
    return True


def _give(message_id: int, tries: int, made: Prepared) -> int:
    """To the carrier; and what came of it."""
    try:
        said = carrier().give(made.sender, made.address, made.mail)
    except NotTaken as why:
        with unit_of_work():
            _try_later(message_id, tries, why.said, final=why.final)
        if isinstance(why, Unreached):
            raise
        return 0
    except NoAnswer as why:
        with unit_of_work():
            end(message_id, MessageState.UNKNOWN, why.said)
        return 0
    with unit_of_work():
        end(message_id, MessageState.SENT, said)
    return 1


def _try_later(message_id: int, tries: int, said: str, *, final: bool) -> None:
    """It was not taken: another time, or, after the last one, refused. Nothing if somebody else has it in hand by now."""
    if final or tries > len(BACK_OFF):
        end(message_id, MessageState.REJECTED, said, tries=tries)
        return
    later = {"state": MessageState.QUEUED, "answer": said, "lease_until": None,
             "next_at": clock.now() + timedelta(minutes=BACK_OFF[tries - 1])}  # fmt: skip
    waiting = update(Message).where(_mine(message_id, tries, MessageState.QUEUED, MessageState.SENDING)).values(later)
    db.session.execute(waiting.execution_options(synchronize_session=False))


ENDS = {
    MessageState.SENT: MessageEvent.SENT, MessageState.REJECTED: MessageEvent.REJECTED,
    MessageState.UNKNOWN: MessageEvent.UNKNOWN, MessageState.WITHDRAWN: MessageEvent.WITHDRAWN,
}  # fmt: skip


def end(message_id: int, state: MessageState, said: str, *, by=None, tries: int | None = None, **facts: Any) -> None:
    """What became of it, and its event on the subject, in one unit of work; with `tries`, if it was taken in hand by nobody
    since."""
    message = db.session.get_one(Message, message_id)
    subject = db.session.get_one(Subject, message.subject_id)
    lock(subject)  # first, as whoever withdraws does
    known = state != MessageState.UNKNOWN
    values = {"state": state, "answer": said, "lease_until": None, "ended_at": clock.now() if known else None}
    froms = [MessageState.QUEUED, MessageState.SENDING]
    ended = update(Message).where(Message.id == message_id, Message.state.in_(froms))
    ended = ended if tries is None else ended.where(Message.attempts == tries)
    if rows_of(db.session.execute(ended.values(values).execution_options(synchronize_session=False))):
        db.session.refresh(message)
        record(ENDS[state], subject, by=by, said=said, **facts, **message.facts)


def withdraw(
    subject: Subject, *, by=None, said: str = "", rules: Sequence[str] = (), but: str = "", anew: bool = False
) -> int:  # fmt: skip
    """What is queued about a subject (by these entries of the rulebook, if any are named), though somebody may be preparing
    it, is not sent any more; all `but` what is for that day. With `anew` it gives up its place: nobody has got it, so it is
    written once more should it be due again."""
    waiting = select(Message.id, Message.slot).where(Message.subject_id == subject.id, Message.state == MessageState.QUEUED)
    if rules:
        waiting = waiting.where(Message.rule.in_(rules))
    rows = db.session.execute(waiting.order_by(Message.id).with_for_update()).all()
    found = [id for id, slot in rows if not but or not slot.partition("#")[0].endswith(but)]
    for message_id in found:
        end(message_id, MessageState.WITHDRAWN, said, by=by)
    if anew and found:
        freed = update(Message).where(Message.id.in_(found)).values(slot=Message.slot + FREED + cast(Message.id, String))
        db.session.execute(freed.execution_options(synchronize_session=False))
    return len(found)


def hold_all() -> int:
    """The place has been restored: what waited then may have been sent since, so a person decides on each."""
    waiting = select(Message.id).where(or_(_waits(MessageState.QUEUED), _waits(MessageState.SENDING))).order_by(Message.id)
    found = list(db.session.scalars(waiting))
    for message_id in found:
        end(message_id, MessageState.UNKNOWN, N_("restored from a backup: it may have been sent since that was made"))
    return len(found)
