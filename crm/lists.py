"""What all lists share: columns, filters read from the address, fifty rows by key, and what comes after them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Protocol, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from werkzeug.routing import BaseConverter

from crm import clock
from crm.db import db
from crm.labels import Labelled
from crm.permissions import Permission

SIZE = 50
BATCH = 1000  # rows asked for at once for a file
COUNTED = 1000  # more than so many are not counted
BAD = "bad"
MARKED = ("given", BAD)  # what customers gave marks on, and what they gave a bad one


NUMBER = re.compile(r"[A-Z][0-9]{4,8}(?:-[0-9]{4,8})?")


class Number(BaseConverter):
    """`T2611-0007`, `K0001`: how people and addresses name a subject."""

    regex = NUMBER.pattern


class Id(BaseConverter):
    """A row's id in an address, never longer than the database can hold."""

    regex = r"[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> int:
        return int(value)


@dataclass(frozen=True)
class Page:
    """One page of a list. `next` is the key to go on after; `count` says how many there are, up to 1,001, or how many at
    the `least`. `names` are the subjects the rows point to by the columns `points`, `beside` what else is said of each row, by
    its id."""

    rows: Sequence[Any]
    next: int | None = None
    count: int | None = None
    names: Mapping[int | None, Any] = field(default_factory=dict)
    beside: Mapping[str, Mapping[int, Any]] = field(default_factory=dict)
    least: bool = False
    points: tuple[str, ...] = ()

    @property
    def told(self) -> Iterator[tuple[Any, ...]]:
        """Each row with all that it says beyond itself."""
        for row in self.rows:
            named = [self.names.get(getattr(row, key)) for key in self.points]
            yield row, *named, *[known.get(row.id) for known in self.beside.values()]


class Filter(Protocol):
    """What a list is narrowed by: a dataclass whose fields bear the names of the address's parameters."""

    __dataclass_fields__: Any

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self: ...


@dataclass(frozen=True)
class Column:
    """`value` of a row and its page is plain: a text, a number, a day or an instant."""

    key: str
    label: str
    value: Callable[[Any, Page], Any]
    shown: bool = True  # unless somebody chose otherwise
    right: bool = False  # its heading stands over figures


@dataclass(frozen=True)
class Table:
    """A list people live in: the page, its files and the filters kept under a name read it by the same two functions."""

    key: str
    title: str
    path: str
    permission: Permission
    filter: type[Filter]
    page: Callable[[Any, Any, int | None, int], Page]  # of a user, a filter, the key to go on after, how many rows
    columns: tuple[Column, ...]
    ids: Callable[[Any, Any], Select] | None = None  # of a user and a filter: the keys of all its rows, where they are counted

    @property
    def filters(self) -> set[str]:
        return {one.name for one in fields(self.filter)}

    def chosen(self, wanted: Any) -> int:
        """How many filters are chosen; what an address names and nobody can read is none."""
        return sum(getattr(wanted, one.name) != one.default for one in fields(self.filter))

    def narrowed(self, query: str) -> str:
        """A query string with nothing in it but this list's own filters."""
        return urlencode([(key, value) for key, value in parse_qsl(query[:2000]) if key in self.filters and value])

    def back(self, query: str) -> str:
        """The list as it was under these filters."""
        kept = self.narrowed(query)
        return f"{self.path}?{kept}" if kept else self.path

    def asked(self, user, args: Mapping[str, str]) -> tuple[Any, Page]:
        """The filter an address names, and its page."""
        wanted = self.filter.of(args, user)
        return wanted, self.page(user, wanted, key(args), SIZE)

    def rows(self, user, args: Mapping[str, str]) -> Iterator[list[Any]]:
        """Every row the filters reach, as plain values; a batch at a time."""
        wanted, before = self.filter.of(args, user), None
        while True:
            page = self.page(user, wanted, before, BATCH)
            for row in page.rows:
                yield [column.value(row, page) for column in self.columns]
            before = page.next
            if before is None:
                return


