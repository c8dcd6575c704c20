from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField
from wtforms.validators import Regexp

from crm.errors import Invalid
from crm.forms import CrmForm, DayField, Filled, LineField, PickField, TicksField, WordsField
from crm.rulebooks import typed as types
from crm.rulebooks.models import Kind
from crm.rulebooks.sheets import KINDS, Data, Entry, Wrong, read
from crm.rulebooks.text import Change, value_at

LONGEST = 90_000  # characters of one part of the text


class NewDraftForm(CrmForm):
    title = LineField(_l("What it is for"), required=True, most=100)
    base = PickField(_l("Begun from edition"), required=True)


class IssueForm(CrmForm):
    """What is open keeps the edition it was opened under."""

    holds_from = DayField(_l("Holds from"), required=True, description=_l(
        "Today or later. From today, it holds from this moment on. What is open keeps the edition it was opened under.",
    ))  # fmt: skip


class WordedForm(IssueForm):
    """Where something changed on clauses whose words did not: people acknowledge those words."""

    as_worded = BooleanField(_l("The words of these clauses fit as they are"), validators=[Filled(_l(
        "Look at the words of these clauses first: people acknowledge them.",
    ))])  # fmt: skip


class TryForm(CrmForm):
    """What fell due between two days."""

    since = DayField(_l("First day"), required=True)
    until = DayField(_l("Last day"), required=True)


class TextForm(CrmForm):
    text = WordsField(_l("Text"), most=LONGEST)


_KEY = Regexp(r"[a-z][a-z0-9_]{1,39}", message=_l("Small letters, digits and _, such as data_repair."))


_NEVER = _l("Small letters, digits and _; it never changes.")


class EntryForm(CrmForm):
    """Something that is not there yet, with its titles."""

    key = LineField(_l("Key"), required=True, most=40, validators=[_KEY], description=_NEVER)
    zh = LineField(_l("Title in Chinese"), required=True, most=60)
    en = LineField(_l("Title in English"), required=True, most=60)

    @property
    def title(self) -> dict[str, str]:
        return {"zh": str(self.zh.data), "en": str(self.en.data)}


class CategoryForm(EntryForm):
    declared = BooleanField(_l("Must be declared (5.1.4)"))

    def change(self) -> Change:
        """What must be declared stands under 5.1.4, anything else is ours under 5.1.3."""
        clause, mark = ("5.1.4", "declared") if self.declared.data else ("5.1.3", "ours")
        said = {"title": self.title, "clause": clause, mark: True, "before_complete": []}
        return Change(("category", str(self.key.data)), said)


_FIELDS = [("line", _l("One line")), ("text", _l("Several lines")), ("file", _l("A scan")),
           ("contact", _l("One of the customer's contacts"))]  # fmt: skip


class FieldForm(EntryForm):
    kind = PickField(_l("Kind of field"), required=True, pairs=_FIELDS)

    def change(self) -> Change:
        return Change(("field", str(self.key.data)), {"title": self.title, "kind": self.kind.data})


class PenaltyForm(CrmForm):
    clause = PickField(_l("Clause"), required=True, blank=_l("Choose the clause"))
    kind = PickField(_l("Kind"), required=True, pairs=[(key, _l(label)) for key, label in KINDS])
    amount = LineField(_l("Amount in yuan"), most=20, description=_l("Of a fine: an amount, or from and to: 20-50."))
    zh = LineField(_l("Title in Chinese"), required=True, most=60)
    en = LineField(_l("Title in English"), required=True, most=60)
    taken: Iterable[str] = ()

    def change(self) -> Change:
        """Its key is its clause, with its kind and a number where that is taken."""
        try:
            fens = types.AmountTyped("amount").read(self.amount.data or "", {"kind": self.kind.data})
        except ValueError as why:
            raise Invalid(fields={"amount": str(why)}) from why
        said = {"clause": self.clause.data, "kind": self.kind.data} | {key: fen for key, fen in fens.items() if fen is not None}
        first = f"{self.clause.data}.{self.kind.data}"
        key = next(one for one in (first, *(f"{first}{n}" for n in range(2, 100))) if one not in self.taken)
        return Change(("penalty", key), said | {"title": {"zh": self.zh.data, "en": self.en.data}})


class SuggestForm(CrmForm):
    kind = PickField(_l("Suggestion or objection"), Kind, required=True, blank="—", description=_l(
        "A suggestion goes to the director, an objection to the manager. Either is answered in writing."))  # fmt: skip
    clause = PickField(_l("On which clause"), blank=_l("On the whole"))
    words = WordsField(_l("In your words"), required=True, most=5000)


class AnswerForm(CrmForm):
    words = WordsField(_l("Answer"), required=True, most=5000)


class TakeUpForm(CrmForm):
    draft = PickField(_l("Which draft takes it up"), required=True, blank=_l("Choose a draft"))


def _field(entry: Entry) -> Any:
    kind = entry.typed
    if isinstance(kind, types.TicksTyped):
        return TicksField(_l(entry.label))
    if isinstance(kind, types.ChoiceTyped):
        return PickField(_l(entry.label), pairs=[(key, _l(label)) for key, label in kind.offers()])
    if isinstance(kind, types.FlagTyped):
        return BooleanField(_l(entry.label))
    if isinstance(kind, types.WordsTyped) and kind.long:
        return WordsField(_l(entry.label), most=5000)
    unsaid = {"placeholder": _l(kind.unsaid)} if kind.unsaid else {}
    return LineField(_l(entry.label), most=200, render_kw=unsaid)


def sheet_form(entries: list[Entry], data: Data, **kwargs: Any) -> CrmForm:
    """A form with a field for each entry, as the rulebook has it."""
    made = type("SheetForm", (CrmForm,), {entry.name: _field(entry) for entry in entries})
    form = made(data={entry.name: entry.typed.shown(value_at(data, entry.path) or {}) for entry in entries}, **kwargs)
    for entry in entries:
        if isinstance(entry.typed, types.TicksTyped):
            form[entry.name].offer(entry.typed.offers())
    return form


def typed_in(form: CrmForm, entries: list[Entry]) -> Mapping[str, Any]:
    """What was sent; nothing ticked is sent as nothing."""
    boxes = (types.TicksTyped, types.FlagTyped)
    return {one.name: form[one.name].data or "" if not isinstance(one.typed, boxes) else form[one.name].data
            for one in entries if form[one.name].raw_data or isinstance(one.typed, boxes)}  # fmt: skip


def changes_of(form: CrmForm, entries: list[Entry], data: Data) -> list[Change]:
    """What was typed otherwise than it is; Invalid, naming each field, if any of it cannot be."""
    try:
        return read(entries, typed_in(form, entries), data)
    except Wrong as wrong:
        raise Invalid(fields=wrong.fields) from wrong
