import secrets
from datetime import datetime
from types import SimpleNamespace

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock, lists
from crm.absences import queries as absences
from crm.answers import repeatable, unattended
from crm.contracts import queries as contracts
from crm.contracts.steps import standing
from crm.customers import queries as customers
from crm.customers.models import Grade
from crm.desk import presence, queries, today
from crm.desk.dashboard import counts as dashboard_counts
from crm.desk.dashboard import parts
from crm.desk.search import find
from crm.desk.shelf import shelf_of
from crm.duties import queries as duties
from crm.duties.workflow import see_all_notices, see_notice
from crm.forms import CrmForm
from crm.migrating import behind
from crm.penalties import queries as penalties
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.serials import queries as serials
from crm.serials.coverage import verdicts
from crm.serials.customers import TABLE as CUSTOMERS
from crm.serials.models import Standing
from crm.staff import queries as staff
from crm.words import words_in

bp = Blueprint("desk", __name__)


class PlainForm:
    """What a form of a single button carries, without the making of a form."""

    def __init__(self) -> None:
        self.request_id = SimpleNamespace(data=secrets.token_hex(16))


def shell() -> dict:
    """What the frame of every page shows."""
    if not current_user.is_authenticated:
        return {"waiting": 0, "unseen": 0}
    return {
        **queries.counts(current_user), "plain_form": PlainForm(),
        "shelf_of": lambda key: shelf_of(current_user, key),
    }  # fmt: skip


@bp.get("/")
@needs(P.SIGNED_IN)
def index():
    """Today: mine, or everybody's for those who look after the whole."""
    everybody = current_user.may(P.DUTY_READ_ANY) and request.args.get("whose") != "mine"
    rows = today.rows_of(duties.owed(current_user, everybody=everybody), current_user)
    done = today.rows_of(duties.kept_since(current_user, today.midnight()), current_user)
    return render_template(
        "desk/today.html", groups=today.groups(rows), rows=rows, done=done, names=today.names(rows + done),
        everybody=everybody, most=duties.MOST, form=CrmForm(formdata=None), gone=absences.gone_today(current_user),
        witness=penalties.to_witness(current_user),
    )  # fmt: skip


@bp.get("/dashboard")
@needs(P.SIGNED_IN)
def dashboard():
    """Each of one's roles at a glance."""
    some = parts(current_user)
    return render_template("desk/dashboard.html", parts=some, counts=dashboard_counts(current_user, some))


@bp.get("/customers")
@needs(P.CUSTOMER_READ)
def customer_list():
    wanted, page = CUSTOMERS.asked(current_user, request.args)
    return render_template(
        "desk/customers.html", page=page, wanted=wanted, grades=Grade, regions=customers.regions(), people=staff.choices()
    )


@bp.get("/customers/<number:number>")
@needs(P.CUSTOMER_READ)
def customer(number):
    """The customer with all that belongs to it, and its whole history in time order."""
    unit = customers.get(number, current_user)
    events = duties.history(unit.id, current_user, before=_place(request.args.get("before", "")))
    shown, more = events[:50], len(events) > 50
    installed = serials.of(unit.id, current_user)
    return render_template(
        "desk/customer.html", customer=unit, contacts=customers.contacts(unit.id), events=shown, installations=installed,
        more=f"{shown[-1][0].at.timestamp()}_{shown[-1][0].id}" if more else "", agreed=serials.contracts_of(installed),
        visits=queries.visits_of(unit.id, current_user), contracts=contracts.of_customer(unit.id, current_user),
        standings=Standing, standing=standing, verdict=verdicts([unit.id])[unit.id], lacks=serials.what_lacks([unit.id])[unit.id],
        names=duties.names_in((event for event, _ in shown), current_user, unit.owner_id),
    )  # fmt: skip


def _place(text: str) -> tuple[datetime, int] | None:
    """Where in the history to go on: a moment and the event's id."""
    moment, _, id = text.partition("_")
    try:
        at = datetime.fromtimestamp(float(moment), clock.ZONE)
        return (at, int(id)) if at.year in clock.YEARS and 0 < int(id) < 2**31 else None
    except (ValueError, OverflowError, OSError):
        return None


@bp.get("/search")
@needs(P.SIGNED_IN)
def search():
    """Over everything the reader may see."""
    text = lists.words(request.args)
    found = find(current_user, text, before=lists.key(request.args, most=2**62))
    return render_template("desk/search.html", found=found, text=text, short=bool(text) and not words_in(text))


@bp.get("/customers/lookup")
@needs(P.CUSTOMER_READ)
def lookup():
    """Type-ahead: units that fit the words, each with its coverage verdict; with `mine` none in somebody else's care."""
    text, mine = lists.words(request.args), "mine" in request.args and not current_user.may(P.CONTRACT_WORK_ANY)
    found = customers.find(text, current_user, mine=mine) if text else []
    coverage = verdicts([unit.id for unit in found])
    return jsonify(
        [{"value": unit.number, "text": unit.title, "full": unit.full_name, "code": unit.code or "",
          "coverage": coverage[unit.id].coverage, "said": _(coverage[unit.id].coverage.label),
          "until": str(coverage[unit.id].until or "")} for unit in found]
    )  # fmt: skip


@bp.post("/presence/<number:number>")
@needs(P.SIGNED_IN)
@repeatable
@unattended
def presence_of(number):
    """The page is open, or is left; who else has it open."""
    subject = duties.by_number(number, current_user)
    if request.form.get("leaving"):
        presence.leave(current_user, subject)
        return jsonify([])
    return jsonify(presence.say(current_user, subject))


@bp.get("/notices")
@needs(P.SIGNED_IN)
def notices():
    """What others did that concerns me."""
    rows, after = lists.cut(duties.notices(current_user, before=lists.key(request.args)), lambda row: row[0].id)
    names = duties.names_in((event for _notice, event, _subject in rows), current_user)
    return render_template("desk/notices.html", page=lists.Page(rows, after), names=names, form=CrmForm(formdata=None))


@bp.post("/notices/<id:notice_id>/reading")
@needs(P.SIGNED_IN)
def read_notice(notice_id):
    return redirect(see_notice(current_user, notice_id).path, 303)


@bp.post("/notices/reading")
@needs(P.SIGNED_IN)
def read_notices():
    see_all_notices(current_user)
    return redirect(url_for("desk.notices"), 303)


@bp.get("/healthz")
@needs(P.PUBLIC)
def healthz():
    """The process answers."""
    return {"ok": True}


@bp.get("/readyz")
@needs(P.PUBLIC)
def readyz():
    """The database answers and its tables are those of this version; when the worker last swept, and what failed then."""
    if wrong := behind():
        return {"ok": False, "why": wrong}, 503
    return {"ok": True, **queries.swept()}
