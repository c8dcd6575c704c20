"""A change request's moves, one function a verb (5.4)."""

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Any

from crm import clock
from crm.changes import queries
from crm.changes.models import BOUND, FORM, ChangeEvent, ChangeRequest, Kind, Promise, State
from crm.changes.moves import CHANGE, MOVES, REWORK, VOID
from crm.customers.models import Customer
from crm.db import db, next_number
from crm.duties import queries as named
from crm.duties import workflow as duties
from crm.duties.models import Subject
from crm.duties.passing import hand_over
from crm.duties.record import open_subject, record
from crm.errors import Forbidden, Invalid, Refused, blank, needed
from crm.files.workflow import attach, scans
from crm.labels import N_
from crm.moves import edit, in_place
from crm.permissions import Permission as P
from crm.serials.models import Installation
from crm.tickets.models import PASSWORD, Ticket

PROMISED_ANOTHER = N_("Another day was promised: say why it moves and how the customer was told (5.4.5).")


def open_change(
    *, by, customer: Customer, category: str, title: str, requirement: str, agreed: str = "", origin: Subject | None = None,
    installation: Installation | None = None, files: Iterable[str] = (),
) -> ChangeRequest:  # fmt: skip
    """Begin a request: from a record, or by itself. The customer's form may be scanned in already."""
    if not by.may(P.CHANGE_WORK):
        raise Forbidden()
    _theirs(installation, origin, customer)
    if isinstance(origin, Ticket) and origin.category == PASSWORD:
        raise Refused(N_("A password record is for few eyes: no change request comes of it."))
    needed(requirement=requirement)
    change = ChangeRequest(
        requested_by_id=by.id,
        number=next_number("G", clock.today()), customer_id=customer.id, owner_id=by.id, category=category, state=State.DRAFT,
        title=title, requirement=requirement, agreed=agreed, origin_id=origin and origin.id,
        installation_id=installation and installation.id,
    )  # fmt: skip
    open_subject(change)
    record(ChangeEvent.OPENED, change, by=by, **({"of": origin.id} if origin else {}))
    _attach(change, files, by)
    return change


def _theirs(installation: Installation | None, origin: Subject | None, customer: Customer) -> None:
    if any(one is not None and one.customer_id != customer.id for one in (installation, origin)):
        raise Invalid(fields={"installation": N_("These are another customer's.")})


def _attach(change: ChangeRequest, keys: Iterable[str], by) -> None:
    """What came along; a stamped form is a picture or a PDF, whenever it comes."""
    hung = attach(keys, change, by)
    for file in hung:
        record(ChangeEvent.ATTACHED, change, by=by, file=file.key, name=file.name)
    if scans(hung, FORM, "file_form"):
        change.stamped_sha256, change.form_new = _hash(change.requirement), True
        db.session.flush()


def text_of(change: ChangeRequest) -> str:
    """The hash of what is decided upon: another text needs another approval."""
    said = (change.category or "", change.title, change.requirement, change.agreed, str(change.installation_id or ""))
    return _hash("\n\x1f\n".join(said))


