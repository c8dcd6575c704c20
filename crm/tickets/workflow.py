"""A service record's moves, one function a verb (5.1). What a category needs is asked of the rulebook, nowhere else."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.customers.models import Contact, Customer
from crm.db import db, next_number
from crm.duties import editions
from crm.duties import workflow as duties
from crm.duties.locks import lock, lock_each
from crm.duties.record import open_subject, record, settle_first
from crm.errors import Forbidden, Invalid, WrongState
from crm.files import queries as files_of
from crm.files.models import File
from crm.files.workflow import attach, take_away
from crm.labels import N_
from crm.moves import Move, edit
from crm.permissions import Permission as P
from crm.serials.coverage import Verdict, verdict_of
from crm.serials.models import Installation
from crm.tickets.models import PASSWORD, State, Ticket, TicketEvent, stamp
from crm.tickets.moves import MOVES, SERVED
from crm.tickets.needs import Incomplete, gaps, proof, rulebook_of, unserved, wanting


def open_ticket(
    *, by, customer: Customer, contact: Contact | None, category: str, installation: Installation | None = None,
    uncovered_reason: str = "", files: Iterable[str] = (), owner=None, verdict: Verdict | None = None, **details: Any,
) -> Ticket:  # fmt: skip
    """Log a record (5.1.2), one's own or `owner`'s. A customer outside the service period is served only with a reason,
    which the manager sees. `verdict`: on their service period, where this transaction has it already."""
    verdict = verdict or verdict_of(customer.id, installation)
    known = contact is not None and contact.customer_id == customer.id
    if wrong := wanting(known=known, department=details.get("department", "")) | unserved(verdict, uncovered_reason):
        raise Invalid(fields=wrong)
    ticket = Ticket(
        number=next_number("T", clock.today()), customer_id=customer.id, owner_id=(owner or by).id, category=category,
        contact_id=contact and contact.id, state=State.NEW, installation_id=installation and installation.id,
        uncovered_reason="" if verdict.served else uncovered_reason, **details,
    )  # fmt: skip
    open_subject(ticket)
    _known(ticket, category)
    came = {"of": ticket.origin_id} if ticket.origin_id else {}
    record(TicketEvent.OPENED, ticket, by=by, coverage=verdict.coverage, until=verdict.until, **came)
    _attach(ticket, files, by)
    _note_exception(ticket, verdict, by)
    return ticket


def _note_exception(ticket: Ticket, verdict: Verdict, by) -> None:
    if not verdict.served:
        facts = {"reason": ticket.uncovered_reason, "coverage": verdict.coverage, "until": verdict.until}
        record(TicketEvent.UNCOVERED, ticket, by=by, **facts)


def _known(ticket: Ticket, category: str) -> None:
    book = editions.book_of(ticket)
    if book and category not in book.categories:
        raise Invalid(fields={"category": N_("There is no such category.")})


def _in_order(ticket: Ticket, columns: Mapping[str, Any]) -> None:
    """Nobody is answered before they asked, whichever of the two times is put right."""
    asked, answered = (columns.get(name, getattr(ticket, name)) for name in ("asked_at", "answered_at"))
    if asked and answered and answered < asked:
        raise Invalid(fields={"answered_at": N_("This lies before the customer asked.")})


def fill(
    ticket: Ticket, *, by, fields: Mapping[str, str] | None = None, files: Iterable[str] = (), **columns: Any
) -> None:
    """Take what was typed for the category; nothing typed earlier, for whichever category, is dropped."""
    if ticket.state not in SERVED:
        raise WrongState()
    if not MOVES["complete"].may(by, ticket):
        raise Forbidden()
    settle_first(ticket)
    _in_order(ticket, columns)
    after = {**ticket.fields, **(fields or {})}
    before = ticket.fields
    changes = edit(ticket, {"fields": after, **columns})
    if "fields" in changes:
        differing = [key for key in after if before.get(key, "") != after[key]]
        changes.pop("fields")
        changes |= {key: [before.get(key, ""), after[key]] for key in differing}
    if changes:
        record(TicketEvent.FILLED, ticket, by=by, changes=changes)
    _attach(ticket, files, by)


def start(ticket: Ticket, *, by, **said: Any) -> None:
    """Begin, once what is needed before the work is there (5.1.4)."""
    MOVES["start"].apply(ticket, by)
    if missing := gaps(ticket, upto="work"):
        raise Incomplete(missing, N_("Before the work can start, this is needed:"))
    stamp(ticket, clock.now())
    record(TicketEvent.STARTED, ticket, by=by, **said)


def wait(ticket: Ticket, *, by, reason: str, until: date) -> None:
    """Set it waiting for something until a day, not too far off (ours.waiting)."""
    longest = rulebook_of(ticket).settings["longest_wait_days"]
    if not clock.today() <= until <= clock.today() + timedelta(days=longest):
        raise Invalid(fields={"until": Invalid(N_("From today on, %(days)s days at most."), days=longest)})
    MOVES["wait"].apply(ticket, by)
    ticket.wait_until = until
    record(TicketEvent.WAITING, ticket, by=by, reason=reason, until=until)


def resume(ticket: Ticket, *, by) -> None:
    MOVES["resume"].apply(ticket, by)
    stamp(ticket, clock.now())
    record(TicketEvent.RESUMED, ticket, by=by)


def end(ticket: Ticket, *, by, **said: Any) -> None:
    """The problem has been dealt with; from here the complete record is owed (5.1.3)."""
    MOVES["end"].apply(ticket, by)
    stamp(ticket, clock.now())
    record(TicketEvent.ENDED, ticket, by=by, **said)


def complete(ticket: Ticket, *, by, **filled: Any) -> None:
    """The one closing step, from new, working or ended: takes what was typed, and if anything is missing says all of it
    at once; else starts and ends what was not yet, and completes (5.1.3, 5.1.4)."""
    move = MOVES["complete"]
    move.check(ticket, by)
    if filled:
        fill(ticket, by=by, **filled)
    attached = files_of.of(ticket)
    if missing := gaps(ticket, attached=attached):
        raise Incomplete(missing)
    has = proof(ticket, attached)
    if ticket.state == State.NEW:
        start(ticket, by=by, has=has)
    if ticket.state == State.WORKING:
        end(ticket, by=by, has=has)
    move.apply(ticket, by)
    stamp(ticket, clock.now())
    record(TicketEvent.COMPLETED, ticket, by=by, has=has)


def write(ticket: Ticket, *, by, fields: Mapping[str, str]) -> None:
    """Complete a record that is written in one go; where only what is opened from it is wanting, it is ended and owed."""
    fill(ticket, by=by, fields=fields)
    missing = gaps(ticket)
    if any(gap.field.kind != "subject" for gap in missing):
        raise Incomplete([gap for gap in missing if gap.field.kind != "subject"])
    if missing:
        start(ticket, by=by)
        end(ticket, by=by)
    else:
        complete(ticket, by=by)


def cancel(ticket: Ticket, *, by, reason: str, move: Move = MOVES["cancel"]) -> None:
    """Drop a record, with the reason. One whose service ever ended owes its record: only a manager may cancel that."""
    move.apply(ticket, by)
    stamp(ticket, clock.now())
    record(TicketEvent.CANCELLED, ticket, by=by, reason=reason)


def duplicate(ticket: Ticket, *, by, of: Ticket) -> None:
    """The same is dealt with in another record of the customer: this one is cancelled, both name each other."""
    lock_each(ticket, of)
    if of.id == ticket.id or of.customer_id != ticket.customer_id or of.duplicate_of_id or of.state == State.CANCELLED:
        raise Invalid(fields={"of": N_("Another record of the same customer, not cancelled itself.")})
    cancel(ticket, by=by, reason="", move=MOVES["duplicate"])
    ticket.duplicate_of_id = of.id
    record(TicketEvent.DUPLICATE, ticket, by=by, of=of.id)  # which that is, only those are told who may see it
    record(TicketEvent.DUPLICATE, of, by=by, of=ticket.id)


def reopen(ticket: Ticket, *, by, reason: str) -> None:
    MOVES["reopen"].apply(ticket, by)
    stamp(ticket, clock.now())
    ticket.duplicate_of_id = None
    record(TicketEvent.REOPENED, ticket, by=by, reason=reason)


def escalate(ticket: Ticket, *, by, story: str) -> None:
    """Cannot be answered, or the customer does not accept the answer: up to the manager with the whole story (D5)."""
    MOVES["escalate"].apply(ticket, by)
    record(TicketEvent.ESCALATED, ticket, by=by, story=story)


def settle(ticket: Ticket, *, by, answer: str, to=None) -> None:
    """The manager's answer, and who goes on with it; the customer is then called (D5)."""
    MOVES["settle"].apply(ticket, by)
    if to is not None and to.id != ticket.owner_id and ticket.state in SERVED:
        assign(ticket, by=by, to=to, reason=answer)
    record(TicketEvent.SETTLED, ticket, by=by, answer=answer)


