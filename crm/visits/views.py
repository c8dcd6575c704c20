from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.customers import queries as customers
from crm.customers.models import Customer
from crm.errors import Forbidden, Refused, Stale
from crm.files import queries as files
from crm.files.drafts import received
from crm.forms import CrmForm, attempt
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import queries as staff
from crm.tickets import calling
from crm.tickets.forms import NoteForm, fields_in
from crm.visits import forms, page, queries, workflow
from crm.visits.models import Kind, State, Visit
from crm.visits.table import TABLE
from crm.visits.workflow import CHANGE, MOVES

bp = Blueprint("visits", __name__, url_prefix="/visits")


@bp.get("")
@needs(P.VISIT_READ)
def index():
    wanted, page = TABLE.asked(current_user, request.args)
    return render_template("visits/list.html", page=page, wanted=wanted, states=State, kinds=Kind, people=staff.choices())


@bp.get("/<number:number>")
@needs(P.VISIT_READ)
def visit(number):
    return page.render(number)


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
    visit = queries.get(number, current_user)
    if request.method == "POST" and not CHANGE.may(current_user, visit):
        raise Forbidden()
    form = _edit_form(visit)

    def save():
        check_version(visit, form.opened_version)
        contact, department = calling.caller(form, customers.by_id(visit.customer_id))
        workflow.change(visit, by=current_user, contact=contact, department=department, **form.facts())
        flash(_("Saved."))
        return redirect(visit.path, 303)

    def show(refusal: Refused | None):
        visit = queries.get(number, current_user)
        if isinstance(refusal, Stale):
            form.beside(_edit_form(visit, formdata=None))
        return render_template("visits/edit.html", form=form, visit=visit, refusal=refusal,
                               customer=customers.by_id(visit.customer_id))  # fmt: skip

    return attempt(form, save, show)


def _edit_form(visit: Visit, **kwargs) -> forms.AgreedForm:
    people = customers.contacts(visit.customer_id or 0)
    form = forms.AgreedForm(data=forms.values_of(visit), **kwargs)
    form.offer_people([one for one in people if one.active or one.id == visit.contact_id])
    return form


def _do(name: str, number: str):
    """One verb on one visit: its form checked, its version compared, then done; or the page with what was typed."""
    visit = queries.get(number, current_user)
    form, drafts = page.form_for(name, visit), []

    def perform():
        check_version(visit, form.opened_version)
        VERBS[name](visit, form, drafts)
        flash(_("%(what)s: done.", what=_(MOVES[name].label)))
        return redirect(visit.path, 303)

    def show(refusal: Refused | None):
        kept = files.drafts([draft.key for draft in drafts], current_user) or drafts
        return page.render(number, name=name, bound=form, refusal=refusal, drafts=kept)

    def take():
        drafts.extend(received({f"file_{field.key}": field.key for field in getattr(form, "scans", ())}))

    return attempt(form, perform, show, take=take)


def _why(form: CrmForm) -> str:
    """Why somebody decides in the manager's place; the manager is not asked."""
    return form.standing_in.data if "standing_in" in form else ""


def _record(visit: Visit, form, drafts: list) -> None:
    workflow.write_up(
        visit, by=current_user, category=form.category.data, title=form.title.data, description=form.description.data,
        fields=fields_in(form), files=[draft.key for draft in drafts],
    )  # fmt: skip


VERBS = {
    "approve": lambda v, f, d: workflow.approve(v, by=current_user, standing_in=_why(f)),
    "reject": lambda v, f, d: workflow.reject(
        v, by=current_user, reason=f.reason.data, standing_in=_why(f)
    ),
    "depart": lambda v, f, d: workflow.depart(v, by=current_user),
    "arrive": lambda v, f, d: workflow.arrive(v, by=current_user),
    "return": lambda v, f, d: workflow.come_back(v, by=current_user),
    "write_up": _record,
    "cancel": lambda v, f, d: workflow.cancel(v, by=current_user, reason=f.reason.data),
}  # fmt: skip


def _view_of(name: str):
    @needs(MOVES[name].permission)
    def move(number):
        return _do(name, number)

    return move


for _name, _move in MOVES.items():
    bp.add_url_rule(f"/<number:number>/{_move.noun}", _name, _view_of(_name), methods=["POST"])


@bp.post("/<number:number>/notes")
@needs(P.VISIT_READ)
def note(number):
    visit, form, drafts = queries.get(number, current_user), NoteForm(), []

    def act():
        workflow.note(visit, by=current_user, words=form.words.data, files=[draft.key for draft in drafts])
        return redirect(f"{visit.path}#timeline", 303)

    def show(refusal: Refused | None):
        return page.render(number, name="note", bound=form, refusal=refusal, drafts=drafts)

    return attempt(form, act, show, take=lambda: drafts.extend(received({"file_": ""})))
