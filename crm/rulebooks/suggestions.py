"""What people write on the rulebook: suggestions and objections, and their answers (8, 9)."""


from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm.duties import editions
from crm.forms import attempt
from crm.labels import Bilingual
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.rulebooks import forms, queries, suggesting, written
from crm.rulebooks.models import Kind, SuggestionState
from crm.rulebooks.moves import SUGGESTION_MOVES
from crm.rulebooks.sayings import clause_name
from crm.rulebooks.table import TABLE
from crm.rulebooks.typed import reader
from crm.verbs import Verbs

bp = Blueprint("suggestions", __name__, url_prefix="/suggestions")


@bp.get("")
@needs(P.SIGNED_IN)
def index():
    wanted, rows = TABLE.asked(current_user, request.args)
    return render_template("rulebooks/suggestions.html", page=rows, wanted=wanted, states=SuggestionState, kinds=Kind)


def _called(key: str, title: Bilingual) -> str:
    """What a clause is chosen by; a default of ours has no number."""
    return reader(title) if key.startswith("ours.") else f"{clause_name(key)} {reader(title)}"


@bp.route("/new", methods=["GET", "POST"])
@needs(P.SIGNED_IN)
def new():
    """From a clause of the rulebook, or on the whole."""
    form = forms.SuggestForm(data={"clause": request.args.get("clause", ""), "kind": request.args.get("kind", "")})
    form.clause.offer([(key, _called(key, clause.title)) for key, clause in editions.todays().clauses.items()])

    def act():
        made = suggesting.suggest(by=current_user, category=form.kind.data, words=form.words.data, clause=form.clause.data or "")
        flash(_("%(number)s is written down: it will be answered in writing.", number=made.number))
        return redirect(made.path, 303)

    return attempt(form, act, lambda refusal: render_template("rulebooks/suggest.html", form=form, refusal=refusal))


@bp.get("/<number:number>")
@needs(P.SIGNED_IN)
def suggestion(number):
    return written.render(number)


VERBS = Verbs(queries.suggestion, SUGGESTION_MOVES, written, acts={
    "answer": lambda s, f, k: suggesting.answer(s, by=current_user, words=f.words.data),
    "take_up": lambda s, f, k: suggesting.take_up(s, by=current_user, draft=queries.draft(f.draft.data, current_user)),
    "withdraw": lambda s, f, k: suggesting.withdraw(s, by=current_user),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.SIGNED_IN)
def note(number):
    return VERBS.note(number)
