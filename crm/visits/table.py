"""The list of visits."""

from crm import lists
from crm.labels import N_
from crm.lists import Column
from crm.permissions import Permission
from crm.visits import queries
from crm.visits.models import Kind, State

TABLE = lists.Table(
    "visits", N_("On-site visits"), "/visits", Permission.VISIT_READ, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("state", N_("State"), lists.label(State, "state")),
        Column("title", N_("Purpose"), lists.plain("title")),
        Column("customer", N_("Customer"), lists.title("customer_id")),
        Column("kind", N_("Kind"), lists.label(Kind, "category")),
        Column("owner", N_("Specialist"), lists.title("owner_id")),
        Column("arrive", N_("Agreed arrival"), lists.plain("arrive_at")),
        Column("ends", N_("Agreed end"), lists.plain("ends_at"), shown=False),
        Column("place", N_("Place"), lists.plain("place"), shown=False),
        Column("opened", N_("Requested"), lists.plain("opened_at"), shown=False),
    ),
    queries.ids,
)  # fmt: skip
