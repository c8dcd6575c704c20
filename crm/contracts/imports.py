"""The pages on which contracts come in from a spreadsheet."""

from flask import Blueprint

from crm.contracts.importing import KIND
from crm.sheets.views import Pages

bp = Pages(KIND).hang(Blueprint("contract_imports", __name__, url_prefix="/contracts/import"))
