from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from crm import lists
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Subject
from crm.errors import Invalid, NotThere, Refused
from crm.files import queries as files
from crm.files.drafts import received
from crm.forms import CrmForm, attempt
from crm.labels import N_, said
from crm.papers import forms, page, queries, workflow
from crm.papers.models import State
from crm.papers.moves import MOVES
from crm.papers.table import TABLE
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import queries as staff
from crm.staff.models import User
from crm.verbs import Verbs

bp = Blueprint("papers", __name__, url_prefix="/papers")
bp.add_app_template_global(queries.kinds, "paper_kinds")


@bp.get("")
@needs(P.PAPER_READ)
def index():
    wanted, page_ = TABLE.asked(current_user, request.args)
    people = staff.choices(page.HOLDERS)
    return render_template("papers/list.html", page=page_, wanted=wanted, paper_states=State, kinds=queries.kinds(),
                           people=people)  # fmt: skip


@bp.get("/expected")
@needs(P.PAPER_READ)
def expected():
    to = lists.one_of(request.args, "to", ["archive", "relations"])
    rows, out = queries.expected(current_user, to), queries.out(current_user)
    late = request.args.get("late") == "1"
    rows = [one for one in rows if one.duty.overdue] if late else rows
    ids = [id for one in rows for id in (one.duty.owner_id, one.duty.subject.customer_id, one.paper and one.paper.owner_id)]
    ids += [id for paper in out for id in (paper.owner_id, paper.customer_id)]
    return render_template(
        "papers/expected.html", rows=rows, out=out, to=to, late=late, names=duties.names(ids), kinds=queries.kinds(),
        may_open=queries.may_see([one.duty.subject_id for one in rows], current_user),
    )  # fmt: skip


@bp.get("/<number:number>")
@needs(P.PAPER_READ)
def paper(number):
    return page.render(number)


@bp.get("/find")
@needs(P.PAPER_READ)
def search():
    """A number typed by hand: a paper's own, or that of what papers belong to."""
    typed = lists.words(request.args).upper()
    try:
        if typed.startswith("P"):
            return redirect(queries.get(typed, current_user).path)
        subject = queries.belonging(typed, current_user)
    except NotThere:
        return redirect(f"/papers?{urlencode({'unknown': typed})}")
    if kind := queries.expected_of(subject):
        return redirect(f"/papers/find/{kind}/{subject.number}")
    if queries.newest(subject, "", current_user):
        return redirect(f"/papers?belongs={subject.number}")
    return redirect(f"/papers/new?of={subject.number}")


@bp.get("/find/<string:kind>/<number:number>")
@needs(P.PAPER_READ)
def scanned(kind, number):
    """Where the code on a printed form leads: to its paper, or to entering it with everything filled in."""
    subject = queries.belonging(number, current_user)
    if kind not in queries.kinds():
        raise NotThere()
    found = queries.newest(subject, kind, current_user)
    return redirect(found.path if found else f"/papers/new?of={subject.number}&kind={kind}")


def _kinds_offered() -> list[tuple[str, str]]:
    return [(kind.key, said(kind.title, str(get_locale()))) for kind in queries.kinds().values()]


def _belonging(form: CrmForm) -> Subject:
    try:
        return queries.belonging(form.of.data, current_user)
    except NotThere as gone:
        raise Invalid(fields={"of": N_("No such number is there for you to see.")}) from gone


def _known() -> Subject | None:
    """What the address or the form names, if it is there."""
    try:
        return queries.belonging(request.values.get("of", "")[:20], current_user)
    except NotThere:
        return None


def _page(refused: str, bound: CrmForm | None, refusal: Refused | None, drafts=()):
    """Both forms: the paper in one's hands, and that there is none."""
    given = {name: request.args.get(name, "")[:40] for name in ("of", "kind")}
    enter = bound if bound is not None and refused == "enter" else forms.EnterForm(formdata=None, data=given)
    absent = bound if bound is not None and refused == "none" else forms.NotThereForm(formdata=None, data=given)
    for form in (enter, absent):
        form.kind.offer(_kinds_offered())
    kept = files.drafts([draft.key for draft in drafts], current_user) or drafts
    return render_template("papers/new.html", form=enter, absent=absent, refusal=refusal, refused=refused, drafts=kept,
                           origin=_known())  # fmt: skip


@bp.route("/new", methods=["GET", "POST"])
@needs(P.PAPER_HOLD)
def new():
    if request.method == "GET":
        return _page("", None, None)
    form, drafts = forms.EnterForm(), []
    form.kind.offer(_kinds_offered())

    def act():
        keys = [draft.key for draft in drafts]
        entered = workflow.enter(_belonging(form), form.kind.data, by=current_user, title=form.title.data,
                                 sheets=form.sheets.data or 1, files=keys)  # fmt: skip
        flash(_("%(number)s is on the register, in your hands.", number=entered.number))
        return redirect(entered.path, 303)

    def show(refusal: Refused | None):
        return _page("enter", form, refusal, drafts)

    return attempt(form, act, show, take=lambda: drafts.extend(received({"file_": ""})))


@bp.post("/absence")
@needs(P.TIME_GRANT)
def absence():
    """There is no such paper; said by who leads, never by who owes it."""
    form = forms.NotThereForm()
    form.kind.offer(_kinds_offered())

    def act():
        said_so = workflow.not_there(_belonging(form), form.kind.data, by=current_user, reason=form.reason.data)
        flash(_("Nobody owes this paper any more."))
        return redirect(said_so.path, 303)

    return attempt(form, act, lambda refusal: _page("none", form, refusal))


def _to(form: CrmForm) -> User:
    return db.session.get_one(User, int(form.to.data))


VERBS = Verbs(queries.get, MOVES, page, {
    "take": lambda p, f, k: workflow.take(p, by=current_user),
    "archive": lambda p, f, k: workflow.archive(p, by=current_user, place=f.place.data),
    "offer": lambda p, f, k: workflow.offer(p, by=current_user, to=_to(f), words=f.words.data),
    "decline": lambda p, f, k: workflow.decline(p, by=current_user, words=f.words.data),
    "withdraw": lambda p, f, k: workflow.withdraw(p, by=current_user),
    "give_back": lambda p, f, k: workflow.give_back(p, by=current_user),
    "reshelve": lambda p, f, k: workflow.reshelve(p, by=current_user, place=f.place.data),
    "miss": lambda p, f, k: workflow.miss(p, by=current_user, words=f.words.data),
    "lend": lambda p, f, k: workflow.lend(p, by=current_user, to=_to(f), until=f.until.data, words=f.words.data),
    "fetch": lambda p, f, k: workflow.fetch(p, by=current_user, words=f.words.data),
    "find": lambda p, f, k: workflow.find(p, by=current_user, words=f.words.data),
    "lose": lambda p, f, k: workflow.lose(p, by=current_user, words=f.words.data),
    "see": lambda p, f, k: workflow.see(p, by=current_user),
    "void": lambda p, f, k: workflow.void(p, by=current_user, reason=f.reason.data),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.PAPER_READ)
def note(number):
    return VERBS.note(number, workflow.note)