def _hash(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()


def change_request(
    change: ChangeRequest, *, by, installation: Installation | None, files: Iterable[str] = (), **changes: Any
) -> None:  # fmt: skip
    """Put it right. What was approved binds: another text voids the approval, and is submitted anew (5.4.4)."""
    CHANGE.check(change, by)
    _theirs(installation, None, db.session.get_one(Customer, change.customer_id))
    needed(requirement=changes["requirement"])
    differences = edit(change, changes | {"installation_id": installation and installation.id})
    if ids := differences.pop("installation_id", None):
        known = named.names(ids)
        differences["installation"] = [known[id].title if id in known else None for id in ids]
    if differences and change.state in BOUND:
        _void(change, by, differences)
    elif differences:
        again = change.state in REWORK.froms  # decided upon is what was submitted
        if again:
            REWORK.apply(change, by)
            change.opinion = ""
            db.session.flush()
        record(ChangeEvent.EDITED, change, by=by, changes=differences)
        if again:
            record(ChangeEvent.REWORKED, change, by=by)
    _attach(change, files, by)


def _void(change: ChangeRequest, by, differences: dict[str, Any]) -> None:
    """The approval is void. What the customer was promised stays promised, until they are told of another day (5.4.5)."""
    developer = change.concerned_id
    VOID.apply(change, by)
    change.approved_sha256, change.concerned_id, change.opinion = None, None, ""
    db.session.flush()
    record(ChangeEvent.VOIDED, change, by=by, changes=differences, developer=developer)


def has_form(change: ChangeRequest) -> bool:
    """Whether the customer's stamped form is scanned in, of the requirement as it stands (5.4.1)."""
    return change.stamped_sha256 == _hash(change.requirement) and queries.form_of(change) is not None


def submit(change: ChangeRequest, *, by, agreed: str, files: Iterable[str] = ()) -> None:
    """Agreed with the customer, written down, submitted (5.4.2). A program change needs the customer's stamped form (5.4.1)."""
    MOVES["submit"].apply(change, by)
    if not agreed.strip():
        raise Invalid(fields={"agreed": N_("Write down what was agreed with the customer (5.4.2).")})
    changes = edit(change, {"agreed": agreed})
    _attach(change, files, by)
    if change.category == Kind.PROGRAM and not has_form(change):
        raise Invalid(fields={"file_form": N_("Scan the customer's stamped form of this requirement in first (5.4.1).")})
    change.submitted_by_id = by.id
    record(ChangeEvent.SUBMITTED, change, by=by, **({"changes": changes} if changes else {}))
    change.form_new = False


def _to_come(day: date) -> None:
    if day < clock.today():
        raise Invalid(fields={"expected_on": N_("This day is over.")})


def approve(
    change: ChangeRequest, *, by, opinion: str, expected_on: date, standing_in: str = "", reason: str = "", told: str = ""
) -> None:  # fmt: skip
    """The manager's detailed opinion and the date that is promised (5.4.4). It binds to the text as it stands now. Where
    another day was promised before the text was changed, the customer is told why it moves (5.4.5)."""
    MOVES["approve"].apply(change, by)
    moved = change.expected_on is not None and change.expected_on != expected_on
    wrong = blank(opinion=opinion)
    if moved:
        wrong |= dict.fromkeys(blank(reason=reason, told=told), PROMISED_ANOTHER)
    if wrong:
        raise Invalid(fields=wrong)
    _to_come(expected_on)
    said = in_place(by, standing_in)
    change.opinion, change.approved_sha256, change.expected_on = opinion, text_of(change), expected_on
    _promise(change, by, expected_on, *((reason, told) if moved else ()))
    said |= {"reason": reason, "told": told} if moved else {}
    record(ChangeEvent.APPROVED, change, by=by, words=opinion, expected_on=expected_on, **said)


def _promise(change: ChangeRequest, by, day: date, reason: str = "", told: str = "") -> None:
    row = {"day": day, "made_at": clock.now(), "made_by_id": by.id, "reason": reason, "told": told}
    db.session.add(Promise(change_id=change.id, **row))
    db.session.flush()


def reject(change: ChangeRequest, *, by, reason: str, standing_in: str = "") -> None:
    MOVES["reject"].apply(change, by)
    if not reason.strip():
        raise Invalid(fields={"reason": N_("Say why.")})
    change.opinion, change.expected_on = reason, None  # of which the customer is told
    record(ChangeEvent.REJECTED, change, by=by, reason=reason, **in_place(by, standing_in))


def tell(change: ChangeRequest, *, by, words: str) -> None:
    """The customer was told, either way (5.4.5)."""
    MOVES["tell"].apply(change, by)
    record(ChangeEvent.TOLD, change, by=by, words=words)


def take(change: ChangeRequest, *, by) -> None:
    """A developer takes it on; never whoever reported it, who tests it."""
    MOVES["take"].apply(change, by)
    change.concerned_id = by.id
    db.session.flush()
    record(ChangeEvent.TAKEN, change, by=by)


def deliver(change: ChangeRequest, *, by, changed: str, how_to_test: str) -> None:
    """Built: what was changed, and how to test it (5.4.6)."""
    MOVES["deliver"].apply(change, by)
    needed(changed=changed, how_to_test=how_to_test)
    change.changed, change.how_to_test = changed, how_to_test
    record(ChangeEvent.DELIVERED, change, by=by, words=changed, answer=how_to_test)


def _tested(change: ChangeRequest, by, verb: str) -> None:
    MOVES[verb].apply(change, by)
    change.tests += 1


def passes(change: ChangeRequest, *, by, words: str = "") -> None:
    _tested(change, by, "pass")
    record(ChangeEvent.PASSED, change, by=by, words=words)


def fail(change: ChangeRequest, *, by, words: str) -> None:
    """Back to the developer, with what failed."""
    _tested(change, by, "fail")
    if not words.strip():
        raise Invalid(fields={"words": N_("Say what failed.")})
    record(ChangeEvent.FAILED, change, by=by, words=words, developer=change.concerned_id)


def postpone(
    change: ChangeRequest, *, by, expected_on: date, reason: str, told: str, standing_in: str = ""
) -> None:  # fmt: skip
    """Another date is promised: with the reason, and how the customer was told (5.4.5). Before the old one has passed that
    keeps it; afterwards it stays missed."""
    MOVES["postpone"].apply(change, by)
    _to_come(expected_on)
    needed(reason=reason, told=told)
    if expected_on == change.expected_on:
        raise Invalid(fields={"expected_on": N_("That is the date that is promised.")})
    said = in_place(by, standing_in)
    changes = edit(change, {"expected_on": expected_on})
    _promise(change, by, expected_on, reason, told)
    facts = {"changes": changes, "reason": reason, "words": told, **said}
    record(ChangeEvent.POSTPONED, change, by=by, expected_on=expected_on, **facts)


def update(change: ChangeRequest, *, by, updated_on: date, words: str = "") -> None:
    """The customer has it: since when, and who brought it (5.4.6)."""
    MOVES["update"].apply(change, by)
    if updated_on > clock.today():
        raise Invalid(fields={"updated_on": N_("This lies in the future.")})
    if (passed := queries.passed_on(change)) and updated_on < passed:
        raise Invalid(fields={"updated_on": N_("Only what has passed the test reaches the customer (5.4.6).")})
    change.updated_on = updated_on
    record(ChangeEvent.UPDATED, change, by=by, words=words, updated_on=updated_on)


def close(change: ChangeRequest, *, by, said: str, mark: int) -> None:
    """The customer's opinion of the change; then it is over (5.4.7)."""
    MOVES["close"].apply(change, by)
    if not said.strip() or not 1 <= mark <= 5:
        raise Invalid(fields={"said": N_("Write down what the customer says of it (5.4.7).")})
    change.said, change.mark, change.closed_at = said, mark, clock.now()
    record(ChangeEvent.CLOSED, change, by=by, words=said, mark=mark)


def rebuild(change: ChangeRequest, *, by, to, reason: str) -> None:
    """Its developer is away or has left: another builds it, never whoever asked for it."""
    if not to.may(P.CHANGE_BUILD) or to.id in change.askers:
        raise Invalid(fields={"to": N_("Choose a developer who did not ask for it.")})
    MOVES["rebuild"].apply(change, by)
    if to.id == change.concerned_id:
        raise Invalid(fields={"to": N_("It is theirs already.")})
    before, change.concerned_id = change.concerned_id, to.id
    db.session.flush()
    record(ChangeEvent.BUILDER, change, by=by, **{"from": before, "to": to.id}, reason=reason)
    hand_over(change, before, to.id)


def assign(change: ChangeRequest, *, by, to, reason: str) -> None:
    """Somebody else sees to it for the customer; never who builds it."""
    if to.id in queries.builders(change):
        raise Refused(N_("Whoever builds it does not test it: choose somebody else."))
    duties.assign(change, ChangeEvent.ASSIGNED, by=by, to=to, reason=reason, works=P.CHANGE_WORK)


def withdraw(change: ChangeRequest, *, by, reason: str) -> None:
    """The customer wants it no more, or it was opened by mistake."""
    MOVES["withdraw"].apply(change, by)
    if not reason.strip():
        raise Invalid(fields={"reason": N_("Say why.")})
    if not by.may(P.CHANGE_DECIDE) and queries.completes(change):
        raise Refused(N_("The record it came of is complete with it (5.1.4): a manager withdraws it."))
    record(ChangeEvent.WITHDRAWN, change, by=by, reason=reason, developer=change.concerned_id)
