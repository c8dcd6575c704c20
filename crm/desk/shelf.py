"""What a person put by for their lists: filters under a name, and the columns they want."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, or_, outerjoin, select

from crm.db import db, insert
from crm.desk.models import ChosenColumns, SavedFilter
from crm.desk.tables import TABLES
from crm.errors import Forbidden, Invalid, NotThere
from crm.labels import N_
from crm.lists import Column, Table
from crm.permissions import Permission

MOST = 30  # filters of one person in one list


@dataclass(frozen=True)
class Shelf:
    table: Table
    filters: Sequence[SavedFilter]
    columns: tuple[Column, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(column.key for column in self.columns)


_COLUMNS = select(ChosenColumns.columns).where(
    ChosenColumns.user_id == bindparam("user"), ChosenColumns.table == bindparam("table")
)
_ONE = select(_COLUMNS.scalar_subquery().label("columns")).subquery("one")
_HERE = and_(SavedFilter.table == bindparam("table"), or_(SavedFilter.owner_id == bindparam("user"), SavedFilter.shared))
_PUT_BY = (
    select(_ONE.c.columns, SavedFilter).select_from(outerjoin(_ONE, SavedFilter, _HERE))
    .order_by(SavedFilter.name, SavedFilter.id)
)  # fmt: skip


def shelf_of(user, table_key: str) -> Shelf:
    """One's own filters and those shared, and the columns one chose: in one statement, for every list asks."""
    table = TABLES[table_key]
    rows = db.session.execute(_PUT_BY, {"table": table.key, "user": user.id}).all()
    return Shelf(table, [row[1] for row in rows if row[1] is not None], _columns_of(table, rows[0][0] or ""))


def _columns_of(table: Table, chosen: str) -> tuple[Column, ...]:
    known = {column.key: column for column in table.columns}
    wanted = [known[key] for key in chosen.split(",") if key in known]
    return tuple(wanted) or tuple(column for column in table.columns if column.shown)


def save_filter(user, table: Table, name: str, query: str, *, shared: bool) -> SavedFilter:
    """Keep a filter under a name; the same name again replaces one's own."""
    kept = table.narrowed(query)
    if not kept:
        raise Invalid(fields={"name": N_("Nothing is filtered here yet.")})
    if shared and not user.may(Permission.FILTER_SHARE):
        raise Forbidden(N_("Filters for everybody are shared by a manager or the director."))
    own = select(SavedFilter.name).where(SavedFilter.owner_id == user.id, SavedFilter.table == table.key)
    names = set(db.session.scalars(own))
    if name not in names and len(names) >= MOST:
        raise Invalid(fields={"name": N_("That is enough: remove one of your filters first.")})
    words = {"query": kept, "shared": shared}
    put = insert(SavedFilter).values(owner_id=user.id, table=table.key, name=name, **words)
    put = put.on_conflict_do_update(index_elements=["owner_id", "table", "name"], set_=words).returning(SavedFilter)
    return db.session.scalars(put, execution_options={"populate_existing": True}).one()


def remove_filter(user, filter_id: int) -> SavedFilter:
    """One's own only; another's is not there."""
    row = db.session.scalar(select(SavedFilter).where(SavedFilter.id == filter_id, SavedFilter.owner_id == user.id))
    if row is None:
        raise NotThere()
    db.session.delete(row)
    db.session.flush()
    return row


def choose_columns(user, table: Table, keys: Sequence[str]) -> None:
    """Show these; none chosen shows what the list shows by itself."""
    known = [column.key for column in table.columns if column.key in keys]
    row = {"user_id": user.id, "table": table.key, "columns": ",".join(known)}
    chosen = insert(ChosenColumns).values(row)
    db.session.execute(
        chosen.on_conflict_do_update(index_elements=["user_id", "table"], set_={"columns": row["columns"]})
    )