def counts(addresses: Iterable[str], tables: Mapping[str, Table], user, most: int | None = COUNTED + 1) -> dict[str, int]:
    """How many rows the list at each of these addresses has for this reader, up to `most`: asked by the list's own filter, all in
    one statement, so that a number and what it leads to cannot differ. `tables`: the lists by their paths."""
    asked = {address: _counting(address, tables, user, most) for address in dict.fromkeys(addresses)}
    return dict(zip(asked, db.session.execute(select(*asked.values())).one(), strict=True)) if asked else {}


def _counting(address: str, tables: Mapping[str, Table], user, most: int | None) -> Any:
    return select(func.count()).select_from(ids_at(address, tables, user).limit(most).subquery()).scalar_subquery()


def ids_at(address: str, tables: Mapping[str, Table], user) -> Select:
    """The keys of all rows of the list at this address, as far as `user` may see them."""
    parts = urlsplit(address)
    table = tables[parts.path]
    assert table.ids, f"{table.key}: nobody has said what its rows are"
    return table.ids(user, table.filter.of(dict(parse_qsl(parts.query)), user))


def at(path: str, **asked: Any) -> str:
    """A list's address with these filters; what is empty is none, what is simply so is `1`."""
    said = {key: 1 if value is True else value for key, value in asked.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(said)}" if said else path


def plain(key: str) -> Callable[[Any, Page], Any]:
    """A column that is an attribute of the row."""
    return lambda row, _page: getattr(row, key)


def title(key: str) -> Callable[[Any, Page], str]:
    """A column that is the title of the subject a row points to."""

    def value(row, page: Page) -> str:
        found = page.names.get(getattr(row, key))
        return found.title if found else ""

    return value


def label(members: type[Labelled], key: str) -> Callable[[Any, Page], str]:
    """A column that is one of an enum's members."""

    def value(row, _page: Page) -> str:
        text = getattr(row, key)
        known = members.known(text)
        return _(known.label) if known else text

    return value


def page_of(
    ids: Select, load: Callable[[list[int]], Sequence[Any]], *, before: int | None, size: int
) -> tuple[Sequence[Any], int | None, int | None]:
    """A list's rows, newest first, the key to go on after, and the count: the ids alone first, then `load(ids)`."""
    (column,) = ids.selected_columns
    count = db.session.scalar(select(func.count()).select_from(ids.limit(COUNTED + 1).subquery()))
    if before:
        ids = ids.where(column < before)
    wanted = list(db.session.scalars(ids.order_by(column.desc()).limit(size + 1)))
    found, after = cut(wanted, lambda id: id, size)
    return load(list(found)), after, count


def cut(rows: Sequence[Any], key: Callable[[Any], int], size: int = SIZE) -> tuple[Sequence[Any], int | None]:
    """Fifty of the fifty-one rows that were asked for, and the key of the last if there are more."""
    return (rows[:size], key(rows[size - 1])) if len(rows) > size else (rows, None)


def one_of(args: Mapping[str, str], name: str, values: Iterable[str]) -> str:
    """A filter's value if it is one that is offered, else none."""
    value = args.get(name, "")
    return value if value in {str(one) for one in values} else ""


def key(args: Mapping[str, str], name: str = "before", *, most: int = 10**9) -> int | None:
    """A row's id given as a parameter; anything else is none."""
    value = args.get(name, "")
    return int(value) if re.fullmatch(r"[1-9][0-9]{0,18}", value, re.ASCII) and int(value) < most else None


NOBODY = "nobody"  # in an address; among persons it is 0


def whose(args: Mapping[str, str], name: str) -> int | None:
    """Somebody's id given as a parameter, 0 for what is nobody's; anything else is none."""
    return 0 if args.get(name) == NOBODY else key(args, name)


def day(args: Mapping[str, str], name: str) -> date | None:
    value = args.get(name, "")
    try:
        found = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) else None
    except ValueError:
        return None
    return found if found and found.year in clock.YEARS else None


def month(args: Mapping[str, str], name: str) -> date | None:
    """The first day of a month given as `2026-11`."""
    return day({name: f"{args.get(name, '')}-01"}, name)


def words(args: Mapping[str, str], name: str = "q") -> str:
    return args.get(name, "").strip()[:100]
