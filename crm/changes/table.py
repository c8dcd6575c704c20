"""The list of change requests."""

from crm import lists
from crm.changes import queries
from crm.changes.models import Kind, State
from crm.labels import N_
from crm.lists import Column
from crm.permissions import Permission

TABLE = lists.Table(
    "changes", N_("Change requests"), "/changes", Permission.CHANGE_READ, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("state", N_("State"), lists.label(State, "state")),
        Column("title", N_("In one line"), lists.plain("title")),
        Column("customer", N_("Customer"), lists.title("customer_id")),
        Column("kind", N_("Kind"), lists.label(Kind, "category")),
        Column("owner", N_("Reported by"), lists.title("owner_id")),
        Column("developer", N_("Developer"), lists.title("concerned_id")),
        Column("expected", N_("Promised for"), lists.plain("expected_on")),
        Column("updated", N_("With the customer since"), lists.plain("updated_on"), shown=False),
        Column("mark", N_("Their mark"), lists.plain("mark"), shown=False, right=True),
        Column("tests", N_("Tests"), lists.plain("tests"), shown=False, right=True),
        Column("opened", N_("Opened"), lists.plain("opened_at"), shown=False),
    ),
    queries.ids,
)  # fmt: skip
