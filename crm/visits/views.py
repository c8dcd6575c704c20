from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.answers import shown_once
from crm.customers import queries as customers
from crm.customers.models import Customer
from crm.errors import Refused
from crm.forms import CrmForm, attempt
from crm.letters.answer import pdf
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import queries as staff
from crm.staff.session import base
from crm.tickets import calling
from crm.tickets.forms import fields_in
from crm.verbs import Verbs
from crm.visits import calendar as days
from crm.visits import feed, feedback, forms, page, printing, queries, workflow
from crm.visits.models import Kind, State, Visit
from crm.visits.moves import CHANGE, MOVES
from crm.visits.table import TABLE

bp = Blueprint("visits", __name__, url_prefix="/visits")


@bp.get("")
@needs(P.VISIT_READ)
def index():
    wanted, page = TABLE.asked(current_user, request.args)
    return render_template("visits/list.html", page=page, wanted=wanted, states=State, kinds=Kind, people=staff.choices())


@bp.get("/calendar")
@needs(P.VISIT_READ)
def calendar():
    """A week or a month of visits; whoever makes visits finds the link for their phone there."""
    wanted = days.Wanted.of(request.args, current_user)
    return render_template(
        "visits/calendar.html", wanted=wanted, shown=days.shown(current_user, wanted), views=days.View, states=State,
        people=staff.choices(), today=clock.today(), feed=feed.of(current_user), form=CrmForm(formdata=None),
    )  # fmt: skip


@bp.post("/feed")
@needs(P.VISIT_WORK)
def make_feed():
    """The link is shown this once; a new one ends the one before."""
    token = feed.make(current_user)
    address = base() + url_for("visits.feed_of", token=token)
    return shown_once(render_template("visits/feed.html", address=address), url_for("visits.calendar"))


@bp.post("/feed/end")
@needs(P.VISIT_WORK)
def end_feed():
    feed.end(current_user)
    flash(_("The link has ended: no calendar reads your visits by it any more."))
    return redirect(url_for("visits.calendar"), 303)


@bp.get("/feed/<string(length=32):token>.ics")
@needs(P.PUBLIC)
def feed_of(token):
    """For a calendar program, which logs in nowhere: whoever has the link reads it."""
    user = feed.owner_of(token)
    name = _("Visits of %(name)s", name=user.name)
    return Response(feed.calendar_of(user, name=name, address=base()), mimetype="text/calendar")


@bp.get("/<number:number>")
@needs(P.VISIT_READ)
def visit(number):
    return page.render(number)


@bp.get("/<number:number>/request.pdf")
@needs(P.VISIT_READ)
def request_pdf(number):
    return pdf(printing.request, queries.get(number, current_user), f"{number}-request")


@bp.get("/<number:number>/feedback.pdf")
@needs(P.VISIT_READ)
def feedback_pdf(number):
    return pdf(printing.feedback, queries.get(number, current_user), f"{number}-feedback")


def _form(customer: Customer | None, **kwargs) -> forms.RequestForm:
    form = forms.RequestForm(data={"asked_at": clock.now()}, **kwargs)
    calling.offer(form, customer, customers.contacts(customer.id, active=True) if customer else [])
    return form


def _show(customer: Customer | None, form: forms.RequestForm, refusal: Refused | None, matches=(), part: bool = False):
    template = "tickets/_customer_part.html" if part else "visits/new.html"
    return render_template(
        template, form=form, customer=customer, verdict=form.verdict, refusal=refusal, matches=matches
    )


@bp.get("/new/customer")
@needs(P.VISIT_WORK)
def part():
    """The part of the form that depends on the customer, with what was typed into it."""
    customer, _found = calling.picked(request.args)
    return _show(customer, _form(customer, formdata=request.args), None, part=True)


