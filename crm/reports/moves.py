"""A report's moves. Who may take one, the rulebook says: whoever owes the duty that it settles."""

from dataclasses import dataclass

from crm.duties import editions
from crm.duties.rulebook import Rule, holds
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission as P
from crm.reports.models import Kind, Report, ReportEvent, State

OWED = {"submit": ReportEvent.OPENED, "receive": ReportEvent.SUBMITTED, "verify": ReportEvent.SUBMITTED}  # what opens the duty


def rule_of(report: Report, move: str) -> Rule | None:
    """By which rule somebody owes this move on a report of its kind."""
    book, known = editions.book_of(report), {"category": report.category}
    asked = (rule for rule in book.rules.values() if rule.move == move and OWED[move] in rule.opens) if book else ()
    return next((rule for rule in asked if holds(rule.where, known)), None)


@dataclass(frozen=True, kw_only=True)
class ByRule(Move):
    """`by`: whoever owes one of these, by the rulebook the report lives under, takes it; `kind`: only on reports of that kind."""

    by: tuple[str, ...]
    kind: Kind | None = None

    def may(self, user, subject) -> bool:
        if not super().may(user, subject) or self.kind not in (None, subject.category):
            return False
        rules = (rule_of(subject, move) for move in self.by)
        return any(_is_theirs(rule, user, subject) for rule in rules if rule)


def _is_theirs(rule: Rule, user, report: Report) -> bool:
    kind, _, role = rule.owner.partition(":")
    return role in user.roles if kind == "pool" else user.id == report.owner_id


_next = {"permission": P.REPORT_RECEIVE, "others": True}
MOVES: dict[str, Move] = {
    "submit": ByRule(noun="submission", label=N_("Submit the report"), done=N_("The report is submitted."), by=("submit",),
                     froms=frozenset({State.OPEN}), to=State.SUBMITTED, permission=P.REPORT_WRITE, icon="check2",
                     tone="primary"),
    "remark": ByRule(noun="remarks", label=N_("Remark on a customer"), done=N_("The remark is kept."), by=("submit",),
                     kind=Kind.SPECIALIST, froms=frozenset({State.OPEN}), to=None, permission=P.REPORT_WRITE, icon="pencil"),
    "receive": ByRule(noun="receipt", label=N_("Receive the report"), done=N_("The report is received."), by=("receive",),
                      froms=frozenset({State.SUBMITTED}), to=State.RECEIVED, asks=False, icon="inbox", tone="primary", **_next),
    "verify": ByRule(noun="verification", label=N_("Verify the report"), done=N_("The report is verified."), by=("verify",),
                     froms=frozenset({State.SUBMITTED}), to=State.VERIFIED, asks=False, icon="shield-check", tone="primary",
                     permission=P.REPORT_VERIFY, others=True),
    "send_back": ByRule(noun="return", label=N_("Give it back"), done=N_("It is given back; whoever submitted it has been told."),
                        by=("receive", "verify"), froms=frozenset({State.SUBMITTED}), to=State.OPEN, icon="arrow-return-left",
                        tone="danger", **_next),
    "waive": ByRule(noun="waiver", label=N_("No report is needed"), done=N_("Noted that no report is needed."),
                    by=("receive", "verify"), froms=frozenset({State.OPEN}), to=State.WAIVED, icon="x-circle", **_next),
}  # fmt: skip
Report.MOVES = MOVES
