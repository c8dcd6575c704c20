"""How values are shown: times, days, money, texts in the reader's language, and the static files' addresses."""

import functools
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from babel.dates import TIMEDELTA_UNITS, format_timedelta
from flask import Flask, request, session
from flask_babel import ngettext
from flask_login import current_user
from markupsafe import Markup, escape

from crm import catalogue, clock
from crm.catalogue import icon
from crm.catalogue import said as _
from crm.duties import editions
from crm.duties.models import Subject
from crm.duties.queries import event_labels, said_as
from crm.duties.rulebook import PROGRAM
from crm.errors import Refused
from crm.labels import N_, Bilingual, Labelled, Priority
from crm.labels import said as in_language
from crm.money import Fen, yuan
from crm.permissions import FINDS, Permission, Role
from crm.rulebooks import sayings
from crm.staff.agents import agent
from crm.tickets.models import Channel, State
from crm.words import marked as parted

HTML_LANG = {catalogue.CHINESE: "zh-CN", catalogue.ENGLISH: "en"}
WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


def weekday(day: date) -> str:
    return _(WEEKDAYS[day.weekday()])


def exact(instant: datetime | None) -> str:
    """`2026-11-23 周一 14:05`; a deadline at midnight is the 24:00 of the day it ends."""
    if instant is None:
        return ""
    local = clock.local(instant)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        local -= timedelta(minutes=1)
        return f"{local:%Y-%m-%d} {weekday(local)} 24:00"
    return f"{local:%Y-%m-%d} {weekday(local)} {local:%H:%M}"


def hour(instant: datetime) -> str:
    """`14:05`; midnight is the 24:00 of the day it ends, as `exact()` has it."""
    return exact(instant)[-5:]


def day(value: date | None) -> str:
    return f"{value:%Y-%m-%d} {weekday(value)}" if value else ""


def lasting(seconds: float) -> str:
    """How long something took, in its largest unit."""
    return format_timedelta(timedelta(seconds=seconds), threshold=1, locale=catalogue.language())


@functools.lru_cache(maxsize=1000)
def _span(seconds: int, language: str) -> str:
    return format_timedelta(timedelta(seconds=seconds), add_direction=True, threshold=0.95, locale=language)


def relative(instant: datetime) -> str:
    """`3 小时前`, `in 2 days`. Rounded first, so that the same words are put together once."""
    seconds = (instant - clock.now()).total_seconds()
    if abs(seconds) < 57:  # from here on it is rounded to a minute
        return str(_("just now"))
    unit = next((unit for _name, unit in TIMEDELTA_UNITS if abs(seconds) / unit >= 0.95), 1)
    return _span(round(seconds / unit) * unit, catalogue.language())


def _time(instant: datetime, title: str, text: str) -> Markup:
    stamp = instant.isoformat(timespec="seconds")
    return Markup(f'<time datetime="{stamp}" title="{escape(title)}">{escape(text)}</time>')


def when(instant: datetime | None, hours: bool = False) -> Markup:
    """How long ago within a week, else the day, and in a story the hour too; exact for the pointer and for programs."""
    if instant is None:
        return Markup("")
    local = clock.local(instant)
    if abs(clock.now() - instant) > timedelta(days=7):
        this_year = local.year == clock.today().year
        text = f"{local:%m-%d %H:%M}" if this_year else f"{local:%Y-%m-%d %H:%M}" if hours else f"{local:%Y-%m-%d}"
    else:
        text = relative(instant)
    return _time(instant, exact(instant), text)


def due(instant: datetime) -> Markup:
    """A deadline: the hour today, the weekday this week, else the day; with how far it is."""
    local, today = clock.local(instant - timedelta(seconds=1)), clock.today()
    hour = "24:00" if clock.local(instant).strftime("%H:%M") == "00:00" else clock.local(instant).strftime("%H:%M")
    days = (local.date() - today).days
    near = _(NEAR[days]) if days in NEAR else ""
    date_ = f"{local:%m-%d}" if local.year == today.year else f"{local:%Y-%m-%d}"
    text = f"{near} {hour}" if near else f"{date_} {weekday(local)} {hour}"
    return _time(instant, f"{exact(instant)} · {relative(instant)}", text)


def pressing(duty) -> Markup:
    """A duty's deadline, and whether it is over or near."""
    if duty.overdue:
        over, picture = "due-over", icon("exclamation-triangle", _("overdue"))
    else:
        over, picture = ("due-soon", icon("clock", _("soon"))) if duty.soon else ("", Markup())
    return Markup(f'<span class="due {over}">{picture} {due(duty.due_at)}</span>')


def state_of(members: type[Labelled], value: str) -> Markup:
    return Markup(f'<span class="state state-{escape(value)}">{escape(label_of(members, value))}</span>')


def state_in(kind: str, value: str) -> Markup:
    """The same of a row that says of which kind of subject it is."""
    return state_of(Subject.__mapper__.polymorphic_map[kind].class_.STATES, value)


NEAR = {0: N_("today"), 1: N_("tomorrow"), -1: N_("yesterday")}


def bilingual(text: Bilingual | None) -> str:
    return in_language(text, catalogue.language()) if text else ""


def words(text: str) -> Markup:
    """Text as it was typed, its lines kept; nothing in it is markup."""
    return Markup("<br>").join(escape(text).splitlines())


def many(count: int, most: int = 1000) -> str:
    """`1,000+` rather than a slow exact count."""
    return f"{most:,}+" if count > most else f"{count:,}"


