from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from crm.customers import queries as customers
from crm.duties import editions
from crm.duties.locks import lock_all
from crm.duties.models import Subject
from crm.errors import NotThere, Refused
from crm.files import queries as files
from crm.forms import CrmForm, attempt
from crm.letters.answer import pdf
from crm.lists import NUMBER
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import access
from crm.staff import queries as staff
from crm.staff.models import AccessKind
from crm.tickets import bulk, forms, page, printing, queries, workflow
from crm.tickets.calling import caller
from crm.tickets.marks import Standing
from crm.tickets.models import State, Ticket
from crm.tickets.moves import MOVES
from crm.tickets.table import TABLE
from crm.verbs import Verbs

bp = Blueprint("tickets", __name__, url_prefix="/tickets")


@bp.get("")
@needs(P.TICKET_READ)
def index():
    wanted, page = TABLE.asked(current_user, request.args)
    return render_template(
        "tickets/list.html", page=page, wanted=wanted, categories=editions.todays().categories, states=State,
        edition=editions.todays_id(), people=tuple(staff.choices()), verbs=_verbs() if current_user.may(P.TICKET_WORK) else (),
        standings=Standing,
    )  # fmt: skip


def _verbs() -> tuple[bulk.Verb, ...]:
    """What the person may do to many at once."""
    assigns = current_user.may(P.TICKET_ASSIGN)
    return tuple(one for one in bulk.Verb if assigns or one != bulk.Verb.ASSIGN)


@bp.post("/bulk")
@needs(P.TICKET_WORK)
def bulk_():
    """One verb on the records that were picked; leads to what became of each."""
    form = _bulk_form(staff.choices())

    numbers = [one for one in request.form.getlist("record") if NUMBER.fullmatch(one)]  # anything else names no record

    def act():
        verb = bulk.Verb(form.verb.data)
        run = bulk.carry_out(verb, numbers, by=current_user, to=staff.choice(form.to.data), reason=form.reason.data)
        if beyond := [number for number, _done, message, *_rest in run.outcomes if message == bulk.AWAY]:
            path = f"{request.method} {request.path}: {', '.join(beyond)}"
            access.note_request(AccessKind.BEYOND, current_user.id, path=path)
        back = TABLE.narrowed(form.back.data or "")
        return redirect(url_for("tickets.bulk_run", run_id=run.id, back=back or None), 303)

    def show(refusal: Refused | None):
        some = numbers[: bulk.MOST]
        return render_template("tickets/bulk_form.html", form=form, refusal=refusal, numbers=some,
                               picked=queries.picked(some, current_user), back=TABLE.back(form.back.data or ""))  # fmt: skip

    return attempt(form, act, show)


def _bulk_form(people: Sequence[Any]) -> forms.BulkForm:
    form = forms.BulkForm(formdata=request.form if request.method == "POST" else None)
    form.to.offer(staff.offered(people))
    form.verb.offer([(one.value, _(one.label)) for one in _verbs()])
    return form


@bp.get("/bulk/<id:run_id>")
@needs(P.TICKET_WORK)
def bulk_run(run_id):
    run = queries.bulk_run(run_id, current_user)
    picked = queries.picked([number for number, *_rest in run.outcomes], current_user)
    return render_template("tickets/bulk_run.html", run=run, verb=bulk.Verb(run.verb), book=editions.todays(),
                           picked=picked, back=TABLE.back(request.args.get("back", "")))  # fmt: skip


@bp.get("/<number:number>/application.pdf")
@needs(P.TICKET_READ)
def application_pdf(number):
    ticket = queries.get(number, current_user)
    if not printing.paper_of(ticket):
        raise NotThere()
    return pdf(printing.application, ticket, f"{number}-application")


@bp.get("/<number:number>")
@needs(P.TICKET_READ)
def record(number):
    return page.render(number)


def _both(ticket: Ticket, form: CrmForm) -> None:
    """Two records at once are locked before one of them is locked alone."""
    if of := getattr(form, "of", None):
        lock_all(Subject.id.in_([ticket.id, queries.get(of.data, current_user).id]))


def _filled(form: CrmForm, keys: list[str]) -> dict:
    """What the closing step's form holds, and its files."""
    columns = {"service_qq": form.service_qq.data, "answered_at": form.answered_at.data}
    return {"fields": forms.fields_in(form), "files": keys, **columns}


VERBS = Verbs(queries.get, MOVES, page, first=_both, acts={
    "start": lambda t, f, k: workflow.start(t, by=current_user),
    "resume": lambda t, f, k: workflow.resume(t, by=current_user),
    "end": lambda t, f, k: workflow.end(t, by=current_user),
    "complete": lambda t, f, k: workflow.complete(t, by=current_user, **_filled(f, k)),
    "wait": lambda t, f, k: workflow.wait(t, by=current_user, reason=f.reason.data, until=f.until.data),
    "cancel": lambda t, f, k: workflow.cancel(t, by=current_user, reason=f.reason.data),
    "reopen": lambda t, f, k: workflow.reopen(t, by=current_user, reason=f.reason.data),
    "escalate": lambda t, f, k: workflow.escalate(t, by=current_user, story=f.story.data),
    "settle": lambda t, f, k: workflow.settle(t, by=current_user, answer=f.answer.data, to=staff.choice(f.to.data)),
    "tell": lambda t, f, k: workflow.tell(t, by=current_user, words=f.words.data),
    "see": lambda t, f, k: workflow.see(t, by=current_user),
    "duplicate": lambda t, f, k: workflow.duplicate(t, by=current_user, of=queries.get(f.of.data, current_user)),
    "assign": lambda t, f, k: workflow.assign(t, by=current_user, to=staff.choice(f.to.data), reason=f.reason.data),
    "fill": lambda t, f, k: workflow.fill(t, by=current_user, **_filled(f, k)),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/details")
@needs(P.TICKET_WORK)
def fill(number):
    """Save what was typed, without closing."""
    return VERBS.do("fill", number, _("Saved."))


@bp.post("/<number:number>/notes")
@needs(P.TICKET_READ)
def note(number):
    return VERBS.note(number, workflow.note)


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
    return VERBS.edit(number, MOVES["complete"], _edit_form, _edit)


def _edit(ticket: Ticket, form: forms.FactsForm) -> None:
    contact, department = caller(form, customers.by_id(ticket.customer_id))
    facts = form.facts() | {"department": department}
    workflow.edit_ticket(ticket, by=current_user, contact=contact, **facts)


def _edit_form(ticket: Ticket, **kwargs) -> forms.FactsForm:
    people = customers.contacts(ticket.customer_id or 0)
    columns = {name: getattr(ticket, name) for name in (*forms.FACTS, "version")}
    form = forms.FactsForm(data=columns | {"contact": ticket.contact_id}, **kwargs)
    form.offer_people([person for person in people if person.active or person.id == ticket.contact_id])
    form.keep_channel(ticket.channel)
    offered = forms.offered_categories(workflow.rulebook_of(ticket))
    if ticket.category not in dict(offered):  # an imported record keeps its own word
        offered.append((ticket.category, ticket.category))
    form.category.offer(offered)
    return form
