"""The list of reports."""

from crm import lists
from crm.labels import N_
from crm.lists import Column
from crm.permissions import Permission
from crm.reports import queries
from crm.reports.models import Kind, State

TABLE = lists.Table(
    "reports", N_("Reports"), "/reports", Permission.REPORT_WRITE, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("state", N_("State"), lists.label(State, "state")),
        Column("kind", N_("Report"), lists.label(Kind, "category")),
        Column("period", N_("Period"), lists.plain("title")),
        Column("owner", N_("Whose report"), lists.title("owner_id")),
        Column("submitted", N_("Submitted on"), lists.plain("submitted_at")),
        Column("opened", N_("Prepared"), lists.plain("opened_at"), shown=False),
    ),
    queries.ids,
)  # fmt: skip
