"""The list of serial numbers: in the clear for those who hand them out, masked for all others (C7), in its files too."""

from crm import lists
from crm.labels import N_
from crm.lists import Column
from crm.permissions import Permission
from crm.serials import queries
from crm.serials.using import Use

TABLE = lists.Table(
    "serials", N_("Serial numbers"), "/serials", Permission.CUSTOMER_READ, queries.SerialFilter, queries.serials,
    (
        Column("number", N_("Serial number"), lambda row, page: page.beside["shown"][row.id]),
        Column("installation", N_("Software"), lists.plain("title")),
        Column("at", N_("Installation"), lists.plain("installation"), shown=False),
        Column("customer", N_("Customer"), lists.title("customer_id")),
        Column("users", N_("Users"), lists.plain("users")),
        Column("starts", N_("First day"), lists.plain("starts_on"), shown=False),
        Column("ends", N_("Last day"), lists.plain("ends_on")),
        Column("issued", N_("Issued on"), lists.plain("issued_on")),
        Column("given", N_("Handed over on"), lists.plain("given_on")),
        Column("to", N_("Handed to"), lambda row, page: page.beside["people"].get(row.given_to_id, ""), shown=False),
        Column("used", N_("Use"), lists.label(Use, "use")),
    ),
)  # fmt: skip
