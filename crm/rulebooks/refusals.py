"""What a draft would have refused: a record that was completed without what the draft asks for (5.1.2, 5.1.4).

Such an event does not count: it keeps and opens nothing. With a completion goes what came with it, the start and the end; a
record that a visit was written up as would not be there at all, nor the visit be written up."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import select

from crm.db import db
from crm.duties.models import Event
from crm.duties.rulebook import Field, Rulebook
from crm.rulebooks.story import Past, Story
from crm.tickets.models import Channel, Ticket, TicketEvent
from crm.tickets.needs import proof
from crm.visits.models import VisitEvent

FILLS = (TicketEvent.FILLED, TicketEvent.EDITED, TicketEvent.RECATEGORISED, TicketEvent.ATTACHED, TicketEvent.DETACHED)
AT_ONCE = timedelta(seconds=2)  # within which what one verb records is recorded
WITH_IT = (TicketEvent.STARTED, TicketEvent.ENDED)  # what a completion records besides, where it is still to come
ON_SITE = (Channel.VISIT, Channel.TRIP)


def lacks(book: Rulebook, event: Past) -> tuple[str, ...]:
    """Which fields the record lacked then that the rulebook asks for: it would have been refused."""
    has = event.facts.get("has")
    if not has or event.of:
        return ()
    held = dict.fromkeys(has["fields"], True)
    held |= {name: value for name, value in (event.known or {}).items() if name in held}
    lacking: list[Field] = [gap.field for gap in book.missing(has["category"], held)]
    if event.kind == VisitEvent.WRITTEN_UP or (event.kind != TicketEvent.COMPLETED and _on_site(event)):
        lacking = [field for field in lacking if field.kind != "subject"]  # what comes of it later, nobody waits for
    return tuple(field.key for field in lacking)


def _on_site(event: Past) -> bool:
    return (event.known or {}).get("channel") in ON_SITE


def unwritten(event: Past) -> bool:
    """Whether, refused, the record itself would not be there: a visit's, which is written in one go."""
    return event.kind in WITH_IT and _on_site(event)


def prove(stories: Iterable[Story], draft: Rulebook, books: Mapping[int, Rulebook]) -> None:
    """Records completed before their events told what they held: where the draft asks for more than was asked then, what the
    record holds now is that, if nobody filled it in since; else it is unknown."""
    for story in stories:
        done = [event for event in story.events if event.kind == TicketEvent.COMPLETED and "has" not in event.facts]
        for event in done if story.kind == "ticket" else ():
            category = (event.known or {}).get("category", "")
            if not _needs(draft, category) <= _needs(books[story.edition_id], category):
                _prove(story, event, category)


def _needs(book: Rulebook, category: str) -> set[str]:
    one = book.categories.get(category)
    return {*book.every_record, *(one.before_work if one else ()), *(one.before_complete if one else ())}


def _prove(story: Story, done: Past, category: str) -> None:
    since = select(Event.id).where(Event.subject_id == story.id, Event.id > done.id, Event.kind.in_(FILLS)).limit(1)
    if db.session.scalar(since) is not None:
        story.unknown |= {"fields"}
        return
    has = proof(db.session.get_one(Ticket, story.id)) | {"category": category}
    for event in story.events:
        with_it = event.kind in WITH_IT and event.by_id == done.by_id
        if event is done or (with_it and timedelta() <= done.recorded_at - event.recorded_at < AT_ONCE):
            event.facts["has"] = has
