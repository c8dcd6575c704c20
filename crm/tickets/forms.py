"""The forms of a record. The fields of a category come from the rulebook, so they are made when the form is."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from wtforms import Field as WtField
from wtforms import HiddenField
from wtforms.validators import ValidationError

from crm.customers.forms import PickingForm
from crm.customers.models import Contact
from crm.duties.rulebook import Field, Rulebook
from crm.forms import CrmForm, DayField, InstantField, LineField, PickField, WordsField
from crm.labels import Priority, said
from crm.tickets.bulk import Verb
from crm.tickets.models import REMOTE, Channel

FACTS = (
    "department",
    "category",
    "priority",
    "channel",
    "service_qq",
    "asked_at",
    "answered_at",
    "title",
    "description",
)
PREFIX = "f_"  # of a category's field, so that it never meets a column's name


class CategoryForm(CrmForm):
    """One that may hold the rulebook's fields."""

    def named(self, name: str) -> WtField | None:
        return super().named(name) or super().named(PREFIX + name)


class CallerForm(CrmForm):
    """Who of the customer it is about (5.1.2): a contact that is known, or one added just now."""

    contact = PickField(_l("Contact"), blank=_l("Choose the contact"))
    contact_name = LineField(_l("Name of a new contact"), most=50)
    contact_phone = LineField(_l("Phone or mobile"), most=50)
    contact_qq = LineField(_l("QQ"), most=30)
    department = LineField(
        _l("Contact's department"),
        most=100,
        description=_l("Needed (5.1.2). Left empty, the one known of the chosen contact is taken."),
    )
    people: Sequence[Contact] = ()  # the contacts to choose from

    def offer_people(self, people: Sequence[Contact]) -> None:
        self.people = people
        self.contact.offer([(one.id, f"{one.name} · {one.department or '—'}") for one in people])

    @property
    def chosen(self) -> Contact | None:
        return next((one for one in self.people if str(one.id) == self.contact.data), None)


class FactsForm(CallerForm, CategoryForm):
    """What every record says of the call (5.1.1, 5.1.2)."""

    category = PickField(_l("Category"), required=True, blank=_l("Choose the category"))
    priority = PickField(_l("Priority"), Priority, default=Priority.NORMAL)
    channel = PickField(_l("Channel"), required=True, blank=_l("Choose the channel"),
                        pairs=[(one.value, _l(one.label)) for one in REMOTE])  # fmt: skip
    service_qq = LineField(_l("Service QQ"), most=30, description=_l("Which of our service QQs, if by QQ (5.1.1)."))
    asked_at = InstantField(_l("When the customer asked"), required=True, past=True)
    answered_at = InstantField(_l("When first answered"), past=True)
    title = LineField(_l("In one line"), required=True, most=120)
    description = WordsField(_l("What was asked"))

    def keep_channel(self, channel: str) -> None:
        """A visit's record stays a visit's: which clause it falls under is nobody's choice (7.4, 7.5)."""
        if channel in set(Channel) - set(REMOTE):
            self.channel.offer([(channel, _l(Channel(channel).label))])

    def validate_answered_at(self, field: InstantField) -> None:
        if field.data and self.asked_at.data and field.data < self.asked_at.data:
            raise ValidationError(_l("This lies before the customer asked."))

    def facts(self) -> dict[str, Any]:
        """The columns of a record, as the workflow takes them."""
        return {name: self._fields[name].data for name in FACTS}


class CustomerForm(PickingForm, CallerForm):
    """Which customer, besides, and whether they are in service: what begins a record or a visit."""

    installation = PickField(_l("About which installation"), blank=_l("Not about one of them"))
    uncovered_reason = WordsField(_l("Why it is served anyway"), most=1000,
                                  description=_l("The customer is not in service; the manager sees this reason."))  # fmt: skip


class NewForm(CustomerForm, FactsForm):
    """A new record."""


