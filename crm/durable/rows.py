"""Rows that fit the tables and yet cannot be: what each kind of subject, event and duty must fulfil."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import aliased

from crm import clock
from crm.db import Step
from crm.desk.search import lacking
from crm.duties.events import DutyEvent
from crm.duties.message import Message, MessageState, Way
from crm.duties.models import Duty, Event, Extension, Subject, open_now

subjects = Subject.__table__


def checks() -> Iterator[tuple[str, Select]]:
    """What must hold → the numbers of the subjects where it does not."""
    yield "every subject is of a kind there is", _where(subjects.c.kind.not_in(Subject.__mapper__.polymorphic_map))
    for kind in Subject.__subclasses__():
        yield from _of_kind(kind)
    for name, kind in (("customer_id", "customer"), ("owner_id", "user"), ("edition_id", "edition")):
        other = subjects.alias()
        wrong = select(other.c.id).where(other.c.id == subjects.c[name], other.c.kind != kind).exists()
        yield f"every {name} names one of kind {kind}", _where(wrong)
    yield from _of_events()
    yield from _of_duties()
    yield from _of_letters()
    yield "every step of the sweep succeeded when it was last tried", select(Step.name).where(Step.failing())


def _of_letters() -> Iterator[tuple[str, Select]]:
    late = Message.lease_until < clock.now() - timedelta(hours=1)
    yield "no letter is being sent since long ago", select(Message.id).where(Message.state == MessageState.SENDING, late)
    on_paper = Message.way == Way.PAPER
    bare = Message.sheet_sha256.is_(None) | (Message.mail_sha256.is_(None) & ~on_paper)
    yield "every letter that was sent is kept as it was", select(Message.id).where(Message.state == MessageState.SENT, bare)
    told = select(Event.id).where(Event.id == Message.event_id, Event.subject_id == Message.subject_id).exists()
    yield "every letter's event is its subject's", select(Message.id).where(~told)


def _where(condition: ColumnElement[bool]) -> Select:
    return select(subjects.c.number).where(condition).order_by(subjects.c.id)


def _of_kind(kind: type[Subject]) -> Iterator[tuple[str, Select]]:
    name = kind.__mapper__.polymorphic_identity
    own = kind.__mapper__.local_table
    if own is not subjects:
        whole = select(own.c.id).where(own.c.id == subjects.c.id).exists()
        yield f"every {name} is whole", _where((subjects.c.kind == name) != whole)
    if kind.STATES is not None:
        known = [str(state) for state in kind.STATES]
        yield (
            f"every {name} is in one of its states",
            _where((subjects.c.kind == name) & subjects.c.state.not_in(known)),
        )
    if kind.SEARCHED:
        yield f"every {name} can be found by the search", select(kind.number).where(lacking(kind))
    for what, wrong in kind.odd().items():
        yield what, select(kind.number).where(wrong).order_by(kind.id)


def _of_events() -> Iterator[tuple[str, Select]]:
    yield (
        "every subject has its first event",
        _where(~select(Event.id).where(Event.subject_id == subjects.c.id).exists()),
    )
    happened = select(subjects.c.number).join(Event, Event.subject_id == subjects.c.id)
    odd = or_(Event.at > Event.recorded_at, Event.at < subjects.c.opened_at)
    yield "events lie between opening and their recording", happened.where(odd)
    yield "no event was recorded in the future", happened.where(Event.recorded_at > clock.now() + timedelta(hours=1))


def _of_duties() -> Iterator[tuple[str, Select]]:
    owed = select(subjects.c.number).join(Duty, Duty.subject_id == subjects.c.id)
    yield "open duties stand on subjects with an edition", owed.where(open_now(), subjects.c.edition_id.is_(None))
    ends = (Duty.kept_by_id, Duty.dropped_by_id, Duty.breached_by_id, Duty.held_by_id)
    yield "a duty ends after it was opened", owed.where(or_(*(end <= Duty.opened_by_id for end in ends)))
    elsewhere = aliased(Event)
    stamps = or_(*(elsewhere.id == one for one in (Duty.opened_by_id, *ends)))
    came_of = aliased(subjects)
    family = select(came_of.c.id).where(came_of.c.id == elsewhere.subject_id, came_of.c.origin_id == Duty.subject_id).exists()
    strange = select(elsewhere.id).where(stamps, elsewhere.subject_id != Duty.subject_id, ~family).exists()
    yield "a duty's events are its subject's own, or of what came of it", owed.where(strange)
    missed = aliased(Event)
    breach = select(missed.id).where(missed.id == Duty.breached_by_id, missed.kind == DutyEvent.BREACHED).exists()
    yield "a missed duty was written down as missed", owed.where(Duty.breached_by_id.is_not(None), ~breach)
    asked = select(Extension.id).where(Extension.duty_id == Duty.id, Extension.granted.is_(None)).exists()
    yield (
        "a duty waits only for a request that is undecided",
        owed.where(open_now(), Duty.held_by_id.is_not(None) != asked),
    )
