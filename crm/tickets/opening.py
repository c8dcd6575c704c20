"""Opening a record: who is calling, whether they are in service, and what it is about."""

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.customers import queries as customers
from crm.customers import workflow as customer_workflow
from crm.customers.models import Contact, Customer
from crm.duties import editions
from crm.errors import Refused
from crm.files import queries as files
from crm.files.drafts import received
from crm.forms import attempt
from crm.labels import N_
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.serials import queries as serials
from crm.serials.coverage import verdict_among
from crm.serials.models import Installation
from crm.tickets import forms, workflow
from crm.tickets.models import Ticket

bp = Blueprint("opening", __name__, url_prefix="/tickets/new")


def _form(customer: Customer | None, **kwargs) -> forms.NewForm:
    """The form with what this customer offers to choose from."""
    people = customers.contacts(customer.id, active=True) if customer else []
    book = editions.todays()
    form = forms.with_fields(forms.NewForm, book, people, data={"asked_at": clock.now()}, **kwargs)
    form.offer_people(people)
    installed = serials.of(customer.id, current_user) if customer else []
    form.installation.offer([(i.id, i.title) for i in installed])
    form.installed = {str(i.id): i for i in installed}
    form.verdict = verdict_among(installed, _installation(form)) if customer else None
    form.uncovered_reason.flags.required = bool(form.verdict and not form.verdict.served)
    if len(people) == 1 and not form.contact.data:
        form.contact.data = str(people[0].id)
    return form


def _installation(form: forms.NewForm) -> Installation | None:
    return form.installed.get(form.installation.data or "")


def _picked(values) -> tuple[Customer | None, list[Customer]]:
    """The customer a form names by number, or by words that fit one only; else those the words fit."""
    if number := values.get("customer", "").strip():
        return customers.get(number, current_user), []
    words = values.get("customer_q", "").strip()[:100]
    found = customers.find(words, current_user) if words else []
    return (found[0], []) if len(found) == 1 else (None, found)


def _render(customer: Customer | None, form, refusal: Refused | None, matches=(), drafts=(), part: bool = False):
    return render_template(
        "tickets/_customer_part.html" if part else "tickets/new.html", form=form, customer=customer, refusal=refusal,
        verdict=form.verdict, matches=matches, drafts=drafts, shown_for=forms.categories_of(form.book),
    )  # fmt: skip


@bp.get("/customer")
@needs(P.TICKET_WORK)
def part():
    """The part of the form that depends on the customer, with what was typed into it."""
    customer, _found = _picked(request.args)
    return _render(customer, _form(customer, formdata=request.args), None, part=True)


@bp.route("", methods=["GET", "POST"])
@needs(P.TICKET_WORK)
def new():
    customer, matches = _picked(request.values)
    form, drafts = _form(customer), []
    scans = {f"file_{field.key}": field.key for field in form.scans} | {"file_": ""}

    form.wanting = lambda: _wanting(form, customer, matches)

    def act():
        ticket = _open(form, customer, drafts)
        flash(_("%(number)s is open.", number=ticket.number))
        return redirect(ticket.path, 303)

    def show(refusal: Refused | None):
        again, found = _picked(request.values)
        return _render(again, form, refusal, found, files.drafts([d.key for d in drafts], current_user) or drafts)

    def take():
        drafts.extend(received(scans))

    if request.form.get("refresh"):
        take()
        form.renew()
        return show(None)
    return attempt(form, act, show, take=take)


def _wanting(form: forms.NewForm, customer: Customer | None, matches: list[Customer]) -> dict[str, str]:
    """What the call itself lacks, to be said together with what is wrong in the fields."""
    if customer is None:
        return {"customer_q": N_("Choose one of those found.") if matches else N_("Which customer is it?")}
    chosen = form.chosen
    department = form.department.data or (chosen.department if chosen and not form.contact_name.data else "")
    lacking = workflow.wanting(known=bool(chosen or form.contact_name.data), department=department)
    return lacking | workflow.unserved(form.verdict, form.uncovered_reason.data)


def _open(form: forms.NewForm, customer: Customer | None, drafts: list) -> Ticket:
    assert customer is not None, "the form was checked"
    contact, department = caller(form, customer)
    facts = form.facts() | {"department": department}
    return workflow.open_ticket(
        by=current_user, customer=customer, contact=contact, installation=_installation(form), fields=forms.fields_in(form),
        uncovered_reason=form.uncovered_reason.data, files=[draft.key for draft in drafts], **facts,
    )  # fmt: skip


def caller(form: forms.FactsForm, customer: Customer) -> tuple[Contact | None, str]:
    """The contact chosen, or the one added just now (5.1.2), and their department as typed or as known."""
    if form.contact_name.data:
        phone = form.contact_phone.data
        contact = customer_workflow.add_contact(
            customer, by=current_user, name=form.contact_name.data, department=form.department.data, mobile=phone,
            qq=form.contact_qq.data,
        )  # fmt: skip
        return contact, contact.department
    contact = form.chosen
    department = form.department.data or (contact.department if contact else "")
    if contact and department and not contact.department:
        customer_workflow.edit_contact(contact, by=current_user, department=department)
    return contact, department
