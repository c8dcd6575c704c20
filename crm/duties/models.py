"""Subject, Event, Duty and what belongs to them: the tables everything else stands on."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint, false, select, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm import clock
from crm.db import db, only
from crm.duties.declared import Declared
from crm.duties.events import EditionEvent, EditionState
from crm.duties.pressing import Pressing
from crm.labels import N_, Priority
from crm.search import Entry


class Subject(Declared, db.Model):
    """Anything that has a history and may owe something. Here stands all that lists, Today and history filter by."""

    __tablename__ = "subjects"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    number: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="")
    category: Mapped[str] = mapped_column(default="")
    priority: Mapped[str] = mapped_column(default=Priority.NORMAL)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    origin_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    concerned_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    edition_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    opened_at: Mapped[datetime]
    external_ref: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_on": "kind"}
    __table_args__ = (
        UniqueConstraint("kind", "external_ref"),
        Index("ix_subjects_kind_id", "kind", "id", postgresql_include=["category", "owner_id"]),  # lists count by it alone
        *(Index(f"ix_subjects_kind_{name}", "kind", *columns) for name, columns in {
            "state": ("state", "id"), "category": ("category", "id"), "owner": ("owner_id", "id"),
            "owner_state": ("owner_id", "state", "id"), "customer": ("customer_id", "id"), "opened": ("opened_at", "id"),
        }.items()),
        Index("ix_subjects_customer_id", "customer_id", "id"),
        # few have an origin or somebody concerned: without this a lookup would be estimated by the many that have none
        Index("ix_subjects_origin_id", "origin_id", **only("origin_id IS NOT NULL")),
        Index("ix_subjects_concerned_id", "kind", "concerned_id", "id", **only("concerned_id IS NOT NULL")),
    )  # fmt: skip

    def searched(self) -> Iterable[Entry]:
        """The rows by which the search finds this subject."""
        return ()

    def searched_first(self) -> Iterable[Entry]:
        """The same while nothing but its opening has happened to it."""
        return self.searched()

    @classmethod
    def searched_all(cls, some: Iterable[Self]) -> Iterator[tuple[int, Entry]]:
        """The same of many; a kind that asks the database for it asks once."""
        yield from ((one.id, entry) for one in some for entry in one.searched())

    def facts(self) -> dict[str, Any]:
        """What the rulebook's conditions and dates may name."""
        return {"state": self.state, "category": self.category}

    def owes(self, rules: Collection[str]) -> bool:
        """Whether a duty of one of these rules is open on it, and its time has come."""
        owed = Duty.subject_id == self.id, Duty.rule.in_(rules), open_now(), Duty.show_from <= clock.now()
        return db.session.scalar(select(Duty.id).where(*owed).limit(1)) is not None

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        """What must hold of every row of this kind, in words → which rows break it; for `crm check`."""
        return {}

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        """Which rows of this kind `user` may see, in columns of `subjects` alone."""
        return false()

    @classmethod
    def whole(cls, user) -> ColumnElement[bool]:
        """Which of those `user` may read all of: their story and files, not only what they are called."""
        return cls.visible(user)

    @classmethod
    def named(cls, user) -> ColumnElement[bool]:
        """Which of those `user` may read the title of elsewhere, too: it may say more than one is to know."""
        return cls.visible(user)

    def letter_about(self, slot: str) -> Any:
        """What its letters say, and where they reach (`letters.letter.About`); `slot` tells what the letter is for."""
        raise LookupError(f"no letters are sent about {self.number}")

    def act_facts(self, rule) -> dict[str, Any]:
        """What the program's act by a rule says of this."""
        return {}

    def hindrance(self, rule) -> str:
        """Which of HINDRANCES holds now; "" if the program can act."""
        return ""

    def lacking(self) -> list[str]:
        """The rulebook's fields it still needs: a missed deadline says which."""
        return []

    path = property(lambda self: f"/{self.noun}/{self.number}")

    askers = property(lambda self: {self.owner_id})  # who asked for this, and so never approves it (ours.approval)

    served_by = property(lambda self: self.owner_id)  # whom the marks of a call about it are of

    @property
    def servers(self) -> set[int | None]:
        return {self.owner_id}  # who served the customer here, and so never calls back on it (5.5.1)

    @property
    def state_label(self) -> str:
        known = self.STATES and self.STATES.known(self.state)
        return known.label if known else self.state


UNSEEN = "seen_at IS NULL"


