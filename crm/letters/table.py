"""The outbox as a list."""

from crm import lists
from crm.duties.message import MessageState, Way
from crm.labels import N_
from crm.letters import queries
from crm.lists import Column
from crm.permissions import Permission

TABLE = lists.Table(
    "outbox", N_("Outbox"), "/outbox", Permission.LETTER_READ, queries.Filter, queries.listing,
    (
        Column("id", N_("No."), lists.plain("id")),
        Column("state", N_("State"), lists.label(MessageState, "state")),
        Column("letter", N_("Letter"), lists.plain("rule")),
        Column("about", N_("About"), lambda row, _page: row.subject.number),
        Column("customer", N_("Customer"), lambda row, page: page.names[row.subject.customer_id].title
               if row.subject.customer_id in page.names else ""),
        Column("way", N_("Way"), lambda row, _page: lists.label(Way, "way")(row, _page) if row.way else ""),
        Column("address", N_("Address"), lists.plain("address")),
        Column("queued", N_("Written"), lists.plain("queued_at")),
        Column("ended", N_("Ended"), lists.plain("ended_at")),
        Column("answer", N_("Answer"), lists.plain("answer"), shown=False),
    ),
)  # fmt: skip
