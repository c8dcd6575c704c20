from flask import Blueprint, Response, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import current_user

from crm.db import db
from crm.errors import Invalid, Refused
from crm.files import queries, store, workflow
from crm.labels import N_
from crm.permissions import Permission as P
from crm.permissions import needs

bp = Blueprint("files", __name__)


@bp.post("/files")
@needs(P.SIGNED_IN)
def upload():
    """A file is taken in when it is chosen, as a draft; the answer is the part of the form that names it."""
    try:
        given = request.files.get("file")
        if given is None or not given.filename:
            raise Invalid(N_("Choose a file first."))
        purpose = request.form.get("purpose", "")[:40]
        if purpose.startswith(workflow.RESERVED):
            raise Invalid(N_("Such a file is sent from its own page."))
        file = workflow.draft(given.filename, given.read(), current_user, purpose)
        db.session.add(file)
        db.session.flush()
        return render_template("files/_draft.html", file=file)
    except Refused as refusal:
        return Response(_(refusal.message, **refusal.params), refusal.status, mimetype="text/plain")


@bp.get("/files/<string(length=32):key>")
@needs(P.SIGNED_IN)
def download(key):
    """Always a download, whatever it is: never a page of ours."""
    file = queries.get(key, current_user)
    response = send_file(store.path_of(file.sha256), file.kind, as_attachment=True, download_name=file.name, max_age=0)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
