"""The list of service records."""

from crm import lists
from crm.duties.table import category
from crm.labels import N_, Priority
from crm.lists import Column
from crm.permissions import Permission
from crm.tickets import queries
from crm.tickets.models import State


def _due(row, page: lists.Page):
    found = page.beside["due"].get(row.id)
    return found and found.due_at


TABLE = lists.Table(
    "tickets", N_("Service records"), "/tickets", Permission.TICKET_READ, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("state", N_("State"), lists.label(State, "state")),
        Column("title", N_("In one line"), lists.plain("title")),
        Column("customer", N_("Customer"), lists.title("customer_id")),
        Column("category", N_("Category"), category),
        Column("priority", N_("Priority"), lists.label(Priority, "priority"), shown=False),
        Column("owner", N_("Specialist"), lists.title("owner_id")),
        Column("due", N_("Due"), _due),
        Column("opened", N_("Opened"), lists.plain("opened_at")),
    ),
    queries.ids,
)  # fmt: skip
