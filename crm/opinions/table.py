"""The list of customers' opinions."""

from typing import Any

from flask_babel import gettext as _

from crm import lists
from crm.labels import N_
from crm.lists import Column
from crm.opinions import queries
from crm.opinions.models import About, Kind, State, Way, verdict
from crm.permissions import Permission


def _decided(row: Any, page: lists.Page) -> str:
    """What was decided on a complaint, for those who may read of whom it speaks."""
    found = verdict(row.category, row.state, row.confirmed_at)
    return _(found.label) if found and row.whole else ""


TABLE = lists.Table(
    "opinions", N_("Customers' opinions"), "/opinions", Permission.OPINION_READ, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("state", N_("State"), lists.label(State, "state")),
        Column("kind", N_("Kind"), lists.label(Kind, "category")),
        Column("title", N_("In one line"), lists.plain("title")),
        Column("customer", N_("Customer"), lists.title("customer_id")),
        Column("about", N_("Complaint about"), lists.label(About, "about"), shown=False),  # it stands beside the kind
        Column("decided", N_("Decided"), _decided),
        Column("against", N_("Of whom it speaks"), lists.title("concerned_id")),
        Column("owner", N_("Seen to by"), lists.title("owner_id")),
        Column("said_on", N_("Said on"), lists.plain("said_on")),
        Column("way", N_("How it reached us"), lists.label(Way, "way"), shown=False),
        Column("opened", N_("Taken in"), lists.plain("opened_at"), shown=False),
    ),
    queries.ids,
)  # fmt: skip
