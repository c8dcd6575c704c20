from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm.absences import forms, page, queries, workflow
from crm.absences.models import Kind, State
from crm.absences.moves import MOVES
from crm.absences.table import TABLE
from crm.errors import Refused
from crm.files import queries as files
from crm.files.drafts import received
from crm.forms import attempt
from crm.permissions import Permission as P
from crm.permissions import Role, needs
from crm.staff import queries as staff
from crm.verbs import Verbs

bp = Blueprint("absences", __name__, url_prefix="/absences")


@bp.get("")
@needs(P.SIGNED_IN)
def index():
    """One's own leave and whom one stands in for; for those who decide, everybody's."""
    wanted, rows = TABLE.asked(current_user, request.args)
    people = staff.choices(tuple(Role)) if current_user.may(P.ABSENCE_DECIDE) else ()
    return render_template("absences/list.html", page=rows, wanted=wanted, states=State, kinds=Kind, people=people)


@bp.route("/new", methods=["GET", "POST"])
@needs(P.SIGNED_IN)
def new():
    form, drafts = forms.AskForm(), []
    form.stand_in.offer(page.people_for(current_user))

    def act():
        made = workflow.ask(
            by=current_user, category=form.kind.data, starts_on=form.starts_on.data, ends_on=form.ends_on.data,
            words=form.words.data, stand_in=staff.choice(form.stand_in.data), to_do=form.to_do.data,
            files=[one.key for one in drafts],
        )  # fmt: skip
        flash(_("%(number)s is asked for: you are told when it is decided.", number=made.number))
        return redirect(made.path, 303)

    def show(refusal: Refused | None):
        kept = files.drafts([one.key for one in drafts], current_user) or drafts
        return render_template("absences/new.html", form=form, refusal=refusal, drafts=kept)

    return attempt(form, act, show, take=lambda: drafts.extend(received(form.takes)))


@bp.get("/<number:number>")
@needs(P.SIGNED_IN)
def absence(number):
    return page.render(number)


def _why(form) -> str:
    return form.standing_in.data or "" if "standing_in" in form else ""


def _decline(absence, form):
    """Who declines has nothing to do with it from then on: back to what is theirs."""
    workflow.decline(absence, by=current_user, reason=form.reason.data)
    said = MOVES["decline"].done
    flash(_(said))
    return redirect("/absences", 303)


VERBS = Verbs(queries.get, MOVES, page, acts={
    "approve": lambda a, f, k: workflow.approve(a, by=current_user, unforeseen=f.unforeseen.data, standing_in=_why(f),
                                                words=f.words.data),
    "reject": lambda a, f, k: workflow.reject(a, by=current_user, reason=f.reason.data, standing_in=_why(f)),
    "accept": lambda a, f, k: workflow.accept(a, by=current_user, words=f.words.data),
    "decline": lambda a, f, k: _decline(a, f),
    "name": lambda a, f, k: workflow.name(a, by=current_user, to=staff.choice(f.to.data)),
    "return": lambda a, f, k: workflow.come_back(a, by=current_user),
    "give_back": lambda a, f, k: workflow.give_back(a, by=current_user),
    "judge": lambda a, f, k: workflow.judge(a, by=current_user, unforeseen=f.unforeseen.data, reason=f.reason.data),
    "shorten": lambda a, f, k: workflow.shorten(a, by=current_user, ends_on=f.ends_on.data, reason=f.reason.data),
    "withdraw": lambda a, f, k: workflow.withdraw(a, by=current_user, reason=f.reason.data),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.SIGNED_IN)
def note(number):
    return VERBS.note(number)