class Event(db.Model):
    """Something that happened. Append-only: a trigger refuses UPDATE and DELETE on both databases."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    address: Mapped[str] = mapped_column(default="")
    via: Mapped[str] = mapped_column(default="")
    facts: Mapped[dict] = mapped_column(default=dict)
    # what conditions could rest on then (`known_then`): for trials, and not for pages
    known: Mapped[dict | None] = mapped_column(JSON(none_as_null=True), deferred=True)

    __table_args__ = (Index("ix_events_subject_id", "subject_id", "at"), Index("ix_events_at", "at"))

    @property
    def people(self) -> list[int]:
        """Who did it, and whom its facts name: these three always mean a person."""
        named = (self.actor_id, *(self.facts.get(key) for key in ("from", "to", "owner")))
        return [id for id in named if isinstance(id, int)]

    @property
    def about(self) -> int | str | None:
        """The other subject its facts name: by its id, in older ones by its number."""
        return self.facts.get("of") or self.facts.get("record")


class Notice(db.Model):
    """That an event concerns somebody who did not do it."""

    __tablename__ = "notices"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    seen_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("user_id", "event_id"),
        Index("ix_notices_user_id", "user_id", "id"),
        Index("ix_notices_unseen", "user_id", **only(UNSEEN)),
    )


OPEN = "kept_by_id IS NULL AND dropped_by_id IS NULL"
KEPT, BREACHED = "kept_by_id IS NOT NULL", "breached_by_id IS NOT NULL"
PENDING = f"{OPEN} AND breached_by_id IS NULL AND held_by_id IS NULL"


class Duty(Pressing, db.Model):
    """What somebody owes, under which clause, by when, and how that ended. Open: neither kept nor dropped."""

    __tablename__ = "duties"
    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str]
    slot: Mapped[str] = mapped_column(default="")
    edition_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    clause: Mapped[str]
    fine_clause: Mapped[str | None]
    fine_fen: Mapped[int | None]
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    pool: Mapped[str | None]
    show_from: Mapped[datetime]
    warn_at: Mapped[datetime]
    due_at: Mapped[datetime]
    ruled_due_at: Mapped[datetime]  # what the rule said, before any more time
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    kept_by_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"))
    dropped_by_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"))
    breached_by_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"))
    breached_owner_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # who owed it when it fell due
    liable_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # who owed it then, until that is decided
    held_by_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"))  # more time asked, not yet decided

    subject: Mapped[Subject] = relationship(foreign_keys=subject_id)
    kept_by: Mapped[Event | None] = relationship(foreign_keys=kept_by_id, lazy="raise")
    breached_by: Mapped[Event | None] = relationship(foreign_keys=breached_by_id, lazy="raise")
    extensions: Mapped[list["Extension"]] = relationship(back_populates="duty", lazy="raise", order_by="Extension.id")

    __table_args__ = (
        UniqueConstraint("rule", "opened_by_id", "slot"),
        CheckConstraint("owner_id IS NOT NULL OR pool IS NOT NULL", name="owned"),
        CheckConstraint("kept_by_id IS NULL OR dropped_by_id IS NULL", name="one_end"),
        CheckConstraint("(fine_clause IS NULL) = (fine_fen IS NULL)", name="fine"),
        CheckConstraint("show_from <= due_at AND warn_at <= due_at", name="order"),
        # the sweep's index: only what may still fall due
        Index("ix_duties_pending", "due_at", **only(PENDING)),
        # of one subject, rule and slot one duty is open
        Index("uq_duties_open", "subject_id", "rule", "slot", unique=True, **only(OPEN)),
        Index("ix_duties_subject_id", "subject_id", "due_at"),
        # partial, so that "not yet kept" is never looked for here
        Index("ix_duties_kept", "kept_by_id", **only(KEPT)),
        Index("ix_duties_breached", "breached_by_id", **only(BREACHED)),
        Index("ix_duties_breached_owner", "breached_owner_id", "breached_by_id", **only(BREACHED)),
        Index("ix_duties_open_owner", "owner_id", "due_at", **only(OPEN)),
        Index("ix_duties_open_pool", "pool", "due_at", **only(OPEN)),
        Index("ix_duties_open_pool_shown", "pool", "show_from", "id", **only(OPEN)),
    )  # fmt: skip

    @property
    def open(self) -> bool:
        return self.kept_by_id is None and self.dropped_by_id is None


class Extension(db.Model):
    """More time asked for before the deadline, with the reason, and the manager's answer (3.8)."""

    __tablename__ = "extensions"
    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duties.id"), index=True)
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    asked_at: Mapped[datetime]
    reason: Mapped[str]
    wanted: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    decided_at: Mapped[datetime | None]
    granted: Mapped[bool | None]
    new_due_at: Mapped[datetime | None]
    remark: Mapped[str] = mapped_column(default="")

    duty: Mapped[Duty] = relationship(back_populates="extensions")

    __table_args__ = (
        CheckConstraint("(granted IS NULL) = (decided_at IS NULL) AND (granted IS NULL) = (decided_by_id IS NULL)", "decided"),
        CheckConstraint("(new_due_at IS NOT NULL) = (granted IS NOT NULL AND granted)", name="new_date"),
        CheckConstraint("decided_by_id <> asked_by_id", name="not_oneself"),  # whoever asks never approves
        Index("uq_extensions_undecided", "duty_id", unique=True, **only("granted IS NULL")),
    )  # fmt: skip


class Edition(Subject):
    """One edition of the rulebook: its text, and the instant from which it holds (10); none where it was taken back before."""

    __tablename__ = "editions"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    holds_from: Mapped[datetime | None] = mapped_column(unique=True)
    body: Mapped[str]
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "edition", "inherit_condition": id == Subject.id}
    noun = "rulebook"
    label = N_("Rulebook")
    EVENTS = EditionEvent
    STATES = EditionState
    NOTICES: ClassVar[dict[str, str]] = {EditionEvent.WITHDRAWN: "people"}

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true()


class Acknowledgement(db.Model):
    """That a person acknowledged an edition: once (8)."""

    __tablename__ = "acknowledgements"
    edition_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    at: Mapped[datetime]


def open_now() -> ColumnElement[bool]:
    return Duty.kept_by_id.is_(None) & Duty.dropped_by_id.is_(None)


def pending_now() -> ColumnElement[bool]:
    """Open, not yet breached, and not waiting for a decision on more time."""
    return open_now() & Duty.breached_by_id.is_(None) & Duty.held_by_id.is_(None)
