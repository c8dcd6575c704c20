"""The outbox as a list, and what is done there with many letters at once: printed as one file, marked posted."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import current_user

from crm import clock
from crm.duties import queries as duties
from crm.duties.message import MessageState, Way
from crm.errors import Refused
from crm.files import store
from crm.forms import CrmForm, attempt
from crm.letters import forms, handling, queries
from crm.letters.answer import inline
from crm.letters.table import TABLE, called, standing
from crm.letters.typeset import bound
from crm.permissions import Permission as P
from crm.permissions import needs


def hang(bp: Blueprint) -> None:
    for path, view, method, permission in (
        ("/outbox", outbox, "GET", P.LETTER_READ), ("/outbox/print.pdf", print_all, "GET", P.NOTICE_SEND),
        ("/outbox/posting", post_all, "POST", P.NOTICE_SEND), ("/outbox/posting", posted_all, "GET", P.NOTICE_SEND),
    ):  # fmt: skip
        bp.add_url_rule(path, view.__name__, needs(permission)(view), methods=[method])


def outbox():
    return _outbox(forms.PostingForm(data={"on": clock.today()}, formdata=None))


def _outbox(form: CrmForm, refusal: Refused | None = None):
    wanted, page = TABLE.asked(current_user, request.args)
    to_print = queries.to_print(current_user)
    return render_template(
        "letters/outbox.html", page=page, wanted=wanted, message_states=MessageState, ways=Way, called=called, form=form,
        to_print=to_print, names=duties.names(one.subject.customer_id for one in to_print),
        to_settle=queries.to_settle(current_user),
        standing=standing, refusal=refusal, chosen=_chosen(),
    )  # fmt: skip


def _chosen() -> list[int]:
    """The letters that were ticked."""
    return [int(id) for id in request.values.getlist("letter")[:200] if id.isascii() and id.isdigit() and len(id) < 10]


def print_all():
    """What lies ready for the post, one letter after the other in one file; those that are named, or all."""
    chosen = _chosen()
    some = [one for one in queries.to_print(current_user) if not chosen or one.id in chosen]
    sheets = [content for one in some if (content := store.read(one.sheet_sha256 or ""))]
    if not sheets:
        return redirect("/outbox", 303)
    return inline(bound(sheets), f"letters-{clock.today()}")


def post_all():
    """Those that were chosen are in the post; leads to what became of each."""
    form = forms.PostingForm()

    def act():
        some = queries.of_ids(_chosen(), current_user)
        handling.post_all(some, by=current_user, on=form.on.data)
        return redirect(url_for("letters.posted_all", letter=[one.id for one in some]), 303)

    return attempt(form, act, lambda refusal: _outbox(form, refusal))


def posted_all():
    """What became of each of some letters that were marked posted."""
    rows = queries.of_ids(_chosen(), current_user)
    names = duties.names(one.subject.customer_id for one in rows)
    return render_template("letters/posted.html", rows=rows, names=names, called=called, message_states=MessageState)
