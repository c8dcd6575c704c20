from flask import Response

from crm.letters.sheet import Sheet
from crm.letters.typeset import typeset


def pdf(sheet: Sheet, name: str) -> Response:
    """The sheet, to be looked at and printed; kept by no browser."""
    response = Response(typeset(sheet).pdf, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response
