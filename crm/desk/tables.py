"""The lists people live in: which columns each has, and its rows as plain values, page by page, for files."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _

from crm import lists
from crm.customers import queries as customers
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.models import Priority
from crm.labels import N_, Labelled, said
from crm.permissions import Permission as P
from crm.permissions import Role
from crm.serials import queries as serials
from crm.serials.coverage import verdicts
from crm.serials.models import UseState
from crm.staff import access
from crm.staff import queries as staff
from crm.staff.models import AccessKind
from crm.tickets import queries as tickets
from crm.tickets.models import State

BATCH = 1000  # rows asked for at once


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    value: Callable[[Any, Mapping[Any, Any]], Any]  # of a row, with the names of subjects it points to
    shown: bool = True  # unless somebody chose otherwise


@dataclass(frozen=True)
class Table:
    """`page(user, args, before, size)` gives a page of rows; `path` is the list's own."""

    key: str
    title: str
    path: str
    permission: P
    columns: tuple[Column, ...]
    page: Callable[[Any, Mapping[str, str], int | None, int], lists.Page]
    filters: frozenset[str]

    def rows(self, user, args: Mapping[str, str]) -> Iterator[list[Any]]:
        """Every row the filters reach, as plain values; a batch at a time."""
        before = None
        while True:
            page = self.page(user, args, before, BATCH)
            for row in page.rows:
                yield [column.value(row, page.names) for column in self.columns]
            before = page.next
            if before is None:
                return


def _title(key: str) -> Callable[[Any, Mapping[Any, Any]], str]:
    """The title of the subject a row points to."""

    def value(row, names) -> str:
        found = names.get(getattr(row, key))
        return found.title if found else ""

    return value


def _of(key: str) -> Callable[[Any, Mapping[Any, Any]], Any]:
    return lambda row, _names: getattr(row, key)


def _label(members: type[Labelled], key: str) -> Callable[[Any, Mapping[Any, Any]], str]:
    def value(row, _names) -> str:
        text = getattr(row, key)
        return _(members(text).label) if text in set(members) else text

    return value


def _category(row, _names) -> str:
    known = editions.todays().categories
    return said(known[row.category].title, str(get_locale())) if row.category in known else row.category


def _rule(row, _names) -> str:
    known = editions.todays().rules
    return said(known[row.rule].title, str(get_locale())) if row.rule in known else row.rule


def _customer_of(row, names) -> str:
    found = names.get(row.subject.customer_id)
    return found.title if found else ""


def _roles(row, _names) -> str:
    return _(", ").join(_(role.label) for role in Role if role in row.roles)


def _tickets(user, args, before, size) -> lists.Page:
    page = tickets.listing(user, tickets.Filter.of(args, user, editions.todays().categories), before=before, size=size)
    due = {("due", id): duty.due_at for id, duty in tickets.next_due([row.id for row in page.rows]).items()}
    return replace(page, names={**page.names, **due})


def _customers(user, args, before, size) -> lists.Page:
    wanted = customers.Filter.of(args, user, serials.lacking(lists.one_of(args, "lacks", serials.LACKS)))
    page = customers.listing(user, wanted, before=before, size=size)
    served = {("service", id): verdict for id, verdict in verdicts([row.id for row in page.rows]).items()}
    return replace(page, names={**page.names, **served})


def _installations(user, args, before, size) -> lists.Page:
    use, product = lists.one_of(args, "use", UseState), lists.key(args, "product")
    return serials.listing(user, use=use, product_id=product, before=before, size=size)


def _missed(user, args, before, size) -> lists.Page:
    owner = lists.key(args, "person") if user.may(P.DUTY_READ_ANY) else user.id
    rule = lists.one_of(args, "rule", editions.todays().rules)
    found = duties.missed(user, owner_id=owner, rule=rule, before=before, size=size)
    rows, after = lists.cut(found, lambda duty: duty.breached_by_id, size)
    ids = [id for duty in rows for id in (duty.breached_owner_id, duty.subject.customer_id)]
    return lists.Page(rows, after, names=duties.names(ids))


def _staff(user, args, before, size) -> lists.Page:
    return lists.Page(staff.everybody())


def _access(user, args, before, size) -> lists.Page:
    kind, person = lists.one_of(args, "kind", AccessKind), lists.key(args, "person")
    return access.listing(kind=kind, user_id=person, before=before, size=size)


