"""The list of installations."""

from crm import lists
from crm.labels import N_
from crm.lists import Column
from crm.permissions import Permission
from crm.serials import queries
from crm.serials.models import UseState

TABLE = lists.Table(
    "installations", N_("Installations"), "/installations", Permission.CUSTOMER_READ, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("customer", N_("Customer"), lists.title("customer_id")),
        Column("title", N_("Installation"), lists.plain("title")),
        Column("users", N_("Users"), lists.plain("users")),
        Column("starts", N_("Service from"), lambda row, _page: row.running and row.running.starts_on, shown=False),
        Column("ends", N_("Service until"), lambda row, _page: row.running and row.running.ends_on),
        Column("next", N_("Next service period"), lambda row, _page: row.following and
               f"{row.following.starts_on} – {row.following.ends_on}", shown=False),
        Column("use", N_("State of use"), lists.label(UseState, "state")),
        Column("use_seen_on", N_("Seen on"), lists.plain("use_seen_on")),
    ),
)  # fmt: skip
