"""What a penalty's page is made of. The witnesses of a refusal see that there is something to sign, and no more."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import render_template
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.models import Duty
from crm.duties.rulebook import Penalty as Entry
from crm.errors import Refused
from crm.forms import CrmForm, ReasonForm
from crm.labels import Bilingual, said
from crm.money import yuan
from crm.penalties import evidence, forms, queries, workflow
from crm.penalties.models import HANDED_OUT, OVER, STANDING, Penalty, PenaltyEvent, Sanction, State
from crm.penalties.moves import MOVES, WEIGH
from crm.permissions import Role
from crm.staff import queries as staff
from crm.verbs import offered, told

FORMS: dict[str, type[CrmForm]] = {
    "issue": forms.IssueForm, "sign": forms.SignForm, "refuse": forms.RefuseForm, "appeal": forms.AppealForm,
    "decide": forms.DecideForm, "appoint": forms.AppointForm, "weigh": forms.WeighForm, "waive": ReasonForm,
    "withdraw": ReasonForm,
}  # fmt: skip
WAY = ("sign", "confirm", "issue", "decide", "weigh", "appoint")  # the next step is the first to be had
EVERYBODY = tuple(Role)


def people(penalty: Penalty, *barred: int | None) -> list[tuple[int, str]]:
    return staff.offered(staff.choices(EVERYBODY), but=(penalty.concerned_id, *barred))


def says() -> dict[str, Bilingual]:
    """The words of each penalty's clause, where it has any."""
    book = editions.todays()
    return {key: book.clauses[of].text for key, one in book.penalties.items() if (of := one.clause or key) in book.clauses}


def choices(*, priced: bool = False) -> list[tuple[str, str]]:
    """Every penalty of the rulebook that holds now, by its clause, and those of its editions of the last year: what happened
    under one of them is judged by it. `priced`: what it costs, and which a service without a record falls under."""
    locale, known = str(get_locale()), dict(editions.todays().penalties)
    for edition in reversed(editions.held_since(clock.now() - timedelta(days=366))):
        known = known | {key: one for key, one in editions.book(edition).penalties.items() if key not in known}
    named = {one.key: f"{one.clause or one.key} {said(one.title, locale)}" for one in known.values()}
    if not priced:
        return list(named.items())
    none = _("a service without a record")
    hints = {key: f" ({none})" if known[key].unrecorded else "" for key in named}
    return [(key, f"{name}{hints[key]} · {_costs(known[key])}") for key, name in named.items()]


def _costs(entry: Entry) -> str:
    if entry.fen is not None:
        return yuan(entry.fen)
    span = f" {yuan(entry.from_fen)}–{yuan(entry.to_fen)}" if entry.from_fen and entry.to_fen else ""
    return _(Sanction(entry.kind).label) + span


def form_for(name: str, penalty: Penalty, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    kind = FORMS.get(name, CrmForm)
    if kind is forms.IssueForm and workflow.left_open(workflow.entry_of(penalty)):
        kind = forms.PricedForm
    form = kind(data={"facts": penalty.facts_said, "fen": penalty.fen} if name == "issue" else None, **kwargs)
    if isinstance(form, forms.RefuseForm):
        known = people(penalty, penalty.issued_by_id, current_user.id)
        form.first.offer(known)
        form.second.offer(known)
    if isinstance(form, forms.AppointForm):
        form.to.offer(staff.offered(staff.choices([role for role in Role if role != Role.ADMIN]), but=penalty.askers))
    return form


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    penalty = queries.get(number, current_user)
    owed = duties.of_subject(penalty)
    now = offered(penalty, MOVES, owed, form_for, name=name, bound=bound)
    known = told(penalty, owed, name=name, bound=bound, refusal=refusal, drafts=drafts)
    known["names"] |= duties.names([penalty.concerned_id, penalty.entered_by_id, penalty.issued_by_id, penalty.first_witness_id,
                                    penalty.second_witness_id])  # fmt: skip
    known |= {"penalty": penalty, "offered": now, "moves": MOVES, "leading": next((key for key in WAY if key in now), "")}
    if not queries.read_whole(penalty, current_user):
        refused = [event for event in queries.signing(penalty) if event.kind == PenaltyEvent.REFUSED]
        return render_template("penalties/outline.html", **known, told_on=refused[-1] if refused else None)
    found = evidence.of(penalty)
    known["names"] |= duties.names(id for event in found.events for id in event.people)
    return render_template(
        "penalties/penalty.html", **known, evidence=found, signing=queries.signing(penalty), sanctions=Sanction,
        standing=STANDING, over=OVER,
        handed_out=HANDED_OUT, in_words=evidence.span_in_words, nobody=_nobody(penalty, owed),
        appeal=evidence.time_to_appeal(penalty)[0],
    )  # fmt: skip


def _nobody(penalty: Penalty, owed: Sequence[Duty]) -> str:
    """That nobody may do what comes next is a state of its own: somebody has to be appointed (ours.director_penalty)."""
    if penalty.state == State.PROPOSED and not workflow.may_issue(penalty):
        return "issue"
    if penalty.state == State.APPEALED:
        return "" if workflow.may_answer(penalty) else "answer"
    weighing = any(duty.open and duty.rule in WEIGH.split() for duty in owed)
    return "weigh" if weighing and not workflow.may_weigh(penalty) else ""