C = Column
TICKETS = (
    C("number", N_("Number"), _of("number")),
    C("state", N_("State"), _label(State, "state")),
    C("title", N_("In one line"), _of("title")),
    C("customer", N_("Customer"), _title("customer_id")),
    C("category", N_("Category"), _category),
    C("priority", N_("Priority"), _label(Priority, "priority"), shown=False),
    C("owner", N_("Specialist"), _title("owner_id")),
    C("due", N_("Due"), lambda row, names: names.get(("due", row.id))),
    C("opened", N_("Opened"), _of("opened_at")),
)
CUSTOMERS = (
    C("number", N_("Number"), _of("number")),
    C("short_name", N_("Short name"), _of("title")),
    C("full_name", N_("Full name"), _of("full_name")),
    C("code", N_("Code"), _of("code")),
    C("grade", N_("Grade"), _of("category")),
    C("region", N_("Region"), _of("region")),
    C("owner", N_("Responsible"), _title("owner_id")),
    C("service", N_("Service"), lambda row, names: _(names[("service", row.id)].coverage.label)),
    *(C(key, label, _of(key), shown=False) for key, label in (
        ("phone", N_("Phone")), ("fax", N_("Fax")), ("email", N_("E-mail")), ("address", N_("Address")),
        ("tax_number", N_("Tax number")), ("remark", N_("Remark")),
    )),
)  # fmt: skip
INSTALLATIONS = (
    C("number", N_("Number"), _of("number")),
    C("customer", N_("Customer"), _title("customer_id")),
    C("title", N_("Installation"), _of("title")),
    C("users", N_("Users"), _of("users")),
    C("starts", N_("Service from"), lambda row, _names: row.period and row.period.starts_on, shown=False),
    C("ends", N_("Service until"), lambda row, _names: row.period and row.period.ends_on),
    C("use", N_("State of use"), _label(UseState, "state")),
    C("use_seen_on", N_("Seen on"), _of("use_seen_on")),
)
MISSED = (
    C("due", N_("Fell due"), _of("due_at")),
    C("rule", N_("Duty"), _rule),
    C("clause", N_("Clause"), _of("clause")),
    C("number", N_("Number"), lambda row, _names: row.subject.number),
    C("on", N_("On"), lambda row, _names: row.subject.title),
    C("customer", N_("Customer"), _customer_of),
    C("owner", N_("Who owed it"), _title("breached_owner_id")),
    C("fine", N_("May cost"), lambda row, _names: row.fine_fen / 100 if row.fine_fen else None),
    C("since", N_("Since"), lambda row, _names: row.kept_by.at if row.kept_by else None),
)
STAFF = (
    C("number", N_("Number"), _of("number")),
    C("name", N_("Name"), _of("title")),
    C("login", N_("Log-in name"), _of("login")),
    C("roles", N_("Roles"), _roles),
    C("phone", N_("Phone"), _of("phone")),
    C("email", N_("E-mail"), _of("email")),
    C("state", N_("State"), lambda row, _names: _(row.state_label)),
)
ACCESS = (
    C("when", N_("When"), lambda row, _names: row[0].at),
    C("who", N_("Who"), lambda row, _names: row[1]),
    C("what", N_("What"), lambda row, _names: _(AccessKind(row[0].kind).label)),
    C("page", N_("Page"), lambda row, _names: row[0].path),
    C("from", N_("From"), lambda row, _names: row[0].address),
)
_FILTERS = {
    "tickets": "q state category owner customer since until overdue", "customers": "q grade region owner lacks state",
    "installations": "use product", "missed": "person rule", "staff": "", "access": "kind person",
}  # fmt: skip
TABLES = {key: Table(key, title, path, permission, columns, page, frozenset(_FILTERS[key].split()))
          for key, title, path, permission, columns, page in (
    ("tickets", N_("Service records"), "/tickets", P.TICKET_READ, TICKETS, _tickets),
    ("customers", N_("Customers"), "/customers", P.CUSTOMER_READ, CUSTOMERS, _customers),
    ("installations", N_("Installations"), "/installations", P.CUSTOMER_READ, INSTALLATIONS, _installations),
    ("missed", N_("What was missed"), "/duties", P.SIGNED_IN, MISSED, _missed),
    ("staff", N_("Staff"), "/staff", P.STAFF_EDIT, STAFF, _staff),
    ("access", N_("Access log"), "/staff/access", P.STAFF_EDIT, ACCESS, _access),
)}  # fmt: skip
