"""The way in and out: log-in, second factor, one-time links, language."""

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import refresh
from flask_login import current_user

from crm import catalogue
from crm.answers import once, own_units
from crm.db import db, unit_of_work
from crm.errors import Invalid
from crm.forms import attempt
from crm.labels import N_
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import access, entrance, links, workflow
from crm.staff.forms import CodeForm, LoginForm, WelcomeForm
from crm.staff.known import remember, visitor
from crm.staff.models import AccessKind, Login, User
from crm.staff.session import LANGUAGES, begin, ended, local_path, present_login, waiting_login

bp = Blueprint("door", __name__)


def _inside(token: str, user: User) -> Response:
    back = local_path(request.args.get("next"))
    if (before := present_login()) is not None:
        with unit_of_work():
            workflow.log_out(db.session.get_one(Login, before.id))
    begin(token)
    return remember(redirect(back, 303), user)  # type: ignore[arg-type]


@bp.route("/login", methods=["GET", "POST"])
@needs(P.PUBLIC)
@own_units
def login():
    form = LoginForm()

    def enter():
        entered, token = entrance.log_in(form.login.data, form.password.data, visitor())
        if entered.awaits_code:
            begin(token)
            return redirect(url_for("door.code", next=request.args.get("next")), 303)
        return _inside(token, entered.user)

    def show(refusal):
        return render_template("staff/login.html", form=form, refusal=refusal, ended=not refusal and ended())

    return attempt(form, enter, show)


@bp.route("/login/code", methods=["GET", "POST"])
@needs(P.PUBLIC)
@own_units
def code():
    """The second factor, between the password and the pages."""
    waiting: Login | None = waiting_login()
    if waiting is None:
        return redirect(url_for("door.login"))
    form = CodeForm()

    def enter():
        user, token = entrance.give_code(waiting, form.code.data, visitor())
        return _inside(token, user)

    return attempt(form, enter, lambda refusal: render_template("staff/code.html", form=form, refusal=refusal))


@bp.route("/welcome/<string(length=32):token>", methods=["GET", "POST"])
@needs(P.PUBLIC)
@own_units
def welcome(token):
    """A one-time link: choose a password. The browser is known from then on, so that no stranger's tries hold it up."""
    _link, user = links.of(token)
    form, name, account = WelcomeForm(), user.name, entrance.account_of(user)

    def choose():
        if form.password.data != form.again.data:
            raise Invalid(fields={"again": N_("The two are not the same.")})
        hash = entrance.new_password(form.password.data, account)
        return once(lambda: chosen(hash))

    def chosen(hash: str):
        user = links.use(token, hash)
        flash(_("Your password is set. Log in with it."))
        return remember(redirect(url_for("door.login"), 303), user)  # type: ignore[arg-type]

    def show(refusal):
        return render_template("staff/welcome.html", form=form, refusal=refusal, name=name, login=login_name)

    login_name = user.login
    return attempt(form, choose, show)


@bp.post("/logout")
@needs(P.PUBLIC)
def logout():
    if leaving := present_login() or waiting_login():
        workflow.log_out(leaving)
        access.note_request(AccessKind.LEFT, leaving.user_id)
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language
    return redirect(url_for("door.login"), 303)


@bp.post("/language")
@needs(P.PUBLIC)
def language():
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session["language"] = chosen
        if current_user.is_authenticated:
            current_user.language = chosen
        refresh()
        catalogue.forget()
    return redirect(local_path(request.form.get("back")), 303)
