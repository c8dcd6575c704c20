"""Files that came with a form: taken in as drafts that outlive the form's refusal."""

from flask import request
from flask_login import current_user

from crm.db import aside, db
from crm.errors import Invalid
from crm.files import queries, workflow
from crm.files.models import File
from crm.staff import access
from crm.staff.models import AccessKind


def received(names: dict[str, str]) -> list[File]:
    """The drafts a form holds: those it names (`files`), and those just sent in its file inputs.

    `names` maps a file input's name to the purpose of what it takes. What is just sent is kept aside, so that a
    refused form comes back with its files. Invalid names the first that is not taken.
    """
    keys = request.form.getlist("files")
    drafts = queries.drafts(keys, current_user)
    if queries.anothers(keys, current_user):
        user_id = current_user.id
        aside(lambda: access.note_request(AccessKind.BEYOND, user_id))
    for name, purpose in names.items():
        for given in request.files.getlist(name):
            if not given.filename:
                continue
            try:
                file = workflow.draft(given.filename, given.read(), current_user, purpose)
            except Invalid as refusal:
                raise Invalid(fields={name: refusal}) from refusal
            db.session.add(file)
            drafts.append(file)
            aside(_keep(file))
    db.session.flush()
    return drafts


def _keep(file: File):
    row = {column.key: getattr(file, column.key) for column in File.__table__.columns if column.key != "id"}

    def keep() -> None:
        if not queries.exists(row["key"]):  # the form was refused and its rows with it
            db.session.add(File(**row))

    return keep
