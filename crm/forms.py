"""The fields all forms share: how words are cleaned, how times are read, and how a refusal keeps every word."""

import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from flask import request
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import (
    DateField,
    DateTimeLocalField,
    Field,
    FileField,
    HiddenField,
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.meta import DefaultMeta
from wtforms.validators import InputRequired, Length, Optional, Regexp, StopValidation, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from crm import clock
from crm.db import db
from crm.errors import Forbidden, Invalid, NotThere, Refused
from crm.labels import N_, Labelled
from crm.money import MOST, fen_of
from crm.words import CONTROL

_EDGES = re.compile(r"\A[\s\u200b-\u200f\u2060\ufeff]+|[\s\u200b-\u200f\u2060\ufeff]+\Z")  # blanks, those nobody sees too

EMAIL = Regexp(r"[^@\s]{1,64}@[^@\s]{1,255}$", message=_l("Not an e-mail address."))


def clean(text: str | None) -> str:
    """Composed (NFC), trimmed, with plain line ends; nothing else of what was typed is touched."""
    return _EDGES.sub("", unicodedata.normalize("NFC", (text or "").replace("\r\n", "\n").replace("\r", "\n")))


def plain(form, field: Field) -> None:
    if field.data and CONTROL.search(field.data):
        raise ValidationError(_l("This holds a character that cannot be stored."))


def needed(message=None) -> InputRequired:
    return InputRequired(message or _l("This is needed."))


class Filled:
    """Needed, and blanks are nothing."""

    field_flags = {"required": True}

    def __init__(self, message=None) -> None:
        self.message = message

    def __call__(self, form, field: Field) -> None:
        if not field.data:
            raise StopValidation(self.message or _l("This is needed."))


class LineField(StringField):
    """One line of text."""

    def __init__(self, label=None, *, required: bool = False, most: int = 200, validators=(), **kwargs) -> None:
        rules = [Filled() if required else Optional(), plain, Length(max=most), *validators]
        super().__init__(label, rules, filters=[lambda text: " ".join(clean(text).split("\n"))], **kwargs)


class WordsField(TextAreaField):
    """Several lines of text."""

    def __init__(self, label=None, *, required: bool = False, most: int = 10_000, **kwargs) -> None:
        rules = [Filled() if required else Optional(), plain, Length(max=most)]
        super().__init__(label, rules, filters=[clean], **kwargs)


class InstantField(DateTimeLocalField):
    """A date and time of the business zone, as the browser's picker gives it; `data` is an aware instant."""

    def __init__(self, label=None, *, required: bool = False, past: bool = False, **kwargs) -> None:
        self.past = past
        rules = [needed() if required else Optional()]
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        super().__init__(label, rules, format=formats, **kwargs)

    def _value(self) -> str:
        if self.raw_data:
            return self.raw_data[0]
        return clock.local(self.data).strftime(self.format[0]) if self.data else ""

    def process_formdata(self, valuelist) -> None:
        super().process_formdata(valuelist)
        if self.data is None:
            return
        if self.data.year not in clock.YEARS:
            self.data = None
            raise ValueError(self.gettext("Not a valid datetime value."))
        self.data = self.data.replace(tzinfo=clock.ZONE).astimezone(UTC)

    def pre_validate(self, form) -> None:
        if self.past and isinstance(self.data, datetime) and self.data > clock.now():
            raise ValidationError(_l("This lies in the future."))


class DayField(DateField):
    """A day of a year that is taken."""

    def __init__(self, label=None, *, required: bool = False, **kwargs) -> None:
        super().__init__(label, [needed() if required else Optional()], **kwargs)

    def process_formdata(self, valuelist) -> None:
        super().process_formdata(valuelist)
        if self.data and self.data.year not in clock.YEARS:
            self.data = None
            raise ValueError(self.gettext("Not a valid date value."))


class CountField(IntegerField):
    """A whole number in plain digits, within bounds."""

    def __init__(self, label=None, *, least: int = 0, most: int = 1_000_000, **kwargs) -> None:
        self.least, self.most = least, most
        super().__init__(label, [Optional()], **kwargs)

    def process_formdata(self, valuelist) -> None:
        text = clean(valuelist[0]) if valuelist else ""
        self.data = None
        if text:
            if not re.fullmatch(r"[0-9]{1,9}", text) or not self.least <= int(text) <= self.most:
                raise ValueError(_l("A whole number from %(least)s to %(most)s is needed.", least=self.least, most=self.most))
            self.data = int(text)


class MoneyField(StringField):
    """An amount in yuan with at most two decimals, in plain digits or as pages show it, `¥1,200`; `data` is in fen."""

    def __init__(self, label=None, *, required: bool = False, least: int = 0, most: int = MOST, **kwargs) -> None:
        self.least, self.most = least, most
        super().__init__(label, [needed() if required else Optional()], **kwargs)

    def _value(self) -> str:
        if self.raw_data:
            return self.raw_data[0]
        return "" if self.data is None else f"{self.data // 100}.{self.data % 100:02}"

    def process_formdata(self, valuelist) -> None:
        text = clean(valuelist[0]) if valuelist else ""
        self.data, fen = None, fen_of(text)
        if text and (fen is None or not self.least <= fen <= self.most):
            raise ValueError(_l("An amount in yuan is needed, such as 1200 or 1200.50."))
        if not text and self.flags.required:  # blanks are nothing
            raise ValueError(_l("This is needed."))
        self.data = fen


class TicksField(SelectMultipleField):
    """Boxes to tick, of a list that is given when the form is made."""

    widget, option_widget = ListWidget(prefix_label=False), CheckboxInput()

    def __init__(self, label=None, **kwargs) -> None:
        super().__init__(label, coerce=str, choices=[], **kwargs)

    def offer(self, pairs) -> None:
        self.choices = [SelectChoice(str(value), label) for value, label in pairs]


class PickField(SelectField):
    """One member of an enum, or of a list that is given when the form is made; `blank` is the label of none, `lacking` what
    is said where one is needed."""

    def __init__(
        self, label=None, members: type[Labelled] | None = None, *, required=False, lacking=None, blank=None, pairs=(), **kwargs
    ):
        self.blank = blank
        # no Optional(): it would take a blank for nothing and so let it past the list of choices
        rules = [needed(lacking)] if required else []
        super().__init__(label, rules, coerce=lambda value: "" if value is None else str(value), choices=[], **kwargs)
        self.offer([(m.value, _l(m.label)) for m in members] if members else pairs)

    def pre_validate(self, form) -> None:
        if self.raw_data:  # not sent at all: it stays as it was
            super().pre_validate(form)

    def offer(self, pairs) -> None:
        blank = [SelectChoice("", self.blank)] if self.blank is not None else []
        self.choices = blank + [SelectChoice(str(value), label) for value, label in pairs]


class CrmForm(FlaskForm):
    """What every form that changes something carries: the version it was opened with, and an id to be taken once."""

    class Meta(FlaskForm.Meta):
        csrf = False  # CSRFProtect guards every POST of the app before a form is looked at

        @property
        def locales(self):
            return (str(get_locale()),)

        def get_translations(self, form):
            """WTForms' own words, kept between requests, where Flask-WTF would read their file for each."""
            return DefaultMeta.get_translations(self, form)

        def wrap_formdata(self, form, formdata):
            """A file reaches only a field that takes one, and JSON none: whatever else is sent as them is not words."""
            if formdata is None or isinstance(formdata, MultiDict):
                return formdata
            if request.method != "POST":
                return None
            taking = {field.name for field in form if isinstance(field, FileField)}
            files = MultiDict(pair for pair in request.files.items(multi=True) if pair[0] in taking)
            return CombinedMultiDict([files, request.form]) or None

    takes: Mapping[str, str] = {}  # its file inputs, each with the purpose of what it takes
    taken_as: Mapping[str, object] = {}  # and what each is called, where no page of its own says it
    version = HiddenField()
    request_id = HiddenField(default=lambda: secrets.token_hex(16))

    @property
    def opened_version(self) -> int:
        """The version the form was opened with, as it was sent; Invalid if it was not."""
        text = self.version.raw_data[0] if self.version.raw_data else ""
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise Invalid(N_("The page was not complete. Please load it again."))
        return int(text)

    def renew(self) -> None:
        """A new id for a form that is shown again although it was answered: its next sending is another one."""
        self.request_id.data = secrets.token_hex(16)

    def check(self) -> None:
        """Invalid, naming each field, unless all is well."""
        if not self.validate_on_submit():
            raise Invalid(fields={name: errors for name, errors in self.errors.items() if name})

    def beside(self, saved: "CrmForm") -> None:
        """After a stale refusal: mark each field with what is saved now where it differs, and take the new version."""
        self.version.data, self.version.raw_data = saved.version.data, None
        for name, field in self._fields.items():
            theirs = saved._fields.get(name)
            if theirs is not None and field.type != "HiddenField" and field.data != theirs.data:
                field.theirs = _readable(theirs)

    def named(self, name: str) -> Field | None:
        """The field a refusal means by `name`."""
        return self._fields.get(name)

    def refuse(self, refusal: Refused) -> None:
        """Undo what was begun and mark the fields that are to blame, so that the page can be shown with every word."""
        db.session.rollback()
        for name, errors in getattr(refusal, "fields", {}).items():
            field = self.named(name)
            if field is not None and not field.errors:
                field.errors = [errors] if isinstance(errors, str | Refused) else list(errors)


def _readable(field: Field) -> str:
    """A field's value as a person reads it."""
    if isinstance(field, SelectField):
        picked = field.data if isinstance(field.data, list | tuple | set) else [field.data]
        labels = {choice.value: str(choice.label) for choice in field.choices or ()}
        return ", ".join(labels.get(str(value), str(value)) for value in picked) or "—"
    if isinstance(field.data, bool):
        return "✓" if field.data else "—"
    return str(field._value()).replace("T", " ") if isinstance(field, InstantField) else str(field._value()) or "—"


class ReasonForm(CrmForm):
    reason = WordsField(_l("Reason"), required=True, most=2000)


def attempt(form: CrmForm, act: Callable, show: Callable, *, take: Callable | None = None):
    """A form's whole life: GET shows it; POST checks and acts; a refusal shows the page again with every word.

    `show(refusal)` renders the page, its refusal or None; `act()` does the work and returns the answer; `take()` comes
    before the check: it takes in the files, so that they are kept whatever else is wrong.
    """
    if request.method != "POST":
        return show(None)
    try:
        if take:
            take()
        form.check()
        return act()
    except (Forbidden, NotThere):
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return show(refusal), refusal.status
