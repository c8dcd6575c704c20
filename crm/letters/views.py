from flask import Blueprint, Response, abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import lists
from crm.answers import repeatable
from crm.duties import queries as duties
from crm.duties.message import Message, MessageState, Way
from crm.errors import Refused, Stale
from crm.files import store
from crm.forms import CrmForm, ReasonForm, attempt
from crm.labels import N_
from crm.letters import batch, filling, forms, handling, outgoing, queries, sample, workflow
from crm.letters.answer import inline
from crm.letters.letter import prepare
from crm.letters.models import LetterVersion
from crm.letters.table import called, kinds, standing
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import needs

bp = Blueprint("letters", __name__)


@bp.get("/letters")
@needs(P.LETTER_READ)
def index():
    return render_template("letters/list.html", letters=queries.every(current_user), kinds=kinds())


@bp.route("/letters/new", methods=["GET", "POST"])
@needs(P.LETTER_EDIT)
def new():
    form = forms.NewLetterForm()
    form.template.offer(kinds().items())

    def act():
        letter = workflow.add(
            by=current_user, template=form.template.data, brand=form.brand.data, language=form.language.data,
            title=form.title.data, subject=form.subject.data, body=form.body.data,
        )  # fmt: skip
        flash(_("%(name)s is added.", name=letter.title))
        return redirect(letter.path, 303)

    def show(refusal: Refused | None):
        return render_template("letters/new.html", form=form, refusal=refusal, fields=filling.FIELDS)

    return attempt(form, act, show)


@bp.get("/letters/<number:number>")
@needs(P.LETTER_READ)
def letter(number):
    """The text, its versions, and how it looks."""
    return _page(number, _form(queries.get(number, current_user)))


def _page(number: str, form: forms.LetterForm, refusal: Refused | None = None):
    letter = queries.get(number, current_user)
    if isinstance(refusal, Stale):
        form.beside(_form(letter, formdata=None))
    return render_template("letters/letter.html", form=form, letter=letter, refusal=refusal, fields=filling.FIELDS,
                           moves=workflow.MOVES, kinds=kinds())  # fmt: skip


@bp.post("/letters/<number:number>/text")
@needs(P.LETTER_EDIT)
def change(number):
    """The director changes it: a new version."""
    letter = queries.get(number, current_user)
    form = _form(letter)

    def act():
        check_version(letter, form.opened_version)
        workflow.change(letter, by=current_user, title=form.title.data, subject=form.subject.data, body=form.body.data)
        flash(_("Saved."))
        return redirect(letter.path, 303)

    return attempt(form, act, lambda refusal: _page(number, form, refusal))


def _form(letter, **kwargs) -> forms.LetterForm:
    text = letter.text
    known = {"title": letter.title, "subject": text.subject, "body": text.body, "version": letter.version}
    return forms.LetterForm(data=known, **kwargs)


@bp.get("/letters/<number:number>/preview.pdf")
@needs(P.LETTER_READ)
def preview(number):
    """The letter with sample values, as it would be printed; an earlier text of it, if `version` names one."""
    letter, asked = queries.get(number, current_user), lists.key(request.args, "version")
    text = next((one for one in letter.versions if one.n == asked), None)
    if asked and text is None:
        abort(404)
    return inline(sample.sheet_of(letter, text), f"{number}-preview")


@bp.post("/letters/<number:number>/preview.pdf")
@repeatable
@needs(P.LETTER_EDIT)
def try_out(number):
    """What is typed and not saved yet, as it would be printed. Nothing is kept, so it may be asked for again."""
    letter = queries.get(number, current_user)
    form = _form(letter)

    def act():
        workflow.check(form.subject.data, form.body.data)
        typed = LetterVersion(subject=form.subject.data, body=form.body.data)
        return inline(sample.sheet_of(letter, typed), f"{number}-preview")

    return attempt(form, act, lambda refusal: _page(number, form, refusal))


def _act(name: str):
    """One of a letter's moves: a tap."""

    def act(number):
        letter = queries.get(number, current_user)
        getattr(workflow, name)(letter, by=current_user)
        flash(_(workflow.MOVES[name].done))
        return redirect(letter.path, 303)

    return needs(P.LETTER_EDIT)(act)


for _name, _move in workflow.MOVES.items():
    bp.add_url_rule(f"/letters/<number:number>/{_move.noun}", _name, _act(_name), methods=["POST"])


batch.hang(bp)


@bp.get("/outbox/<id:message_id>")
@needs(P.LETTER_READ)
def message(message_id):
    return _message(message_id)


