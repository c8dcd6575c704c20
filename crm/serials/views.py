from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm.customers import queries as customers
from crm.errors import Refused, Stale
from crm.forms import attempt
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.serials import queries, workflow
from crm.serials.forms import InstallationForm, values_of
from crm.serials.models import Installation, Standing, UseState
from crm.serials.table import TABLE

bp = Blueprint("serials", __name__)


@bp.get("/installations")
@needs(P.CUSTOMER_READ)
def index():
    wanted, page = TABLE.asked(current_user, request.args)
    return render_template("serials/list.html", page=page, wanted=wanted, uses=UseState, products=queries.products())


@bp.route("/customers/<number:number>/installations/new", methods=["GET", "POST"])
@needs(P.CUSTOMER_EDIT)
def new(number):
    customer, form = customers.get(number, current_user), InstallationForm()

    def add():
        words = form.words()
        for name in ("use_seen_on", "period_reason"):
            words.pop(name)
        of = workflow.product(form.brand.data, form.product_name.data)
        installation = workflow.add_installation(customer, by=current_user, of=of, **words)
        flash(_("%(name)s is added.", name=installation.title))
        return redirect(customer.path, 303)

    def show(refusal: Refused | None):
        customer = customers.get(number, current_user)
        return render_template("serials/edit.html", form=form, customer=customer, installation=None,
                               products=queries.products(), refusal=refusal)  # fmt: skip

    return attempt(form, add, show)


def _edit_form(installation: Installation, **kwargs) -> InstallationForm:
    form = InstallationForm(obj=installation, data=values_of(installation), **kwargs)
    if installation.period and installation.period.contract_id and "starts_on" not in request.form:
        form.agreed()  # else it came to stand on a contract while somebody typed: that is refused, not passed over
    return form


@bp.route("/installations/<number:number>", methods=["GET", "POST"])
@needs(P.CUSTOMER_EDIT)
def edit(number):
    installation = queries.get(number, current_user)
    form, agreed = _edit_form(installation), queries.contracts_of([installation])

    def save():
        check_version(installation, form.opened_version)
        of, words = workflow.product(form.brand.data, form.product_name.data), form.words()
        if "starts_on" not in form and installation.period:
            words |= {"starts_on": installation.period.starts_on, "ends_on": installation.period.ends_on}
        workflow.edit_installation(installation, by=current_user, of=of, **words)
        flash(_("Saved."))
        return redirect(customers.by_id(installation.customer_id).path, 303)

    def show(refusal: Refused | None):
        installation = queries.get(number, current_user)
        if isinstance(refusal, Stale):
            form.beside(_edit_form(installation, formdata=None))
        return render_template("serials/edit.html", form=form, installation=installation, refusal=refusal, agreed=agreed,
                               customer=customers.by_id(installation.customer_id), products=queries.products(),
                               standings=Standing)  # fmt: skip

    return attempt(form, save, show)
