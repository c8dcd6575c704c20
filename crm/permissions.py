"""Who may do what: one enum, one dict (RULES, chapter 4, "Who does what"). Rows are narrowed by each `visible()`."""

import enum
import functools
from collections.abc import Callable
from typing import Any

from crm.labels import N_, Labelled


class Role(Labelled):
    SPECIALIST = "specialist", N_("Service specialist")
    FOLLOWUP = "followup", N_("Follow-up")
    MANAGER = "manager", N_("Service manager")
    DIRECTOR = "director", N_("Service director")
    DEVELOPER = "developer", N_("Developer")
    ARCHIVIST = "archivist", N_("Archivist")
    ADMIN = "admin", N_("Administrator")


class Permission(enum.StrEnum):
    PUBLIC = "public"  # no log-in needed: a short list
    SIGNED_IN = "signed_in"  # anybody with an account: Today, one's own account, the rulebook
    CUSTOMER_READ = "customer:read"
    CUSTOMER_EDIT = "customer:edit"
    TICKET_READ = "ticket:read"
    TICKET_WORK = "ticket:work"  # one's own
    TICKET_WORK_ANY = "ticket:work:any"
    TICKET_ASSIGN = "ticket:assign"  # reassign, settle an escalation
    VISIT_READ = "visit:read"
    VISIT_WORK = "visit:work"  # one's own: request, depart, return, hand in, write up
    VISIT_DECIDE = "visit:decide"  # 5.3.3; the director in the manager's place (ours.standin)
    CHANGE_READ = "change:read"
    CHANGE_WORK = "change:work"  # one's own: open, agree, tell, test, bring to the customer, close
    CHANGE_DECIDE = "change:decide"  # 5.4.4; the director in the manager's place (ours.standin)
    CHANGE_BUILD = "change:build"
    OPINION_READ = "opinion:read"
    OPINION_WORK = "opinion:work"  # take in, answer one's own
    OPINION_INVESTIGATE = "opinion:investigate"  # complaints: investigate, confirm; answer any
    CALLBACK_READ = "callback:read"
    CALLBACK_WORK = "callback:work"  # what falls to one's role or to oneself: call, rate
    REPORT_READ = "report:read"  # everybody's figures; else those one stands in
    REPORT_WRITE = "report:write"  # submit what one's role owes, and read that (5.5.5, 4.specialist.7)
    REPORT_RECEIVE = "report:receive"  # receive or verify, give back; read every report
    REPORT_VERIFY = "report:verify"  # 4.director.6
    REPORT_SEND = "report:send"  # say who is sent which report, and when
    WATCH = "watch"  # over others' records and what they missed (4.followup.3)
    LETTER_READ = "letter:read"  # letters' texts, and the outbox
    LETTER_EDIT = "letter:edit"  # the texts
    NOTICE_SEND = "notice:send"  # send on purpose, decide an unknown outcome
    CONTRACT_READ = "contract:read"
    CONTRACT_WORK = "contract:work"  # draft, sign, fax, terms, invoice, payment: of one's own customers
    CONTRACT_WORK_ANY = "contract:work:any"
    CONTRACT_RELEASE = "contract:release"  # a new period before payment; withhold it; the plan
    PLAN_SIGN = "plan:sign"  # sign off a month's completion
    SERIAL_READ = "serial:read"  # in the clear; all others see a mask (C7)
    SERIAL_ISSUE = "serial:issue"  # issue and hand over: one's own customers
    SERIAL_ISSUE_ANY = "serial:issue:any"
    PAPER_READ = "paper:read"
    PAPER_HOLD = "paper:hold"  # enter it, hand it on, confirm it; declare one's own lost
    PAPER_ARCHIVE = "paper:archive"  # archive, lend; declare any lost
    PENALTY_READ_ANY = "penalty:read:any"  # everybody reads their own
    PENALTY_ENTER = "penalty:enter"  # by hand, with facts; follow-up as a finding
    PENALTY_ISSUE = "penalty:issue"  # and waive; the refusal of a signature
    PENALTY_DECIDE = "penalty:decide"  # answer appeals
    PENALTY_APPOINT = "penalty:appoint"  # name who answers one
    PENALTY_WEIGH = "penalty:weigh"  # what is recommended; a manager what is about a director
    STATEMENT_READ = "statement:read"  # the archivist once the month is closed (7.7)
    STATEMENT_TAKE = "statement:take"  # to payroll
    MONTH_CLOSE = "month:close"
    FUND_READ = "fund:read"
    FUND_SPEND = "fund:spend"  # 7.8
    ABSENCE_DECIDE = "absence:decide"  # 2; the director in the manager's place (ours.standin)
    TIME_GRANT = "time:grant"  # 3.8
    DUTY_READ_ANY = "duty:read:any"  # everybody's Today
    FILTER_SHARE = "filter:share"  # a list's filter under a name, for everybody
    RULEBOOK_ISSUE = "rulebook:issue"
    RULEBOOK_DRAFTS = "rulebook:drafts"  # read drafts and their trials; answer what people write on the rulebook (8, 9)
    STAFF_EDIT = "staff:edit"
    SETTINGS_EDIT = "settings:edit"


