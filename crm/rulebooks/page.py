"""What a draft's pages are made of: the draft itself, and the sheets on which it is changed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from flask import render_template
from flask_babel import gettext as _
from flask_login import current_user

from crm import clock
from crm.duties import queries as duties
from crm.duties.models import Edition
from crm.errors import Invalid, Refused, Stale
from crm.forms import CrmForm, ReasonForm
from crm.labels import N_
from crm.rulebooks import differences, forms, queries, results, workflow
from crm.rulebooks.faults import Fault
from crm.rulebooks.models import Draft
from crm.rulebooks.moves import CHANGE, DRAFT_MOVES
from crm.rulebooks.sayings import Line, Sayer, clause_name
from crm.rulebooks.sheets import SHEETS, Entry, Section, entries_of
from crm.rulebooks.text import data_of, value_at
from crm.rulebooks.typed import reader
from crm.verbs import offered, told

FORMS: dict[str, type[CrmForm]] = {"issue": forms.IssueForm, "take_back": ReasonForm, "discard": ReasonForm}


def form_for(name: str, draft: Draft, **kwargs: Any) -> CrmForm:
    """The form of one verb; `formdata=None` for one that is only shown."""
    if name == "issue" and (unsaid := differences.unsaid(compared(draft)[0], data_of(draft.body))):
        worded = forms.WordedForm(data={"holds_from": clock.today() + timedelta(days=1)}, **kwargs)
        worded.as_worded.description = _(", ").join(clause_name(key) for key in unsaid)
        return worded
    return FORMS[name](data={"holds_from": clock.today() + timedelta(days=1)}, **kwargs)


def may_change(draft: Draft) -> bool:
    return CHANGE.open_to(current_user, draft)


def compared(draft: Draft) -> tuple[list[differences.Difference], Sayer]:
    """With the edition in force; one that was issued, with what it was begun from."""
    base = queries.edition(draft.base_id) if draft.issued_id else queries.in_force()
    before, after = data_of(base.body), data_of(draft.body)
    return differences.between(before, after), Sayer(before, after)


def since_former(edition: Edition) -> list[Line]:
    """What an edition has otherwise than the one before it, for whoever acknowledges it."""
    former = queries.former(edition)
    if former is None:
        return []
    before, after = data_of(former.body), data_of(edition.body)
    return Sayer(before, after).lines(differences.between(before, after))


def try_form(**kwargs: Any) -> forms.TryForm:
    since, until = queries.last_quarter()
    return forms.TryForm(data={"since": since, "until": until}, **kwargs)


def render(number: str, *, name: str = "", bound: CrmForm | None = None, refusal: Refused | None = None, drafts=()):
    """The whole page; after a refusal with the refused form's words still in it."""
    draft = queries.draft(number, current_user)
    now = offered(draft, DRAFT_MOVES, [], form_for, name=name, bound=bound)
    found, _sayer = compared(draft)
    tried, going = queries.last_tried(draft), queries.going(draft)
    known = told(draft, [], name=name, bound=bound, refusal=refusal, drafts=drafts)
    bases = duties.names([draft.base_id, draft.issued_id])
    return render_template(
        "rulebooks/draft.html", **known, draft=draft, offered=now, moves=DRAFT_MOVES, leading="", sheets=SHEETS, found=found,
        counts=_counts(found), unsaid=differences.unsaid(found, data_of(draft.body)), may_change=may_change(draft),
        base=bases[draft.base_id], issued=bases.get(draft.issued_id or 0), in_force=queries.in_force(),
        going=going, idle=going is not None and queries.idle(), tried=tried, sums=results.sums(tried),
        taken_up=queries.taking_up(draft),
        trying=bound if name == "try" else try_form(formdata=None),
    )  # fmt: skip


def _counts(found: Sequence[differences.Difference]) -> dict[str, int]:
    """On which sheet, how many."""
    counts: dict[str, int] = {}
    for one in found:
        counts[one.table] = counts.get(one.table, 0) + 1
    return counts


