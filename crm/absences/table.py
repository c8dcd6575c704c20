"""The list of leaves."""

from crm import lists
from crm.absences import queries
from crm.absences.models import Kind, State
from crm.labels import N_
from crm.lists import Column
from crm.permissions import Permission

TABLE = lists.Table(
    "absences", N_("Leave"), "/absences", Permission.SIGNED_IN, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("state", N_("State"), lists.label(State, "state")),
        Column("person", N_("Who"), lists.title("owner_id")),
        Column("kind", N_("Kind"), lists.label(Kind, "category")),
        Column("starts_on", N_("First day"), lists.plain("starts_on")),
        Column("ends_on", N_("Last day"), lists.plain("ends_on")),
        Column("stand_in", N_("Stand-in"), lists.title("concerned_id")),
        Column("words", N_("Reason for the leave"), lists.plain("words"), shown=False),
        Column("opened", N_("Asked on"), lists.plain("opened_at"), shown=False),
    ),
    queries.ids,
)  # fmt: skip
