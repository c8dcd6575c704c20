"""A subject's page: its MOVES as routes, its notes, its changing, and what every such page tells."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import HiddenField, PasswordField, StringField

from crm import clock
from crm.customers import queries as customers
from crm.duties import queries as duties
from crm.duties.models import Duty, Event, Subject
from crm.errors import Forbidden, Refused, Stale
from crm.files import queries as files
from crm.files.drafts import received
from crm.files.workflow import note
from crm.forms import CrmForm, PickField, ReasonForm, WordsField, attempt
from crm.moves import Move, check_version
from crm.permissions import Role, needs
from crm.staff import queries as staff


class NoteForm(CrmForm):
    words = WordsField(_l("Note"), required=True, most=5000)


class AssignForm(ReasonForm):
    """Whoever serves customers may be given a contract or an implementation."""

    to = PickField(_l("To whom"), required=True, blank=_l("Choose somebody"))

    def offer(self, subject: Subject) -> None:
        self.to.offer(staff.offered(staff.choices((Role.SPECIALIST, Role.MANAGER)), but={subject.owner_id}))


@dataclass(frozen=True)
class Verbs:
    """What may be done at one kind's page. `acts`: verb → `(subject, form, keys of its files)`, called in the unit of work
    once form and version are checked; one may answer with a page of its own. `page` is the kind's own module:
    `form_for()` and `render()`."""

    get: Callable[..., Any]
    moves: Mapping[str, Move]
    page: Any
    acts: Mapping[str, Callable[[Any, Any, list[str]], object]]
    first: Callable[[Any, Any], None] = lambda subject, form: None  # what must be locked before the subject is

    def hang(self, bp: Blueprint) -> None:
        """One route a verb: a POST to its noun."""
        for name, move in self.moves.items():
            bp.add_url_rule(f"/<number:number>/{move.noun}", name, self._view(name), methods=["POST"])

    def _view(self, name: str):
        @needs(self.moves[name].permission)
        def move(number):
            return self.do(name, number, _(self.moves[name].done))

        return move

    def do(self, name: str, number: str, said: str):
        """One verb on one subject; refused, its page again with what was typed and the files that came along."""
        subject, move = self.get(number, current_user), self.moves.get(name)
        if move and not move.may(current_user, subject):
            raise Forbidden()
        form, drafts = self.page.form_for(name, subject), []

        def act():
            self.first(subject, form)
            check_version(subject, form.opened_version)
            answer = self.acts[name](subject, form, [draft.key for draft in drafts])
            if isinstance(answer, Response):  # what is shown this once
                return answer
            flash(said)
            return redirect(subject.path, 303)

        def show(refusal: Refused | None):
            kept = files.drafts([draft.key for draft in drafts], current_user) or drafts
            return self.page.render(number, name=name, bound=form, refusal=refusal, drafts=kept)

        def take():
            of_fields = {f"file_{field.key}": field.key for field in getattr(form, "scans", ())}
            drafts.extend(received({**of_fields, **form.takes}))

        return attempt(form, act, show, take=take)

    def note(self, number: str, write: Callable[..., None] = note):
        """A note and its files."""
        subject, form, drafts = self.get(number, current_user), NoteForm(), []

        def act():
            write(subject, by=current_user, words=form.words.data, files=[draft.key for draft in drafts])
            return redirect(f"{subject.path}#timeline", 303)

        def show(refusal: Refused | None):
            return self.page.render(number, name="note", bound=form, refusal=refusal, drafts=drafts)

        return attempt(form, act, show, take=lambda: drafts.extend(received({"file_": ""})))

    def edit(self, number: str, move: Move, form_of: Callable[..., CrmForm], save: Callable[[Any, Any], None]):
        """The page on which what stands on a subject is put right; stale, with what is saved now beside each field."""
        subject = self.get(number, current_user)
        if request.method == "POST" and not move.may(current_user, subject):
            raise Forbidden()
        form = form_of(subject)

        def act():
            check_version(subject, form.opened_version)
            save(subject, form)
            flash(_("Saved."))
            return redirect(subject.path, 303)

        def show(refusal: Refused | None):
            now = self.get(number, current_user)
            if isinstance(refusal, Stale):
                form.beside(form_of(now, formdata=None))
            return render_template(f"{now.noun}/edit.html", form=form, subject=now, refusal=refusal,
                                   customer=customers.by_id(now.customer_id) if now.customer_id else None)  # fmt: skip

        return attempt(form, act, show)


def offered(
    subject: Any, moves: Mapping[str, Move], owed: Sequence[Duty], form_for: Callable[..., CrmForm], *, name: str = "",
    bound: CrmForm | None = None,
) -> dict[str, CrmForm]:
    """The verbs that may be done now, each with its empty form, the refused one with what was typed; one that settles a duty,
    once that is due to be shown."""
    rules = {duty.rule for duty in owed if duty.open and duty.show_from <= clock.now()}
    user = current_user._get_current_object()  # asked often, and each time looked for  # type: ignore[attr-defined]
    return {
        key: form_for(key, subject, formdata=None) if bound is None or key != name else bound
        for key, move in moves.items() if move.open_to(user, subject, rules)
    }  # fmt: skip


def _led_to(
    subject: Subject, events: Sequence[Event], names: Mapping[int | str, duties.Name], below: Collection[str]
) -> list[duties.Name]:  # fmt: skip
    """What came of it, as far as its story and the reader's sight reach; no duplicates, which are said elsewhere, nor somebody's
    leave."""
    said = [names[one.about] for one in reversed(events)
            if one.about in names and not one.kind.endswith(".duplicate") and "leave" not in one.facts]  # fmt: skip
    came = dict.fromkeys([*said, *(duties.opened_from(subject, current_user) if below else ())])
    return [one for one in came if one.id not in (subject.id, subject.origin_id)]


def words_of(form: CrmForm | None) -> list[tuple[str, str]]:
    """What was typed into a form in words, by its labels: shown where the form itself is no longer to be had."""
    words = [one for one in form or () if isinstance(one, StringField) and not isinstance(one, HiddenField | PasswordField)]
    typed = [(one.label.text, "".join(str(said) for said in one.raw_data or ())) for one in words]
    return [(label, said) for label, said in typed if said.strip()]


def told(
    subject: Subject, owed: Sequence[Duty], *, name: str, bound: CrmForm | None, refusal: Refused | None, drafts
) -> dict[str, Any]:
    """What every subject's page is given: its story with the names in it, what is owed and its files; of a refused form
    the words, the refusal and the drafts."""
    events = duties.timeline(subject)
    opened: dict[int, list[Duty]] = {}
    for duty in owed:
        opened.setdefault(duty.opened_by_id, []).append(duty)
    hung, below = files.of(subject), duties.below(subject)
    whose = subject.owner_id, *(duty.owner_id for duty in owed)
    names = duties.names_in(events, current_user, *whose, origin=subject.origin_id)
    return {
        "subject": subject, "events": events, "duties": owed, "opened": opened, "files": hung,
        "same": files.same(hung, subject, current_user),
        "names": names, "came_of": names.get(subject.origin_id or 0), "below": below,
        "led_to": _led_to(subject, events, names, below),
        "customer": customers.by_id(subject.customer_id) if subject.customer_id else None,
        "refusal": refusal, "refused": name, "drafts": drafts, "typed": words_of(bound),
        "note": bound if bound is not None and name == "note" else NoteForm(formdata=None),
    }  # fmt: skip
