from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm.duties.models import Subject
from crm.errors import NotThere, Refused
from crm.files import queries as files
from crm.files.drafts import received
from crm.forms import attempt
from crm.letters.answer import pdf
from crm.penalties import fairness, forms, page, printing, queries, workflow
from crm.penalties.models import HANDED_OUT, PENDING, STANDING, Outcome, Sanction, State
from crm.penalties.moves import MOVES
from crm.penalties.table import TABLE
from crm.penalties.workflow import Found
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import queries as staff
from crm.verbs import Verbs

bp = Blueprint("penalties", __name__, url_prefix="/penalties")
bp.add_app_template_global(lambda duties: queries.of_duties((one.id for one in duties), current_user), "penalties_of")


@bp.record_once
def known(state) -> None:
    """A line of a story names what an appeal came to."""
    state.app.jinja_env.globals["appeal_outcomes"] = Outcome


@bp.get("")
@needs(P.SIGNED_IN)
def index():
    wanted, rows = TABLE.asked(current_user, request.args)
    return render_template(
        "penalties/list.html", page=rows, wanted=wanted, states=State, sanctions=Sanction, pending=PENDING, standing=STANDING,
        people=staff.choices(page.EVERYBODY), keys=page.choices(),
        unfair=fairness.unfair() if current_user.may(P.PENALTY_READ_ANY) else [],
    )  # fmt: skip


@bp.get("/fairness")
@needs(P.PENALTY_READ_ANY)
def fair():
    """How each clause that costs something has fared."""
    wanted = fairness.Scope.of(request.args)
    return render_template("penalties/fairness.html", scope=wanted, lines=fairness.lines(wanted), few=fairness.FEW)


def _form(of: Subject | None, **kwargs) -> forms.EnterForm:
    about = {"happened_at": of.opened_at, "title": f"{of.number} {of.title}"} if of else {}
    known = {**about, "key": request.args.get("key", "")}
    form = forms.EnterForm(data={**known, "person": of.owner_id if of else None}, **kwargs)
    form.key.offer(page.choices(priced=True))
    form.person.offer(staff.offered(staff.choices(page.EVERYBODY), but=(current_user.id,)))
    return form


@bp.route("/new", methods=["GET", "POST"])
@needs(P.PENALTY_ENTER)
def new():
    """By hand: from what it is about, which the address names, or of nothing in the program."""
    of, drafts = queries.origin(request.values.get("of", "")[:20], current_user), []
    form = _form(of)

    def act():
        person = staff.choice(form.person.data)
        assert person
        made = workflow.enter(Found(person=person, origin=of, **form.says()), by=current_user, files=[one.key for one in drafts])
        if workflow.may_issue(made) and queries.seen(made, current_user):
            flash(_("%(number)s is proposed: a manager other than you issues or waives it.", number=made.number))
        elif workflow.may_issue(made):
            flash(_("%(number)s is proposed. A manager issues or waives it; tell them if anything in it is wrong, for you do not "
                    "read it.", number=made.number))  # fmt: skip
        else:
            flash(_("%(number)s is proposed, and no manager may issue or waive it.", number=made.number), "warning")
        return redirect(made.path if queries.seen(made, current_user) else of.path if of else "/penalties", 303)

    def show(refusal: Refused | None):
        kept = files.drafts([one.key for one in drafts], current_user) or drafts
        return render_template("penalties/new.html", form=form, of=of, refusal=refusal, drafts=kept, says=page.says())

    return attempt(form, act, show, take=lambda: drafts.extend(received({"file_": ""})))


@bp.get("/<number:number>")
@needs(P.SIGNED_IN)
def penalty(number):
    return page.render(number)


@bp.get("/<number:number>/notice.pdf")
@needs(P.SIGNED_IN)
def notice(number):
    """The notice, once there is one."""
    penalty = queries.get(number, current_user)
    if penalty.state not in HANDED_OUT or not queries.read_whole(penalty, current_user):
        raise NotThere()
    return pdf(printing.notice, penalty, penalty.number)


VERBS = Verbs(queries.get, MOVES, page, acts={
    "issue": lambda p, f, k: workflow.issue(p, by=current_user, facts=f.facts.data or "", fen="fen" in f and f.fen.data or None),
    "waive": lambda p, f, k: workflow.waive(p, by=current_user, reason=f.reason.data),
    "withdraw": lambda p, f, k: workflow.withdraw(p, by=current_user, reason=f.reason.data),
    "sign": lambda p, f, k: workflow.sign(p, by=current_user, words=f.words.data or ""),
    "refuse": lambda p, f, k: workflow.refuse(p, by=current_user, words=f.words.data, ill_mannered=f.ill_mannered.data,
                                              witnesses=(staff.choice(f.first.data), staff.choice(f.second.data))),
    "confirm": lambda p, f, k: workflow.confirm(p, by=current_user),
    "appeal": lambda p, f, k: workflow.appeal(p, by=current_user, words=f.words.data),
    "appoint": lambda p, f, k: workflow.appoint(p, by=current_user, to=staff.choice(f.to.data), reason=f.reason.data),
    "decide": lambda p, f, k: workflow.decide(p, by=current_user, outcome=f.outcome.data, answer=f.answer.data, fen=f.fen.data),
    "weigh": lambda p, f, k: workflow.weigh(p, by=current_user, words=f.words.data),
})  # fmt: skip
VERBS.hang(bp)


@bp.post("/<number:number>/notes")
@needs(P.SIGNED_IN)
def note(number):
    if not queries.read_whole(queries.get(number, current_user), current_user):
        raise NotThere()
    return VERBS.note(number)
