"""The list of the customers, which says what is known of their software, too."""

from dataclasses import replace

from flask_babel import gettext as _
from sqlalchemy import Select

from crm import lists
from crm.customers import queries as customers
from crm.labels import N_
from crm.lists import Column
from crm.permissions import Permission
from crm.serials import queries as serials
from crm.serials.coverage import verdicts


def _customer_ids(user, wanted: customers.Filter) -> Select:
    return customers.ids(user, wanted, where=serials.lacking(wanted.lacks))


def _customers(user, wanted: customers.Filter, before: int | None, size: int) -> lists.Page:
    page = customers.listing(user, wanted, before, size, where=serials.lacking(wanted.lacks))
    ids = [row.id for row in page.rows]
    return replace(page, beside={"service": verdicts(ids), "lacks": serials.what_lacks(ids) if wanted.lacks else {}})


def _service(row, page: lists.Page) -> str:
    verdict = page.beside["service"][row.id]
    return _(verdict.coverage.label)


TABLE = lists.Table(
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
