"""The list of callbacks."""

from crm import lists
from crm.callbacks import queries
from crm.callbacks.models import State
from crm.labels import N_
from crm.lists import Column
from crm.permissions import Permission

TABLE = lists.Table(
    "callbacks", N_("Callbacks"), "/callbacks/all", Permission.CALLBACK_READ, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("state", N_("State"), lists.label(State, "state")),
        Column("title", N_("About"), lists.plain("title")),
        Column("customer", N_("Customer"), lists.title("customer_id")),
        Column("attitude", N_("Attitude"), lists.plain("attitude")),
        Column("skill", N_("Skill"), lists.plain("skill")),
        Column("result", N_("Result"), lists.plain("result")),
        Column("served", N_("Served by"), lists.title("concerned_id")),
        Column("owner", N_("Called by"), lists.title("owner_id")),
        Column("reached", N_("Spoken with"), lists.plain("reached_at")),
        Column("attempts", N_("Calls in vain"), lists.plain("attempts"), shown=False),
        Column("opened", N_("Begun"), lists.plain("opened_at"), shown=False),
    ),
    queries.ids,
)  # fmt: skip
