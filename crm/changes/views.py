from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from crm.answers import shown_once
from crm.changes import board as boards
from crm.changes import following, forms, page, queries, workflow
from crm.changes.models import ChangeRequest, Kind, State
from crm.changes.moves import CHANGE, MOVES
from crm.changes.table import TABLE
from crm.customers import queries as customers
from crm.duties.models import Subject
from crm.errors import NotThere, Refused
from crm.files import queries as files
from crm.files.drafts import received
from crm.forms import attempt
from crm.letters.company import company
from crm.permissions import Permission as P
from crm.permissions import Role, needs
from crm.serials import queries as serials
from crm.staff import queries as staff
from crm.staff.session import base
from crm.tickets import queries as tickets
from crm.tickets.models import PASSWORD, Ticket
from crm.verbs import Verbs

bp = Blueprint("changes", __name__, url_prefix="/changes")


@bp.get("")
@needs(P.CHANGE_READ)
def index():
    wanted, page = TABLE.asked(current_user, request.args)
    return render_template(
        "changes/list.html", page=page, wanted=wanted, states=State, kinds=Kind, people=staff.choices([Role.SPECIALIST]),
        developers=staff.choices([Role.DEVELOPER]), products=serials.products(),
    )  # fmt: skip


@bp.get("/board")
@needs(P.CHANGE_READ)
def board():
    """What is under way, step by step: a developer's own first, with what waits for one; everybody else's all."""
    whose = request.args.get("whose") or ("mine" if current_user.may(P.CHANGE_BUILD) else "all")
    board = boards.board(current_user, mine=whose == "mine")
    return render_template("changes/board.html", board=board, states=State, most=boards.MOST)


def _origin() -> Subject | None:
    """The record it comes of; a password record is for few eyes, and none of it goes on."""
    number = request.values.get("record", "")[:20]
    record = tickets.get(number, current_user) if number else None
    if record and record.category == PASSWORD:
        raise NotThere()
    return record


def _of_record(record: Subject | None) -> dict[str, Any]:
    """What the record says already, so that nothing is typed twice."""
    if not isinstance(record, Ticket):
        return {}
    said = record.fields
    bug = record.category == Kind.BUG
    told = (said.get("requirement"), said.get("steps"), said.get("error_message")) if bug else (said.get("requirement"),)
    return {
        "title": record.title, "kind": record.category if record.category in set(Kind) else Kind.PROGRAM,
        "requirement": "\n\n".join(filter(None, told)) or record.description, "agreed": said.get("agreed", ""),
        "installation": record.installation_id,
    }  # fmt: skip


def _form(customer_id: int, known: dict[str, Any], **kwargs) -> forms.RequestForm:
    form = forms.RequestForm(data=known, **kwargs)
    form.offer(serials.of(customer_id, current_user))
    return form


@bp.route("/new", methods=["GET", "POST"])
@needs(P.CHANGE_WORK)
def new():
    """From a record, or on a customer's page: the address names one of them."""
    record, number = _origin(), request.values.get("customer", "")[:20]
    if record is None and not number:
        return redirect("/customers/choice?then=changes", 303)
    customer = customers.by_id(record.customer_id) if record else customers.get(number, current_user)
    form, drafts = _form(customer.id, _of_record(record)), []

    def act():
        made = workflow.open_change(
            by=current_user, customer=customer, origin=record, installation=form.chosen, files=[one.key for one in drafts],
            **form.says(),
        )  # fmt: skip
        flash(_("%(number)s is opened.", number=made.number))
        return redirect(made.path, 303)

    def show(refusal: Refused | None):
        kept = files.drafts([one.key for one in drafts], current_user) or drafts
        return render_template("changes/new.html", form=form, customer=customer, record=record, refusal=refusal, drafts=kept)

    return attempt(form, act, show, take=lambda: drafts.extend(received(form.takes)))


