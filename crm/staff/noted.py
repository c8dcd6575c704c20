"""What an answer leaves in the access log: what was denied to somebody who is logged in, and every file that is handed out."""

import logging

from flask import Flask, Response, request
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.http import parse_options_header

from crm.answers import page
from crm.db import db, unit_of_work
from crm.staff import access
from crm.staff.models import AccessKind

log = logging.getLogger(__name__)
DENIALS = {403: AccessKind.DENIED, 404: AccessKind.BEYOND}


def _write(kind: AccessKind, path: str = "") -> None:
    user_id = current_user.id
    db.session.rollback()  # what was read so far stands in a transaction that cannot write
    with unit_of_work():
        access.note_request(kind, user_id, path=path)


def _denials(response: Response) -> Response:
    if response.status_code in DENIALS and request.endpoint not in (None, "static") and current_user.is_authenticated:
        try:
            _write(DENIALS[response.status_code])
        except SQLAlchemyError:  # the answer is given already
            log.exception("a denial could not be written down")
    return response


def _files(response: Response) -> Response:
    """Whatever has a name of its own is a file; it is not given before the log says that it was taken. What pages are made
    of is no file of anybody's."""
    if request.endpoint == "static":
        return response
    name = parse_options_header(response.headers.get("Content-Disposition"))[1].get("filename")
    if not name or response.status_code not in (200, 206) or not current_user.is_authenticated:
        return response
    of_list = request.blueprint == "listing"
    asked = request.full_path.rstrip("?") if of_list else f"{request.method} {request.path}: {name}"
    try:
        _write(AccessKind.EXPORTED if of_list else AccessKind.TAKEN, asked)
    except SQLAlchemyError:
        log.exception("a file was not given, for that could not be written down")
        response.close()
        return page(503)
    return response


def init_app(app: Flask) -> None:
    app.after_request(_denials)
    app.after_request(_files)
