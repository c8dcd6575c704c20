"""The pages of an import: send a file, look at what it would become, bring it in batch by batch, read the report."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.file import FileField, FileRequired

from crm.answers import once, own_units, turn_back
from crm.errors import Invalid, NotThere, Refused
from crm.files.models import File
from crm.files.workflow import shown_name
from crm.forms import CrmForm, attempt
from crm.labels import N_
from crm.permissions import needs
from crm.sheets import runs
from crm.sheets.kinds import Kind
from crm.sheets.models import ImportRun
from crm.sheets.plan import Plan

SHOWN = 8  # rows of the preview


class UploadForm(CrmForm):
    file = FileField(
        _l("Spreadsheet"), [FileRequired(_l("Choose a file first."))], render_kw={"accept": ".csv,.txt,.xls,.xlsx"},
        description=_l("Excel (.xls, .xlsx) or text with commas (.csv), up to 15 MB. Nothing is imported yet."),
    )  # fmt: skip


class Pages:
    """Those of one kind of list, at `/<noun>/import`."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.path = f"/{kind.noun}/import"

    def hang(self, bp: Blueprint) -> Blueprint:
        may, key = needs(self.kind.permission), "/<string(length=32):key>"
        bp.add_url_rule("", "upload", may(own_units(self._own(self.upload))), methods=["GET", "POST"])
        bp.add_url_rule(key, "look", may(self._own(self.look)), methods=["GET", "POST"])
        bp.add_url_rule(f"{key}/batch", "batch", may(self._own(self.batch)), methods=["POST"])
        return bp

    @staticmethod
    def _own(view):
        """A method cannot bear what a view declares."""
        return lambda **values: view(**values)

    def upload(self):
        """A file is read before anything is written: nobody waits for it."""
        form = UploadForm()

        def take():
            given = form.file.data
            content = given.read()
            turn_back()
            try:
                runs.read(self.kind, shown_name(given.filename), content)
                return once(lambda: kept(given.filename, content))
            except Invalid as refusal:
                raise Invalid(fields={"file": [refusal]}) from refusal

        def kept(name: str, content: bytes):
            return redirect(f"{self.path}/{runs.upload(self.kind, name, content, current_user).key}", 303)

        def show(refusal: Refused | None):
            return self._page("import", form=form, refusal=refusal, past=runs.last(self.kind, current_user))

        return attempt(form, take, show)

    def look(self, key: str):
        """What the file would become, until its import is started; from then on how far it is, at last its report."""
        if run := runs.find(self.kind, key, current_user):
            return self._back(run) if request.method == "POST" else self._report(run)
        file, form = runs.draft(self.kind, key, current_user), CrmForm()
        plan = runs.plan_of(self.kind, file, {})

        def go():
            chosen = _chosen(request.form, plan)
            if request.form.get("act") == "preview":
                said = "&".join(f"c{at}={field}" for at, field in chosen.items())
                return redirect(f"{self.path}/{key}?{said}", 303)
            return self._back(runs.start(self.kind, file, _mapping(plan, chosen), current_user))

        return attempt(form, go, lambda refusal: self._preview(file, plan, form, refusal))

    def batch(self, key: str):
        """Two hundred rows; the answer leads to how far it is now."""
        run = runs.find(self.kind, key, current_user)
        if run is None:
            raise NotThere()
        position = request.form.get("position", "")
        whole = int(position) if position.isdecimal() and len(position) < 9 else -1
        runs.go_on(self.kind, run, whole, current_user)
        return self._back(run)

    def _page(self, name: str, **shown):
        return render_template(f"sheets/{name}.html", kind=self.kind, path=self.path, **shown)

    def _back(self, run: ImportRun):
        return redirect(f"{self.path}/{run.key}", 303)

    def _preview(self, file: File, first: Plan, form: CrmForm, refusal: Refused | None):
        """The page with all that was chosen on it; a choice that cannot be is shown beside the plan without it."""
        chosen = _chosen(request.values, first)
        try:
            plan = runs.plan_of(self.kind, file, _mapping(first, chosen))
        except Invalid as wrong:
            plan, refusal = first, refusal or wrong
        return self._page(
            "preview", file=file, plan=plan, chosen=chosen, fields=plan.COLUMNS.fields, refusal=refusal, form=form,
            wrong_rows=[line for line in plan.lines if line.refusal], rows=plan.lines[:SHOWN],
        )  # fmt: skip

    def _report(self, run: ImportRun):
        part = "HX-Request" in request.headers
        return self._page("_run" if part else "run", run=run, form=CrmForm(formdata=None))


def _chosen(values: Mapping[str, str], plan: Plan) -> dict[int, str]:
    """What people said the columns are, by the columns' places."""
    given = {column.at: values.get(f"c{column.at}", "") for column in plan.columns}
    return {at: field for at, field in given.items() if field in plan.COLUMNS.fields}


def _mapping(plan: Plan, chosen: Mapping[int, str]) -> dict[str, str]:
    fields = list(chosen.values())
    if twice := next((field for field in fields if fields.count(field) > 1), None):
        raise Invalid(N_("Two columns cannot both become %(field)s."), field=_(plan.COLUMNS.fields[twice].label))
    return {column.header: chosen[column.at] for column in plan.columns if column.at in chosen}
