"""What a penalty rests on, for its page and its notice: the rule, how its deadline was found, what was missing, what happened."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from crm.db import db
from crm.duties import editions
from crm.duties.models import Duty, Edition, Event, Extension, Subject
from crm.duties.queries import NAME, Name
from crm.duties.rulebook import Clause, Field, Rule, Rulebook
from crm.duties.rulebook import Penalty as Entry
from crm.duties.spans import said as said_of
from crm.labels import said
from crm.penalties.models import Penalty
from crm.workdays import Span


@dataclass(frozen=True)
class Evidence:
    """`due` and what stands with it: of a missed deadline alone."""

    edition: str
    entry: Entry
    clause: Clause | None
    events: Sequence[Event]
    origin: Name | None = None
    rule: Rule | None = None
    due: datetime | None = None
    ruled: datetime | None = None
    kept: Event | None = None
    missing: Sequence[Field] = ()
    extensions: Sequence[Extension] = ()
    complaints: Sequence[Name] = field(default_factory=list)

    @property
    def opened(self) -> Event | None:
        return self.events[0] if self.rule and self.events else None


def of(penalty: Penalty) -> Evidence:
    """All of it, as it was when it happened, by the edition it was broken under."""
    told = penalty.evidence
    book = editions.book(told["edition"])
    known = {one.id: one for one in db.session.scalars(select(Event).where(Event.id.in_(told.get("events", []))))}
    events = [known[id] for id in told.get("events", []) if id in known]
    others = _named(penalty.origin_id, *told.get("complaints", []))
    number = db.session.scalar(select(Edition.number).where(Edition.id == told["edition"])) or ""
    entry = book.penalties[penalty.category]
    return Evidence(
        number, entry, book.clauses.get(penalty.clause), events, others.get(penalty.origin_id or 0),
        complaints=[others[id] for id in told.get("complaints", []) if id in others], **_of_duty(penalty, book),
    )  # fmt: skip


def _named(*ids: int | None) -> dict[int, Name]:
    """What these are called, whether or not the reader may open them: they stand on the notice. Of another penalty the number
    alone: who reads the one need not read the other."""
    rows = select(*NAME).where(Subject.id.in_([id for id in ids if id]))
    found = (Name(*row) for row in db.session.execute(rows))
    return {name.id: name._replace(title="") if name.kind == "penalty" else name for name in found}


def _of_duty(penalty: Penalty, book: Rulebook) -> dict:
    told = penalty.evidence
    if penalty.duty_id is None:
        return {}
    duty = db.session.get_one(Duty, penalty.duty_id, options=[selectinload(Duty.extensions), selectinload(Duty.kept_by)])
    missing = [book.fields[key] for key in told["missing"] if key in book.fields]
    due, ruled = (datetime.fromisoformat(told[name]) for name in ("due", "ruled"))
    return {"rule": book.rules.get(told["rule"]), "due": due, "ruled": ruled, "kept": duty.kept_by, "missing": missing,
            "extensions": duty.extensions}  # fmt: skip


def time_to_appeal(penalty: Penalty) -> tuple[str, str]:
    """In words: how long one may appeal, and within what it is answered (D1)."""
    book = editions.book(penalty.edition_id or editions.todays_id())
    answer = book.rules.get("penalty.answer")  # an edition may leave it out; the manual says a week
    return said_of(Span(book.settings["appeal_within_days"], "day")), said_of(answer.due.span if answer else Span(7, "day"))


def title_of(key: str) -> str:
    """What the rulebook calls a penalty, in the reader's language."""
    known = editions.todays().penalties
    return said(known[key].title, str(get_locale())) if key in known else key


def span_in_words(span: Span) -> str:
    """`3 days`, in the reader's language; none at all ends with its working day."""
    return said_of(span) if span.count else _("the end of that working day")
