"""The notice (处罚单): facts, evidence, clause, sanction, and where it is signed (D1)."""

from collections.abc import Iterable, Iterator, Mapping

from flask_babel import get_locale
from flask_babel import gettext as _

from crm.duties import queries as duties
from crm.duties.models import Event
from crm.labels import said
from crm.letters.sheet import Block, Sheet, facts, moment, sheet, signatures, table, words
from crm.money import yuan
from crm.penalties import evidence, queries
from crm.penalties.evidence import Evidence
from crm.penalties.models import Penalty, PenaltyEvent, Sanction


def notice(penalty: Penalty) -> Sheet:
    """As it was issued, with what came to it since."""
    told = evidence.of(penalty)
    names = duties.names([penalty.concerned_id, penalty.issued_by_id, *penalty.witnessed])
    who = {id: name.title for id, name in names.items()}
    language, signing = str(get_locale()), queries.signing(penalty)
    blocks = [
        facts((_("Against whom"), who.get(penalty.concerned_id or 0, "")), (_("Happened"), moment(penalty.happened_at)),
              (_("Sanction"), _sanction(penalty)), (_("About"), penalty.title)),
        facts((_("Clause"), f"{penalty.clause} {said(told.entry.title, language)}"),
              (_("Words of the clause"), said(told.clause.text, language) if told.clause else ""), wide=True),
        words(_("Facts"), penalty.facts_said, 16), facts((_("Who saw it"), penalty.witnesses), wide=True),
        table([_("Evidence"), _("What it says")], [2, 5], _evidence(told, language)),
        *_said(signing), *_contested(penalty),
        signatures((_("Issued by (signature, date)"), f"{who.get(penalty.issued_by_id or 0, '')} {moment(penalty.issued_at)}"),
                   (_("The person concerned (signature, date)"), _signed(penalty, who)),
                   (_("Witnesses of a refusal (signatures, date)"), _witnessed(penalty, signing, who))),
    ]  # fmt: skip
    appeal, answer = evidence.time_to_appeal(penalty)
    note = _("Signing is not agreeing. Within %(appeal)s of the signature, or its witnessing, one may appeal in writing; "
             "somebody who did not issue this answers within %(answer)s (D1).", appeal=appeal, answer=answer)  # fmt: skip
    return sheet(_("Penalty notice"), penalty.number, "other", blocks, note)


def _said(signing: Iterable[Event]) -> Iterator[Block]:
    """What the person wrote beside their signature; how it was refused, where that was witnessed."""
    labels = {PenaltyEvent.REFUSED: _("How the signature was refused"), PenaltyEvent.SIGNED: _("Written beside the signature")}
    last = {event.kind: event.facts.get("words") for event in signing}
    for kind, label in labels.items():
        if written := last.get(kind):
            yield words(label, written, 8)


def _witnessed(penalty: Penalty, signing: Iterable[Event], who: Mapping[int, str]) -> str:
    when = {event.actor_id: event.at for event in signing if event.kind == PenaltyEvent.CONFIRMED}
    return "\n".join(f"{who[id]} {moment(when.get(id))}".strip() for id in penalty.witnessed if id in who)


def _contested(penalty: Penalty) -> Iterator[Block]:
    if penalty.appeal:
        yield words(_("The appeal"), penalty.appeal, 8)
    if penalty.answer:
        yield words(_("Answer"), penalty.answer, 8)


def _sanction(penalty: Penalty) -> str:
    amount = "" if penalty.fen is None else f" {yuan(penalty.fen)}"
    less = _("reduced on appeal")
    reduced = "" if penalty.reduced_fen is None else f" → {yuan(penalty.reduced_fen)} ({less})"
    return _(Sanction(penalty.sanction).label) + amount + reduced


def _signed(penalty: Penalty, who: dict[int, str]) -> str:
    if penalty.held_at is None or len(penalty.witnessed) > 1:  # with the second witness it holds without them
        return ""
    return f"{who.get(penalty.concerned_id or 0, '')} {moment(penalty.held_at)}"


def _evidence(told: Evidence, language: str) -> list[tuple[str, str]]:
    rows = [(_("Rulebook"), told.edition)]
    if told.rule and told.opened:
        rows += [(_("Owed"), f"{said(told.rule.title, language)} ({told.rule.clause})"),
                 (_("Counted from"), moment(told.opened.at)),
                 (_("To be done within"), evidence.span_in_words(told.rule.due.span)),
                 (_("Deadline"), moment(told.due))]  # fmt: skip
    if told.rule and told.rule.ours:
        rows.append((_("Note"), _("The deadline is a default of the department's.")))
    if told.missing:
        rows.append((_("Missing then"), _(", ").join(said(one.title, language) for one in told.missing)))
    if told.kept:
        rows.append((_("Done late"), moment(told.kept.at)))
    if told.complaints:
        rows.append((_("Earlier complaints"), _(", ").join(one.number for one in told.complaints)))
    return rows