def fitted(refusal: Refused, entries: Sequence[Entry]) -> Refused:
    """The rulebook's faults beside the fields they stand at."""
    fields: dict[str, list[Refused]] = {}
    for fault in getattr(refusal, "faults", ()):
        if name := _beside(fault, entries):
            fields.setdefault(name, []).append(fault.wrong)
    if fields and isinstance(refusal, Invalid):
        refusal.fields = fields
    return refusal


def _beside(fault: Fault, entries: Sequence[Entry]) -> str | None:
    """The field of the entry a fault stands at, or else of the one it names."""
    place, named = tuple(filter(None, (fault.table, fault.key))), fault.wrong.params.get("name")
    at = [entry for entry in entries if entry.path == place] or [entry for entry in entries if entry.path[-1] == named]
    return at[-1].name if at else None


def render_sheet(draft: Draft, key: str, sections: list[Section], form: CrmForm, refusal: Refused | None, **more: Any):
    """One sheet; stale, with what is saved now beside each field."""
    data, entries = data_of(draft.body), list(entries_of(sections))
    if isinstance(refusal, Stale):
        form.beside(forms.sheet_form(entries, data, formdata=None))
    said = {entry.name: entry.typed.said(value_at(data, entry.path) or {}) for entry in entries}
    return render_template(
        "rulebooks/sheet.html", draft=draft, key=key, sheet=SHEETS.get(key), sections=sections, form=form, refusal=refusal,
        said=said, may_change=may_change(draft), sheets=SHEETS, **{**_addable(key, draft), **more},
    )  # fmt: skip


def _addable(key: str, draft: Draft) -> dict[str, Any]:
    """What can be added on a sheet."""
    kind = next((kind for kind, one in ADDITIONS.items() if one.sheet == key), "")
    return {"added": kind, "adding": addition(kind, draft, formdata=None), "addition": ADDITIONS[kind]} if kind else {}


class Addition(NamedTuple):
    form: type[CrmForm]
    sheet: str
    label: str


ADDITIONS = {
    "category": Addition(forms.CategoryForm, "categories", N_("Add a category")),
    "field": Addition(forms.FieldForm, "fields", N_("Add a field")),
    "sanction": Addition(forms.PenaltyForm, "fines", N_("Add a sanction")),
}


def addition(kind: str, draft: Draft, **kwargs: Any) -> CrmForm:
    """The form for something that is not there yet."""
    form, data = ADDITIONS[kind].form(**kwargs), data_of(draft.body)
    if isinstance(form, forms.PenaltyForm):
        form.taken = data.get("penalty", {})
        clauses = data.get("clause", {})
        form.clause.offer([(key, f"{clause_name(key)} {reader(one['title'])}") for key, one in clauses.items()])
    return form


def spoken(wrong: Refused | str) -> str:
    """A fault in the reader's language."""
    return _(wrong.message, **wrong.params) if isinstance(wrong, Refused) else _(str(wrong))


def answers(draft: Draft, entries: list[Entry], form: CrmForm) -> dict[str, Any]:
    """Of what is being typed: what is wrong with each field, and how it is understood; for a page that asks as it is typed."""
    data = data_of(draft.body)
    try:
        _every, after = workflow.planned(draft, forms.changes_of(form, entries, data))
    except Invalid as refusal:
        wrong = {name: " ".join(map(spoken, _all(why))) for name, why in fitted(refusal, entries).fields.items()}
        return {"wrong": wrong, "said": {}, "faults": [] if wrong else [spoken(refusal)]}
    said = {entry.name: entry.typed.said(value_at(after, entry.path) or {}) for entry in entries}
    return {"wrong": {}, "said": said, "faults": []}


def _all(why: Any) -> list[Any]:
    return why if isinstance(why, list) else [why]
