"""One's own account: password, log-ins, second factor."""

import segno
from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from itsdangerous import BadData, URLSafeSerializer
from markupsafe import Markup

from crm.answers import own_units, shown_once
from crm.errors import Invalid
from crm.forms import CrmForm, attempt
from crm.labels import N_
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import access, confirm, entrance, factor, queries, workflow
from crm.staff.forms import ConfirmForm, FactorForm, PasswordForm
from crm.staff.known import remember
from crm.staff.models import AccessKind, Login
from crm.staff.session import present_login

bp = Blueprint("own", __name__, url_prefix="/account")


@bp.get("")
@needs(P.SIGNED_IN)
def account():
    return render_template(
        "staff/account.html", sessions=queries.sessions(current_user), here=present_login(), factor=factor.of(current_user),
        form=CrmForm(formdata=None),
    )  # fmt: skip


@bp.route("/password", methods=["GET", "POST"])
@needs(P.SIGNED_IN)
@own_units
def password():
    form, forced = PasswordForm(), current_user.must_change

    def change():
        if form.password.data != form.again.data:
            raise Invalid(fields={"again": N_("The two are not the same.")})
        me = confirm.given(form)
        if form.password.data == form.present.data:
            raise Invalid(fields={"password": N_("This is the old one.")})
        hash = entrance.new_password(form.password.data, me)
        return confirm.carry_out(me, lambda: changed(hash))

    def changed(hash: str):
        workflow.change_password(current_user, hash, keep=present_login())
        flash(_("Your password is changed; all your other log-ins have ended."))
        return remember(redirect("/" if forced else url_for("own.account"), 303), current_user)  # type: ignore[arg-type]

    return attempt(form, change, lambda refusal: render_template("staff/password.html", form=form, refusal=refusal))


def _end(sessions: list[Login]) -> None:
    if workflow.end_some(current_user, sessions, by=current_user):
        access.note_request(AccessKind.ENDED, current_user.id)


@bp.post("/sessions/<id:session_id>/end")
@needs(P.SIGNED_IN)
def end_session(session_id):
    """One of one's own; another's is not there."""
    _end([queries.own_session(current_user, session_id)])
    flash(_("This log-in has ended."))
    return redirect(url_for("own.account"), 303)


@bp.post("/sessions/others/end")
@needs(P.SIGNED_IN)
def end_others():
    here = present_login()
    others = [one for one in queries.sessions(current_user) if here is None or one.id != here.id]
    _end(others)
    flash(_("All your other log-ins have ended."))
    return redirect(url_for("own.account"), 303)


def _picture(secret: str) -> Markup:
    """The QR code as SVG: no script, no style, nothing of the person's in it but the secret itself."""
    qr = segno.make(factor.address_of(secret, current_user), error="m")
    return Markup(qr.svg_inline(omitsize=True, border=2, dark="#000", light="#fff"))  # noqa: S704 (segno's own drawing)


def _seal() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="second factor")


def _here() -> int:
    login = present_login()
    return login.id if login else 0


def _unsealed(sealed: str) -> str:
    """The secret a page of this log-in showed; nothing for any other."""
    try:
        login_id, secret = _seal().loads(sealed)
    except (BadData, ValueError, TypeError):
        return ""
    return secret if login_id == _here() else ""


@bp.route("/second-factor", methods=["GET", "POST"])
@needs(P.SIGNED_IN)
@own_units
def second_factor():
    """Set it up: scan, then type the code the phone shows. The secret waits in the page itself, sealed, until then."""
    form = FactorForm()
    if factor.of(current_user):
        return redirect(url_for("own.account"))
    secret = _unsealed(form.sealed.data or "") or factor.new_secret()
    form.sealed.data = _seal().dumps([_here(), secret])

    def begin():
        return confirm.carry_out(confirm.given(form), turn_on)

    def turn_on():
        codes = factor.set_up(current_user, secret, form.code.data, keep=present_login())
        return shown_once(render_template("staff/spare.html", codes=codes), url_for("own.spare"))

    def show(refusal):
        return render_template("staff/factor.html", form=form, refusal=refusal, secret=secret, picture=_picture(secret),
                               address=factor.address_of(secret, current_user))  # fmt: skip

    return attempt(form, begin, show)


@bp.get("/second-factor/spare")
@needs(P.SIGNED_IN)
def spare():
    """Where the form leads that is sent again: the codes were shown once."""
    if not factor.of(current_user):
        return redirect(url_for("own.account"))
    return render_template("staff/spare.html", codes=None)


@bp.route("/second-factor/removal", methods=["GET", "POST"])
@needs(P.SIGNED_IN)
@own_units
def remove_factor():
    form, what = ConfirmForm(), N_("Remove the second factor")

    def remove():
        factor.remove(current_user, by=current_user, keep=present_login())
        flash(_("The second factor is removed; all your other log-ins have ended."))
        return redirect(url_for("own.account"), 303)

    def show(refusal):
        return render_template("staff/confirm.html", form=form, refusal=refusal, what=what, user=None)

    return attempt(form, lambda: confirm.carry_out(confirm.given(form), remove), show)
