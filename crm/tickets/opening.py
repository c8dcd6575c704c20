"""Opening a record: who is calling, whether they are in service, and what it is about."""

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.customers import queries as customers
from crm.customers.models import Customer
from crm.duties import editions
from crm.errors import Refused
from crm.files import queries as files
from crm.files.drafts import received
from crm.forms import attempt
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.tickets import calling, forms, workflow
from crm.tickets.models import Ticket

bp = Blueprint("opening", __name__, url_prefix="/tickets/new")


def _form(customer: Customer | None, **kwargs) -> forms.NewForm:
    """The form with what this customer offers to choose from."""
    people = customers.contacts(customer.id, active=True) if customer else []
    book = editions.todays()
    form = forms.with_fields(forms.NewForm, book, people, data={"asked_at": clock.now()}, **kwargs)
    calling.offer(form, customer, people)
    return form


def _render(customer: Customer | None, form, refusal: Refused | None, matches=(), drafts=(), part: bool = False):
    return render_template(
        "tickets/_customer_part.html" if part else "tickets/new.html", form=form, customer=customer, refusal=refusal,
        verdict=form.verdict, matches=matches, drafts=drafts, shown_for=forms.categories_of(form.book),
    )  # fmt: skip


@bp.get("/customer")
@needs(P.TICKET_WORK)
def part():
    """The part of the form that depends on the customer, with what was typed into it."""
    customer, _found = calling.picked(request.args)
    return _render(customer, _form(customer, formdata=request.args), None, part=True)


@bp.route("", methods=["GET", "POST"])
@needs(P.TICKET_WORK)
def new():
    customer, matches = calling.picked(request.values)
    form, drafts = _form(customer), []
    scans = {f"file_{field.key}": field.key for field in form.scans} | {"file_": ""}

    form.wanting = lambda: calling.lacking(form, customer, matches)

    def act():
        ticket = _open(form, customer, drafts)
        flash(_("%(number)s is open.", number=ticket.number))
        return redirect(ticket.path, 303)

    def show(refusal: Refused | None):
        again, found = calling.picked(request.values)
        return _render(again, form, refusal, found, files.drafts([d.key for d in drafts], current_user) or drafts)

    def take():
        drafts.extend(received(scans))

    if request.form.get("refresh"):
        take()
        form.renew()
        return show(None)
    return attempt(form, act, show, take=take)


def _open(form: forms.NewForm, customer: Customer | None, drafts: list) -> Ticket:
    assert customer is not None, "the form was checked"
    contact, department = calling.caller(form, customer)
    facts = form.facts() | {"department": department}
    return workflow.open_ticket(
        by=current_user, customer=customer, contact=contact, installation=calling.installation(form),
        fields=forms.fields_in(form), uncovered_reason=form.uncovered_reason.data, files=[draft.key for draft in drafts],
        verdict=form.verdict, **facts,
    )  # fmt: skip
