from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import refresh
from flask_login import current_user

from crm.errors import Invalid, Refused, Stale
from crm.forms import attempt
from crm.labels import N_
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import queries, workflow
from crm.staff.forms import LoginForm, NewUserForm, PasswordForm, ResetForm, UserForm
from crm.staff.models import User
from crm.staff.session import LANGUAGES, begin, local_path, present_login

bp = Blueprint("staff", __name__)


@bp.route("/login", methods=["GET", "POST"])
@needs(P.PUBLIC)
def login():
    form = LoginForm()

    def enter():
        agent = request.user_agent.string
        entered = workflow.log_in(form.login.data, form.password.data, address=request.remote_addr or "", agent=agent)
        if entered is None:
            raise Invalid(N_("Log-in name or password is wrong."))
        begin(entered[1])
        return redirect(local_path(request.args.get("next")), 303)

    return attempt(form, enter, lambda refusal: render_template("staff/login.html", form=form, refusal=refusal))


@bp.post("/logout")
@needs(P.PUBLIC)
def logout():
    if current_session := present_login():
        workflow.log_out(current_session)
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language
    return redirect(url_for("staff.login"), 303)


@bp.post("/language")
@needs(P.PUBLIC)
def language():
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session["language"] = chosen
        if current_user.is_authenticated:
            current_user.language = chosen
        refresh()
    return redirect(local_path(request.form.get("back")), 303)


@bp.get("/account")
@needs(P.SIGNED_IN)
def account():
    return render_template("staff/account.html")


@bp.route("/account/password", methods=["GET", "POST"])
@needs(P.SIGNED_IN)
def password():
    form, forced = PasswordForm(), current_user.must_change

    def change():
        if form.password.data != form.again.data:
            raise Invalid(fields={"again": N_("The two are not the same.")})
        workflow.change_password(current_user, form.present.data, form.password.data, keep=present_login())
        flash(_("Your password is changed; all your other log-ins have ended."))
        return redirect("/" if forced else url_for("staff.account"), 303)

    return attempt(form, change, lambda refusal: render_template("staff/password.html", form=form, refusal=refusal))


@bp.get("/staff")
@needs(P.STAFF_EDIT)
def index():
    return render_template("staff/list.html", people=queries.everybody())


@bp.route("/staff/new", methods=["GET", "POST"])
@needs(P.STAFF_EDIT)
def new():
    form = NewUserForm()

    def add():
        if not form.active.data:
            raise Invalid(fields={"active": N_("A new account may log in; make it inactive later.")})
        user = workflow.add_user(form.login.data, form.title.data, form.roles.data, form.password.data, by=current_user,
                                 phone=form.phone.data, email=form.email.data, language=form.language.data or None)  # fmt: skip
        flash(_("%(name)s may log in now.", name=user.name))
        return redirect(url_for("staff.index"), 303)

    return attempt(form, add, lambda refusal: render_template("staff/edit.html", form=form, refusal=refusal, user=None))


def _form_of(user: User, **kwargs) -> UserForm:
    return UserForm(obj=user, data={"active": user.is_active, "roles": sorted(user.roles)}, **kwargs)


@bp.route("/staff/<number:number>", methods=["GET", "POST"])
@needs(P.STAFF_EDIT)
def edit(number):
    user = queries.get(number)
    form = _form_of(user)

    def save():
        check_version(user, form.opened_version)
        details = {"title": form.title.data, "phone": form.phone.data, "email": form.email.data}
        workflow.edit_user(user, by=current_user, roles=form.roles.data, active=form.active.data,
                           language=form.language.data or None, **details)  # fmt: skip
        flash(_("Saved."))
        return redirect(url_for("staff.index"), 303)

    def show(refusal: Refused | None):
        if isinstance(refusal, Stale):
            form.beside(_form_of(queries.get(number), formdata=None))
        reset = ResetForm(formdata=None)
        return render_template("staff/edit.html", form=form, refusal=refusal, user=queries.get(number), reset=reset)

    return attempt(form, save, show)


@bp.post("/staff/<number:number>/password")
@needs(P.STAFF_EDIT)
def reset(number):
    user, form = queries.get(number), ResetForm()

    def set_password():
        workflow.set_password(user, form.password.data, by=current_user)
        flash(_("%(name)s has a new password, to be changed at the next log-in.", name=user.name))
        return redirect(url_for("staff.index"), 303)

    def show(refusal: Refused | None):
        user = queries.get(number)
        return render_template(
            "staff/edit.html", form=_form_of(user, formdata=None), user=user, reset=form, refusal=refusal
        )

    return attempt(form, set_password, show)
