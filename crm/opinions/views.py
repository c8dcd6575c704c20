from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.customers import queries as customers
from crm.duties.models import Subject
from crm.errors import Refused
from crm.files import queries as files
from crm.files.drafts import received
from crm.forms import attempt
from crm.opinions import forms, page, queries, workflow
from crm.opinions.models import About, Kind, Opinion, State, Way, verdict
from crm.opinions.moves import MOVES
from crm.opinions.table import TABLE
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.serials import queries as serials
from crm.staff import queries as staff
from crm.verbs import Verbs

bp = Blueprint("opinions", __name__, url_prefix="/opinions")


@bp.get("")
@needs(P.OPINION_READ)
def index():
    wanted, rows = TABLE.asked(current_user, request.args)
    return render_template(
        "opinions/list.html", page=rows, wanted=wanted, states=State, kinds=Kind, abouts=About, ways=Way,
        people=staff.choices(page.DESK), verdict=verdict,
    )  # fmt: skip


def _form(customer, known, **kwargs) -> forms.TakeInForm:
    form = forms.TakeInForm(data={"said_on": clock.today(), **known}, **kwargs)
    people = [(one.id, one.name) for one in staff.choices(page.DESK)]
    form.offer(customers.contacts(customer.id, active=True), serials.of(customer.id, current_user), people)
    return form


def _after(made: Opinion, of: Subject | None) -> str:
    """Where to go on: the opinion; where that is not theirs to read, what it was said on."""
    return made.path if queries.seen(made, current_user) else of.path if of else "/opinions"


WAYS = {"callback": Way.CALLBACK, "visit": Way.VISIT, "ticket": Way.CALL}


@bp.route("/new", methods=["GET", "POST"])
@needs(P.OPINION_WORK)
def new():
    """On a customer's page, or from what it was said on: the address names one of them."""
    of, number = queries.origin(request.values.get("of", "")[:20], current_user), request.values.get("customer", "")[:20]
    if of is None and not number:
        return redirect("/customers/choice?then=opinions", 303)
    customer = customers.by_id(of.customer_id) if of else customers.get(number, current_user)
    form, drafts = _form(customer, {"way": WAYS.get(of.kind, "") if of else ""}), []

    def act():
        against = staff.choice(form.against.data) if form.against.data else None
        made = workflow.take_in(by=current_user, customer=customer, origin=of, against=against,
                                files=[one.key for one in drafts], **form.says())  # fmt: skip
        if made.complaint:
            flash(_("%(number)s is taken in: whoever leads investigates it.", number=made.number))
        else:
            flash(_("%(number)s is taken in: answer the customer.", number=made.number))
        return redirect(_after(made, of), 303)

    def show(refusal: Refused | None):
        kept = files.drafts([one.key for one in drafts], current_user) or drafts
        return render_template("opinions/new.html", form=form, customer=customer, of=of, refusal=refusal, drafts=kept)

    return attempt(form, act, show, take=lambda: drafts.extend(received(form.takes)))


@bp.get("/<number:number>")
@needs(P.OPINION_READ)
def opinion(number):
    return page.render(number)


VERBS = Verbs(queries.get, MOVES, page, first=lambda opinion, form: workflow.in_turn(opinion), acts={
    "investigate": lambda o, f, k: workflow.investigate(o, by=current_user),
    "hear": lambda o, f, k: workflow.hear(o, by=current_user, words=f.words.data),
    "confirm": lambda o, f, k: workflow.confirm(o, by=current_user, findings=f.findings.data),
    "dismiss": lambda o, f, k: workflow.dismiss(o, by=current_user, findings=f.findings.data),
    "answer": lambda o, f, k: workflow.answer(o, by=current_user, answer=f.answer.data),
    "review": lambda o, f, k: workflow.review(o, by=current_user, reason=f.reason.data),
    "correct": lambda o, f, k: workflow.correct(o, by=current_user, category=f.kind.data, about=f.about.data or "",
                                                against=staff.choice(f.against.data) if f.against.data else None,
                                                said_on=f.said_on.data, reason=f.reason.data),
    "reopen": lambda o, f, k: workflow.reopen(o, by=current_user, reason=f.reason.data),
    "assign": lambda o, f, k: workflow.assign(o, by=current_user, to=staff.choice(f.to.data), reason=f.reason.data),
    "withdraw": lambda o, f, k: workflow.withdraw(o, by=current_user, reason=f.reason.data),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.OPINION_READ)
def note(number):
    return VERBS.note(number)