P = Permission
_PAPER = {P.PAPER_READ, P.PAPER_HOLD}
FINDS = frozenset({P.CUSTOMER_READ, P.TICKET_READ, P.PAPER_READ})  # whoever has one of these finds something by the search
_DESK = {P.CUSTOMER_READ, P.CUSTOMER_EDIT, P.TICKET_READ, P.VISIT_READ, P.CHANGE_READ, P.CALLBACK_READ, P.CALLBACK_WORK,
         P.CONTRACT_READ, P.LETTER_READ, P.OPINION_READ, P.OPINION_WORK, P.REPORT_WRITE} | _PAPER  # fmt: skip
_LEAD = {P.OPINION_INVESTIGATE, P.REPORT_READ, P.REPORT_RECEIVE, P.TICKET_ASSIGN, P.ABSENCE_DECIDE, P.TIME_GRANT, P.DUTY_READ_ANY,
         P.FILTER_SHARE, P.PENALTY_READ_ANY, P.PENALTY_ENTER, P.PENALTY_APPOINT, P.PENALTY_WEIGH, P.STATEMENT_READ,
         P.FUND_READ, P.RULEBOOK_DRAFTS, P.WATCH}  # fmt: skip
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.SPECIALIST: frozenset(_DESK | {P.TICKET_WORK, P.VISIT_WORK, P.CHANGE_WORK, P.CONTRACT_WORK, P.SERIAL_READ,
                                        P.SERIAL_ISSUE}),
    Role.FOLLOWUP: frozenset(_DESK | {P.TICKET_WORK, P.REPORT_READ, P.NOTICE_SEND, P.WATCH, P.PENALTY_ENTER}),
    Role.MANAGER: frozenset(_DESK | _LEAD | {P.TICKET_WORK, P.TICKET_WORK_ANY, P.VISIT_DECIDE, P.CHANGE_DECIDE,
                                             P.CONTRACT_WORK, P.CONTRACT_WORK_ANY, P.CONTRACT_RELEASE, P.NOTICE_SEND,
                                             P.SERIAL_READ, P.SERIAL_ISSUE, P.SERIAL_ISSUE_ANY, P.PENALTY_ISSUE}),
    Role.DIRECTOR: frozenset(_DESK | _LEAD | {P.RULEBOOK_ISSUE, P.VISIT_DECIDE, P.CHANGE_DECIDE, P.LETTER_EDIT, P.PLAN_SIGN,
                                              P.REPORT_VERIFY, P.REPORT_SEND, P.PENALTY_DECIDE, P.MONTH_CLOSE, P.FUND_SPEND}),
    Role.DEVELOPER: frozenset(_PAPER | {P.CHANGE_READ, P.CHANGE_BUILD, P.TICKET_READ}),
    Role.ARCHIVIST: frozenset(_PAPER | {P.PAPER_ARCHIVE, P.STATEMENT_READ, P.STATEMENT_TAKE}),
    Role.ADMIN: frozenset({P.STAFF_EDIT, P.SETTINGS_EDIT}),
}


@functools.cache
def granted(roles: frozenset[str]) -> frozenset[Permission]:
    """All that these roles together may do; an account without a role sees its own account and the rulebook."""
    return frozenset({P.SIGNED_IN}).union(*(GRANTS[Role(role)] for role in roles))


def by_reader(visible: Callable[..., Any]) -> Callable[..., Any]:
    """What somebody may see rests on who they are and on their roles alone: put together once for each, up to a thousand."""
    known: dict[tuple, Any] = {}

    @functools.wraps(visible)
    def answer(*args):
        *of, user = args
        who = (*of, user.id, user.roles)
        if who not in known:
            if len(known) >= 1000:
                known.clear()
            known[who] = visible(*args)
        return known[who]

    return answer


def needs(permission: Permission):
    """Declare what a view needs; the app refuses to start if a route declares nothing."""

    def declare(view):
        view.permission = permission
        return view

    return declare
