"""Letters' texts: added, changed by a new version, taken out of use. Only the director's (5.2.2)."""

import tomllib
from importlib.resources import files

from sqlalchemy import select

from crm import clock
from crm.db import db, next_number
from crm.duties.record import open_subject, record
from crm.errors import Forbidden, Invalid
from crm.labels import N_
from crm.letters.filling import LONGEST, checked
from crm.letters.models import Letter, LetterEvent, LetterVersion, State
from crm.moves import Move
from crm.permissions import Permission as P

MOVES: dict[str, Move] = {
    "retire": Move(noun="retirement", label=N_("Take it out of use"), done=N_("The letter is out of use."),
                   froms=frozenset({State.ACTIVE}), to=State.RETIRED, permission=P.LETTER_EDIT, asks=False, icon="archive"),
    "revive": Move(noun="revival", label=N_("Take it into use again"), done=N_("The letter is in use again."),
                   froms=frozenset({State.RETIRED}), to=State.ACTIVE, permission=P.LETTER_EDIT, asks=False,
                   icon="arrow-repeat"),
}  # fmt: skip
Letter.MOVES = MOVES


def issue_shipped() -> int:
    """The letters that come with the program, where there are none yet."""
    if db.session.scalar(select(Letter.id).limit(1)) is not None:
        return 0
    texts = tomllib.loads((files(__package__) / "letters.toml").read_text(encoding="utf-8"))["letter"]
    for one in texts:
        _add(one["template"], one["brand"], one["language"], one["title"], one["subject"], one["body"].strip(), None)
    return len(texts)


def add(*, by, template: str, brand: str, language: str, title: str, subject: str, body: str) -> Letter:
    """A letter for a kind, a brand and a language that has none yet. Invalid if there is one, or its fields are unknown."""
    _allowed(by)
    same = select(Letter.id).where(Letter.category == template, Letter.brand == brand, Letter.language == language)
    if db.session.scalar(same.limit(1)) is not None:
        raise Invalid(fields={"brand": N_("There is such a letter already: change that one.")})
    return _add(template, brand, language, title, subject, body, by)


def _allowed(by) -> None:
    if not by.may(P.LETTER_EDIT):
        raise Forbidden()


def _add(template: str, brand: str, language: str, title: str, subject: str, body: str, by) -> Letter:
    check(subject, body)
    letter = Letter(
        number=next_number("L"), category=template, brand=brand, language=language, title=title, state=State.ACTIVE, versions=[]
    )
    open_subject(letter)
    letter.versions.append(LetterVersion(n=1, subject=subject, body=body, made_at=clock.now(), made_by_id=by and by.id))
    db.session.flush()
    record(LetterEvent.ADDED, letter, by=by)
    return letter


def check(subject: str, body: str) -> None:
    """Invalid where the text is empty, too long, or names a field there is not."""
    wrong = {}
    for name, text, most in (("subject", subject, 150), ("body", body, LONGEST)):
        try:
            checked(text, table=name == "body")
        except Invalid as refusal:
            wrong[name] = refusal
        if not text.strip() or len(text) > most:
            wrong[name] = Invalid(N_("A text of at most %(most)s letters is needed."), most=most)
    if wrong:
        raise Invalid(fields=wrong)


def change(letter: Letter, *, by, title: str, subject: str, body: str) -> None:
    """A new version; what was sent keeps the one it was made of."""
    _allowed(by)
    check(subject, body)
    last = letter.text
    before = {"title": letter.title, "subject": last.subject, "body": last.body}
    after = {"title": title, "subject": subject, "body": body}
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if not changes:
        return
    letter.title, letter.version = title, letter.version + 1
    if "subject" in changes or "body" in changes:
        version = LetterVersion(n=last.n + 1, subject=subject, body=body, made_at=clock.now(), made_by_id=by.id)
        letter.versions.append(version)
    db.session.flush()
    record(LetterEvent.CHANGED, letter, by=by, changes=changes)


def retire(letter: Letter, *, by) -> None:
    MOVES["retire"].apply(letter, by)
    record(LetterEvent.RETIRED, letter, by=by)


def revive(letter: Letter, *, by) -> None:
    MOVES["revive"].apply(letter, by)
    record(LetterEvent.REVIVED, letter, by=by)
