"""One's own account: password, log-ins, second factor."""

import segno
from flask import Blueprint, flash, redirect, render_template, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from crm.db import aside
from crm.errors import Invalid, TooOften
from crm.forms import CrmForm, attempt
from crm.labels import N_
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import factor, passwords, queries, throttle, workflow
from crm.staff.forms import CodeForm, ConfirmForm, PasswordForm
from crm.staff.session import present_login

bp = Blueprint("own", __name__, url_prefix="/account")


def _confirm(given: str) -> None:
    """The present password, asked for again; tries count here as they do at the door."""
    name = throttle.key("confirm", current_user.id)
    if throttle.spent(name) >= throttle.DOOR:
        raise TooOften()
    if not passwords.matches(given, current_user.password_hash):
        aside(lambda: throttle.take({name: throttle.DOOR}))
        raise Invalid(fields={"present": N_("This is not your present password.")})


@bp.get("")
@needs(P.SIGNED_IN)
def account():
    return render_template(
        "staff/account.html", sessions=queries.sessions(current_user), here=present_login(), factor=factor.of(current_user),
        form=CrmForm(formdata=None),
    )  # fmt: skip


@bp.route("/password", methods=["GET", "POST"])
@needs(P.SIGNED_IN)
def password():
    form, forced = PasswordForm(), current_user.must_change

    def change():
        if form.password.data != form.again.data:
            raise Invalid(fields={"again": N_("The two are not the same.")})
        _confirm(form.present.data)
        workflow.change_password(current_user, form.present.data, form.password.data, keep=present_login())
        flash(_("Your password is changed; all your other log-ins have ended."))
        return redirect("/" if forced else url_for("own.account"), 303)

    return attempt(form, change, lambda refusal: render_template("staff/password.html", form=form, refusal=refusal))


@bp.post("/sessions/<id:session_id>/end")
@needs(P.SIGNED_IN)
def end_session(session_id):
    """One of one's own; another's is not there."""
    workflow.end_some(current_user, [queries.own_session(current_user, session_id)], by=current_user)
    flash(_("This log-in has ended."))
    return redirect(url_for("own.account"), 303)


@bp.post("/sessions/others/end")
@needs(P.SIGNED_IN)
def end_others():
    here = present_login()
    others = [one for one in queries.sessions(current_user) if here is None or one.id != here.id]
    workflow.end_some(current_user, others, by=current_user)
    flash(_("All your other log-ins have ended."))
    return redirect(url_for("own.account"), 303)


def _picture(secret: str) -> Markup:
    """The QR code as SVG: no script, no style, nothing of the person's in it but the secret itself."""
    qr = segno.make(factor.address_of(secret, current_user), error="m")
    return Markup(qr.svg_inline(omitsize=True, border=2, dark="#000", light="#fff"))  # noqa: S704 (segno's own drawing)


@bp.route("/second-factor", methods=["GET", "POST"])
@needs(P.SIGNED_IN)
def second_factor():
    """Set it up: scan, then type the code the phone shows. The secret waits in one's own cookie until then."""
    form = CodeForm()
    if factor.of(current_user):
        return redirect(url_for("own.account"))
    secret = session.setdefault("factor", factor.new_secret())

    def begin():
        spare = factor.set_up(current_user, secret, form.code.data)
        session.pop("factor", None)
        session["spare"] = spare
        return redirect(url_for("own.spare"), 303)

    def show(refusal):
        return render_template("staff/factor.html", form=form, refusal=refusal, secret=secret, picture=_picture(secret))

    return attempt(form, begin, show)


@bp.get("/second-factor/spare")
@needs(P.SIGNED_IN)
def spare():
    """The spare codes, shown once."""
    codes = session.pop("spare", None)
    return render_template("staff/spare.html", codes=codes) if codes else redirect(url_for("own.account"))


@bp.route("/second-factor/removal", methods=["GET", "POST"])
@needs(P.SIGNED_IN)
def remove_factor():
    form = ConfirmForm()

    def remove():
        _confirm(form.present.data)
        factor.remove(current_user, by=current_user)
        flash(_("The second factor is removed."))
        return redirect(url_for("own.account"), 303)

    return attempt(form, remove, lambda refusal: render_template("staff/confirm.html", form=form, refusal=refusal))