class DetailsForm(CategoryForm):
    """The closing step: what the category needs, and what the call may still lack."""

    service_qq = LineField(_l("Service QQ"), most=30)
    answered_at = InstantField(_l("When first answered"), past=True)


class WaitForm(CrmForm):
    reason = WordsField(_l("What it waits for"), required=True, most=2000)
    until = DayField(_l("Until"), required=True, description=_l("You are reminded on that day."))


class EscalateForm(CrmForm):
    story = WordsField(_l("The whole story"), required=True,
                       description=_l("What was tried, what the customer does not accept, what you would need."))  # fmt: skip


class SettleForm(CrmForm):
    answer = WordsField(_l("Your answer"), required=True, description=_l("The customer is called with it."))
    to = PickField(_l("Who goes on with it"), blank=_l("The same person"))


class TellForm(CrmForm):
    words = WordsField(_l("What the customer said"), required=True, most=2000)


class DuplicateForm(CrmForm):
    of = PickField(_l("Of which record"), required=True, blank=_l("Choose the record"),
                   description=_l("This record is cancelled and names that one; that one stays as it is."))  # fmt: skip


class AssignForm(CrmForm):
    to = PickField(_l("To whom"), required=True, blank=_l("Choose somebody"))
    reason = WordsField(_l("Reason"), required=True, most=2000)


class BulkForm(CrmForm):
    verb = PickField(_l("What to do with them"), Verb, required=True, blank=_l("What to do?"),
                     lacking=_l("Choose what to do with them."))  # fmt: skip
    to = PickField(_l("To whom"), blank=_l("Choose somebody"))
    reason = LineField(_l("Reason"), most=500, description=_l("Needed for all but completing."))
    back = HiddenField()  # the filters of the list the records were picked in


def _made(field: Field, language: str):
    """The input for one field of the rulebook; a file's is drawn by the page."""
    title, help = said(field.title, language), said(field.help, language) if field.help else ""
    if field.kind == "line":
        return LineField(title, most=200, description=help)
    if field.kind == "contact":
        return PickField(title, description=help, blank=_l("Nobody yet"))
    return WordsField(title, description=help)


def categories_of(book: Rulebook) -> dict[str, list[str]]:
    """Each field that is not a column → the categories that need it."""
    found: dict[str, list[str]] = {}
    for category in book.categories.values():
        for field in book.fields_of(category.key):
            found.setdefault(field.key, []).append(category.key)
    return found


@lru_cache(maxsize=200)
def _shape(base: type[CrmForm], book: Rulebook, category: str, language: str) -> type[CrmForm]:
    """`base` with the rulebook's fields: of one category, or of all."""
    fields = book.fields_of(category) if category else [book.fields[key] for key in categories_of(book)]
    inputs = {PREFIX + field.key: _made(field, language) for field in fields if field.kind != "file"}
    asking = tuple(PREFIX + field.key for field in fields if field.kind == "contact")
    scans = tuple(field for field in fields if field.kind == "file")
    return type(base.__name__, (base,), inputs | {"book": book, "scans": scans, "asking_for_a_contact": asking})


def with_fields(base: type[CrmForm], book: Rulebook, contacts: Sequence[Contact], category: str = "", **kwargs):
    """A form of `base` and the rulebook's fields: of one category, or of all, each marked with those that need it."""
    form = _shape(base, book, category, str(get_locale()))(**kwargs)
    for name in form.asking_for_a_contact:
        form[name].offer([(one.id, f"{one.name} {one.department}".strip()) for one in contacts])
    if hasattr(form, "category"):
        form.category.offer(offered_categories(book))
    return form


def offered_categories(book: Rulebook) -> list[tuple[str, str]]:
    return [(one.key, said(one.title, str(get_locale()))) for one in book.categories.values()]


def fields_in(form: CrmForm) -> dict[str, str]:
    """What was typed for the category's fields, by the rulebook's keys."""
    return {name.removeprefix(PREFIX): field.data for name, field in form._fields.items() if name.startswith(PREFIX)}
