"""Which subjects somebody may see: each kind's own answer, put together in as few words as it takes.

It stands in most statements of every page: what is seen alike is asked once, for a database plans each word anew."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal_column, or_, true
from sqlalchemy.sql.elements import False_, True_

from crm.duties.models import Subject
from crm.permissions import by_reader


@by_reader
def visible(user) -> ColumnElement[bool]:
    """Which subjects of any kind `user` may see."""
    return together(Subject.__subclasses__(), lambda kind: kind.visible(user))


@by_reader
def whole(user) -> ColumnElement[bool]:
    """Of which of them `user` may read story and files."""
    return together(Subject.__subclasses__(), lambda kind: kind.whole(user))


@by_reader
def named(user) -> ColumnElement[bool]:
    """Of which of them `user` may read elsewhere what they are called."""
    return together(Subject.__subclasses__(), lambda kind: kind.named(user))


@by_reader
def to_the_bottom(user) -> ColumnElement[bool]:
    """Of what `user` sees: all but what they see a part of. Few kinds have such."""
    parted = [kind for kind in Subject.__subclasses__() if kind.whole.__func__ is not Subject.whole.__func__]
    return and_(true(), *(or_(Subject.kind != kind.__mapper__.polymorphic_identity, kind.whole(user)) for kind in parted))


def together(kinds: Iterable[type[Subject]], seen_of: Callable[[Any], ColumnElement[bool]]) -> ColumnElement[bool]:
    """What is seen of several kinds, each with its own answer."""
    alike: list[tuple[ColumnElement[bool], list[str]]] = []
    for kind in kinds:
        seen = seen_of(kind)
        if isinstance(seen, False_):
            continue
        names = next((names for other, names in alike if other.compare(seen)), None)
        if names is None:
            alike.append((seen, names := []))
        names.append(kind.__mapper__.polymorphic_identity)
    return or_(false(), *(of(names) if isinstance(seen, True_) else and_(of(names), seen) for seen, names in alike))


def of(kinds: Iterable[str]) -> ColumnElement[bool]:
    """Subjects of these kinds: their names are the program's own and no parameters."""
    return Subject.kind.in_([literal_column(f"'{kind}'") for kind in sorted(kinds)])
