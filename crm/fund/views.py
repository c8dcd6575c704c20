from functools import partial

from flask import Blueprint, render_template, send_file
from flask_babel import gettext as _
from flask_login import current_user

from crm import export
from crm.errors import NotThere
from crm.fund import page, printing, queries, statement, workflow
from crm.fund.models import Month
from crm.fund.workflow import MOVES
from crm.letters.answer import pdf
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.verbs import Verbs

bp = Blueprint("statements", __name__, url_prefix="/statements")


@bp.get("")
@needs(P.SIGNED_IN)
def index():
    rows = queries.every(current_user)
    sums = {one.id: statement.told(one) for one in rows}
    whole = queries.whole_of(rows, current_user)
    fen = {id: (says if id in whole else statement.of_person(says, current_user.id))["fen"] for id, says in sums.items()}
    return render_template("fund/statements.html", rows=rows, fen=fen, whole=whole)


@bp.get("/<number:number>")
@needs(P.SIGNED_IN)
def month(number):
    return page.render(number)


def _whole(number: str) -> Month:
    month = queries.get(number, current_user)
    if not queries.read_whole(month, current_user):
        raise NotThere()
    return month


@bp.get("/<number:number>/file.xlsx")
@needs(P.STATEMENT_READ)
def sheet(number):
    month = _whole(number)
    book = export.as_book(printing.as_sheets(statement.read_by(statement.told(month), current_user)))
    return send_file(book, download_name=f"{_('Statement of penalties')} {month.title}.xlsx", as_attachment=True, max_age=0)


@bp.get("/<number:number>/statement.pdf")
@needs(P.STATEMENT_READ)
def paper(number):
    month = _whole(number)
    says = statement.read_by(statement.told(month), current_user)
    return pdf(partial(printing.on_paper, says=says), month, month.number)


@bp.get("/<number:number>/mine.pdf")
@needs(P.SIGNED_IN)
def mine(number):
    month = queries.get(number, current_user)
    says = statement.of_person(statement.told(month), current_user.id)
    return pdf(partial(printing.on_paper, says=says), month, f"{month.number}-{current_user.number}")


VERBS = Verbs(queries.get, MOVES, page, acts={
    "close": lambda m, f, k: workflow.close(m, by=current_user),
    "take": lambda m, f, k: workflow.take(m, by=current_user),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.STATEMENT_READ)
def note(number):
    _whole(number)
    return VERBS.note(number)
