"""A message becomes a letter: the text for its brand and language, filled in, as PDF and as the mail that carries it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_mail import Message as Mail

from crm import clock
from crm.catalogue import locale_of
from crm.db import db
from crm.duties.editions import book_of, todays
from crm.duties.message import Message, Way
from crm.duties.models import Subject
from crm.labels import N_
from crm.letters import queries
from crm.letters.company import company
from crm.letters.delivery import fax_address, is_address, plain
from crm.letters.filling import TABLE, filled, paragraphs
from crm.letters.models import LetterVersion
from crm.letters.typeset import NotPrinted, typeset

_NO_NAME = re.compile(r'[\\/:*?"<>|;]')  # what no file's name may hold


class NotReady(Exception):
    """Why it cannot be sent now."""


@dataclass(frozen=True)
class About:
    """What a subject says for its letters: the fields' values, the rows of the table, and where a letter reaches."""

    values: Mapping[str, str]
    rows: Sequence[Sequence[str]] = ()
    head: Sequence[str] = ()
    brand: str = ""
    language: str = "zh"
    to: str = ""  # whom it is addressed to
    address: str = ""  # where they are
    fax: str = ""
    email: str = ""
    post: str = ""  # where it may be posted to, if neither reaches them


@dataclass(frozen=True)
class Page:
    """A letter as `letter.typ` draws it."""

    title: str
    number: str
    company: str
    contact: str  # where and how one reaches us
    day: str
    to: str
    address: str  # below it the letter goes by post
    attention: str  # whose hands it is for
    body: list[str]
    head: list[str]
    rows: list[list[str]]
    table: str = f"{{{TABLE}}}"
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    way: Way
    address: str
    sheet: bytes
    mail: bytes
    sender: str


def way_to(fax: str, email: str, post: str = "") -> tuple[Way, str] | None:
    """By fax where there is a gateway and a number (5.2.2), else by e-mail, else to `post`, an address to which letters may be
    posted; None if nothing reaches them."""
    if gateway := fax_address(fax):
        return Way.FAX, gateway
    if is_address(email):
        return Way.EMAIL, email
    return (Way.PAPER, post) if post else None


def prepare(message: Message, chosen: LetterVersion | None = None) -> Prepared:
    """The letter as it would be sent now. NotReady if it cannot be made, or reaches nobody."""
    subject = db.session.get_one(Subject, message.subject_id)
    about = subject.letter_about(message.slot)
    version = chosen or _text(subject, message.rule, about)
    reached = reach(message, about)
    if reached is None:
        raise NotReady(N_("no fax and no e-mail"))
    way, address = reached
    sheet = _sheet(version, about, subject.number, way == Way.PAPER)
    sender = current_app.config["MAIL_FROM"] or "service@localhost"
    mail = b"" if way == Way.PAPER else mail_of(version, about, message, sheet, sender, address)
    return Prepared(way, address, sheet, mail, sender)


def reach(message: Message, about: About) -> tuple[Way, str] | None:
    """How, and where, a letter would go now: on paper where somebody chose that."""
    return (Way.PAPER, about.address) if message.way == Way.PAPER else way_to(about.fax, about.email, about.post)


def draft(subject: Subject, rule: str) -> bytes:
    """A letter of the rulebook about a subject as it would be written today. NotReady if it cannot be made."""
    about = subject.letter_about("")
    return _sheet(_text(subject, rule, about), about, subject.number, False)


def _text(subject: Subject, rule: str, about: About) -> LetterVersion:
    entry = (book_of(subject) or todays()).posts.get(rule)
    if entry is None:
        raise NotReady(f"no letter {rule} in the rulebook")
    version = queries.text_for(entry.template, about.brand, about.language)
    if version is None:
        raise NotReady(f"no text for the letter {entry.template}")
    return version


def _sheet(version: LetterVersion, about: About, number: str, on_paper: bool) -> bytes:
    """Its sheet; one that is posted bears the address it is posted to."""
    try:
        return sheet_of(version, about if on_paper else replace(about, address=""), number)
    except NotPrinted as wrong:
        raise NotReady(N_("the press did not answer")) from wrong


def sheet_of(version: LetterVersion, about: About, number: str) -> bytes:
    """The letter as PDF."""
    with force_locale(locale_of(about.language)):
        ours = company()
        page = Page(
            filled(version.subject, about.values), number, ours.name, ours.contact, f"{clock.today():%Y-%m-%d}", about.to,
            about.address, _attention(about), paragraphs(version.body, about.values), list(about.head),
            [list(row) for row in about.rows],
            labels={"number": _("No."), "stamp": _("Stamp"), "missing": _("In no font, to be written in by hand")},
        )  # fmt: skip
        return typeset(page, "letter.typ").pdf


def _attention(about: About) -> str:
    """In the language of the letter: `王会计 收`."""
    contact = about.values.get("contact", "")
    return _("for the hands of %(name)s", name=contact) if contact else ""


def mail_of(version: LetterVersion, about: About, message: Message, sheet: bytes, sender: str, address: str) -> bytes:
    """The mail that carries it: to one address, its Message-ID the one fixed when it was posted. The name stands in the
    letter, never in a header; a subject line is one line, whatever it was filled with."""
    title = plain(filled(version.subject, about.values)).replace("=?", "= ?")  # which would be read as letters in code
    text = "\n\n".join(part for part in paragraphs(version.body, about.values) if part != f"{{{TABLE}}}")
    mail = Mail(title, recipients=[address], body=text, sender=sender)
    mail.msgId, mail.date = message.message_id, clock.now().timestamp()
    mail.attach(f"{_NO_NAME.sub(' ', title)[:60].strip()}.pdf", "application/pdf", sheet)
    return mail.as_bytes()