def tell(ticket: Ticket, *, by, words: str) -> None:
    """That the customer was called with the answer, and what they said (D5)."""
    MOVES["tell"].apply(ticket, by)
    record(TicketEvent.CUSTOMER_TOLD, ticket, by=by, words=words)


def see(ticket: Ticket, *, by) -> None:
    """The manager has looked at why a customer outside the service period was served (ours.coverage)."""
    MOVES["see"].apply(ticket, by)
    record(TicketEvent.EXCEPTION_SEEN, ticket, by=by)


def assign(ticket: Ticket, *, by, to, reason: str) -> None:
    duties.assign(ticket, TicketEvent.ASSIGNED, by=by, to=to, reason=reason, works=P.TICKET_WORK)


def edit_ticket(ticket: Ticket, *, by, contact: Contact | None, **changes: Any) -> None:
    """Put the facts of the call right. Another category swaps only what is needed; every word typed stays."""
    if ticket.state not in SERVED:
        raise WrongState()
    if not MOVES["complete"].may(by, ticket):
        raise Forbidden()
    known = contact is not None and contact.customer_id == ticket.customer_id
    if wrong := wanting(known=known, department=changes.get("department", "")):
        raise Invalid(fields=wrong)
    _in_order(ticket, changes)
    _known(ticket, changes.get("category", ticket.category))
    if ticket.category == PASSWORD != changes.get("category") and not by.may(P.TICKET_WORK_ANY):
        why = N_("Only a manager takes a password record out of its category: others would then read it.")
        raise Invalid(fields={"category": why})
    if ticket.called_back and changes.get("category") == PASSWORD != ticket.category:  # who calls may not read it
        raise Invalid(fields={"category": N_("Choose another one: a password record is not called back on.")})
    settle_first(ticket)
    before = db.session.get(Contact, ticket.contact_id) if ticket.contact_id else None
    differences = edit(ticket, {**changes, "contact_id": contact and contact.id})
    if differences.pop("contact_id", None):
        differences["contact"] = [before and before.name, contact and contact.name]
    category = differences.pop("category", None)
    if differences:
        record(TicketEvent.EDITED, ticket, by=by, changes=differences)
    if category:
        scanned = {"purpose": "application"} if _has_application(ticket) else {}  # whose paper is another category's now
        record(TicketEvent.RECATEGORISED, ticket, by=by, changes={"category": category}, **scanned)


