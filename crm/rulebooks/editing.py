"""The pages on which a draft is changed: a sheet for each kind of entry, the clauses' words, and the text itself. Each is asked
what is wrong with it while it is typed, and says the same without a script when it is sent."""

from flask import Blueprint, flash, jsonify, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from crm.answers import own_units, repeatable
from crm.errors import Forbidden, Invalid, NotThere, Refused, Stale
from crm.forms import attempt
from crm.moves import check_version
from crm.permissions import Permission as P
from crm.permissions import needs
from crm.rulebooks import differences, forms, page, queries, workflow
from crm.rulebooks.models import Draft
from crm.rulebooks.moves import CHANGE
from crm.rulebooks.sheets import SHEETS, Section, clause_words, entries_of
from crm.rulebooks.text import data_of, parts, with_part


def _said(found) -> None:
    """What saving came to."""
    flash(_("Saved.") if found else _("Nothing differs from what is saved."))


def _sheet(key: str):
    @needs(P.RULEBOOK_DRAFTS)
    def sheet(number):
        draft = queries.draft(number, current_user)
        return edit(draft, key, SHEETS[key].sections(data_of(draft.body)), f"{draft.path}/{key}")

    return sheet


def _must_be_theirs(draft: Draft) -> None:
    """Whatever is wrong with what they sent."""
    if request.method == "POST" and not CHANGE.may(current_user, draft):
        raise Forbidden()


def edit(draft: Draft, key: str, sections: list[Section], back: str, **more):
    """A sheet's whole life: shown, saved, or shown again with every word."""
    _must_be_theirs(draft)
    data, entries = data_of(draft.body), list(entries_of(sections))
    form = forms.sheet_form(entries, data)

    def act():
        check_version(draft, form.opened_version)
        try:
            _said(workflow.change(draft, forms.changes_of(form, entries, data), by=current_user))
        except Invalid as refusal:
            raise page.fitted(refusal, entries) from refusal
        return redirect(back, 303)

    def show(refusal: Refused | None):
        return page.render_sheet(queries.draft(draft.number, current_user), key, sections, form, refusal, **more)

    return attempt(form, act, show)


def _check(key: str):
    """What is wrong with what is typed: in a unit of its own, which writes nothing."""

    @own_units
    @repeatable
    @needs(P.RULEBOOK_ISSUE)
    def check(number):
        draft = queries.draft(number, current_user)
        entries = list(entries_of(SHEETS[key].sections(data_of(draft.body))))
        return jsonify(page.answers(draft, entries, forms.sheet_form(entries, data_of(draft.body))))

    return check


@needs(P.RULEBOOK_DRAFTS)
def clauses(number):
    """The clauses, each to be opened; marked where their words may tell what was before."""
    draft = queries.draft(number, current_user)
    data = data_of(draft.body)
    found, _sayer = page.compared(draft)
    book = workflow.check(data)
    return render_template("rulebooks/clauses.html", draft=draft, book=book, may_change=page.may_change(draft),
                           unsaid=differences.unsaid(found, data), sheets=SHEETS, key="clauses")  # fmt: skip


@needs(P.RULEBOOK_DRAFTS)
def clause(number, key):
    """The words of one clause, in both languages."""
    draft = queries.draft(number, current_user)
    data = data_of(draft.body)
    if key not in data.get("clause", {}):
        raise NotThere()
    return edit(draft, "clause", clause_words(key, data), f"{draft.path}/clauses#c-{key}", of=key)


@needs(P.RULEBOOK_DRAFTS)
def text(number, place):
    """The text itself, in the parts its headings make."""
    draft = queries.draft(number, current_user)
    _must_be_theirs(draft)
    known = parts(draft.body)
    if not 1 <= place <= len(known):
        raise NotThere()
    form = forms.TextForm(data={"text": known[place - 1].text})

    def act():
        check_version(draft, form.opened_version)
        _said(workflow.rewrite(draft, with_part(draft.body, place - 1, form.text.data), by=current_user))
        return redirect(f"{draft.path}/text/{place}", 303)

    def show(refusal: Refused | None):
        now = queries.draft(number, current_user)
        if isinstance(refusal, Stale):
            form.beside(forms.TextForm(data={"text": parts(now.body)[place - 1].text}, formdata=None))
        return render_template("rulebooks/text.html", draft=now, parts=known, place=place, form=form, refusal=refusal,
                               may_change=page.may_change(now), sheets=SHEETS, key="text")  # fmt: skip

    return attempt(form, act, show)


@own_units
@repeatable
@needs(P.RULEBOOK_ISSUE)
def check_text(number, place):
    draft, form = queries.draft(number, current_user), forms.TextForm()
    known = parts(draft.body)
    if not 1 <= place <= len(known):
        raise NotThere()
    faults = workflow.faults_of(with_part(draft.body, place - 1, form.text.data or ""))
    return jsonify({"faults": [": ".join(filter(None, (one.place, page.spoken(one.wrong)))) for one in faults]})


def _addition(kind: str):
    """Something that is not there yet: a category, a field, a sanction."""

    @needs(P.RULEBOOK_ISSUE)
    def add(number):
        draft = queries.draft(number, current_user)
        form = page.addition(kind, draft)
        sheet = page.ADDITIONS[kind].sheet

        def act():
            check_version(draft, form.opened_version)
            workflow.add(draft, form.change(), by=current_user)
            flash(_("Added."))
            return redirect(f"{draft.path}/{sheet}", 303)

        def show(refusal: Refused | None):
            now = queries.draft(number, current_user)
            data = data_of(now.body)
            sections = SHEETS[sheet].sections(data)
            plain = forms.sheet_form(list(entries_of(sections)), data, formdata=None)
            return page.render_sheet(now, sheet, sections, plain, None, added=kind, adding=form, not_added=refusal)

        return attempt(form, act, show)

    return add


def hang(bp: Blueprint) -> None:
    for key in SHEETS:
        bp.add_url_rule(f"/<number:number>/{key}", key, _sheet(key), methods=["GET", "POST"])
        bp.add_url_rule(f"/<number:number>/{key}/check", f"check_{key}", _check(key), methods=["POST"])
    for kind in page.ADDITIONS:
        bp.add_url_rule(f"/<number:number>/{kind}", f"add_{kind}", _addition(kind), methods=["POST"])
    bp.add_url_rule("/<number:number>/clauses", "clauses", clauses)
    bp.add_url_rule("/<number:number>/clauses/<key>", "clause", clause, methods=["GET", "POST"])
    bp.add_url_rule("/<number:number>/text/<id:place>", "text", text, methods=["GET", "POST"])
    bp.add_url_rule("/<number:number>/text/<id:place>/check", "check_text", check_text, methods=["POST"])
