"""What a record needs, and what it still lacks: asked of the rulebook, nowhere else (5.1.2, 5.1.4)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.duties.rulebook import Gap, Rulebook, given
from crm.errors import Invalid
from crm.files import queries as files
from crm.files.models import File
from crm.labels import N_
from crm.serials.coverage import Verdict
from crm.tickets.models import Ticket

CameOf = Callable[[Ticket, str], str | None]


class Incomplete(Invalid):
    """What the rulebook still wants of the record, all of it at once."""

    def __init__(self, gaps: list[Gap], message: str = N_("The record still lacks this:")) -> None:
        self.gaps = gaps
        super().__init__(message,
                         fields={gap.field.key: N_("This is still needed.") for gap in gaps})  # fmt: skip


def unserved(verdict: Verdict, reason: str) -> dict[str, str]:
    """What is wrong if a customer outside the service period is served without a reason."""
    missing = not verdict.served and not reason
    return {"uncovered_reason": N_("Not in service: say why it is served anyway.")} if missing else {}


def wanting(*, known: bool, department: str) -> dict[str, str]:
    """What is wrong with who called: the contact and their department are mandatory (5.1.2)."""
    wrong = {} if known else {"contact": N_("Choose who called, or add them here.")}
    return wrong if department else wrong | {"department": N_("The contact's department is needed (5.1.2).")}


def rulebook_of(ticket: Ticket) -> Rulebook:
    """The rulebook a record is judged by; what was imported as history is shown by today's."""
    return editions.book_of(ticket) or editions.todays()


def have(ticket: Ticket, attached: Iterable[File] | None = None, came_of: CameOf = duties.came_of) -> dict[str, Any]:
    """What the record holds, as the validator asks for it; `attached`: its files, if they are read already; `came_of` says what
    of a kind was opened from it."""
    book = rulebook_of(ticket)
    scans = {field.key for field in book.fields.values() if field.kind == "file"}
    opened = {key: came_of(ticket, book.fields[key].of) for key in _opened_from_it(book, ticket.category)}
    attached = files.of(ticket) if attached is None else attached
    columns = ("department", "channel", "service_qq", "asked_at", "answered_at")
    return {
        **ticket.fields,
        **dict.fromkeys(scans & {file.purpose for file in attached}, True),
        **{name: getattr(ticket, name) for name in columns},
        "contact": ticket.contact_id,
        **opened,
    }


def proof(ticket: Ticket, attached: Iterable[File] | None = None) -> dict[str, Any]:
    """What a record held that was complete, asked for or not: so another rulebook can be asked whether it would let it pass."""
    held = have(ticket, attached)
    opened = {key: field.of for key, field in rulebook_of(ticket).fields.items() if field.kind == "subject" and key not in held}
    held |= {key: duties.came_of(ticket, of) for key, of in opened.items()}
    return {"category": ticket.category, "fields": sorted(key for key, value in held.items() if given(value))}


def _opened_from_it(book: Rulebook, category: str) -> list[str]:
    one = book.categories.get(category)
    return [key for key in (*one.before_work, *one.before_complete) if book.fields[key].kind == "subject"] if one else []


def lacking(ticket: Ticket) -> list[str]:
    return [gap.field.key for gap in gaps(ticket)]


Ticket.lacking = lacking  # what was missing when its deadline passed


def gaps_of_each(tickets: Sequence[Ticket]) -> dict[int, list[Gap]]:
    """The same up to `complete` of many records, in two statements."""
    ids = [ticket.id for ticket in tickets]
    attached: dict[int, list[File]] = {id: [] for id in ids}
    for file in db.session.scalars(select(File).where(File.subject_id.in_(ids), File.removed_at.is_(None))):
        attached[file.subject_id].append(file)
    came = select(Subject.origin_id, Subject.kind, Subject.category, Subject.number)
    rows = db.session.execute(came.where(Subject.origin_id.in_(ids), Subject.state != duties.WITHDRAWN)).all()
    opened = {(row.origin_id, row.kind, row.category): row.number for row in rows}

    def came_of(ticket: Ticket, kind: str) -> str | None:
        return opened.get((ticket.id, kind, ticket.category))

    return {
        one.id: rulebook_of(one).missing(one.category, have(one, attached[one.id], came_of)) if one.edition_id else []
        for one in tickets
    }  # fmt: skip


def gaps(
    ticket: Ticket, *, upto: str = "complete", attached: Iterable[File] | None = None, came_of: CameOf = duties.came_of
) -> list[Gap]:
    """All that the record still lacks (5.1.2, 5.1.4); of what was imported as history nothing is asked."""
    if ticket.edition_id is None:
        return []
    return rulebook_of(ticket).missing(ticket.category, have(ticket, attached, came_of), upto=upto)
