from datetime import date

from flask import Blueprint, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock, export, lists
from crm.duties import editions
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.reports import page, queries, satisfaction, sheets, software, workflow
from crm.reports.models import Kind
from crm.reports.satisfaction import Scope
from crm.reports.workflow import MOVES
from crm.serials import queries as serials
from crm.staff import queries as staff
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


@bp.get("/satisfaction")
@needs(P.CALLBACK_READ)
def satisfied():
    """How customers marked us. Who reads no reports sees their own marks alone: they stand in them."""
    found = satisfaction.figures(Scope.of(request.args, current_user), current_user)
    return render_template("reports/satisfaction.html", figures=found, scope=found.scope, products=serials.products(),
                           people=staff.choices(), bad_mark=editions.todays().settings["bad_mark"])  # fmt: skip


@bp.get("/satisfaction/file.xlsx")
@needs(P.CALLBACK_READ)
def satisfaction_sheet():
    found = satisfaction.figures(Scope.of(request.args, current_user), current_user)
    return _book(sheets.satisfaction(found), f"{_('Satisfaction')} {found.scope.title}")


def _month() -> date:
    return lists.month(request.args, "month") or clock.today().replace(day=1)


@bp.get("/software")
@needs(P.REPORT_READ)
def of_software():
    """The director's tally of what customers think of the software (4.director.10)."""
    return render_template("reports/software.html", tally=software.tally(_month(), current_user), sources=software.Source)


@bp.get("/software/file.xlsx")
@needs(P.REPORT_READ)
def software_sheet():
    found = software.tally(_month(), current_user)
    return _book(sheets.software(found), f"{_('Opinions on the software')} {found.by(0)}")


def _book(pages: list[sheets.Sheet], name: str):
    return send_file(export.as_book(pages), download_name=f"{name}.xlsx", as_attachment=True, max_age=0)


@bp.get("/<number:number>")
@needs(P.REPORT_READ)
def report(number):
    return page.render(number)


@bp.get("/<number:number>/file.xlsx")
@needs(P.REPORT_READ)
def sheet(number):
    """The same figures as a workbook."""
    report = queries.get(number, current_user)
    return _book(sheets.sheets_of(report.category, workflow.figures(report)), f"{_(Kind(report.category).label)} {report.title}")


VERBS = Verbs(queries.get, MOVES, page, {
    "submit": lambda r, f, k: workflow.submit(r, by=current_user, remark=f.remark.data),
    "receive": lambda r, f, k: workflow.receive(r, by=current_user),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.REPORT_READ)
def note(number):
    return VERBS.note(number)
