"""The feedback form (5.3.4, 5.3.5, 5.7.2): what came of each department, signed by the customer, handed in."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import exists, select, update

from crm import clock
from crm.customers.models import Contact
from crm.customers.queries import by_id
from crm.db import db, rows_of
from crm.duties.record import record
from crm.errors import NEEDED, Invalid, Refused
from crm.files.models import File
from crm.files.workflow import attach, scans
from crm.labels import N_
from crm.moves import edit
from crm.visits import ink
from crm.visits.models import Signature, Visit, VisitEvent, Way
from crm.visits.moves import MOVES

PURPOSE = "feedback"  # of the scan of a form signed on paper


class Changed(Refused):
    """The text that was signed is not the one that stands there now."""

    def __init__(self) -> None:
        super().__init__(N_("The text has changed since it was shown. Please read it again and sign again."))


def head_of(visit: Visit) -> dict[str, str]:
    """Whose form it is, as it is called today: it is kept with the signature, for names and numbers change later."""
    customer, contact = by_id(visit.customer_id), db.session.get(Contact, visit.contact_id) if visit.contact_id else None
    ways = (contact.mobile, contact.phone) if contact else ()
    return {
        "customer": customer.title, "full_name": customer.full_name or customer.title, "address": customer.address,
        "contact": " · ".join(filter(None, (contact.name if contact else "", visit.department))),
        "phone": " · ".join(filter(None, ways)),
    }  # fmt: skip


def what_of(visit: Visit, head: Mapping[str, str]) -> str:
    """What a signature holds to: the SHA-256 of the form's words, the same in every language."""
    each = [[one["name"], one["waits"], one.get("outcome", "")] for one in visit.departments]
    text = {**head, "visit": visit.number, "departments": each,
            "open_points": visit.open_points, "opinion": visit.opinion}  # fmt: skip
    return hashlib.sha256(json.dumps(text, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def signature_of(visit: Visit) -> Signature | None:
    """The one that holds, void ones left out."""
    rows = select(Signature).where(Signature.visit_id == visit.id, Signature.voided_at.is_(None))
    return db.session.scalar(rows.order_by(Signature.id.desc()).limit(1))


def fits(signature: Signature | None, visit: Visit) -> bool:
    return signature is not None and signature.what == what_of(visit, signature.head)


def report(visit: Visit, *, by, outcomes: Sequence[str], open_points: str = "", opinion: str = "") -> None:
    """Note what came of each department. A form that was signed is to be signed again once it is changed."""
    MOVES["report"].apply(visit, by)
    missing = {f"outcome_{i}": NEEDED for i in range(len(visit.departments)) if not "".join(outcomes[i : i + 1])}
    if missing:
        raise Invalid(fields=missing)
    departments = [{**one, "outcome": said} for one, said in zip(visit.departments, outcomes, strict=True)]
    changes = edit(visit, {"departments": departments, "open_points": open_points, "opinion": opinion})
    if not changes:
        return
    record(VisitEvent.REPORTED, visit, by=by, changes=changes)
    if _void(visit):
        record(VisitEvent.UNSIGNED, visit, by=by)


def sign(visit: Visit, *, by, name: str, position: str, strokes: str, what: str) -> Signature:
    """The customer's responsible person signs on the screen what stood above the box."""
    head = _to_sign(visit, "sign", by)
    if what != what_of(visit, head):
        raise Changed()
    drawn = ink.read(strokes)
    mark = ink.mark(drawn)
    if db.session.scalar(select(exists().where(Signature.ink == mark))):
        raise Invalid(fields={"strokes": N_("This very drawing was used before: clear the box and sign anew.")})
    return _signed(visit, by, Way.SCREEN, name, position, head=head, strokes=drawn, ink=mark)


def scan(visit: Visit, *, by, name: str, position: str, files: Iterable[str]) -> Signature:
    """The form was signed on paper: a photo or a PDF of it stands for the drawing."""
    head = _to_sign(visit, "scan", by)
    taken = attach(files, visit, by)
    signed_forms = scans(taken, PURPOSE, "file_signed")
    if not signed_forms:
        raise Invalid(fields={"file_signed": N_("The signed form is missing: photograph it, or choose the file.")})
    signed_form = signed_forms[-1]  # the one chosen last
    if _signs_another(signed_form, visit):
        raise Invalid(fields={"file_signed": N_("This very file is the signed form of another visit.")})
    signed = _signed(visit, by, Way.PAPER, name, position, head=head, file_key=signed_form.key)
    for file in taken:
        record(VisitEvent.ATTACHED, visit, by=by, file=file.key, name=file.name)
    return signed


def refuse(visit: Visit, *, by, name: str, position: str, words: str) -> Signature:
    """The customer will not sign, and why: that is handed in too, the manager looks at it, and the call asks the customer."""
    head = _to_sign(visit, "refuse", by)
    return _signed(visit, by, Way.REFUSED, name, position, head=head, words=words)


def see(visit: Visit, *, by) -> None:
    """The manager has looked at why a customer did not sign (5.3.5)."""
    MOVES["see"].apply(visit, by)
    record(VisitEvent.REFUSAL_SEEN, visit, by=by)


def _signs_another(scan: File, visit: Visit) -> bool:
    same = select(Signature.id).join(File, File.key == Signature.file_key)
    return db.session.scalar(select(same.where(File.sha256 == scan.sha256, Signature.visit_id != visit.id).exists())) or False


def hand_in(visit: Visit, *, by) -> None:
    """Back at the office the signed form goes to customer relations, who call back (5.7.2, 5.5.1)."""
    MOVES["hand_in"].apply(visit, by)
    if not fits(signature_of(visit), visit):
        raise Refused(
            N_("The customer has not signed the feedback form: it is handed in with a signature that fits, or with why "
               "there is none (5.3.5).")
        )  # fmt: skip
    visit.handed_in_at = clock.now()
    record(VisitEvent.HANDED_IN, visit, by=by)


def _to_sign(visit: Visit, verb: str, by) -> dict[str, str]:
    """The head of the form, which is ready to be signed."""
    MOVES[verb].apply(visit, by)
    return head_of(visit)


def _signed(visit: Visit, by, way: Way, name: str, position: str, *, head: dict[str, str], **how: Any) -> Signature:
    _void(visit)
    what = what_of(visit, head)
    said = {"way": way, "name": name, "position": position, "what": what}
    row = Signature(visit_id=visit.id, head=head, signed_at=clock.now(), by_id=by.id, **said, **how)
    db.session.add(row)
    if way == Way.REFUSED:
        record(VisitEvent.REFUSED, visit, by=by, **said, words=row.words)
    else:
        record(VisitEvent.SIGNED, visit, by=by, **said)
    return row


def _void(visit: Visit) -> bool:
    """Whether there was a signature; none holds now."""
    held = update(Signature).where(Signature.visit_id == visit.id, Signature.voided_at.is_(None))
    return bool(rows_of(db.session.execute(held.values(voided_at=clock.now()))))
