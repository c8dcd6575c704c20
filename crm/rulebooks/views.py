"""Drafts of the rulebook: the list, a draft's page and verbs, what differs, and what it would have done."""

from flask import Blueprint, flash, jsonify, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import lists
from crm.duties import queries as duties
from crm.duties import reading
from crm.errors import Refused
from crm.forms import attempt
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.rulebooks import editing, forms, page, queries, results, trying, workflow
from crm.rulebooks.models import DraftState
from crm.rulebooks.moves import DRAFT_MOVES
from crm.rulebooks.text import data_of
from crm.rulebooks.trial import What, Why
from crm.rulebooks.untried import untried
from crm.verbs import Verbs

bp = Blueprint("drafts", __name__, url_prefix="/drafts")
bp.add_app_template_global(page.since_former, "changed_in")
editing.hang(bp)


@bp.get("")
@needs(P.RULEBOOK_DRAFTS)
def index():
    rows = queries.drafts(current_user)
    names = duties.names(id for row in rows for id in (row.base_id, row.issued_id, row.owner_id))
    return render_template("rulebooks/drafts.html", drafts=rows, names=names, states=DraftState)


@bp.route("/new", methods=["GET", "POST"])
@needs(P.RULEBOOK_ISSUE)
def new():
    """Begun from the edition in force, or from another."""
    form = forms.NewDraftForm(data={"base": queries.in_force().number})
    form.base.offer([(one.number, f"{one.number} {one.title}") for one in duties.issued()])

    def act():
        draft = workflow.begin(by=current_user, title=form.title.data, base=duties.edition(form.base.data))
        flash(_("%(number)s is begun: change what is to be otherwise.", number=draft.number))
        return redirect(draft.path, 303)

    return attempt(form, act, lambda refusal: render_template("rulebooks/new.html", form=form, refusal=refusal))


@bp.get("/<number:number>")
@needs(P.RULEBOOK_DRAFTS)
def draft(number):
    return page.render(number)


VERBS = Verbs(queries.draft, DRAFT_MOVES, page, acts={
    "issue": lambda d, f, k: workflow.issue(d, by=current_user, holds_from=f.holds_from.data),
    "take_back": lambda d, f, k: workflow.take_back(d, by=current_user, reason=f.reason.data),
    "discard": lambda d, f, k: workflow.discard(d, by=current_user, reason=f.reason.data),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.RULEBOOK_DRAFTS)
def note(number):
    return VERBS.note(number)


@bp.get("/<number:number>/differences")
@needs(P.RULEBOOK_DRAFTS)
def differences(number):
    """In words, from the edition in force."""
    draft = queries.draft(number, current_user)
    found, sayer = page.compared(draft)
    base = queries.edition(draft.base_id) if draft.issued_id else queries.in_force()
    return render_template("rulebooks/differences.html", draft=draft, base=base, lines=sayer.lines(found))


@bp.post("/<number:number>/trials")
@needs(P.RULEBOOK_DRAFTS)
def trial(number):
    """Have it tried; the sweep does so."""
    draft, form = queries.draft(number, current_user), page.try_form()

    def act():
        trying.ask(draft, by=current_user, since=form.since.data, until=form.until.data)
        flash(_("It is being tried: the result stands here once it is done."))
        return redirect(f"{draft.path}#trial", 303)

    def show(refusal: Refused | None):
        return page.render(number, name="try", bound=form, refusal=refusal)

    return attempt(form, act, show)


@bp.get("/<number:number>/trials/progress")
@needs(P.RULEBOOK_DRAFTS)
def progress(number):
    """How far it has come: for a page that asks now and then."""
    going = queries.going(queries.draft(number, current_user))
    return jsonify({"going": going is not None, "seen": going.seen if going else 0, "total": going.total if going else 0})


@bp.get("/<number:number>/trials/<id:run_id>")
@needs(P.RULEBOOK_DRAFTS)
def result(number, run_id):
    """What a trial found: the sums, and the rows behind one of them."""
    draft = queries.draft(number, current_user)
    run = queries.result(draft, run_id)
    wanted = queries.Behind.of(request.args, run)
    found, _sayer = page.compared(draft)
    rows = queries.behind(run, wanted, current_user, lists.key(request.args))
    return render_template(
        "rulebooks/trial.html", draft=draft, run=run, sums=results.sums(run), page=rows, wanted=wanted, whats=What, whys=Why,
        untried=untried(found, data_of(draft.body)), fields=reading.read(run.body).fields,
    )  # fmt: skip
