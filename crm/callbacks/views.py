from flask import Blueprint, redirect, render_template, request
from flask_login import current_user

from crm.callbacks import page, queries, workflow
from crm.callbacks.forms import ReachForm
from crm.callbacks.models import Callback, State
from crm.callbacks.moves import MOVES
from crm.callbacks.table import TABLE
from crm.customers import queries as customers
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.locks import lock_each
from crm.duties.workflow import kept_from, may_claim, may_release
from crm.forms import CrmForm
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.serials import queries as serials
from crm.staff import queries as staff
from crm.tickets import calling
from crm.verbs import Verbs

bp = Blueprint("callbacks", __name__, url_prefix="/callbacks")


@bp.get("")
@needs(P.CALLBACK_READ)
def desk():
    """Whom to call today and why, the longest overdue first."""
    everybody = queries.everybodys(current_user) and request.args.get("whose") != "mine"
    lines = queries.lines(current_user, everybody=everybody)
    names = duties.names(id for line in lines for id in (line.duty.owner_id, line.duty.subject.owner_id))
    return render_template("callbacks/desk.html", lines=lines, everybody=everybody, names=names, most=queries.MOST)


@bp.get("/all")
@needs(P.CALLBACK_READ)
def index():
    wanted, rows = TABLE.asked(current_user, request.args)
    return render_template("callbacks/list.html", page=rows, wanted=wanted, states=State, people=staff.choices(),
                           products=serials.products())  # fmt: skip


@bp.get("/calls/<id:duty_id>")
@needs(P.CALLBACK_READ)
def owed(duty_id):
    """What one should know before calling."""
    duty = queries.duty(duty_id, current_user)
    if begun := workflow.begun(duty):
        return redirect(begun.path)
    story = queries.story(duty.subject, current_user)
    names = duties.names([duty.owner_id, duty.subject.owner_id])
    return render_template(
        "callbacks/call.html", duty=duty, story=story, names=names, form=CrmForm(formdata=None), book=editions.todays(),
        kept_from=kept_from(duty, current_user), may_claim=may_claim(duty, current_user),
        may_release=may_release(duty, current_user),
    )  # fmt: skip


@bp.post("/calls/<id:duty_id>")
@needs(P.CALLBACK_WORK)
def begin(duty_id):
    """Take up the telephone."""
    duty = queries.duty(duty_id, current_user)
    return redirect(workflow.begin(duty, by=current_user).path, 303)


@bp.get("/<number:number>")
@needs(P.CALLBACK_READ)
def callback(number):
    return page.render(number)


def _reach(callback: Callback, form: ReachForm, keys: list[str]) -> None:
    contact, department = calling.caller(form, customers.by_id(callback.customer_id))
    workflow.reach(
        callback, by=current_user, contact=contact, department=department, comment=form.comment.data,
        software=form.software.data, doubt=form.doubt.data, unrecorded=form.unrecorded.data, clause=form.clause.data,
        **form.marks(), **form.answered(),
    )  # fmt: skip


def _in_order(callback: Callback, _form: CrmForm) -> None:
    """The callback and what it came of, before one of them is locked alone; the customer comes after them."""
    lock_each(callback, workflow.origin_of(callback))


VERBS = Verbs(queries.get, MOVES, page, first=_in_order, acts={
    "reach": _reach,
    "attempt": lambda c, f, k: workflow.attempt(c, by=current_user),
    "later": lambda c, f, k: workflow.later(c, by=current_user, at=f.at.data, words=f.words.data),
    "give_up": lambda c, f, k: workflow.give_up(c, by=current_user, reason=f.reason.data),
    "drop": lambda c, f, k: workflow.drop(c, by=current_user),
    "escalate": lambda c, f, k: workflow.escalate(c, by=current_user, doubt=f.doubt.data),
    "assign": lambda c, f, k: workflow.assign(
        c, by=current_user, to=staff.choice(f.to.data), category=f.category.data, words=f.words.data
    ),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.CALLBACK_READ)
def note(number):
    return VERBS.note(number)
