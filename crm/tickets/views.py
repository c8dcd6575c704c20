from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock, lists
from crm.customers import queries as customers
from crm.customers import workflow as customer_workflow
from crm.customers.models import Contact, Customer
from crm.duties import editions
from crm.errors import Invalid, Refused, Stale
from crm.files import queries as files
from crm.files.drafts import received
from crm.forms import CrmForm, attempt
from crm.labels import N_
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import Role, needs
from crm.serials import queries as serials
from crm.serials.coverage import verdict_of
from crm.staff import queries as staff
from crm.tickets import forms, page, queries, workflow
from crm.tickets.models import State, Ticket
from crm.tickets.moves import MOVES

bp = Blueprint("tickets", __name__, url_prefix="/tickets")


@bp.get("")
@needs(P.TICKET_READ)
def index():
    categories = editions.book_at(clock.now()).categories
    wanted = queries.Filter.of(request.args, current_user, categories)
    found = queries.listing(current_user, wanted, before=lists.key(request.args))
    people = staff.with_role([Role.SPECIALIST, Role.FOLLOWUP, Role.MANAGER])
    return render_template(
        "tickets/list.html", page=found, wanted=wanted, categories=categories, states=State, people=people,
        due=queries.next_due([row.id for row in found.rows]),
    )  # fmt: skip


# ── opening a record ─────────────────────────────────────────────────────────────────────────────────────────────────


def _new_form(customer: Customer | None, **kwargs) -> forms.NewForm:
    """The form with what this customer offers to choose from."""
    people = customers.contacts(customer.id, active=True) if customer else []
    book = editions.book_at(clock.now())
    form = forms.with_fields(forms.NewForm, book, people, data={"asked_at": clock.now()}, **kwargs)
    form.contact.offer([(p.id, f"{p.name} · {p.department or '—'}") for p in people])
    installed = serials.of(customer.id, current_user) if customer else []
    form.installation.offer([(i.id, i.title) for i in installed])
    form.people = {str(p.id): p for p in people}
    if len(people) == 1 and not form.contact.data:
        form.contact.data = str(people[0].id)
    return form


def _picked(values) -> tuple[Customer | None, list[Customer]]:
    """The customer a form names by number, or by words that fit one only; else those the words fit."""
    if number := values.get("customer", "").strip():
        return customers.get(number, current_user), []
    words = values.get("customer_q", "").strip()[:100]
    found = customers.find(words, current_user) if words else []
    return (found[0], []) if len(found) == 1 else (None, found)


def _render_new(customer: Customer | None, form, refusal: Refused | None, matches=(), drafts=(), part: bool = False):
    chosen = next((i for i in serials.of(customer.id, current_user) if str(i.id) == form.installation.data), None) if (
        customer) else None  # fmt: skip
    verdict = verdict_of(customer.id, chosen) if customer else None
    return render_template(
        "tickets/_customer_part.html" if part else "tickets/new.html", form=form, customer=customer, refusal=refusal,
        verdict=verdict, matches=matches, drafts=drafts, shown_for=forms.categories_of(form.book),
    )  # fmt: skip


@bp.get("/new/customer")
@needs(P.TICKET_WORK)
def new_part():
    """The part of the form that depends on the customer, with what was typed into it."""
    customer, _found = _picked(request.args)
    return _render_new(customer, _new_form(customer, formdata=request.args), None, part=True)


@bp.route("/new", methods=["GET", "POST"])
@needs(P.TICKET_WORK)
def new():
    customer, matches = _picked(request.values)
    form, drafts = _new_form(customer), []
    scans = {f"file_{field.key}": field.key for field in form.scans} | {"file_": ""}

    def act():
        ticket = _open(form, customer, matches, drafts)
        flash(_("%(number)s is open.", number=ticket.number))
        return redirect(ticket.path, 303)

    def show(refusal: Refused | None):
        again, found = _picked(request.values)
        return _render_new(again, form, refusal, found, files.drafts([d.key for d in drafts], current_user) or drafts)

    def take():
        drafts.extend(received(scans))

    if request.form.get("refresh"):
        take()
        form.renew()
        return show(None)
    return attempt(form, act, show, take=take)


def _open(form: forms.NewForm, customer: Customer | None, matches: list[Customer], drafts: list) -> Ticket:
    if customer is None:
        raise Invalid(
            fields={"customer_q": N_("Choose one of those found.") if matches else N_("Which customer is it?")}
        )
    installation = next((i for i in serials.of(customer.id, current_user) if str(i.id) == form.installation.data), None)
    contact, department = _contact(form, customer)
    facts = form.facts() | {"department": department}
    return workflow.open_ticket(
        by=current_user, customer=customer, contact=contact, installation=installation, fields=forms.fields_in(form),
        uncovered_reason=form.uncovered_reason.data, files=[draft.key for draft in drafts], **facts,
    )  # fmt: skip


def _contact(form: forms.FactsForm, customer: Customer) -> tuple[Contact | None, str]:
    """The contact chosen, or the one added just now (5.1.2), and their department as typed or as known."""
    if form.contact_name.data:
        if not form.department.data:
            raise Invalid(fields={"department": N_("The contact's department is needed (5.1.2).")})
        phone = form.contact_phone.data
        contact = customer_workflow.add_contact(
            customer, by=current_user, name=form.contact_name.data, department=form.department.data, mobile=phone,
            qq=form.contact_qq.data,
        )  # fmt: skip
        return contact, contact.department
    contact = customers.contact(int(form.contact.data), customer) if form.contact.data else None
    department = form.department.data or (contact.department if contact else "")
    if contact and department and not contact.department:
        customer_workflow.edit_contact(contact, by=current_user, department=department)
    return contact, department


