"""The list of what people suggest for the rulebook, and object to."""

from crm import lists
from crm.labels import N_
from crm.lists import Column
from crm.permissions import Permission
from crm.rulebooks import queries
from crm.rulebooks.models import Kind, SuggestionState

TABLE = lists.Table(
    "suggestions", N_("Suggestions on the rulebook"), "/suggestions", Permission.SIGNED_IN, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("state", N_("State"), lists.label(SuggestionState, "state")),
        Column("kind", N_("Kind"), lists.label(Kind, "category")),
        Column("clause", N_("Clause"), lists.plain("clause")),
        Column("title", N_("In one line"), lists.plain("title")),
        Column("owner", N_("Written by"), lists.title("owner_id")),
        Column("answer", N_("Answer"), lists.plain("answer"), shown=False),
        Column("opened", N_("Written"), lists.plain("opened_at")),
    ),
)  # fmt: skip
