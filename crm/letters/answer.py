from collections.abc import Callable

from flask import Response, request
from flask_babel import force_locale

from crm.catalogue import locale_of
from crm.letters.sheet import Sheet
from crm.letters.typeset import typeset


def pdf(draw: Callable[..., Sheet], of, name: str) -> Response:
    """The sheet of something, to be looked at and printed; kept by no browser. A form goes to a customer: it is in Chinese,
    whatever language its reader's pages are in, and in English if asked for (`?language=en`)."""
    with force_locale(locale_of(request.args.get("language"))):
        made = typeset(draw(of)).pdf
    return inline(made, name)


def inline(content: bytes, name: str) -> Response:
    """A PDF to be looked at, kept by no browser."""
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response
