"""The lists of what was missed and of all that was due, and the columns that speak of the rulebook."""

from flask_babel import get_locale
from flask_babel import gettext as _

from crm import lists
from crm.duties import editions, owed, queries
from crm.labels import N_, said
from crm.lists import Column
from crm.permissions import Permission


def category(row, _page: lists.Page) -> str:
    """The title of a record's category today; one that is gone by its key."""
    known = editions.todays().categories
    return said(known[row.category].title, str(get_locale())) if row.category in known else row.category


def _rule(row, _page: lists.Page) -> str:
    known = editions.todays().rules
    return said(known[row.rule].title, str(get_locale())) if row.rule in known else row.rule


def _customer(row, page: lists.Page) -> str:
    found = page.names.get(row.subject.customer_id)
    return found.title if found else ""


def _owed_by(row, page: lists.Page) -> str:
    found = page.names.get(owed.by(row))
    return found.title if found else ""


def _fared(row, _page: lists.Page) -> str:
    how = owed.how(row)
    return _(how.label) if how else ""


WHAT = (
    Column("due", N_("Fell due"), lists.plain("due_at")),
    Column("rule", N_("Duty"), _rule),
    Column("clause", N_("Clause"), lists.plain("clause"), shown=False),
    Column("number", N_("Number"), lambda row, _page: row.subject.number),
    Column("on", N_("On"), lambda row, _page: row.subject.title),
    Column("customer", N_("Customer"), _customer),
)
COSTS = Column("fine", N_("May cost"), lambda row, _page: row.fine_fen / 100 if row.fine_fen else None)
TABLE = lists.Table(
    "missed", N_("What was missed"), "/duties", Permission.SIGNED_IN, queries.Missed, queries.missed,
    (
        *WHAT,
        Column("owner", N_("Who owed it"), lists.title("breached_owner_id")),
        COSTS,
        Column("since", N_("Since"), lambda row, _page: row.kept_by.at if row.kept_by else None),
    ),
    queries.missed_ids,
)  # fmt: skip
OWED = lists.Table(
    "owed", N_("What was due"), "/duties/owed", Permission.SIGNED_IN, owed.Owed, owed.listing,
    (
        *WHAT,
        Column("owner", N_("Who owed it"), _owed_by),
        COSTS,
        Column("done", N_("Done"), lambda row, _page: row.kept_by.at if row.kept_by else None),
        Column("fared", N_("How it fared"), _fared),
    ),
    owed.ids,
)  # fmt: skip