def label_of(members: type[Labelled], value: str) -> str:
    member = members.known(value)
    return _(member.label) if member else value


def pool_of(pool: str | None) -> str:
    """To whom a duty falls that is nobody's own."""
    return _("The program") if pool == PROGRAM else label_of(Role, pool or "")


def roles_shown(roles) -> str:
    return _(", ").join(_(role.label) for role in Role if role in roles)


def saved() -> str:
    """Which form was saved just before this page; said once."""
    return session.pop("saved", "")


def here(**changes) -> str:
    """This page's address with some of its parameters changed; None takes one away."""
    kept = {key: values for key, values in request.args.lists() if key not in changes}
    kept |= {key: [str(value)] for key, value in changes.items() if value not in (None, "")}
    return f"{request.path}?{urlencode(kept, doseq=True)}" if kept else request.path


@functools.cache
def _kinds() -> dict[str, type[Subject]]:
    """Every event → the kind of subject it happens to."""
    return {str(event): kind for kind in Subject.__subclasses__() if kind.EVENTS for event in kind.EVENTS}


def _field(key: str, event) -> tuple[str, type | None]:
    """What a changed field is called, and what its value is if not words."""
    kind = _kinds().get(event.kind)
    found = kind.FIELDS.get(key) if kind else None
    if found is None:
        fields = editions.todays().fields
        return (bilingual(fields[key].title) if key in fields else key), None
    title, of = (found, None) if isinstance(found, str) else found
    return _(title), of


def field_title(key: str, event) -> str:
    return _field(key, event)[0]


def fact(value, key: str, event) -> Markup:
    """A value as an event keeps it, for people."""
    if value is None or value == "":
        return Markup("—")
    if isinstance(value, bool):
        return Markup("✓" if value else "—")
    if isinstance(value, list):
        return Markup(" – ").join(fact(one, key, event) for one in value)
    if isinstance(value, dict):
        return Markup(" · ").join(words(str(one)) for one in value.values() if one)
    categories, of = editions.todays().categories, _field(key, event)[1]
    if key == "category" and value in categories:
        return escape(bilingual(categories[value].title))
    if of is datetime:
        return escape(exact(datetime.fromisoformat(value)))
    if of is Fen:
        return escape(yuan(value))
    return escape(label_of(of, value)) if of else words(str(value))


def rule_title(key: str) -> str:
    """What a duty's rule is called today; one that is gone by its key."""
    rules = editions.todays().rules
    return bilingual(rules[key].title) if key in rules else key


def penalty_title(key: str) -> str:
    known = editions.todays().penalties
    return bilingual(known[key].title) if key in known else key


class Sparse(dict):
    """Facts of which those that are not there are blank: a line of a story asks for forty and finds three, and each it does
    not find would be two exceptions to the templates. Whether one is there, `in` tells."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name, "")

    def __missing__(self, _key) -> str:
        return ""


def dialled(number: str) -> str:
    """What a telephone takes of a number as it was written: the first, without its extension; none if there is no number."""
    found = re.match(r"[\s(（]*\+?[\d\s()（）\-]+", number or "")  # noqa: RUF001 (full width too)
    return re.sub(r"[^\d+]", "", found[0]) if found else ""


def marked(text: str, sought: Sequence[str]) -> Markup:
    """A text in which what was searched for is marked."""
    parts = (f"<mark>{escape(part)}</mark>" if hit else escape(part) for part, hit in parted(text, sought))
    return Markup("".join(parts))


def told(wrong) -> str:
    """A refusal's words, or an error's of a form, in the reader's language."""
    if isinstance(wrong, Refused):
        return _(wrong.message, **wrong.params)
    return _(str(wrong))


def init_app(app: Flask, version: str) -> None:
    filters = {"exact": exact, "hour": hour, "weekday": weekday, "day": day, "when": when, "due": due,
               "said": bilingual, "words": words, "yuan": yuan,
               "many": many, "relative": relative, "told": told, "fact": fact, "clause_name": sayings.clause_name,
               "local_day": lambda instant: day(clock.local(instant).date()), "field_title": field_title,
               "marked": marked, "lasting": lasting, "dialled": dialled,
               "agent": agent, "edits": sayings.told, "sparse": Sparse,
               "instant": lambda text: exact(datetime.fromisoformat(text))}  # fmt: skip
    app.jinja_env.filters.update(filters)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        here=here, saved=saved, label_of=label_of, P=Permission, FINDS=FINDS, now=clock.now, today=clock.today,
        ngettext=ngettext, pressing=pressing, state_of=state_of, state_in=state_in, roles_shown=roles_shown, pool_of=pool_of,
        current_user=current_user, rule_title=rule_title, event_labels=event_labels(), roles=Role, said_as=said_as(),
        penalty_title=penalty_title,
        priorities=Priority, channels=Channel, states=State,
    )  # fmt: skip

    catalogue.init_app(app)
    folder = Path(app.static_folder or "")
    optional = {"htmx": "htmx.min.js", "tom_select": "tom-select.complete.min.js", "signature_pad": "signature_pad.umd.min.js"}
    assets = {name: (folder / "vendor" / file).exists() for name, file in optional.items()}

    @app.context_processor
    def page() -> dict:
        return {"html_lang": HTML_LANG.get(catalogue.language(), "zh-CN"), "assets": assets}

    @app.url_defaults
    def versioned(endpoint: str, values: dict) -> None:
        if endpoint == "static" and "v" not in values:
            values["v"] = version
