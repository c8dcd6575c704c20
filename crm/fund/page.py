"""A month's statement: who leads reads all of it, everybody else their own part."""

from typing import Any

from flask import render_template
from flask_login import current_user

from crm import lists
from crm.duties import queries as duties
from crm.errors import Refused
from crm.forms import CrmForm
from crm.fund import queries, statement
from crm.fund.models import Month, MonthEvent
from crm.fund.workflow import MOVES
from crm.penalties import table as penalties
from crm.penalties.models import Sanction
from crm.permissions import Permission
from crm.verbs import offered, told

SPENDING = (MonthEvent.SPENT, MonthEvent.REVERSED)


def form_for(name: str, month: Month, **kwargs: Any) -> CrmForm:
    return CrmForm(**kwargs)


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    month = queries.get(number, current_user)
    says = statement.read_by(statement.told(month), current_user)
    if not queries.read_whole(month, current_user):
        mine = statement.of_person(statement.told(month), current_user.id)
        return render_template("fund/mine.html", month=month, says=mine, sanctions=Sanction)
    owed = duties.of_subject(month)
    known = told(month, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    if not current_user.may(Permission.FUND_READ):  # what the fund is spent on is told there
        known["events"] = [event for event in known["events"] if event.kind not in SPENDING]
    now = offered(month, MOVES, owed, form_for)
    pending = lists.at(penalties.TABLE.path, month=month.title, state="pending")
    left = lists.counts([pending], {penalties.TABLE.path: penalties.TABLE}, current_user)[pending]
    return render_template(
        "fund/statement.html", **known, month=month,
        says=says, pending=(pending, left), offered=now, moves=MOVES, sanctions=Sanction, leading="",
    )  # fmt: skip
