from sqlalchemy import select
from sqlalchemy.orm import selectinload

from crm.db import db
from crm.duties.models import Subject
from crm.errors import NotThere
from crm.letters.models import Letter, LetterVersion, State


def get(number: str, user) -> Letter:
    """A letter with its versions, as far as `user` may see it."""
    found = select(Letter).where(Letter.number == number, Letter.visible(user)).options(selectinload(Letter.versions))
    letter = db.session.scalar(found)
    if letter is None:
        raise NotThere()
    return letter


def every(user) -> list[Letter]:
    """All of them, kind by kind."""
    rows = select(Letter).where(Letter.visible(user)).order_by(Letter.category, Letter.language.desc(), Letter.brand, Letter.id)
    return list(db.session.scalars(rows.options(selectinload(Letter.versions))))


def text_for(template: str, brand: str, language: str) -> LetterVersion | None:
    """The newest text for a kind of letter: the brand's own, else that for any; in the language, else in Chinese."""
    newest = (
        select(LetterVersion).join(Letter, Letter.id == LetterVersion.letter_id)
        .where(Subject.category == template, Subject.state == State.ACTIVE, Letter.brand.in_([brand, ""]),
               Letter.language.in_([language, "zh"]))
        .order_by(Letter.language != language, Letter.brand != brand, LetterVersion.n.desc(), LetterVersion.id.desc())
    )  # fmt: skip
    return db.session.scalar(newest.limit(1))
