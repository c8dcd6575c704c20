"""Drafts of the rulebook, what a draft would have done, and what people suggest or object to (8, 9)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, Index, false, true
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import db, only
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission, by_reader


class DraftState(Labelled):
    DRAFT = "draft", N_("Draft")
    ISSUED = "issued", N_("Issued")
    DISCARDED = "discarded", N_("Discarded")


class DraftEvent(Labelled):
    BEGUN = "draft.begun", N_("began the draft")
    CHANGED = "draft.changed", N_("changed the draft")
    TRIED = "draft.tried", N_("had the draft tried on the past")
    ISSUED = "draft.issued", N_("issued the draft")
    TAKEN_BACK = "draft.taken_back", N_("took the edition back before it held")
    DISCARDED = "draft.discarded", N_("discarded the draft")
    NOTED = "draft.noted", N_("added a note")
    ATTACHED = "draft.attached", N_("attached a file")


class Draft(Subject):
    """The text of an edition to come. `title`: what it is for."""

    __tablename__ = "drafts"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    body: Mapped[str]
    base_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))  # the edition it was begun from
    issued_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # the edition it became

    __table_args__ = (CheckConstraint("body <> ''", name="body"),)
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "draft", "inherit_condition": id == Subject.id}
    noun = "drafts"
    label = N_("Draft of the rulebook")
    EVENTS = DraftEvent
    STATES = DraftState

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        return {"a draft that was issued has its edition": (cls.state == DraftState.ISSUED) != cls.issued_id.is_not(None)}

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.RULEBOOK_DRAFTS) else false()


class Kind(Labelled):
    SUGGESTION = "suggestion", N_("Suggestion")
    OBJECTION = "objection", N_("Objection")


class SuggestionState(Labelled):
    OPEN = "open", N_("To be answered")
    ANSWERED = "answered", N_("Answered")
    WITHDRAWN = "withdrawn", N_("Withdrawn")


class SuggestionEvent(Labelled):
    MADE = "suggestion.made", N_("wrote a suggestion on the rulebook")
    OBJECTED = "suggestion.objected", N_("objected to the rulebook")
    ANSWERED = "suggestion.answered", N_("answered it")
    TAKEN_UP = "suggestion.taken_up", N_("took it up in a draft")
    WITHDRAWN = "suggestion.withdrawn", N_("withdrew it")
    NOTED = "suggestion.noted", N_("added a note")
    ATTACHED = "suggestion.attached", N_("attached a file")


class Suggestion(Subject):
    """What somebody would have otherwise in the rulebook (9), or objects to (8). `category`: which of the two; `owner`: who
    wrote it."""

    __tablename__ = "suggestions"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    clause: Mapped[str] = mapped_column(default="")  # none: on the whole
    words: Mapped[str]
    answers: Mapped[str]  # the role that owes it an answer
    answer: Mapped[str] = mapped_column(default="")
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"), index=True)  # which takes it up

    __table_args__ = (CheckConstraint("words <> ''", name="words"),)
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "suggestion", "inherit_condition": id == Subject.id}
    noun = "suggestions"
    label = N_("Suggestion on the rulebook")
    EVENTS = SuggestionEvent
    STATES = SuggestionState
    FACTS = ("answers",)
    NOTICES: ClassVar[dict[str, str]] = dict.fromkeys(
        (SuggestionEvent.ANSWERED, SuggestionEvent.TAKEN_UP, SuggestionEvent.NOTED), "owner"
    )

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"answers": self.answers}

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        answered = cls.state == SuggestionState.ANSWERED
        return {"what is answered has its answer, and nothing else": answered != (cls.answer != "")}

    @classmethod
    @by_reader
    def visible(cls, user) -> ColumnElement[bool]:
        """One's own; whoever answers, all."""
        mine = Subject.owner_id == user.id
        return true() if user.may(Permission.RULEBOOK_DRAFTS) else mine


class TrialState(Labelled):
    WAITING = "waiting", N_("Waits for its turn")
    RUNNING = "running", N_("Is being tried")
    DONE = "done", N_("Tried")
    FAILED = "failed", N_("Could not be tried")
    STOPPED = "stopped", N_("Stopped")


GOING = "state IN ('waiting', 'running')"


class TrialRun(db.Model):
    """A draft tried on a time of the past, or to be tried: carried on by the sweep. Of a draft one goes on at most."""

    __tablename__ = "trials"
    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), index=True)
    draft_version: Mapped[int]
    body: Mapped[str]  # as the draft was when it was asked for
    since: Mapped[date]
    until: Mapped[date]  # its last day
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default=TrialState.WAITING)
    position: Mapped[int] = mapped_column(default=0)  # the last subject that was looked at
    total: Mapped[int] = mapped_column(default=0)
    found: Mapped[dict] = mapped_column(JSON, default=dict)

    __table_args__ = (
        CheckConstraint(f"({GOING}) = (ended_at IS NULL)", name="ended"),
        CheckConstraint("since <= until", name="span"),
        Index("uq_trials_going", "draft_id", unique=True, **only(GOING)),
    )

    @property
    def seen(self) -> int:
        """How many subjects were looked at."""
        return self.found.get("seen", 0)


class TrialRow(db.Model):
    """What stands behind a trial's numbers: a deadline that only one side missed, or a subject that is left out."""

    __tablename__ = "trial_rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    trial_id: Mapped[int] = mapped_column(ForeignKey("trials.id", ondelete="CASCADE"))
    what: Mapped[str]
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))
    rule: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime | None]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    pool: Mapped[str | None]
    fen_held: Mapped[int] = mapped_column(default=0)
    fen_draft: Mapped[int] = mapped_column(default=0)
    why: Mapped[str] = mapped_column(default="")

    __table_args__ = (Index("ix_trial_rows_trial_id", "trial_id", "what", "id"),)
