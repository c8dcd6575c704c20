"""The kinds of list that come in from a spreadsheet, each with its pages."""

from flask import Blueprint, Flask

from crm.contracts import importing as contracts
from crm.customers import importing as customers
from crm.serials import importing as serials
from crm.sheets.views import Pages

KINDS = (customers.KIND, contracts.KIND, serials.KIND)


def init_app(app: Flask) -> None:
    for kind in KINDS:
        name = f"{kind.noun.removesuffix('s')}_imports"
        app.register_blueprint(Pages(kind).hang(Blueprint(name, __name__, url_prefix=f"/{kind.noun}/import")))