# ── the record ───────────────────────────────────────────────────────────────────────────────────────────────────────


@bp.get("/<number:number>")
@needs(P.TICKET_READ)
def record(number):
    return page.render(number)


def _do(name: str, number: str, act, **kwargs):
    """One verb on one record: its form checked, its version compared, then done; or the page with what was typed."""
    ticket = queries.get(number, current_user)
    form = page.form_for(name, ticket)
    drafts: list = []

    def perform():
        check_version(ticket, form.opened_version)
        act(ticket, form, drafts)
        flash(_(kwargs.get("said") or N_("Done.")))
        return redirect(ticket.path, 303)

    def show(refusal: Refused | None):
        kept = files.drafts([draft.key for draft in drafts], current_user) or drafts
        return page.render(number, name=name, bound=form, refusal=refusal, drafts=kept)

    def take():
        drafts.extend(received({f"file_{field.key}": field.key for field in getattr(form, "scans", ())}))

    return attempt(form, perform, show, take=take)


def _filled(form: CrmForm, drafts: list) -> dict:
    """What the closing step's form holds, and its files."""
    columns = {"service_qq": form.service_qq.data, "answered_at": form.answered_at.data}
    return {"fields": forms.fields_in(form), "files": [draft.key for draft in drafts], **columns}


def _to(form):
    return next((p for p in staff.with_role(Role) if str(p.id) == form.to.data), None)


VERBS = {
    "start": lambda t, f, d: workflow.start(t, by=current_user),
    "resume": lambda t, f, d: workflow.resume(t, by=current_user),
    "end": lambda t, f, d: workflow.end(t, by=current_user),
    "complete": lambda t, f, d: workflow.complete(t, by=current_user, **_filled(f, d)),
    "wait": lambda t, f, d: workflow.wait(t, by=current_user, reason=f.reason.data, until=f.until.data),
    "cancel": lambda t, f, d: workflow.cancel(t, by=current_user, reason=f.reason.data),
    "reopen": lambda t, f, d: workflow.reopen(t, by=current_user, reason=f.reason.data),
    "escalate": lambda t, f, d: workflow.escalate(t, by=current_user, story=f.story.data),
    "settle": lambda t, f, d: workflow.settle(t, by=current_user, answer=f.answer.data, to=_to(f)),
    "tell": lambda t, f, d: workflow.tell(t, by=current_user, words=f.words.data),
    "see": lambda t, f, d: workflow.see(t, by=current_user),
    "assign": lambda t, f, d: workflow.assign(t, by=current_user, to=_to(f), reason=f.reason.data),
}


def _view_of(name: str):
    @needs(MOVES[name].permission)
    def move(number):
        return _do(name, number, VERBS[name])

    return move


for _name, _move in MOVES.items():
    bp.add_url_rule(f"/<number:number>/{_move.noun}", _name, _view_of(_name), methods=["POST"])


@bp.post("/<number:number>/details")
@needs(P.TICKET_WORK)
def fill(number):
    """Save what was typed, without closing."""
    return _do("fill", number, lambda t, f, d: workflow.fill(t, by=current_user, **_filled(f, d)), said=N_("Saved."))


@bp.post("/<number:number>/notes")
@needs(P.TICKET_READ)
def note(number):
    ticket, form, drafts = queries.get(number, current_user), forms.NoteForm(), []

    def act():
        workflow.note(ticket, by=current_user, words=form.words.data, files=[draft.key for draft in drafts])
        return redirect(f"{ticket.path}#timeline", 303)

    def show(refusal: Refused | None):
        return page.render(number, name="note", bound=form, refusal=refusal, drafts=drafts)

    return attempt(form, act, show, take=lambda: drafts.extend(received({"file_": ""})))


@bp.post("/<number:number>/files/<string(length=32):key>/removal")
@needs(P.TICKET_WORK)
def detach(number, key):
    ticket = queries.get(number, current_user)
    workflow.detach(ticket, files.on(ticket, key), by=current_user)
    flash(_("The file is taken away; the timeline still names it."))
    return redirect(ticket.path, 303)


@bp.route("/<number:number>/edit", methods=["GET", "POST"])
@needs(P.TICKET_WORK)
def edit(number):
    ticket = queries.get(number, current_user)
    form = _edit_form(ticket)

    def save():
        check_version(ticket, form.opened_version)
        contact, department = _contact(form, customers.by_id(ticket.customer_id))
        facts = form.facts() | {"department": department}
        workflow.edit_ticket(ticket, by=current_user, contact=contact, **facts)
        flash(_("Saved."))
        return redirect(ticket.path, 303)

    def show(refusal: Refused | None):
        ticket = queries.get(number, current_user)
        if isinstance(refusal, Stale):
            form.beside(_edit_form(ticket, formdata=None))
        return render_template("tickets/edit.html", form=form, ticket=ticket, refusal=refusal,
                               customer=customers.by_id(ticket.customer_id))  # fmt: skip

    return attempt(form, save, show)


def _edit_form(ticket: Ticket, **kwargs) -> forms.FactsForm:
    people = customers.contacts(ticket.customer_id or 0)
    columns = {name: getattr(ticket, name) for name in (*forms.FACTS, "version")}
    form = forms.FactsForm(data=columns | {"contact": ticket.contact_id}, **kwargs)
    form.contact.offer(
        [(p.id, f"{p.name} · {p.department or '—'}") for p in people if p.active or p.id == ticket.contact_id]
    )
    form.category.offer(forms.offered_categories(workflow.rulebook_of(ticket)))
    return form
