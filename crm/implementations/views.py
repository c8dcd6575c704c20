from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.customers import queries as customers
from crm.duties import queries as duties
from crm.errors import Refused
from crm.forms import attempt
from crm.implementations import page, queries, workflow
from crm.implementations.forms import ImplementationForm
from crm.implementations.models import Implementation
from crm.implementations.workflow import CHANGE, MOVES
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.serials import queries as serials
from crm.staff import queries as staff
from crm.verbs import Verbs

bp = Blueprint("implementations", __name__, url_prefix="/implementations")


@bp.get("")
@needs(P.CUSTOMER_READ)
def index():
    rows = queries.every(current_user)
    names = duties.names(id for one in rows for id in (one.customer_id, one.owner_id))
    return render_template("implementations/list.html", rows=rows, names=names)


@bp.route("/new", methods=["GET", "POST"])
@needs(P.CUSTOMER_EDIT)
def new():
    """Begun on a customer's page, which the address names."""
    number = request.values.get("customer", "")[:20]
    if not number:
        return redirect("/customers", 303)
    customer = customers.get(number, current_user)
    form = _form(customer.id, {"starts_on": clock.today()})

    def act():
        made = workflow.begin(
            customer, by=current_user, title=form.title.data, starts_on=form.starts_on.data, remark=form.remark.data,
            installation=form.chosen,
        )  # fmt: skip
        flash(_("%(number)s is begun.", number=made.number))
        return redirect(made.path, 303)

    def show(refusal: Refused | None):
        again = customers.get(number, current_user)
        return render_template("implementations/new.html", form=form, customer=again, refusal=refusal)

    return attempt(form, act, show)


def _form(customer_id: int, known: dict[str, Any], **kwargs) -> ImplementationForm:
    form = ImplementationForm(data=known, **kwargs)
    form.offer(serials.of(customer_id, current_user))
    return form


@bp.get("/<number:number>")
@needs(P.CUSTOMER_READ)
def implementation(number):
    return page.render(number)


@bp.route("/<number:number>/edit", methods=["GET", "POST"])
@needs(P.CUSTOMER_EDIT)
def edit(number):
    return VERBS.edit(number, CHANGE, _edit_form, _change)


def _edit_form(made: Implementation, **kwargs) -> ImplementationForm:
    known = {name: getattr(made, name) for name in ("title", "starts_on", "remark", "version")}
    return _form(made.customer_id, known | {"installation": made.installation_id}, **kwargs)


def _change(made: Implementation, form: ImplementationForm) -> None:
    workflow.change(made, by=current_user, title=form.title.data, starts_on=form.starts_on.data, remark=form.remark.data,
                    installation=form.chosen)  # fmt: skip


VERBS = Verbs(queries.get, MOVES, page, {
    "end": lambda i, f, k: workflow.end(i, by=current_user, ended_on=f.ended_on.data),
    "assign": lambda i, f, k: workflow.assign(i, by=current_user, to=staff.choice(f.to.data), reason=f.reason.data),
    "cancel": lambda i, f, k: workflow.cancel(i, by=current_user, reason=f.reason.data),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.CUSTOMER_READ)
def note(number):
    return VERBS.note(number)
