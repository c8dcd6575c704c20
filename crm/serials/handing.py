"""Serial numbers on pages: issued and handed over on the installation's page, what does not fit in a list of its own."""

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.customers import queries as customers
from crm.duties import queries as duties
from crm.errors import Forbidden, NotThere, Refused
from crm.forms import CrmForm, attempt
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.serials import faults, numbers, queries
from crm.serials.forms import GiveForm, IssueForm, VoidForm
from crm.serials.models import Installation, Standing
from crm.serials.numbering import TABLE
from crm.serials.using import Use

bp = Blueprint("handing", __name__)


@bp.get("/serials")
@needs(P.CUSTOMER_READ)
def index():
    """All serial numbers, and above them what does not fit (5.6.3)."""
    wanted, page = TABLE.asked(current_user, request.args)
    faulty = faults.listing(current_user)
    return render_template("serials/serials.html", page=page, wanted=wanted, faulty=faulty, faults=faults.Fault, uses=Use,
                           names=duties.names(one.installation.customer_id for one in faulty))  # fmt: skip


@bp.get("/installations/<number:number>/serials")
@needs(P.CUSTOMER_READ)
def of(number):
    return _page(queries.get(number, current_user))


def issue_form(installation: Installation, **kwargs) -> IssueForm:
    """The next one: for the period that runs, as long as no number holds for it today; else for the last that is agreed."""
    period = installation.period if numbers.holds(installation, clock.today()) else installation.running
    known = {"starts_on": period and period.starts_on, "ends_on": period and period.ends_on, "users": installation.users}
    return IssueForm(data=known, **kwargs)


def give_form(installation: Installation, **kwargs) -> GiveForm:
    form = GiveForm(data={"on": clock.today()}, **kwargs)
    people = customers.contacts(installation.customer_id or 0, active=True)
    form.to.offer([(one.id, f"{one.name} · {one.department or '—'}") for one in people])
    return form


def void_form(installation: Installation, **kwargs) -> VoidForm:
    form = VoidForm(**kwargs)
    every = queries.serials_of(installation)
    form.serial.offer([(one.id, f"{numbers.shown(one, current_user)} · {one.starts_on} – {one.ends_on}")
                       for one in every if numbers.may_void(one, current_user)])  # fmt: skip
    return form


def _page(installation: Installation, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None):
    forms = {"issue": issue_form(installation, formdata=None), "give": give_form(installation, formdata=None),
             "void": void_form(installation, formdata=None)}  # fmt: skip
    if bound is not None:
        forms[name] = bound
    every, customer = queries.serials_of(installation), customers.by_id(installation.customer_id)
    return render_template(
        "serials/installation.html", installation=installation, every=every, forms=forms, refusal=refusal, refused=name,
        customer=customer, shown={one.id: numbers.shown(one, current_user) for one in every}, uses=Use,
        may=numbers.may(current_user, customer), people=queries.given_to(every), to_give=numbers.to_give(every),
        agreed=queries.contracts_of([installation]), standings=Standing,
    )  # fmt: skip


@bp.post("/installations/<number:number>/serials")
@needs(P.SERIAL_ISSUE)
def issue(number):
    installation = queries.get(number, current_user)
    if not numbers.may(current_user, customers.by_id(installation.customer_id)):
        raise Forbidden()
    form = issue_form(installation)

    def act():
        check_version(installation, form.opened_version)
        numbers.issue(installation, by=current_user, number=form.number.data, starts_on=form.starts_on.data,
                      ends_on=form.ends_on.data, users=form.users.data)  # fmt: skip
        flash(_("The serial number is issued."))
        if late := numbers.outlives(installation, form.ends_on.data):
            flash(_("It holds longer than the service period, which ends on %(day)s.", day=late), "warning")
        return redirect(f"{installation.path}/serials", 303)

    return attempt(form, act, lambda refusal: _page(queries.get(number, current_user), "issue", form, refusal))


@bp.post("/installations/<number:number>/serials/handover")
@needs(P.SERIAL_ISSUE)
def give(number):
    """The one in use, to somebody at the customer's."""
    installation = queries.get(number, current_user)
    if not numbers.may(current_user, customers.by_id(installation.customer_id)):
        raise Forbidden()
    form = give_form(installation)

    def act():
        check_version(installation, form.opened_version)  # the one the page showed, not one issued since
        serial = numbers.in_use(installation)
        if serial is None:
            raise NotThere()
        to = customers.contact(int(form.to.data), customers.by_id(installation.customer_id))
        numbers.give(serial, by=current_user, to=to, on=form.on.data)
        flash(_("Noted that it was handed over."))
        return redirect(f"{installation.path}/serials", 303)

    return attempt(form, act, lambda refusal: _page(queries.get(number, current_user), "give", form, refusal))


@bp.post("/installations/<number:number>/serials/voiding")
@needs(P.SERIAL_ISSUE)
def void(number):
    """One that was typed wrongly."""
    installation = queries.get(number, current_user)
    form = void_form(installation)
    theirs = numbers.may(current_user, customers.by_id(installation.customer_id))
    if not theirs and not any(numbers.may_void(one, current_user) for one in queries.serials_of(installation)):
        raise Forbidden()

    def act():
        check_version(installation, form.opened_version)
        numbers.void(queries.serial(int(form.serial.data), installation), by=current_user, reason=form.reason.data)
        flash(_("Noted that it was typed wrongly: it is void."))
        return redirect(f"{installation.path}/serials", 303)

    return attempt(form, act, lambda refusal: _page(queries.get(number, current_user), "void", form, refusal))
