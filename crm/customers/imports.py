"""The pages of the import: send a file, look at what it would become, bring it in batch by batch, read the report."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.file import FileField, FileRequired

from crm.answers import once, own_units, turn_back
from crm.customers import runs
from crm.customers.columns import FIELDS
from crm.customers.models import ImportRun
from crm.customers.plan import Plan
from crm.errors import Invalid, NotThere, Refused
from crm.files.models import File
from crm.files.workflow import shown_name
from crm.forms import CrmForm, attempt
from crm.labels import N_
from crm.permissions import Permission as P
from crm.permissions import needs

bp = Blueprint("customer_imports", __name__, url_prefix="/customers/import")
SHOWN = 8  # rows of the preview


class UploadForm(CrmForm):
    file = FileField(
        _l("Spreadsheet"), [FileRequired(_l("Choose a file first."))], render_kw={"accept": ".csv,.txt,.xls,.xlsx"},
        description=_l("Excel (.xls, .xlsx) or text with commas (.csv), up to 15 MB. Nothing is imported yet."),
    )  # fmt: skip


@bp.route("", methods=["GET", "POST"])
@needs(P.CUSTOMER_EDIT)
@own_units
def upload():
    """A file is read before anything is written: nobody waits for it."""
    form = UploadForm()

    def take():
        given = form.file.data
        content = given.read()
        turn_back()
        try:
            runs.read(shown_name(given.filename), content)
            return once(lambda: kept(given.filename, content))
        except Invalid as refusal:
            raise Invalid(fields={"file": [refusal]}) from refusal

    def kept(name: str, content: bytes):
        file = runs.upload(name, content, current_user)
        return redirect(url_for("customer_imports.look", key=file.key), 303)

    def show(refusal: Refused | None):
        return render_template("customers/import.html", form=form, refusal=refusal, past=runs.last(current_user))

    return attempt(form, take, show)


@bp.route("/<string(length=32):key>", methods=["GET", "POST"])
@needs(P.CUSTOMER_EDIT)
def look(key):
    """What the file would become, until its import is started; from then on how far it is, at last its report."""
    if run := runs.find(key, current_user):
        return _back(run) if request.method == "POST" else _report(run)
    file, form = runs.draft(key, current_user), CrmForm()
    plan = runs.plan_of(file, {})

    def go():
        chosen = _chosen(request.form, plan)
        if request.form.get("act") == "preview":
            said = {f"c{at}": field for at, field in chosen.items()}
            return redirect(url_for("customer_imports.look", key=key, **said), 303)
        return _back(runs.start(file, _mapping(plan, chosen), current_user))

    return attempt(form, go, lambda refusal: _preview(file, plan, form, refusal))


def _back(run: ImportRun):
    return redirect(url_for("customer_imports.look", key=run.key), 303)


def _chosen(values: Mapping[str, str], plan: Plan) -> dict[int, str]:
    """What people said the columns are, by the columns' places."""
    given = {column.at: values.get(f"c{column.at}", "") for column in plan.columns}
    return {at: field for at, field in given.items() if field in FIELDS}


def _mapping(plan: Plan, chosen: Mapping[int, str]) -> dict[str, str]:
    fields = list(chosen.values())
    if twice := next((field for field in fields if fields.count(field) > 1), None):
        raise Invalid(N_("Two columns cannot both become %(field)s."), field=_(FIELDS[twice].label))
    return {column.header: chosen[column.at] for column in plan.columns if column.at in chosen}


def _preview(file: File, first: Plan, form: CrmForm, refusal: Refused | None):
    """The page with all that was chosen on it; a choice that cannot be is shown beside the plan without it."""
    chosen = _chosen(request.values, first)
    try:
        plan = runs.plan_of(file, _mapping(first, chosen))
    except Invalid as wrong:
        plan, refusal = first, refusal or wrong
    return render_template(
        "customers/import_preview.html", file=file, plan=plan, chosen=chosen, fields=FIELDS, refusal=refusal, form=form,
        wrong_rows=[line for line in plan.lines if line.refusal], rows=plan.lines[:SHOWN], named=plan.named,
    )  # fmt: skip


def _report(run: ImportRun):
    part = "HX-Request" in request.headers
    return render_template("customers/_import_run.html" if part else "customers/import_run.html", run=run,
                           form=CrmForm(formdata=None))  # fmt: skip


@bp.post("/<string(length=32):key>/batch")
@needs(P.CUSTOMER_EDIT)
def batch(key):
    """Two hundred rows; the answer leads to how far it is now."""
    run = runs.find(key, current_user)
    if run is None:
        raise NotThere()
    position = request.form.get("position", "")
    runs.go_on(run, int(position) if position.isdecimal() and len(position) < 9 else -1, current_user)
    return _back(run)
