from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm.customers import queries, workflow
from crm.customers.forms import ContactForm, CustomerForm, PickingForm
from crm.customers.models import Contact, Customer
from crm.errors import Refused, Stale
from crm.forms import attempt
from crm.labels import N_
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import queries as staff

bp = Blueprint("customers", __name__, url_prefix="/customers")


def _form(customer: Customer | None = None, **kwargs) -> CustomerForm:
    form = CustomerForm(obj=customer, **kwargs)
    specialists = staff.choices()
    form.owner_id.offer([(person.id, person.name) for person in specialists])
    form.owner_id.data = str(form.owner_id.data or "")
    return form


@bp.route("/new", methods=["GET", "POST"])
@needs(P.CUSTOMER_EDIT)
def new():
    form = _form()

    def add():
        words = form.words()
        words.pop("state")
        customer = workflow.add_customer(by=current_user, **words)
        flash(_("%(name)s is added. Now add a contact.", name=customer.title))
        return redirect(customer.path, 303)

    def show(refusal: Refused | None):
        return render_template("customers/edit.html", form=form, customer=None, refusal=refusal)

    return attempt(form, add, show)


THEN = {  # what is begun once it is known for whom
    "changes": N_("New change request"), "opinions": N_("Take an opinion in"), "implementations": N_("New implementation"),
}  # fmt: skip


@bp.get("/choice")
@needs(P.CUSTOMER_READ)
def choice():
    """For whom: by a number or by words; then on to the page that begins it."""
    then = request.args.get("then", "")
    if then not in THEN:
        return redirect("/customers", 303)
    customer, matches = queries.picked(request.args, current_user)
    if customer:
        return redirect(f"/{then}/new?customer={customer.number}", 303)
    form = PickingForm(formdata=None, data={"customer_q": request.args.get("customer_q", "")[:100]})
    asked = bool(request.args.get("customer_q"))
    return render_template(
        "customers/choice.html", form=form, then=then, title=_(THEN[then]), matches=matches, asked=asked, customer=None
    )


@bp.route("/<number:number>/edit", methods=["GET", "POST"])
@needs(P.CUSTOMER_EDIT)
def edit(number):
    customer = queries.get(number, current_user)
    form = _form(customer)

    def save():
        check_version(customer, form.opened_version)
        workflow.edit_customer(customer, by=current_user, **form.words())
        flash(_("Saved."))
        return redirect(customer.path, 303)

    def show(refusal: Refused | None):
        customer = queries.get(number, current_user)
        if isinstance(refusal, Stale):
            form.beside(_form(customer, formdata=None))
        return render_template("customers/edit.html", form=form, customer=customer, refusal=refusal)

    return attempt(form, save, show)


def _contact_page(number: str, contact: Contact | None, form: ContactForm, act):
    def show(refusal: Refused | None):
        customer = queries.get(number, current_user)
        if isinstance(refusal, Stale) and contact is not None:
            form.beside(ContactForm(formdata=None, obj=queries.contact(contact.id, customer)))
        return render_template("customers/contact.html", form=form, customer=customer, contact=contact, refusal=refusal)

    return attempt(form, act, show)


@bp.route("/<number:number>/contacts/new", methods=["GET", "POST"])
@needs(P.CUSTOMER_EDIT)
def new_contact(number):
    customer, form = queries.get(number, current_user), ContactForm()

    def add():
        workflow.add_contact(customer, by=current_user, **form.words())
        flash(_("%(name)s is added.", name=form.name.data))
        return redirect(customer.path, 303)

    return _contact_page(number, None, form, add)


@bp.route("/<number:number>/contacts/<id:contact_id>", methods=["GET", "POST"])
@needs(P.CUSTOMER_EDIT)
def contact(number, contact_id):
    customer = queries.get(number, current_user)
    person = queries.contact(contact_id, customer)
    form = ContactForm(obj=person)

    def save():
        workflow.edit_contact(person, by=current_user, version=form.opened_version, **form.words())
        flash(_("Saved."))
        return redirect(customer.path, 303)

    return _contact_page(number, person, form, save)
