"""The outbox as a list."""

from flask_babel import gettext as _

from crm import lists
from crm.catalogue import language
from crm.duties import editions
from crm.duties.message import MessageState, Way
from crm.labels import N_, said
from crm.letters import queries
from crm.lists import Column
from crm.permissions import Permission


def called(rule: str) -> str:
    """What a letter is called today; one the rulebook no longer has by its key."""
    entry = editions.todays().posts.get(rule)
    return said(entry.title, language()) if entry else rule


def kinds() -> dict[str, str]:
    """Kind of letter → what the rulebook calls those made of its text."""
    return {one.template: called(one.key) for one in editions.todays().posts.values()}


def standing(row) -> str:
    """How a letter stands: of one that was sent once more nothing is open."""
    return _("Sent once more") if row.replaced_by_id else _(MessageState(row.state).label)


def _way(row, _page: lists.Page) -> str:
    return _(Way(row.way).label) if row.way else ""


TABLE = lists.Table(
    "outbox", N_("Outbox"), "/outbox", Permission.LETTER_READ, queries.Filter, queries.listing,
    (
        Column("id", N_("No."), lists.plain("id")),
        Column("state", N_("State"), lambda row, _page: standing(row)),
        Column("letter", N_("Letter"), lambda row, _page: called(row.rule)),
        Column("about", N_("About"), lambda row, _page: row.subject.number),
        Column("customer", N_("Customer"), lambda row, page: page.names[row.subject.customer_id].title
               if row.subject.customer_id in page.names else ""),
        Column("way", N_("Way"), _way),
        Column("address", N_("Address"), lists.plain("address")),
        Column("queued", N_("Written"), lists.plain("queued_at")),
        Column("ended", N_("Finished"), lists.plain("ended_at")),
        Column("answer", N_("Answer"), lists.plain("answer"), shown=False),
    ),
    queries.ids,
)  # fmt: skip