def _has_application(ticket: Ticket) -> bool:
    scan = File.subject_id == ticket.id, File.purpose == "application", File.removed_at.is_(None)
    return db.session.scalar(select(File.id).where(*scan).limit(1)) is not None


def note(ticket: Ticket, *, by, words: str, files: Iterable[str] = ()) -> None:
    """A note, and what is attached to it; neither makes an open form stale, nor fills a field of the record."""
    record(TicketEvent.NOTED, ticket, by=by, words=words)
    _attach(ticket, files, by, fills=False)


def _attach(ticket: Ticket, keys: Iterable[str], by, *, fills: bool = True) -> list[File]:
    files = attach(keys, ticket, by)
    fields = rulebook_of(ticket).fields
    for file in files:
        if not fills or file.purpose not in fields or fields[file.purpose].kind != "file":
            file.purpose = ""
        record(TicketEvent.ATTACHED, ticket, by=by, file=file.key, name=file.name, purpose=file.purpose)
    return files


def detach(ticket: Ticket, file: File, *, by) -> None:
    """Take a file away; what a complete record needed stays on it."""
    lock(ticket)
    db.session.refresh(file)
    if not MOVES["complete"].may(by, ticket):
        raise Forbidden()
    if ticket.state not in SERVED or file.removed_at:
        raise WrongState()
    settle_first(ticket)
    take_away(file)
    record(TicketEvent.DETACHED, ticket, by=by, file=file.key, name=file.name, purpose=file.purpose)
