"""The list of papers."""

from flask_babel import get_locale

from crm import lists
from crm.labels import N_, said
from crm.lists import Column
from crm.papers import queries
from crm.papers.models import State
from crm.permissions import Permission


def kind(row, _page: lists.Page) -> str:
    found = queries.kinds().get(row.category)
    return said(found.title, str(get_locale())) if found else row.category


def belongs(row, page: lists.Page) -> str:
    found = page.names.get(row.origin_id)
    return found.number if found else ""


TABLE = lists.Table(
    "papers", N_("Papers"), "/papers", Permission.PAPER_READ, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("state", N_("State"), lists.label(State, "state")),
        Column("kind", N_("Kind of form"), kind),
        Column("title", N_("In one line"), lists.plain("title")),
        Column("belongs", N_("Belongs to"), belongs),
        Column("customer", N_("Customer"), lists.title("customer_id")),
        Column("owner", N_("In whose hands"), lists.title("owner_id")),
        Column("place", N_("Place in the archive"), lists.plain("place")),
        Column("until", N_("Lent until"), lists.plain("lent_until"), shown=False),
        Column("sheets", N_("Sheets"), lists.plain("sheets"), shown=False),
        Column("entered", N_("Entered"), lists.plain("opened_at"), shown=False),
    ),
    queries.ids,
)  # fmt: skip
