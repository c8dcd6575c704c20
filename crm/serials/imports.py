"""The pages on which serial numbers come in from a spreadsheet."""

from flask import Blueprint

from crm.serials.importing import KIND
from crm.sheets.views import Pages

bp = Pages(KIND).hang(Blueprint("serial_imports", __name__, url_prefix="/serials/import"))
