"""What every list offers beside its rows: files, filters under a name, columns."""

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import BooleanField

from crm import clock, export
from crm.answers import own_units
from crm.db import unit_of_work
from crm.desk import shelf
from crm.desk.tables import TABLES
from crm.errors import Refused, TooOften
from crm.forms import CrmForm, LineField, attempt
from crm.labels import N_
from crm.lists import Table
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import throttle

bp = Blueprint("listing", __name__)
MOST = 30  # files of one person within a quarter of an hour
KINDS = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


class FilterForm(CrmForm):
    name = LineField(_l("Name of the filter"), required=True, most=40)
    query = LineField(_l("Filters"), most=2000)
    shared = BooleanField(_l("For everybody"))


def _file(table: Table, kind: str):
    """The list as far as its filters reach."""
    headers = [_(column.label) for column in table.columns]
    with unit_of_work():
        over = throttle.take({throttle.key("export", current_user.id): MOST})
    if over:
        raise TooOften(N_("Those were many files in a short time: go on in a quarter of an hour."))
    with unit_of_work(read_only=True):
        rows = table.rows(current_user, request.args)
        file = export.as_csv(headers, rows) if kind == "csv" else export.as_xlsx(_(table.title), headers, rows)
    name = f"{_(table.title)} {clock.today():%Y-%m-%d}.{kind}"
    return send_file(file, KINDS[kind], as_attachment=True, download_name=name, max_age=0)


def _view_of(table: Table, kind: str):
    @needs(table.permission)
    @own_units
    def take():
        return _file(table, kind)

    return take


for _table in TABLES.values():
    for _kind in KINDS:
        bp.add_url_rule(f"{_table.path}/export.{_kind}", f"{_table.key}_{_kind}", _view_of(_table, _kind))


def _table_of(key: str) -> Table:
    """A list the person may see at all."""
    table = TABLES.get(key)
    if table is None or not current_user.may(table.permission):
        abort(404)
    return table


@bp.post("/lists/<string:key>/filters")
@needs(P.SIGNED_IN)
def save(key):
    table, form = _table_of(key), FilterForm()
    narrowed = table.narrowed(form.query.data or "")

    def keep():
        shelf.save_filter(current_user, table, form.name.data, narrowed, shared=form.shared.data)
        flash(_("The filter is kept under its name."))
        return redirect(f"{table.path}?{narrowed}", 303)

    def show(refusal: Refused | None):
        return render_template("desk/filter.html", form=form, table=table, query=narrowed, refusal=refusal)

    return attempt(form, keep, show)


@bp.post("/lists/filters/<id:filter_id>/removal")
@needs(P.SIGNED_IN)
def remove(filter_id):
    table = TABLES[shelf.remove_filter(current_user, filter_id).table]
    flash(_("The filter is removed."))
    return redirect(table.path, 303)


@bp.post("/lists/<string:key>/columns")
@needs(P.SIGNED_IN)
def columns(key):
    table = _table_of(key)
    shelf.choose_columns(current_user, table, request.form.getlist("column"))
    return redirect(table.back(request.form.get("query", "")), 303)