def _customer(found: Message):
    of = found.subject.customer_id
    return duties.names([of]).get(of)


def _message(message_id: int, refusal: Refused | None = None, **bound: CrmForm):
    found = queries.message(message_id, current_user)
    story, reached = queries.story(found), outgoing.reached(found)
    asked = {"decide": _closing(found), "withdraw": ReasonForm, "again": forms.AgainForm}
    shown = {name: kind(formdata=None) for name, kind in asked.items()}
    return render_template(
        "letters/message.html", message=found, subject=found.subject, customer=_customer(found), message_states=MessageState,
        ways=Way, refusal=refusal, form=CrmForm(formdata=None), forms=shown | bound, bound=next(iter(bound), ""),
        may_again=handling.may_again(found), unsettled=queries.unsettled(found), called=called, standing=standing(found),
        story=story, names=duties.names(event.actor_id for event in story), reached=reached, replaces=queries.replaces(found),
    )  # fmt: skip


def _closing(message: Message) -> type[CrmForm]:
    """What is asked of one nobody knows the outcome of, and of one that did not reach the customer."""
    return forms.DecideForm if message.state == MessageState.UNKNOWN else forms.CloseForm


@bp.get("/outbox/<id:message_id>/letter.pdf")
@needs(P.LETTER_READ)
def sheet(message_id):
    return inline(_kept(queries.message(message_id, current_user).sheet_sha256), f"letter-{message_id}")


@bp.get("/outbox/<id:message_id>/preview.pdf")
@needs(P.LETTER_READ)
def look(message_id):
    """One that waits, as it would be sent now."""
    found = queries.message(message_id, current_user)
    if found.state != MessageState.QUEUED:
        return redirect(f"/outbox/{message_id}", 303)
    return inline(outgoing.seen(lambda: prepare(found).sheet), f"letter-{message_id}-preview")


@bp.get("/outbox/<id:message_id>/mail.eml")
@needs(P.LETTER_READ)
def mail(message_id):
    """What was sent, byte for byte."""
    answer = Response(_kept(queries.message(message_id, current_user).mail_sha256), mimetype="message/rfc822")
    answer.headers["Content-Disposition"] = f'attachment; filename="letter-{message_id}.eml"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _kept(sha256: str | None) -> bytes:
    content = store.read(sha256) if sha256 else None
    if content is None:
        abort(404)
    return content


@bp.post("/outbox/<id:message_id>/again")
@needs(P.NOTICE_SEND)
def again(message_id):
    """Sent once more, on purpose and with a reason."""
    form, found = forms.AgainForm(), queries.message(message_id, current_user)

    def act():
        made = handling.again(found, by=current_user, words=form.reason.data, on_paper=form.paper.data == "y")
        flash(_("It is in the outbox once more."))
        return redirect(f"/outbox/{made.id}", 303)

    return attempt(form, act, lambda refusal: _message(message_id, refusal, again=form))


@bp.post("/outbox/<id:message_id>/outcome")
@needs(P.NOTICE_SEND)
def outcome(message_id):
    found = queries.message(message_id, current_user)
    form = _closing(found)()

    def act():
        handling.decide(found, by=current_user, arrived=form.arrived.data == "yes", words=form.words.data)
        flash(_("Noted what became of it."))
        return redirect(f"/outbox/{message_id}", 303)

    return attempt(form, act, lambda refusal: _message(message_id, refusal, decide=form))


@bp.post("/outbox/<id:message_id>/withdrawal")
@needs(P.NOTICE_SEND)
def withdraw(message_id):
    form = ReasonForm()
    found = queries.message(message_id, current_user)

    def act():
        handling.withdraw(found, by=current_user, words=form.reason.data)
        flash(_("It is not sent."))
        return redirect(f"/outbox/{message_id}", 303)

    return attempt(form, act, lambda refusal: _message(message_id, refusal, withdraw=form))


def _tap(name: str, said: str):
    def tap(message_id):
        getattr(handling, name)(queries.message(message_id, current_user), by=current_user)
        flash(_(said))
        return redirect(f"/outbox/{message_id}", 303)

    return needs(P.NOTICE_SEND)(tap)


for _noun, _verb, _said in (
    ("paper", "put_on_paper", N_("It will be printed and posted.")), ("posting", "posted", N_("Noted that it is in the post.")),
):  # fmt: skip
    bp.add_url_rule(f"/outbox/<id:message_id>/{_noun}", _verb, _tap(_verb, _said), methods=["POST"])
