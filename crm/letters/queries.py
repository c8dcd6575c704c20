from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import joinedload, selectinload

from crm import lists
from crm.db import db
from crm.duties import queries as duties
from crm.duties.message import Message, MessageEvent, MessageState, Way
from crm.duties.models import Duty, Event, Subject, open_now
from crm.errors import NotThere
from crm.letters.models import Letter, LetterVersion, State
from crm.permissions import Permission, Role

DECIDE, MEND = "message.decide", "message.mend"  # the duties of what became of a letter


def get(number: str, user) -> Letter:
    """A letter with its versions, as far as `user` may see it."""
    found = select(Letter).where(Letter.number == number, Letter.visible(user)).options(selectinload(Letter.versions))
    letter = db.session.scalar(found)
    if letter is None:
        raise NotThere()
    return letter


def every(user) -> list[Letter]:
    """All of them, kind by kind."""
    rows = select(Letter).where(Letter.visible(user)).order_by(Letter.category, Letter.language.desc(), Letter.brand, Letter.id)
    return list(db.session.scalars(rows.options(selectinload(Letter.versions))))


def text_for(template: str, brand: str, language: str) -> LetterVersion | None:
    """The newest text for a kind of letter: the brand's own, else that for any; in the language, else in Chinese."""
    newest = (
        select(LetterVersion).join(Letter, Letter.id == LetterVersion.letter_id)
        .where(Letter.kind == "letter", Letter.category == template, Letter.state == State.ACTIVE,
               Letter.brand.in_([brand, ""]), Letter.language.in_([language, "zh"]))
        .order_by(Letter.language != language, Letter.brand != brand, LetterVersion.n.desc(), LetterVersion.id.desc())
    )  # fmt: skip
    return db.session.scalar(newest.limit(1))


@dataclass(frozen=True)
class Filter:
    """What the outbox is narrowed by; empty means all."""

    state: str = ""
    way: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str], _user) -> Self:
        return cls(lists.one_of(args, "state", MessageState), lists.one_of(args, "way", Way))

    @property
    def any(self) -> bool:
        return self != Filter()


def ids(user, wanted: Filter) -> Select:
    """The keys of all letters that fit, about what the reader sees."""
    seen = select(Subject.id).where(Subject.id == Message.subject_id, duties.visible(user)).correlate(Message)
    ids = select(Message.id).where(seen.exists() if user.may(Permission.LETTER_READ) else false())
    if wanted.state:
        ids = ids.where(Message.state == wanted.state, Message.replaced_by_id.is_(None))
    if wanted.way:
        ids = ids.where(Message.way == wanted.way)
    return ids


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty letters of the outbox, the newest first."""
    rows, after, count = lists.page_of(ids(user, wanted), _loaded, before=before, size=size)
    return lists.Page(rows, after, count, duties.names(id for row in rows for id in (row.subject_id, row.subject.customer_id)))


def _loaded(ids: list[int]) -> list[Message]:
    rows = select(Message).where(Message.id.in_(ids)).order_by(Message.id.desc())
    return list(db.session.scalars(rows.options(joinedload(Message.subject))))


def message(message_id: int, user) -> Message:
    """A letter of the outbox, for whoever sees what it is about."""
    found = db.session.scalar(
        select(Message).join(Subject, Subject.id == Message.subject_id)
        .where(Message.id == message_id, duties.visible(user)).options(joinedload(Message.subject))
    )  # fmt: skip
    if found is None or not user.may(Permission.LETTER_READ):
        raise NotThere()
    return found


def of(subject: Subject) -> list[Message]:
    """The letters about a subject, the newest first."""
    rows = select(Message).where(Message.subject_id == subject.id).order_by(Message.id.desc()).limit(50)
    return list(db.session.scalars(rows))


def to_settle(user) -> dict[str, int]:
    """Of how many letters somebody has to find out what became of them, or see to them again: by their duty's rule."""
    owed = select(Duty.rule, func.count()).where(Duty.pool == Role.FOLLOWUP, Duty.rule.in_([DECIDE, MEND]), open_now())
    owed = owed.join(Subject, Subject.id == Duty.subject_id).where(duties.visible(user))
    return dict(db.session.execute(owed.group_by(Duty.rule)).all())  # type: ignore[arg-type]


def unsettled(message: Message) -> bool:
    """Whether somebody still has to say what became of a letter: nobody knows, or it was refused."""
    if message.state not in (MessageState.UNKNOWN, MessageState.REJECTED):
        return False
    rules = Duty.rule.in_([DECIDE, MEND]), Duty.slot == str(message.id)
    owed = select(Duty.id).where(Duty.subject_id == message.subject_id, *rules, open_now())
    return db.session.scalar(owed.limit(1)) is not None


def story(message: Message) -> list[Event]:
    """What happened to a letter, the latest first."""
    told = select(Event).where(Event.subject_id == message.subject_id, Event.kind.in_(list(MessageEvent)))
    rows = db.session.scalars(told.order_by(Event.at.desc(), Event.id.desc()))
    return [event for event in rows if event.facts.get("message") == message.id]


def replaces(message: Message) -> int | None:
    """Which letter this one is once more."""
    return db.session.scalar(select(Message.id).where(Message.replaced_by_id == message.id).limit(1))


def of_ids(ids: Iterable[int], user) -> list[Message]:
    """Some letters of the outbox, as far as `user` may see them."""
    if not user.may(Permission.LETTER_READ):
        return []
    rows = select(Message).join(Subject, Subject.id == Message.subject_id).where(Message.id.in_(list(ids)), duties.visible(user))
    return list(db.session.scalars(rows.order_by(Message.id).limit(200).options(joinedload(Message.subject))))


def to_print(user) -> list[Message]:
    """What lies ready to be printed and posted, the oldest first."""
    if not user.may(Permission.NOTICE_SEND):
        return []
    ready = Message.state == MessageState.QUEUED, Message.way == Way.PAPER, Message.sheet_sha256.is_not(None)
    rows = select(Message).where(*ready).order_by(Message.id).limit(200).options(joinedload(Message.subject))
    return list(db.session.scalars(rows))
