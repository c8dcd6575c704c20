"""The pages on which customers come in from a spreadsheet."""

from flask import Blueprint

from crm.customers.importing import KIND
from crm.sheets.views import Pages

bp = Pages(KIND).hang(Blueprint("customer_imports", __name__, url_prefix="/customers/import"))
