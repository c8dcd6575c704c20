"""What a penalty rests on, for its page and its notice: the rule, how its deadline was found, what was missing, what happened."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from crm.db import db
from crm.duties import editions
from crm.duties.models import Duty, Edition, Event, Extension, Subject
from crm.duties.queries import NAME, Name
from crm.duties.rulebook import Clause, Field, Rule, Rulebook
from crm.duties.rulebook import Penalty as Entry
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
    number = db.session.scalar(select(Edition.number).where(Edition.id == told["edition"])) or ""
    entry = book.penalties[penalty.category]
    return Evidence(
        number, entry, book.clauses.get(penalty.clause), events, _named(penalty.origin_id),
        complaints=[name for id in told.get("complaints", []) if (name := _named(id))], **_of_duty(penalty, book),
    )  # fmt: skip


def _named(subject_id: int | None) -> Name | None:
    row = db.session.execute(select(*NAME).where(Subject.id == subject_id)).one_or_none() if subject_id else None
    return Name(*row) if row else None


def _of_duty(penalty: Penalty, book: Rulebook) -> dict:
    told = penalty.evidence
    if penalty.duty_id is None:
        return {}
    duty = db.session.get_one(Duty, penalty.duty_id, options=[selectinload(Duty.extensions), selectinload(Duty.kept_by)])
    missing = [book.fields[key] for key in told["missing"] if key in book.fields]
    due, ruled = (datetime.fromisoformat(told[name]) for name in ("due", "ruled"))
    return {"rule": book.rules.get(told["rule"]), "due": due, "ruled": ruled, "kept": duty.kept_by, "missing": missing,
            "extensions": duty.extensions}  # fmt: skip


def title_of(key: str) -> str:
    """What the rulebook calls a penalty, in the reader's language."""
    known = editions.todays().penalties
    return said(known[key].title, str(get_locale())) if key in known else key


def span_in_words(span: Span) -> str:
    """`3 days`, in the reader's language."""
    n = abs(span.count)
    if span.unit == "working day" and not n:
        return _("the end of that working day")
    said = {
        "m": lambda: ngettext("%(num)s minute", "%(num)s minutes", n),
        "working hour": lambda: ngettext("%(num)s working hour", "%(num)s working hours", n),
        "working day": lambda: ngettext("%(num)s working day", "%(num)s working days", n),
        "day": lambda: ngettext("%(num)s day", "%(num)s days", n),
        "week": lambda: ngettext("%(num)s week", "%(num)s weeks", n),
        "month": lambda: ngettext("%(num)s month", "%(num)s months", n),
        "year": lambda: ngettext("%(num)s year", "%(num)s years", n),
    }
    return said[span.unit]()
