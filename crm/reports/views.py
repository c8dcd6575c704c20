from flask import Blueprint, render_template, send_file
from flask_babel import gettext as _
from flask_login import current_user

from crm import export
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.reports import page, queries, workflow
from crm.reports.models import Kind
from crm.reports.sheets import sheets_of
from crm.reports.workflow import MOVES
from crm.verbs import Verbs

bp = Blueprint("reports", __name__, url_prefix="/reports")


@bp.get("")
@needs(P.REPORT_READ)
def index():
    return render_template("reports/list.html", rows=queries.every(current_user), kinds=Kind, running=workflow.running())


@bp.get("/running")
@needs(P.REPORT_READ)
def so_far():
    """The running month's figures as they are now; nothing is kept, nothing can be submitted."""
    now, kind = workflow.running(), Kind.CALLBACKS
    return render_template("reports/running.html", title=now.title, prepared=now.prepared, kind=kind, kinds=Kind,
                           figures=now.figures(kind))  # fmt: skip


@bp.get("/<number:number>")
@needs(P.REPORT_READ)
def report(number):
    return page.render(number)


@bp.get("/<number:number>/file.xlsx")
@needs(P.REPORT_READ)
def sheet(number):
    """The same figures as a workbook."""
    report = queries.get(number, current_user)
    book = export.as_book(sheets_of(report.category, workflow.figures(report)))
    name = f"{_(Kind(report.category).label)} {report.title}.xlsx"
    return send_file(book, download_name=name, as_attachment=True, max_age=0)


VERBS = Verbs(queries.get, MOVES, page, {
    "submit": lambda r, f, k: workflow.submit(r, by=current_user, remark=f.remark.data),
    "receive": lambda r, f, k: workflow.receive(r, by=current_user),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.REPORT_READ)
def note(number):
    return VERBS.note(number)
