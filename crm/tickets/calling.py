"""Who is calling: the customer picked by number or by words, their contacts and whether they are in service."""

from collections.abc import Mapping

from flask_login import current_user

from crm.customers import queries as customers
from crm.customers import workflow as customer_workflow
from crm.customers.models import Contact, Customer
from crm.serials import queries as serials
from crm.serials.coverage import verdict_among
from crm.serials.models import Installation
from crm.tickets import forms
from crm.tickets.needs import unserved, wanting


def picked(values: Mapping[str, str]) -> tuple[Customer | None, list[Customer]]:
    return customers.picked(values, current_user)


def offer(form: forms.CustomerForm, customer: Customer | None, people: list[Contact]) -> None:
    """Put into the form what this customer offers to choose from, and the verdict."""
    form.offer_people(people)
    installed = serials.of(customer.id, current_user) if customer else []
    form.installation.offer([(one.id, one.title) for one in installed])
    form.installed = {str(one.id): one for one in installed}
    form.verdict = verdict_among(installed, installation(form)) if customer else None
    form.uncovered_reason.flags.required = bool(form.verdict and not form.verdict.served)
    if len(people) == 1 and not form.contact.data:
        form.contact.data = str(people[0].id)


def installation(form: forms.CustomerForm) -> Installation | None:
    return form.installed.get(form.installation.data or "")


def lacking(form: forms.CustomerForm, customer: Customer | None, matches: list[Customer]) -> dict[str, str]:
    """What the call itself lacks, to be said together with what is wrong in the fields."""
    if customer is None:
        return customers.not_picked(matches)
    chosen = form.chosen
    department = form.department.data or (chosen.department if chosen and not form.contact_name.data else "")
    lacks = wanting(known=bool(chosen or form.contact_name.data), department=department)
    return lacks | unserved(form.verdict, form.uncovered_reason.data)


def caller(form: forms.CallerForm, customer: Customer) -> tuple[Contact | None, str]:
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
