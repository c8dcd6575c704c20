from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock, export, lists
from crm.duties import editions
from crm.duties import queries as duties
from crm.errors import Refused
from crm.forms import attempt
from crm.letters.answer import pdf
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import Role, needs
from crm.plans import queries as plans
from crm.reports import forms, page, printing, queries, satisfaction, sending, sheets, software, watch, workflow
from crm.reports.kinds import SORTS
from crm.reports.models import Kind, State
from crm.reports.moves import MOVES
from crm.reports.running import Look, open_to
from crm.reports.satisfaction import Scope
from crm.reports.table import TABLE
from crm.serials import queries as serials
from crm.staff import queries as staff
from crm.verbs import Verbs

bp = Blueprint("reports", __name__, url_prefix="/reports")


@bp.record_once
def known(state) -> None:
    """A line of the settings' story names a kind of report."""
    state.app.jinja_env.globals["report_kinds"] = Kind


@bp.get("")
@needs(P.REPORT_WRITE)
def index():
    wanted, rows = TABLE.asked(current_user, request.args)
    planned = plans.every(current_user)[:PLANS] if current_user.may(P.REPORT_RECEIVE) and not wanted.any else ()
    return render_template("reports/list.html", page=rows, wanted=wanted, kinds=Kind, report_states=State, sorts=SORTS,
                           looks=open_to(current_user), plans=planned, people=staff.choices((Role.SPECIALIST,)))  # fmt: skip


PLANS = 6  # contract plans beside the other reports


@bp.get("/running")
@needs(P.REPORT_WRITE)
def so_far():
    """A period's figures as they are now; nothing is kept, nothing can be submitted."""
    look = Look.of(request.args, current_user)
    return render_template("reports/running.html", look=look, sort=look.sort, kinds=Kind, figures=look.figures(),
                           looks=open_to(current_user), people=staff.choices((Role.SPECIALIST,)))  # fmt: skip


@bp.get("/running/file.xlsx")
@needs(P.REPORT_WRITE)
def so_far_sheet():
    look = Look.of(request.args, current_user)
    return _book(sheets.sheets_of(look.sort.layout, look.figures()), look.called)


@bp.get("/running/file.pdf")
@needs(P.REPORT_WRITE)
def so_far_pdf():
    look = Look.of(request.args, current_user)
    return pdf(printing.so_far, look, f"{look.kind}-{look.period.until}")


@bp.get("/watch")
@needs(P.WATCH)
def watched():
    """The gaps and ratings of those who serve customers, for whoever watches over them (4.followup.3)."""
    span, people = watch.Span.of(request.args), staff.choices((Role.SPECIALIST,))
    rows, lacking = watch.watched(span, people, current_user), watch.lacking(current_user)
    names = duties.names(id for one in lacking for id in (one.owner, one.customer))
    return render_template("reports/watch.html", span=span, rows=rows, lacking=lacking, names=names, most=watch.MOST)


@bp.route("/readers", methods=["GET", "POST"])
@needs(P.REPORT_SEND)
def readers():
    """Who is told of which report, and when."""
    people, known, ours = sending.candidates(), sending.readers(), staff.department()
    offered = {kind: [(one.id, one.name) for one in people if sending.may_be_told(one, kind)] for kind in Kind}
    chosen = {kind: ([one.user_id for one in some], some[0].days) for kind, some in known.items() if some}
    form = forms.readers_form(offered, chosen, **({} if ours is None else {"version": ours.version}))

    def save():
        if ours is not None:
            check_version(ours, form.opened_version)
        sending.name_readers(forms.named(form), by=current_user)
        flash(_("Saved."))
        return redirect("/reports/readers", 303)

    def show(refusal: Refused | None):
        return render_template("reports/readers.html", form=form, refusal=refusal, kinds=Kind, sorts=SORTS, subject=ours,
                               silent=[one for one in people if not one.email], events=(told := sending.story()),
                               names=duties.names_in(told, current_user))  # fmt: skip

    return attempt(form, save, show)


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
@needs(P.REPORT_WRITE)
def report(number):
    return page.render(number)


@bp.get("/<number:number>/file.xlsx")
@needs(P.REPORT_WRITE)
def sheet(number):
    """The same figures as a workbook."""
    report = queries.get(number, current_user)
    found = sheets.sheets_of(SORTS[report.category].layout, workflow.figures(report))
    return _book(found, f"{_(Kind(report.category).label)} {report.title}")


@bp.get("/<number:number>/file.pdf")
@needs(P.REPORT_WRITE)
def paper(number):
    """The same figures on paper."""
    return pdf(printing.printed, queries.get(number, current_user), number)


@bp.get("/<number:number>/rows/<id:place>")
@needs(P.REPORT_WRITE)
def rows(number, place):
    """What one of its numbers counted when it was submitted."""
    return page.rows(number, place)


VERBS = Verbs(queries.get, MOVES, page, {
    "submit": lambda r, f, k: workflow.submit(r, by=current_user, remark=f.remark.data),
    "remark": lambda r, f, k: workflow.remark(r, by=current_user, customer=f.customer.data, words=f.words.data),
    "receive": lambda r, f, k: workflow.receive(r, by=current_user),
    "verify": lambda r, f, k: workflow.verify(r, by=current_user),
    "send_back": lambda r, f, k: workflow.send_back(r, by=current_user, reason=f.reason.data),
    "waive": lambda r, f, k: workflow.waive(r, by=current_user, reason=f.reason.data),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.REPORT_WRITE)
def note(number):
    return VERBS.note(number)