@bp.route("/new", methods=["GET", "POST"])
@needs(P.VISIT_WORK)
def new():
    customer, matches = calling.picked(request.values)
    form = _form(customer)
    form.wanting = lambda: calling.lacking(form, customer, matches)

    def act():
        assert customer is not None, "the form was checked"
        contact, department = calling.caller(form, customer)
        visit = workflow.request_visit(
            by=current_user, customer=customer, contact=contact, department=department,
            installation=calling.installation(form), uncovered_reason=form.uncovered_reason.data, **form.facts(),
        )  # fmt: skip
        flash(_("%(number)s waits for the manager.", number=visit.number))
        if queries.decided_by(visit) > visit.arrive_at:
            flash(_("The manager may decide later than the agreed arrival: call them."))
        return redirect(visit.path, 303)

    def show(refusal: Refused | None):
        again, found = calling.picked(request.values)
        return _show(again, form, refusal, found)

    if request.form.get("refresh"):
        form.renew()
        return show(None)
    return attempt(form, act, show)


@bp.route("/<number:number>/edit", methods=["GET", "POST"])
@needs(P.VISIT_WORK)
def edit(number):
    return VERBS.edit(number, CHANGE, _edit_form, _change)


def _edit_form(visit: Visit, **kwargs) -> forms.AgreedForm:
    people = customers.contacts(visit.customer_id or 0)
    form = forms.AgreedForm(data=forms.values_of(visit), **kwargs)
    form.offer_people([one for one in people if one.active or one.id == visit.contact_id])
    return form


def _change(visit: Visit, form: forms.AgreedForm) -> None:
    contact, department = calling.caller(form, customers.by_id(visit.customer_id))
    workflow.change(visit, by=current_user, contact=contact, department=department, **form.facts())


def _why(form: CrmForm) -> str:
    """Why somebody decides in the manager's place; the manager is not asked."""
    return form.standing_in.data if "standing_in" in form else ""


def _record(visit: Visit, form, keys: list[str]) -> None:
    workflow.write_up(
        visit, by=current_user, category=form.category.data, title=form.title.data, description=form.description.data,
        fields=fields_in(form), files=keys,
    )  # fmt: skip


VERBS = Verbs(queries.get, MOVES, page, {
    "approve": lambda v, f, k: workflow.approve(v, by=current_user, standing_in=_why(f)),
    "reject": lambda v, f, k: workflow.reject(v, by=current_user, reason=f.reason.data, standing_in=_why(f)),
    "assign": lambda v, f, k: workflow.assign(v, by=current_user, to=staff.choice(f.to.data), reason=f.reason.data),
    "depart": lambda v, f, k: workflow.depart(v, by=current_user),
    "arrive": lambda v, f, k: workflow.arrive(v, by=current_user),
    "report": lambda v, f, k: feedback.report(v, by=current_user, outcomes=forms.outcomes_in(f),
                                              open_points=f.open_points.data, opinion=f.opinion.data),
    "sign": lambda v, f, k: feedback.sign(v, by=current_user, name=f.name.data, position=f.position.data,
                                          strokes=f.strokes.data or "", what=f.shown),
    "scan": lambda v, f, k: feedback.scan(v, by=current_user, name=f.name.data, position=f.position.data, files=k),
    "refuse": lambda v, f, k: feedback.refuse(v, by=current_user, name=f.name.data, position=f.position.data,
                                              words=f.words.data),
    "see": lambda v, f, k: feedback.see(v, by=current_user),
    "hand_in": lambda v, f, k: feedback.hand_in(v, by=current_user),
    "return": lambda v, f, k: workflow.come_back(v, by=current_user),
    "write_up": _record,
    "cancel": lambda v, f, k: workflow.cancel(v, by=current_user, reason=f.reason.data),
})  # fmt: skip
VERBS.hang(bp)


@bp.get("/<number:number>/signature")
@needs(P.VISIT_WORK)
def signature(number):
    """The page that is handed to the customer: the text, and below it the box to sign in."""
    visit = queries.get(number, current_user)
    if not MOVES["sign"].open_to(current_user, visit):
        return redirect(visit.path)
    return page.render(number, name="sign")


@bp.post("/<number:number>/notes")
@needs(P.VISIT_READ)
def note(number):
    return VERBS.note(number)
