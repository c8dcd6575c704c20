"""The list of accounts, and the access log."""

from flask_babel import gettext as _

from crm import lists
from crm.labels import N_
from crm.lists import Column
from crm.permissions import Permission, Role
from crm.staff import access, queries
from crm.staff.models import AccessKind, UserState
from crm.staff.places import place

TABLE = lists.Table(
    "staff", N_("Staff"), "/staff", Permission.STAFF_EDIT, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("name", N_("Name"), lists.plain("title")),
        Column("login", N_("Log-in name"), lists.plain("login")),
        Column("roles", N_("Roles"), lambda row, _page: _(", ").join(_(role.label) for role in Role if role in row.roles)),
        Column("phone", N_("Phone"), lists.plain("phone"), shown=False),
        Column("email", N_("E-mail"), lists.plain("email"), shown=False),
        Column("state", N_("State"), lists.label(UserState, "state")),
    ),
    queries.ids,
)  # fmt: skip
ACCESS = lists.Table(
    "access", N_("Access log"), "/staff/access", Permission.STAFF_EDIT, access.Filter, access.listing,
    (
        Column("when", N_("When"), lambda row, _page: row[0].at),
        Column("who", N_("Who"), lambda row, _page: row[1] or ""),
        Column("what", N_("What"), lambda row, _page: _(AccessKind(row[0].kind).label)),
        Column("page", N_("Page"), lambda row, _page: place(row[0].path)),
        Column("address", N_("Address of the page"), lambda row, _page: row[0].path, shown=False),
        Column("from", N_("From"), lambda row, _page: row[0].address),
    ),
)  # fmt: skip
