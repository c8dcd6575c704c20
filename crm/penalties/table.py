"""The list of penalties: one's own, for those who lead everybody's."""

from typing import Any

from flask_babel import gettext as _

from crm import lists
from crm.labels import N_
from crm.lists import Column
from crm.money import yuan
from crm.penalties import queries
from crm.penalties.models import OVER, Sanction, State
from crm.permissions import Permission


def _amount(row: Any, _page: lists.Page) -> str:
    """What it costs or would: nothing once it was waived, struck or void."""
    fen = row.fen if row.reduced_fen is None else row.reduced_fen
    return yuan(fen) if fen is not None and row.whole and row.state not in OVER else ""


def _sanction(row: Any, _page: lists.Page) -> str:
    return _(Sanction(row.sanction).label) if row.whole else ""


TABLE = lists.Table(
    "penalties", N_("Penalties"), "/penalties", Permission.SIGNED_IN, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("state", N_("State"), lists.label(State, "state")),
        Column("clause", N_("Clause"), lambda row, _page: row.clause if row.whole else ""),
        Column("title", N_("About"), lambda row, _page: row.title if row.whole else ""),
        Column("person", N_("Against whom"), lists.title("concerned_id")),
        Column("sanction", N_("Sanction"), _sanction),
        Column("amount", N_("Amount"), _amount),
        Column("happened", N_("Happened"), lists.plain("happened_at")),
    ),
    queries.ids,
)  # fmt: skip
