"""What every page says and draws many times: words in the reader's language and pictures, each made once."""

import functools
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import Domain, get_locale
from jinja2 import Template
from jinja2.environment import TemplateModule
from jinja2.runtime import Context
from markupsafe import Markup, escape

from crm import clock

CHINESE, ENGLISH = "zh_Hans_CN", "en"  # the catalogues there are
MOST = 5_000  # texts kept in a language; the program has a third of that


class Catalogue(Domain):
    """The words of a request's language, looked up once a request rather than once a word."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[str, dict[str, Markup]] = {}  # language → what pages said in it

    def get_translations(self):
        return self.held()[1]

    def held(self):
        held, locale = g.get("catalogue"), get_locale()
        if held is None or held[0] is not locale:
            language = str(locale or CHINESE)
            words = self.shown.setdefault(language, {})
            held = g.catalogue = (locale, super().get_translations(), words, language)
        return held


CATALOGUE = Catalogue()


def language() -> str:
    """The reader's, such as `zh_Hans_CN`."""
    return (g.get("catalogue") or CATALOGUE.held())[3] if g else CHINESE


def locale_of(wanted: str | None) -> str:
    """English where that is said, Chinese for anything else."""
    return ENGLISH if wanted == ENGLISH else CHINESE


def forget() -> None:
    """The reader chose another language in the middle of a request."""
    g.pop("catalogue", None)


def said(text: str, **variables) -> Markup:
    """gettext for pages: each text is looked up and escaped once in a process; variables are escaped too. What is asked
    may be somebody's words, such as a mail server's answer: so a text is never markup, and a format only with variables."""
    held = g.get("catalogue") or CATALOGUE.held()
    found = held[2].get(text)
    if found is None:
        found = escape(held[1].ugettext(text))
        if len(held[2]) < MOST:
            held[2][text] = found
    return found % variables if variables else found


@functools.lru_cache(maxsize=1000)
def _address(root: str, filename: str) -> str:
    return url_for("static", filename=filename)


def static(filename: str) -> str:
    """Where a static file is; the same for every page of this process under one root."""
    return _address(request.script_root, filename)


@functools.lru_cache(maxsize=1000)
def _icon(file: str, name: str, label: str) -> Markup:
    if label:
        return Markup('<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>').format(
            label, file, name
        )
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(file, name)


def icon(name: str, label: str = "") -> Markup:
    """A picture from the sprite; with a label it says something, without it only decorates."""
    return _icon(static("vendor/icons.svg"), name, label)


KEPT = 1_000  # parts of pages


def drawn(*facts: Hashable, caller: Callable[[], Markup]) -> Markup:
    """A part of a page that many pages show alike, such as a row of a list, drawn once: `{% call drawn("row", fact, …) %}`.

    `facts` are all that the part says; with them go its language and, because it may say how long ago, the minute."""
    kept = current_app.extensions["drawn"]
    key = (*facts, language(), int(clock.now().timestamp()) // 60)
    return kept.get(key) or _keep(kept, key, caller())


def drawn_rows(
    told: Iterable[tuple], columns: tuple[str, ...], *facts: Hashable, draw: Callable[[Any, tuple[str, ...]], Markup]
) -> Markup:
    """The same for all rows of a list: each comes first of what it says; `facts` hold for all."""
    kept = current_app.extensions["drawn"]
    same = (columns, *facts, language(), int(clock.now().timestamp()) // 60)
    keys = [(*one, *same) for one in told]
    return Markup("").join([kept.get(key) or _keep(kept, key, draw(key[0], columns)) for key in keys])


def _keep(kept: dict[tuple, Markup], key: tuple, part: Markup) -> Markup:
    if len(kept) >= KEPT:
        kept.clear()
    kept[key] = part
    return part


class Page(Template):
    """A template whose macros are made once. Jinja compares the globals of both sides at each import, of which a page has a
    dozen; here all have the same."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        if self._module is None:
            self._module = self.make_module()
        return self._module


def init_app(app: Flask) -> None:
    app.jinja_env.template_class = Page
    app.extensions["drawn"] = {}
    app.extensions["babel"].instance.domain_instance = CATALOGUE
    app.jinja_env.globals.update(_=said, gettext=said, icon=icon, static=static, drawn=drawn, drawn_rows=drawn_rows)
