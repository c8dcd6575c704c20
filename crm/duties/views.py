from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.duties import editions, owed, queries, workflow
from crm.duties.forms import DecideForm, MoreTimeForm
from crm.duties.table import OWED, TABLE
from crm.errors import Refused
from crm.forms import CrmForm, attempt
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import needs

bp = Blueprint("duties", __name__)
BACK = ("/callbacks",)  # where a duty may be taken on, besides Today


@bp.get("/duties")
@needs(P.SIGNED_IN)
def missed():
    """What was missed, when and by whom, and what it may cost."""
    wanted, page = TABLE.asked(current_user, request.args)
    everybody = current_user.may(P.WATCH)
    return render_template(
        "duties/missed.html", page=page, wanted=wanted, rules=editions.todays().rules, everybody=everybody
    )


@bp.get("/duties/owed")
@needs(P.SIGNED_IN)
def was_due():
    """All that was due and how it fared: what stands behind the figures of fairness."""
    wanted, page = OWED.asked(current_user, request.args)
    return render_template("duties/owed.html", page=page, wanted=wanted, rules=editions.todays().rules, fared=owed.Fared,
                           how=owed.how, by=owed.by, fines=editions.todays().penalties)  # fmt: skip


@bp.route("/duties/<id:duty_id>/extension", methods=["GET", "POST"])
@needs(P.SIGNED_IN)
def extension(duty_id):
    duty, form = queries.get(duty_id, current_user), MoreTimeForm()

    def ask():
        workflow.ask_more_time(duty, by=current_user, reason=form.reason.data, wanted=form.wanted.data)
        flash(_("Asked. Until the manager has answered, the deadline does not count as missed."))
        return redirect(duty.subject.path, 303)

    def show(refusal: Refused | None):
        duty = queries.get(duty_id, current_user)
        return render_template("duties/extension.html", form=form, duty=duty, refusal=refusal)

    return attempt(form, ask, show)


def _back():
    """To where it was pressed: Today, or a desk of its own."""
    back = request.form.get("back", "")
    return redirect(back if back in BACK else "/", 303)


@bp.post("/duties/<id:duty_id>/claim")
@needs(P.CALLBACK_WORK)
def claim(duty_id):
    """Take on what falls to one's role."""
    duty = queries.get(duty_id, current_user)
    workflow.claim(duty, by=current_user)
    flash(_("It is yours now."))
    return _back()


@bp.post("/duties/<id:duty_id>/release")
@needs(P.CALLBACK_WORK)
def release(duty_id):
    """Give back what one took on."""
    duty = queries.get(duty_id, current_user)
    workflow.release(duty, by=current_user)
    flash(_("Given back: it falls to your role again."))
    return _back()


@bp.route("/extensions/<id:extension_id>", methods=["GET", "POST"])
@needs(P.TIME_GRANT)
def decision(extension_id):
    asked = queries.request_for_time(extension_id, current_user)
    form = DecideForm(data={"until": asked.wanted})

    def decide():
        granted = form.granted.data == "yes"
        workflow.decide_more_time(
            asked, by=current_user, granted=granted, until=form.until.data, remark=form.remark.data
        )
        flash(_("The new date is granted.") if granted else _("Not granted; the old deadline stands."))
        return redirect("/", 303)

    def show(refusal: Refused | None):
        asked = queries.request_for_time(extension_id, current_user)
        names = queries.names([asked.asked_by_id, asked.decided_by_id])
        return render_template("duties/decision.html", form=form, asked=asked, names=names, refusal=refusal)

    return attempt(form, decide, show)


@bp.get("/rulebook")
@needs(P.SIGNED_IN)
def rulebook():
    """The edition that holds today."""
    every = queries.issued()
    number = next(edition.number for edition in every if edition.holds_from <= clock.now())
    return _show_edition(number, every)


@bp.get("/rulebook/<number:number>")
@needs(P.SIGNED_IN)
def edition(number):
    return _show_edition(number, queries.issued())


def _show_edition(number: str, every: list):
    edition = queries.edition(number)
    return render_template(
        "duties/rulebook.html", edition=edition, book=editions.book(edition.id), every=every, form=CrmForm(formdata=None),
        acknowledged=queries.acknowledged(edition, current_user), moves=workflow.MOVES, lacks=_lacks(edition, every[0]),
        carried=editions.book(edition.id).carried_out,
    )  # fmt: skip


def _lacks(edition, newest) -> list:
    """For whoever may issue an edition: what the newest one does not ask for though the program could."""
    asked = edition.id == newest.id and current_user.may(P.RULEBOOK_ISSUE)
    return editions.book(edition.id).lacks(editions.shipped()) if asked else []


@bp.post("/rulebook/<number:number>/confirmation")
@needs(P.RULEBOOK_ISSUE)
def confirmation(number):
    edition = queries.edition(number)
    check_version(edition, CrmForm().opened_version)
    workflow.confirm(edition, by=current_user)
    flash(_("Confirmed: the defaults hold as the department's own."))
    return redirect(edition.path, 303)


@bp.post("/rulebook/<number:number>/acknowledgement")
@needs(P.SIGNED_IN)
def acknowledgement(number):
    edition = queries.edition(number)
    workflow.acknowledge(edition, by=current_user)
    flash(_("Acknowledged. The rulebook stays here to be looked things up in."))
    return redirect(edition.path, 303)
