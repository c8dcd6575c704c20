from collections.abc import Callable

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from crm.answers import once, own_units, shown_once
from crm.duties import queries as duties
from crm.errors import Invalid, Refused, Stale
from crm.forms import attempt
from crm.labels import N_
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import confirm, entrance, factor, links, passwords, queries, table, workflow
from crm.staff.forms import NewUserForm, OwnForm, ResetForm, UserForm
from crm.staff.models import AccessKind, User
from crm.staff.places import place
from crm.staff.session import base

bp = Blueprint("staff", __name__)


@bp.get("/staff")
@needs(P.STAFF_EDIT)
def index():
    wanted, page = table.TABLE.asked(current_user, request.args)
    return render_template("staff/list.html", page=page, wanted=wanted)


@bp.route("/staff/new", methods=["GET", "POST"])
@needs(P.STAFF_EDIT)
@own_units
def new():
    form = NewUserForm()

    def add():
        if not form.active.data:
            raise Invalid(fields={"active": N_("A new account may log in; make it inactive later.")})
        words = (form.login.data, form.title.data, form.email.data)
        hash = passwords.chosen(form.password.data, words) if form.password.data else ""
        return once(lambda: added(hash))

    def added(hash: str):
        user = workflow.add_user(form.login.data, form.title.data, form.roles.data, hash, by=current_user,
                                 phone=form.phone.data, email=form.email.data, language=form.language.data or None)  # fmt: skip
        if not hash:
            return _with_link(user, links.make(user, by=current_user))
        flash(_("%(name)s may log in now.", name=user.name))
        return redirect(url_for("staff.index"), 303)

    return attempt(form, add, lambda refusal: render_template("staff/edit.html", form=form, refusal=refusal, user=None))


def _with_link(user: User, token: str) -> Response:
    """Show the link once, on the account's page; only its hash is kept."""
    shown = _render(user, _form_of(user, formdata=None), None, link=f"{base()}/welcome/{token}")
    return shown_once(shown, f"{user.path}?shown=link")


def _form_of(user: User, **kwargs) -> UserForm:
    form = UserForm(obj=user, data={"active": user.is_active, "roles": sorted(user.roles)}, **kwargs)
    if user.id == current_user.id:  # nobody changes their own
        del form.roles, form.active
    return form


def _render(user: User, form: UserForm, refusal: Refused | None, reset: ResetForm | None = None, link: str = "") -> str:
    reset, events = reset or confirm.asked(ResetForm(formdata=None)), queries.story(user)
    return render_template(
        "staff/edit.html", events=events, names=duties.names_in(events, current_user),
        form=form, user=user, refusal=refusal, reset=reset, factor=factor.of(user), lives=links.LIVES.days,
        own=confirm.asked(OwnForm(formdata=None)), link=link, shown=request.args.get("shown") == "link",
    )  # fmt: skip


@bp.route("/staff/<number:number>", methods=["GET", "POST"])
@needs(P.STAFF_EDIT)
def edit(number):
    user = queries.get(number)
    form = _form_of(user)

    def save():
        check_version(user, form.opened_version)
        details = {"title": form.title.data, "phone": form.phone.data, "email": form.email.data}
        roles, active = (form.roles.data, form.active.data) if form.roles else (user.roles, user.is_active)
        workflow.edit_user(user, by=current_user, roles=roles, active=active,
                           language=form.language.data or None, **details)  # fmt: skip
        flash(_("Saved."))
        return redirect(url_for("staff.index"), 303)

    def show(refusal: Refused | None):
        if isinstance(refusal, Stale):
            form.beside(_form_of(queries.get(number), formdata=None))
        user = queries.get(number)
        return _render(user, form, refusal)

    return attempt(form, save, show)


@bp.post("/staff/<number:number>/password")
@needs(P.STAFF_EDIT)
@own_units
def reset(number):
    user, form = queries.get(number), confirm.asked(ResetForm())
    account = entrance.account_of(user)

    def choose():
        me = confirm.given(form)
        hash = entrance.new_password(form.password.data, account)
        return confirm.carry_out(me, lambda: set_password(hash))

    def set_password(hash: str):
        workflow.set_password(user, hash, by=current_user)
        flash(_("%(name)s has a new password, to be changed at the next log-in.", name=user.name))
        return redirect(url_for("staff.index"), 303)

    def show(refusal: Refused | None):
        user = queries.get(number)
        return _render(user, _form_of(user, formdata=None), refusal, reset=form)

    return attempt(form, choose, show)


def _confirmed(user: User, what: str, act: Callable):
    """`act`, once the administrator's own password is known to be in these hands."""
    form = confirm.asked(OwnForm())

    def show(refusal: Refused | None):
        return render_template("staff/confirm.html", form=form, refusal=refusal, what=what, user=user)

    return attempt(form, lambda: confirm.carry_out(confirm.given(form), act), show)


@bp.post("/staff/<number:number>/link")
@needs(P.STAFF_EDIT)
@own_units
def link(number):
    """A one-time link, for a forgotten password or the first log-in."""
    user = queries.get(number)
    return _confirmed(user, N_("Make a one-time link"), lambda: _with_link(user, links.make(user, by=current_user)))


@bp.post("/staff/<number:number>/factor-removal")
@needs(P.STAFF_EDIT)
@own_units
def remove_factor(number):
    """The phone is lost."""
    user = queries.get(number)

    def remove():
        factor.remove(user, by=current_user)
        flash(_("The second factor of %(name)s is removed; all log-ins of the account have ended.", name=user.name))
        return redirect(user.path, 303)

    return _confirmed(user, N_("Remove the second factor"), remove)


@bp.get("/staff/access")
@needs(P.STAFF_EDIT)
def access_log():
    wanted, page = table.ACCESS.asked(current_user, request.args)
    return render_template("staff/access.html", page=page, wanted=wanted, kinds=AccessKind, people=queries.entered(), place=place)
