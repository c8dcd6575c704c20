"""Every list there is; the customers' own, which says what several packages know of them."""

from dataclasses import replace

from flask_babel import gettext as _
from sqlalchemy import Select

from crm import lists
from crm.absences import table as absences
from crm.callbacks import table as callbacks
from crm.changes import table as changes
from crm.contracts import table as contracts
from crm.customers import queries as customers
from crm.duties import table as missed
from crm.labels import N_
from crm.letters import table as letters
from crm.lists import Column
from crm.opinions import table as opinions
from crm.papers import table as papers
from crm.penalties import table as penalties
from crm.permissions import Permission
from crm.reports import table as reports
from crm.rulebooks import table as suggestions
from crm.serials import numbering
from crm.serials import queries as serials
from crm.serials import table as installations
from crm.serials.coverage import verdicts
from crm.staff import table as staff
from crm.tickets import table as tickets
from crm.visits import table as visits


def _customer_ids(user, wanted: customers.Filter) -> Select:
    return customers.ids(user, wanted, where=serials.lacking(wanted.lacks))


def _customers(user, wanted: customers.Filter, before: int | None, size: int) -> lists.Page:
    page = customers.listing(user, wanted, before, size, where=serials.lacking(wanted.lacks))
    ids = [row.id for row in page.rows]
    return replace(page, beside={"service": verdicts(ids), "lacks": serials.what_lacks(ids) if wanted.lacks else {}})


def _service(row, page: lists.Page) -> str:
    verdict = page.beside["service"][row.id]
    return _(verdict.coverage.label)


CUSTOMERS = lists.Table(
    "customers", N_("Customers"), "/customers", Permission.CUSTOMER_READ, customers.Filter, _customers,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("short_name", N_("Short name"), lists.plain("title")),
        Column("full_name", N_("Full name"), lists.plain("full_name")),
        Column("code", N_("Code"), lists.plain("code")),
        Column("grade", N_("Grade"), lists.plain("category")),
        Column("region", N_("Region"), lists.plain("region")),
        Column("owner", N_("Responsible"), lists.title("owner_id")),
        Column("service", N_("Service"), _service),
        *(Column(key, label, lists.plain(key), shown=False) for key, label in (
            ("phone", N_("Phone")), ("fax", N_("Fax")), ("email", N_("E-mail")), ("address", N_("Address")),
            ("tax_number", N_("Tax number")), ("remark", N_("Remark")),
        )),
    ),
    _customer_ids,
)  # fmt: skip
TABLES = {
    table.key: table
    for table in (tickets.TABLE, visits.TABLE, changes.TABLE, opinions.TABLE, callbacks.TABLE, CUSTOMERS, contracts.TABLE,
                  installations.TABLE, numbering.TABLE, papers.TABLE, penalties.TABLE, reports.TABLE,
                  letters.TABLE, missed.TABLE, absences.TABLE, suggestions.TABLE, staff.TABLE, staff.ACCESS)
}
