"""Settings the administrator keeps: the working calendar's overrides, the head of letters and forms, who needs a code."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy import select

from crm import clock, workdays
from crm.answers import own_units
from crm.db import db
from crm.duties import queries as duties
from crm.errors import Invalid, Stale
from crm.forms import CrmForm, DayField, LineField, PickField, attempt
from crm.labels import N_, Labelled
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.staff import confirm, factor, queries, workflow
from crm.staff.forms import OwnForm, RolesField
from crm.staff.models import Department
from crm.workdays import CalendarOverride

bp = Blueprint("settings", __name__, url_prefix="/settings")


class DayKind(Labelled):
    OFF = "off", N_("Day off")
    WORKED = "worked", N_("Working day")


class DayForm(CrmForm):
    day = DayField(_l("Day"), required=True)
    kind = PickField(_l("Is a"), DayKind, required=True, default=DayKind.OFF)
    name = LineField(_l("Name of the day"), most=50)
    source = LineField(_l("Source"), most=200, description=_l("The notice it comes from."))


def _render(form: DayForm, refusal):
    overrides = db.session.scalars(select(CalendarOverride).order_by(CalendarOverride.day.desc()).limit(200)).all()
    year, calendar = clock.today().year, workdays.calendar()
    return render_template(
        "settings/calendar.html", form=form, refusal=refusal, overrides=overrides,
        projected=[one for one in (year, year + 1) if calendar.projected(one)],
    )  # fmt: skip


@bp.route("/calendar", methods=["GET", "POST"])
@needs(P.SETTINGS_EDIT)
def calendar():
    form = DayForm()

    def save():
        worked = form.kind.data == DayKind.WORKED
        words = {"name": form.name.data, "source": form.source.data}
        workflow.set_day(form.day.data, by=current_user, working=worked, **words)
        flash(_("Saved. Deadlines that are already set stay; new ones are counted with it."))
        return redirect(url_for("settings.calendar"), 303)

    return attempt(form, save, lambda refusal: _render(form, refusal))


class CompanyForm(CrmForm):
    """Its fields bear the names of the columns."""

    company = LineField(_l("The company's name"), most=100)
    company_en = LineField(_l("Its name in English"), most=100)
    address = LineField(_l("Address"), most=200)
    phone = LineField(_l("Telephone"), most=50)
    account = LineField(_l("Bank account"), most=200, description=_l("Bank, name and number: where customers pay to."))


@bp.route("/company", methods=["GET", "POST"])
@needs(P.SETTINGS_EDIT)
def company():
    ours = queries.department()
    form = CompanyForm(obj=ours)

    def save():
        if ours:
            check_version(ours, form.opened_version)
        workflow.set_company(by=current_user, **{name: form[name].data or "" for name in Department.FIELDS})
        flash(_("Saved. What is printed or written from now on bears it."))
        return redirect(url_for("settings.company"), 303)

    def show(refusal):
        if isinstance(refusal, Stale):
            form.beside(CompanyForm(obj=queries.department(), formdata=None))
        return render_template("settings/company.html", form=form, refusal=refusal)

    return attempt(form, save, show)


class AccessForm(OwnForm):
    roles = RolesField(
        _l("Who needs the second factor"),
        description=_l("Whoever holds one of these roles sets it up at the next click."),
    )


@bp.route("/access", methods=["GET", "POST"])
@needs(P.SETTINGS_EDIT)
@own_units
def access():
    form = confirm.asked(AccessForm(data={"roles": sorted(workflow.required_factors())}))

    def save():
        factor.require(form.roles.data or [], by=current_user)
        flash(_("Saved."))
        return redirect(url_for("settings.access"), 303)

    def show(refusal):
        events = queries.story(found) if (found := queries.department()) else []
        return render_template("settings/access.html", form=form, refusal=refusal, events=events,
                               names=duties.names_in(events, current_user))  # fmt: skip

    return attempt(form, lambda: confirm.carry_out(confirm.given(form), save), show)


@bp.post("/calendar/notice")
@needs(P.SETTINGS_EDIT)
def notice():
    """The yearly notice as a JSON file."""
    form = CrmForm()

    def take():
        given = request.files.get("notice")
        try:
            count = workflow.take_notice(given.read().decode(), by=current_user) if given else 0
        except ValueError as wrong:
            raise Invalid(N_("This is not a yearly notice of holidays: nothing was changed.")) from wrong
        flash(_("%(n)s days are set.", n=count))
        return redirect(url_for("settings.calendar"), 303)

    return attempt(form, take, lambda refusal: _render(DayForm(formdata=None), refusal))
