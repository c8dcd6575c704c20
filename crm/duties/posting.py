"""Posting: what an event obliges to tell somebody outside is written beside it, once (DESIGN: the outbox)."""

import uuid
from collections.abc import Mapping
from typing import Any

from crm import clock
from crm.db import db, insert
from crm.duties.editions import book_of
from crm.duties.message import Message
from crm.duties.models import Subject
from crm.duties.rows import Recorded
from crm.duties.rulebook import Post, holds


def post(event: Recorded, subject: Subject, facts: Mapping[str, Any]) -> None:
    """Queue the letters the rulebook names for this event. One that was posted for the same subject, entry and slot
    before is not posted again, whatever became of it."""
    book = book_of(subject)
    for entry in book.posts_by_event.get(event.kind, ()) if book else ():
        if holds(entry.where, facts):
            queue(entry, event, subject, str(facts.get(entry.slot) or "") if entry.slot else "")


def queue(entry: Post, event: Recorded, subject: Subject, slot: str) -> int | None:
    """One letter, to be sent from now on; its id, or None if there is one already."""
    row = {
        "subject_id": subject.id, "rule": entry.key, "slot": slot, "event_id": event.id, "queued_at": clock.now(),
        "next_at": clock.now(), "message_id": f"<{uuid.uuid4().hex}@jinyang-crm>",
    }  # fmt: skip
    posted = insert(Message.__table__).values(row).on_conflict_do_nothing(index_elements=["subject_id", "rule", "slot"])
    return db.session.scalar(posted.returning(Message.id))