@bp.get("/status/<string(length=32):token>")
@needs(P.PUBLIC)
def status(token):
    """For the customer, who logs in nowhere: whoever has the link reads how far their request has come."""
    try:
        shown = following.of(token)
    except NotThere as gone:
        return render_template("changes/gone.html", said=gone.message, company=company()), 404
    words = {"words": following.WORDS, "steps": following.STEPS}
    return render_template("changes/status.html", status=shown, company=company(), **words)


@bp.get("/<number:number>")
@needs(P.CHANGE_READ)
def change(number):
    return page.render(number)


@bp.route("/<number:number>/edit", methods=["GET", "POST"])
@needs(P.CHANGE_WORK)
def edit(number):
    return VERBS.edit(number, CHANGE, _edit_form, _change)


def _edit_form(change: ChangeRequest, **kwargs) -> forms.RequestForm:
    known = {name: getattr(change, name) for name in ("title", "requirement", "agreed", "version")}
    form = _form(change.customer_id or 0, known | {"kind": change.category, "installation": change.installation_id}, **kwargs)
    form.taken_as = {}
    return form


def _change(change: ChangeRequest, form: forms.RequestForm) -> None:
    workflow.change_request(change, by=current_user, installation=form.chosen, **form.says())


def _linked(change: ChangeRequest, form, keys: list[str]) -> Response:
    """The link is shown this once; only its hash is kept."""
    address = base() + url_for("changes.status", token=following.make(change, by=current_user))
    return shown_once(render_template("changes/link.html", change=change, address=address), change.path)


VERBS = Verbs(queries.get, MOVES, page, {
    "submit": lambda c, f, k: workflow.submit(c, by=current_user, agreed=f.agreed.data, files=k),
    "approve": lambda c, f, k: workflow.approve(c, by=current_user, opinion=f.opinion.data, expected_on=f.expected_on.data,
                                                standing_in=_why(f), **_moved(f)),
    "reject": lambda c, f, k: workflow.reject(c, by=current_user, reason=f.reason.data, standing_in=_why(f)),
    "tell": lambda c, f, k: workflow.tell(c, by=current_user, words=f.words.data),
    "take": lambda c, f, k: workflow.take(c, by=current_user),
    "deliver": lambda c, f, k: workflow.deliver(c, by=current_user, changed=f.changed.data, how_to_test=f.how_to_test.data),
    "pass": lambda c, f, k: workflow.passes(c, by=current_user, words=f.words.data or ""),
    "fail": lambda c, f, k: workflow.fail(c, by=current_user, words=f.words.data),
    "postpone": lambda c, f, k: workflow.postpone(c, by=current_user, expected_on=f.expected_on.data, reason=f.reason.data,
                                                  told=f.told.data, standing_in=_why(f)),
    "rebuild": lambda c, f, k: workflow.rebuild(c, by=current_user, to=staff.choice(f.to.data), reason=f.reason.data),
    "update": lambda c, f, k: workflow.update(c, by=current_user, updated_on=f.updated_on.data, words=f.words.data or ""),
    "close": lambda c, f, k: workflow.close(c, by=current_user, said=f.said.data, mark=int(f.mark.data)),
    "link": _linked,
    "unlink": lambda c, f, k: following.end(c, by=current_user),
    "assign": lambda c, f, k: workflow.assign(c, by=current_user, to=staff.choice(f.to.data), reason=f.reason.data),
    "withdraw": lambda c, f, k: workflow.withdraw(c, by=current_user, reason=f.reason.data),
})  # fmt: skip
VERBS.hang(bp)


def _moved(form) -> dict[str, str]:
    return {"reason": form.reason.data or "", "told": form.told.data or ""} if form.reason else {}


def _why(form) -> str:
    return form.standing_in.data or "" if form.standing_in else ""


@bp.post("/<number:number>/notes")
@needs(P.CHANGE_READ)
def note(number):
    return VERBS.note(number)
